import FileFormats

@testable import Datasets
@testable import Sessions
@testable import Training

extension FuzzTarget {
  /// Lists about samples and classes, read for a data set of six images and three classes.
  static let lists: [FuzzTarget] = [
    FuzzTarget(
      "labels",
      [
        NumPyArray([0, 1, 2, 0, 1, 2] as [Int64]).encoded(), Seeds.pickle2,
        Array("sample_id,label\n0,1\n1,0\n2,2\n3,0\n4,1\n5,2\n".utf8),
        Array("sample_id,clean_label,clean_name\n5,2,c2\n4,1,\n3,,c0\n2,c2,\n1,1,\n0,0,\n".utf8),
        Array("path,given_label\na/0.png,c1\na/1.png,1\na/2.png,2\na/3.png,0\na/4.png,1\na/5.png,2\n".utf8),
        Array("label,label_noisy\n0,1\n1,1\n2,0\n0,0\n1,1\n2,2\n".utf8),
      ]
    ) { bytes in
      let path = Fuzz.put(bytes, "labels")
      for data in [tiny, withPaths] {
        Fuzz.refusing { _ = try data.replacingLabels(fromFile: path) }
        Fuzz.refusing { _ = try data.withTrueLabels(fromFile: path) }
      }
    },
    FuzzTarget(
      "label-noise",
      [
        Array("label,label_noisy\n0,1\n1,1\n2,0\n0,0\n1,1\n2,2\n".utf8), Seeds.pickle4,
        NumPyArray([0, 1, 2, 0, 1, 2] as [Int64]).encoded(),
        Array("1 0 0\n0 0.5 0.5\n0 0 1\n".utf8), Array("0.5,0.5,0\n0,1,0\n0,0,1\n".utf8),
        Array("class,c0,c1,c2\nc0,1,0,0\nc1,0,1,0\nc2,0,0,1\n".utf8),
        NumPyArray([1, 0, 0, 0, 1, 0, 0, 0, 1] as [Double], shape: [3, 3]).encoded(),
      ]
    ) { bytes in
      let path = Fuzz.put(bytes, "noise")
      for noise in ["labels:\(path)", "labels:\(path),key=worse", "labels:\(path),clean=\(path)", "matrix:\(path)"] {
        Fuzz.refusing { _ = try NoiseCatalogue.parse(noise).labels(for: tiny, draws: NoiseDraws(seed: 1)) }
      }
    },
    FuzzTarget(
      "probabilities",
      [NumPyArray([Float](repeating: 0.25, count: 18), shape: [6, 3]).encoded(), eye(6, 3).encoded()]
    ) { bytes in
      let path = Fuzz.put(bytes, "probabilities.npy")
      Fuzz.refusing { _ = try GivenProbabilities(path, for: tiny) }
      for name in ["peer-loss:0.2", "polynomial-margin:1,0.4"] {
        Fuzz.refusing {
          _ = try NoiseCatalogue.parse("\(name),probs=\(path)").labels(for: tiny, draws: NoiseDraws(seed: 1))
        }
      }
    },
    FuzzTarget(
      "noise",
      [
        "symmetric:0.4", "symmetric:0.6,exact=class", "asymmetric:0.3,map=swap", "pairflip:0.45", "part-dependent:0.4",
        "symmetric:0.2+pairflip:0.1", "random-matrix:0.3", "seal:", "peer-loss:0.2", "polynomial-margin:1,0.4", "none",
        "uniform:0.3,inclusive", "0.1", "48x64",
      ]
    ) { bytes in
      // Without paths: the input would choose a file of this machine.
      guard let text = bytes.text, !text.contains("/"), !text.contains("=") || text.contains("exact") else { return }
      Fuzz.refusing { _ = try NoiseCatalogue.parse(text).labels(for: tiny, draws: NoiseDraws(seed: 1)) }
      Fuzz.refusing { _ = try HeldOutPart(parsing: text) }
      Fuzz.refusing { _ = try PixelSize(parsing: text) }
    },
    FuzzTarget(
      "exclude", ["sample_id,is_label_issue\n1,True\n2,False\n", "path\na/0.png\n", "sample_id,suspicion\n0,0.5\n"]
    ) {
      bytes in
      let path = Fuzz.put(bytes, "exclude.csv")
      for (data, threshold) in [(tiny, nil), (withPaths, nil), (withPaths, 0.4)] {
        Fuzz.refusing {
          let excluded = try ExcludedSamples(from: SampleList(path, of: data), above: threshold)
          _ = (excluded.weights(count: data.train.count), excluded.removed(from: data.train))
        }
      }
    },
    FuzzTarget(
      "transition",
      [
        Array("0.8,0.1,0.1\n0.1,0.8,0.1\n0.1,0.1,0.8\n".utf8), eye(3, 3).encoded(),
        Array("class,c2,c1,c0\nc1,0,1,0\nc0,0.25,0,0.75\nc2,1,0,0\n".utf8),
      ]
    ) { bytes in
      let path = Fuzz.put(bytes, "transition")
      Fuzz.refusing {
        let matrix = try TransitionSource.file(path).matrix(for: tiny.train, classNames: tiny.classNames)
        Fuzz.refusing { _ = try TransitionSource.inverse(of: matrix) }
      }
    },
    FuzzTarget("class-names", ["c0\nc1\n7\n7", "é\ne\u{301}\n"]) { bytes in
      let names = bytes.text.map { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) } ?? []
      guard let text = names.last else { return }
      // Positions count these classes, the same ones in another order, or others.
      for counted in [nil, names.dropLast(), names.dropLast().reversed(), ["c0", "c1"]] {
        let reader = ClassReader(names.dropLast(), counting: counted)
        Fuzz.refusing {
          let label = try reader.label(text, "x")
          precondition(label.map { names.dropLast().indices.contains($0) } ?? true)
        }
        Fuzz.refusing { _ = try reader.label(text, named: names[0], "x") }
      }
    },
  ]

  /// Six images of 2 x 2, by numbers.
  static let tiny = Dataset(
    name: "tiny", classNames: ["c0", "c1", "c2"], train: LabelledSet(images: images, labels: [0, 1, 2, 0, 1, 2]),
    test: nil, source: "tiny")
  /// The same with files, two of which are the same one.
  static let withPaths = Dataset(
    name: "tiny", classNames: ["c0", "1", "c2"],
    train: LabelledSet(
      images: images, labels: [0, 1, 2, 0, 1, 2], paths: (0..<6).map { $0 == 5 ? "a/4.png" : "a/\($0).png" }),
    test: nil, source: "tiny")

  private static let images = ImageSet(
    count: 6, height: 2, width: 2, channels: 1, pixels: (0..<24).map { UInt8($0 * 7) })

  private static func eye(_ rows: Int, _ columns: Int) -> NumPyArray {
    NumPyArray(
      (0..<rows * columns).map { $0 / columns % columns == $0 % columns ? 1.0 : 0 } as [Double], shape: [rows, columns])
  }
}
