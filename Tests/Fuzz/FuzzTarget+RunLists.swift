import FileFormats

@testable import Datasets
@testable import Reports
@testable import Settings
@testable import Training

extension FuzzTarget {
  /// Lists of which more is known than their path: they lie beside a run, or name samples that are trusted.
  static let runLists: [FuzzTarget] = [
    FuzzTarget(
      "list-beside-run",
      origins.flatMap { origin in files.map { .parts(recordText(origin.count, origin.samples), "", last: $0) } }
        + configurations.map {
          .parts(recordText(18, DetectionUnderFuzz.dataset.sampleFingerprint()), $0, last: files[0])
        }
    ) { bytes in
      let parts = bytes.parts(3), folder = Fuzz.folder + "/beside"
      Fuzz.put(parts[0], "beside/run.json")
      if parts[1].isEmpty { Fuzz.remove(folder + "/config.toml") } else { Fuzz.put(parts[1], "beside/config.toml") }
      let path = Fuzz.put(parts[2], "beside/list")
      let whole = DetectionUnderFuzz.dataset
      Fuzz.refusing {
        let judged = try [JudgedSplit.all, .test].map { try whole.judging($0) }
        for data in [tiny, withPaths, tiny.limited(train: 4), whole] + judged { read(path, besideRunOf: data) }
      }
    },
    FuzzTarget(
      "trusted",
      [
        Array("sample_id,clean_label,clean_name\n5,2,c2\n1,,c0\n".utf8), Array("path,label\na/2.png,c1\n".utf8),
        Array("sample_id,verdict,new_label,new_name\n0,keep,,\n1,wrong,2,\n2,drop,,\n3,unsure,,\n".utf8),
        Array("path,verdict,given_label\na/0.png,relabel:c2,0\na/1.png,correct,1\n".utf8),
        NumPyArray([0, 1, -1, 2, -1, -1] as [Int64]).encoded(), NumPyArray(["c0", "", "c2", "", "", "c1"]).encoded(),
      ]
    ) { bytes in
      let path = Fuzz.put(bytes, "trusted")
      var settings = RunSettings()
      settings.trusted = .list(path)
      for all in [tiny, withPaths] {
        for data in [all, all.limited(train: 4)] { Fuzz.refusing { try trust(settings, data, of: all) } }
      }
    },
  ]

  /// Reads a file in every way in which one may count what a run counted.
  private static func read(_ path: String, besideRunOf data: Dataset) {
    var data = data
    data.origin = { ListOrigin(beside: $0) }
    let list = SampleList(path, of: data), N = data.train.count
    Fuzz.refusing { try list.requireSameSamples() }
    Fuzz.refusing { try list.requireSameSamples(rows: N) }
    Fuzz.refusing { _ = try data.replacingLabels(from: list) }
    Fuzz.refusing { _ = try data.withTrueLabels(from: list) }
    Fuzz.refusing { _ = try data.rightLabels(from: list) }
    for threshold in [nil, 0.4] {
      Fuzz.refusing {
        let excluded = try ExcludedSamples(from: list, above: threshold, trusting: true)
        _ = (excluded.weights(count: N), excluded.matching.note("--exclude", path))
      }
    }
    Fuzz.refusing { _ = try RunData.verdicts(from: path, on: data, of: data).byID.count }
    Fuzz.refusing { _ = try GivenProbabilities(path, for: data) }
    Fuzz.refusing {
      _ = try SampleArrayFile(path, of: "probabilities", for: data).probabilities(
        Array(0..<N), classes: data.classCount)
    }
  }

  /// Takes trusted samples out of a set, and looks at what is left.
  private static func trust(_ settings: RunSettings, _ data: Dataset, of all: Dataset) throws {
    var notes: [String?] = []
    let found = try RunData.trusting(settings, data, of: all, &notes)
    guard let trusted = found.trusted else { preconditionFailure("no trusted samples, and no failure") }
    precondition(!trusted.ids.isEmpty && zip(trusted.ids, trusted.ids.dropFirst()).allSatisfy(<), "\(trusted.ids)")
    precondition(trusted.labels.allSatisfy { (0..<Int32(data.classCount)).contains($0) }, "\(trusted.labels)")
    precondition(trusted.ids.allSatisfy { found.train.labels[Int($0)] == LabelledSet.noLabel }, "still trained on")
    _ = (trusted.summary, found.untrustedClassWarning)
  }

  // MARK: - Seeds

  /// What runs say of their samples, how many there are and their hash: the right ones, and numbers that are none.
  private static var origins: [(count: Int, samples: String?)] {
    [
      (6, tiny.sampleFingerprint()), (6, withPaths.sampleFingerprint()), (4, tiny.sampleFingerprint(first: 4)),
      (6, nil), (0, "0"), (-5, tiny.sampleFingerprint()), (.max, "0"), (.min, "0"),
    ]
  }

  private static var configurations: [String] {
    ["train", "test", "all"].map { "seed = 1\n[data]\nlimit-train = 12\n[detect]\nsplit = \"\($0)\"\n" }
  }

  private static var files: [[UInt8]] {
    [
      Array("sample_id,label,verdict,suspicion,is_label_issue\n0,1,keep,0.5,True\n3,,drop,0.1,1\n".utf8),
      Array("path,sample_id,label,verdict\na/0.png,0,c0,keep\n,1,1,wrong\na/4.png,5,2,unsure\n".utf8),
      NumPyArray([0, 1, 2, 0, 1, 2] as [Int64]).encoded(),
      NumPyArray([Float](repeating: 1, count: 6), shape: [6, 1]).encoded(),
      NumPyArray([Float](repeating: 0.25, count: 96), shape: [24, 4]).encoded(),
    ]
  }

  /// run.json with what must stand in it, and the data: short, so that mutation meets what is read.
  static func recordText(_ count: Int, _ samples: String?) -> String {
    var record = record
    record.data?.trainCount = count
    record.data?.samples = samples
    record.data?.classNames = tiny.classNames
    let needed = [
      "schema", "status", "command", "version", "device", "driver", "started", "updated", "host", "pid", "data",
      "epoch", "step",
    ]
    return JSONText.compact(.object((record.json.members ?? []).filter { needed.contains($0.name) }))
  }
}
