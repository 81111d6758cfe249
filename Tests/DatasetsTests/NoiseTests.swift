import Datasets
import FileFormats
import Statistics
import TestSupport
import Testing

@Suite("Noise")
struct NoiseTests {
  /// 50,000 samples, class by id.
  private func data(_ classCount: Int = 10, kind: Dataset.Kind = .cifar10) -> Dataset {
    labelled((0..<50_000).map { Int32($0 % classCount) }, kind: kind, classNames: (0..<classCount).map { "c\($0)" })
  }

  private func corrupted(_ text: String, _ data: Dataset, seed: UInt64 = 1) throws -> (
    dataset: Dataset, report: NoiseReport
  ) {
    try data.corrupted(by: NoiseCatalogue.parse(text), seed: seed)
  }

  @Test(
    "the realised matrix lies within binomial bounds of the requested one",
    arguments: [
      "symmetric:0.4", "symmetric:0.8,inclusive", "asymmetric:0.4", "pairflip:0.45", "symmetric:0", "symmetric:1",
    ])
  func bounds(text: String) throws {
    let data = data()
    let (noisy, report) = try corrupted(text, data)
    #expect(noisy.train.trueLabels == data.train.labels)
    for row in 0..<10 {
      #expect(abs(report.requested.row(row).reduce(0, +) - 1) < 1e-12)
      for column in 0..<10 {
        let p = report.requested[row, column]
        // 5,000 samples of each class; six standard deviations never occur by chance.
        #expect(abs(report.realised[row, column] - p) <= 6 * (p * (1 - p) / 5000).squareRoot(), "\(row) \(column)")
      }
    }
    let wrong = zip(data.train.labels, noisy.train.labels).count { $0 != $1 }
    #expect(wrong == report.changedCount && report.sampleCount == 50_000)
  }

  @Test("the expected rates are those of the literature")
  func rates() throws {
    for (text, rate) in [
      ("symmetric:0.4", 0.4), ("symmetric:0.8,inclusive", 0.72), ("asymmetric:0.4", 0.2), ("pairflip:0.45", 0.45),
      ("none", 0),
    ] {
      #expect(abs(try corrupted(text, data()).report.expectedRate - rate) < 1e-12, "\(text)")
    }
    #expect(abs(try corrupted("asymmetric:0.3", data(100, kind: .cifar100)).report.expectedRate - 0.3) < 1e-12)
  }

  @Test("a draw depends on seed and id only: limits and other labels do not move it, and higher rates add changes")
  func independence() throws {
    let data = data()
    let labels = try corrupted("symmetric:0.4", data).dataset.train.labels
    #expect(try corrupted("symmetric:0.4", data).dataset.train.labels == labels)
    #expect(try corrupted("symmetric:0.4", data, seed: 2).dataset.train.labels != labels)
    #expect(
      try corrupted("symmetric:0.4", data.limited(train: 1000)).dataset.train.labels == Array(labels.prefix(1000)))
    let more = try corrupted("symmetric:0.6", data).dataset.train.labels
    for (id, label) in labels.enumerated() where label != data.train.labels[id] { #expect(more[id] == label) }
  }

  @Test("none changes nothing and claims no true labels; known true labels survive; missing labels stay missing")
  func edges() throws {
    var data = data()
    #expect(try corrupted("none", data).dataset.train == data.train)
    data.train.trueLabels = [Int32](repeating: 3, count: 50_000)
    data.train.labels[7] = LabelledSet.noLabel
    let (noisy, report) = try corrupted("symmetric:1", data)
    #expect(noisy.train.trueLabels == data.train.trueLabels && noisy.train.labels[7] == LabelledSet.noLabel)
    #expect(report.sampleCount == 49_999 && report.realisedRate == 1)
  }

  @Test("asymmetric maps: MNIST and CIFAR-10 as published")
  func maps() throws {
    func targets(_ kind: Dataset.Kind) throws -> [Int: Int] {
      let matrix = try corrupted("asymmetric:1", data(10, kind: kind)).report.requested
      return Dictionary(
        uniqueKeysWithValues: (0..<10).flatMap { row in (0..<10).compactMap { matrix[row, $0] == 1 ? (row, $0) : nil } }
      )
    }
    #expect(try targets(.mnist) == [0: 0, 1: 1, 2: 7, 3: 8, 4: 4, 5: 6, 6: 5, 7: 1, 8: 8, 9: 9])
    #expect(try targets(.cifar10) == [0: 0, 1: 1, 2: 0, 3: 5, 4: 7, 5: 3, 6: 6, 7: 7, 8: 8, 9: 1])
    for kind in [Dataset.Kind.shapes, .fashionMNIST, .other] { #expect(failureKind { try targets(kind) } == .usage) }
    #expect(failureKind { try corrupted("asymmetric:0.1,map=superclass", data()) } == .usage)
  }

  @Test("asymmetric CIFAR-100: blocks of five ids, or the true superclasses")
  func cifar100() throws {
    let data = data(100, kind: .cifar100)
    func target(_ text: String, _ label: Int) throws -> Int? {
      let matrix = try corrupted(text, data).report.requested
      return (0..<100).first { matrix[label, $0] == 1 }
    }
    #expect(try (0..<10).map { try target("asymmetric:1", $0) } == [1, 2, 3, 4, 0, 6, 7, 8, 9, 5])
    // Aquatic mammals: beaver, dolphin, otter, seal, whale.
    let mammals = ["beaver", "dolphin", "otter", "seal", "whale"].map { KnownClasses.cifar100.firstIndex(of: $0) }
    for (position, label) in mammals.enumerated() {
      #expect(try target("asymmetric:1,map=superclass", try #require(label)) == mammals[(position + 1) % 5])
    }
    let groups = Dictionary(grouping: 0..<100) { KnownClasses.cifar100Superclasses[$0] }
    #expect(groups.count == 20 && groups.values.allSatisfy { $0.count == 5 })
    #expect(KnownClasses.cifar100 == KnownClasses.cifar100.sorted() && Set(KnownClasses.cifar100).count == 100)
  }

  @Test("matrices from text and NumPy files, and those that are refused")
  func matrices() throws {
    let scratch = ScratchFolder()
    let data = labelled((0..<3000).map { $0 % 3 }, classNames: ["a", "b", "c"])
    func apply(_ text: String, to other: Dataset? = nil) throws -> TransitionMatrix {
      try FileBytes.write(Array(text.utf8), to: scratch("m.csv"))
      return try corrupted("matrix:\(scratch("m.csv"))", other ?? data).report.requested
    }
    let expected = TransitionMatrix(classCount: 3, values: [0.5, 0.25, 0.25, 0, 1, 0, 1, 0, 0])
    #expect(try apply("0.5,0.25,0.25\n0,1,0\n1,0,0\n") == expected)
    #expect(try apply("0.5 0.25\t0.25\r\n\r\n0 1 0\r\n1 0 0") == expected)
    try FileBytes.write(NumPyArray(expected.values, shape: [3, 3]).encoded(), to: scratch("m.npy"))
    let (noisy, report) = try corrupted("matrix:\(scratch("m.npy"))", data)
    #expect(report.requested == expected)
    // Class 1 stays, class 2 always becomes class 0.
    for (old, new) in zip(data.train.labels, noisy.train.labels) where old > 0 { #expect(new == (old == 1 ? 1 : 0)) }
    // As the tool writes matrices: names of classes above and to the left.
    #expect(try apply("true_label,a,b,c\na,0.5,0.25,0.25\nb,0,1,0\nc,1,0,0\n") == expected)
    let odd = labelled((0..<3000).map { $0 % 3 }, classNames: ["x, y", "2", "z"])
    #expect(try apply(",\"x, y\",2,z\n\"x, y\",0.5,0.25,0.25\n2,0,1,0\nz,1,0,0\n", to: odd) == expected)
    // Rows and columns belong to the classes of their names, in any order; names that are but numbers are positions.
    #expect(try apply("true_label,a,b,c\nc,1,0,0\na,0.5,0.25,0.25\nb,0,1,0\n") == expected)
    #expect(try apply("true_label,c,a,b\na,0.25,0.5,0.25\nb,0,0,1\nc,0,1,0\n") == expected)
    #expect(try apply(",0,1,2\n0,0.5,0.25,0.25\n2,1,0,0\n1,0,1,0\n") == expected)
    let other = failure { try apply("true_label,a,b,d\na,1,0,0\nb,0,1,0\nd,0,0,1\n") }
    #expect(other?.kind == .badInput && other?.what.contains("there is no class 'd'") == true)
    for text in [
      "true_label,a,b,c\nb,0,1,0\na,1,0,0\nb,1,0,0\n", "true_label,a,b,c\na,1,0,0\nb,0,1,0\n",
      "true_label,a,b,c\na,1,0,0\nb,0,1,x\nc,0,0,1\n", "true_label,a,b\na,1,0\nb,0,1\nc,0,1\n",
      "", "1 0 0\n0 1 0\n", "1 0 0\n0 1 0\n0 0 0.9\n", "2 -1 0\n0 1 0\n0 0 1\n", "1 0\n0 1 0\n0 0 1\n",
      "1 0 x\n0 1 0\n0 0 1\n", "nan 0 0\n0 1 0\n0 0 1",
    ] {
      #expect(failureKind { try apply(text) } == .badInput, "\(text)")
    }
    #expect(failureKind { try corrupted("matrix:\(scratch("none"))", data) } == .missingInput)
  }

  @Test(
    "what is written wrongly is a usage failure",
    arguments: [
      "", "nosuch", "symmetric", "symmetric:", "symmetric:1.5", "symmetric:-0.1", "symmetric:nan",
      "symmetric:0.1,exclusive",
      "symmetric:0.1,inclusive,x", "asymmetric:0.2,map=x", "asymmetric", "pairflip:x", "pairflip:0.1,0.2", "none:1",
      "matrix",
      "matrix:", "symmetric:0.1,inclusive=1", "symmetric:0.1,exact=some", "symmetric:0.1,exact,exact",
      "asymmetric:0.1,map=", "asymmetric-sequential:0.1,exact", "hierarchical", "flip:0.1,seed=-1", "flip2:0.1,map=x",
      "random-matrix:2", "sparse:0.1,zeros=2", "peer:low", "peer", "random-labels:2", "part-dependent:0.1,std=0",
      "part-dependent:0.1,std=9", "part-dependent:0.1,shared=1", "pmd", "pmd:,type=1", "pmd:p.npy,type=4",
      "pmd:p.npy,rate=0.5", "pmd:p.npy,rate=0.7,factor=2", "pmd:p.npy,factor=0", "seal:0.1", "seal:p.npy", "labels",
      "asymmetric:0.1,exact=equal", "pairflip:0.1,exact=equal", "flip:0.1,exact=equal",
      "labels:a,key=b,key=c", "symmetric:0.1+nosuch:0.2", "symmetric:0.1+symmetric:2", "A+B",
    ])
  func grammar(text: String) {
    #expect(failureKind { try NoiseCatalogue.parse(text) } == .usage)
  }

  @Test(
    "every model's text parses to a model with the same text",
    arguments: [
      "none", "symmetric:0.4", "symmetric:0.4,inclusive", "asymmetric:0.2", "asymmetric:0.2,map=superclass",
      "pairflip:0.45", "matrix:a,b.csv", "symmetric:0.4,inclusive,exact", "symmetric:0.4,exact=class",
      "symmetric:0.4,exact=equal", "asymmetric:0.4,map=one-way,exact", "asymmetric:0.2,map=superclass-swap",
      "asymmetric-sequential:0.4", "hierarchical:0.4,exact=class", "pairflip:0.45,exact", "flip:0.4", "flip:0.4,seed=7",
      "flip2:0.4,exact", "random-matrix:0.3", "sparse:0.2,zeros=0.6", "peer:sparse-high", "random-labels",
      "random-labels:0.5", "part-dependent:0.4", "part-dependent:0.4,shared,std=0.2", "pmd:a,b.npy,type=2,rate=0.7",
      "pmd:a=b.npy,type=1,factor=1.2", "seal:0.4,a,b.npy", "labels:a,b.pt,key=worse", "labels:a.npy,clean=b.npy",
      "pmd:a+b.npy,type=3,rate=0.35+symmetric:0.3", "symmetric:0.2+pairflip:0.1+random-labels",
    ])
  func texts(text: String) throws {
    #expect(try NoiseCatalogue.parse(text).text == text)
    #expect(NoiseCatalogue.entries.contains { text.hasPrefix($0.name) })
  }

  @Test("files may be named from the home folder, and by absolute paths")
  func files() throws {
    let home = FileBytes.environment("HOME") ?? "~"
    for (text, files) in [
      ("matrix:~/m.npy", ["m.npy"]), ("seal:0.4,~/p.npy", ["p.npy"]), ("pmd:~/p,q.npy,type=1,factor=1.2", ["p,q.npy"]),
      ("labels:~/a.npy,clean=~/b.npy", ["a.npy", "b.npy"]), ("matrix:~/m.npy+seal:0.1,~/p.npy", ["m.npy", "p.npy"]),
    ] { #expect(try NoiseCatalogue.parse(text).files == files.map { "\(home)/\($0)" }, "\(text)") }
    let here = FileBytes.absolute(".")
    #expect(
      try Noise("matrix:m.npy+labels:a.npy,key=worse,clean=/b.npy+symmetric:0.1").withAbsoluteFiles().description
        == "matrix:\(here)/m.npy+labels:\(here)/a.npy,key=worse,clean=/b.npy+symmetric:0.1")
  }

  @Test("the report is a table with rates and the matrix")
  func report() throws {
    let table = try corrupted("asymmetric:0.4", data()).report.table
    #expect(table.contains("asymmetric:0.4") && table.contains("expected 20.00 %"))
    #expect(table.split(separator: "\n").count == 12)
  }
}
