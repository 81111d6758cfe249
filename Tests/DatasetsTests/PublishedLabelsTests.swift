import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("Published labels")
struct PublishedLabelsTests {
  private let scratch = ScratchFolder()
  private let truth: [Int32] = [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
  private let worse = [6, 1, 9, 7, 1, 9, 2, 7, 8, 5]

  private var data: Dataset { labelled(truth, kind: .cifar10, classNames: KnownClasses.cifar10) }

  private func corrupted(_ text: String, _ data: Dataset? = nil) throws -> (dataset: Dataset, report: NoiseReport) {
    try (data ?? self.data).corrupted(by: NoiseCatalogue.parse(text), seed: 1)
  }

  /// A pickle of protocol 2 as NumPy writes it: a dictionary of int64 arrays whose bytes are texts.
  private func pickle(_ arrays: [(String, [Int])]) -> [UInt8] {
    func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
    func text(_ bytes: [UInt8]) -> [UInt8] { [0x58, UInt8(bytes.count), 0, 0, 0] + bytes }
    var parts: [[UInt8]] = [[0x80, 2, 0x7D, 0x71, 0, 0x28]]
    for (name, values) in arrays {
      parts += [text(ascii(name)), [0x71, 1]]
      parts += [ascii("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"), [0x4B, 0, 0x85]]
      parts += [ascii("c_codecs\nencode\n"), text(ascii("b")), text(ascii("latin1")), [0x86, 0x52, 0x87, 0x52]]
      parts += [[0x28, 0x4B, 1, 0x4D, UInt8(values.count), 0, 0x85], ascii("cnumpy\ndtype\n"), text(ascii("i8"))]
      parts += [[0x89, 0x88, 0x87, 0x52, 0x28, 0x4B, 3], text(ascii("<")), [0x4E, 0x4E, 0x4E]]
      parts += [[0x4A, 255, 255, 255, 255, 0x4A, 255, 255, 255, 255, 0x4B, 0, 0x74, 0x62, 0x89]]
      parts += [ascii("c_codecs\nencode\n"), text(values.flatMap { [UInt8($0), 0, 0, 0, 0, 0, 0, 0] })]
      parts += [text(ascii("latin1")), [0x86, 0x52, 0x74, 0x62]]
    }
    return Array(parts.joined()) + [0x75, 0x2E]
  }

  /// The same in the archive that PyTorch makes.
  private func write(_ arrays: [(String, [Int])], to name: String = "human.pt") throws -> String {
    let archive = try ZipArchive.stored([("archive/data.pkl", pickle(arrays)), ("archive/version", Array("3\n".utf8))])
    try FileBytes.write(archive, to: scratch(name))
    return scratch(name)
  }

  @Test("CIFAR-N's dictionary: a key chooses, and its clean labels must be the data's")
  func dictionaries() throws {
    let path = try write([
      ("clean_label", truth.map { Int($0) }), ("aggre_label", truth.map { Int($0) }), ("worse_label", worse),
      ("random_label1", truth.map { Int($0) }), ("random_label2", worse),
    ])
    for key in ["worse", "worse_label", "worst", "random2", "random_label2", "rand2"] {
      let (noisy, report) = try corrupted("labels:\(path),key=\(key)")
      #expect(noisy.train.labels == worse.map { Int32($0) } && noisy.train.trueLabels == truth)
      #expect(report.changedCount == 4 && report.seed == nil)
    }
    for key in ["aggre", "rand1", "random", "clean"] {
      #expect(try corrupted("labels:\(path),key=\(key)").report.changedCount == 0, "\(key)")
    }
    #expect(failureKind { try corrupted("labels:\(path)") } == .usage)
    #expect(failure { try corrupted("labels:\(path),key=best") }?.why.contains("worse_label") == true)
    // CIFAR-100's has but one.
    let single = try write([("clean_label", truth.map { Int($0) }), ("noisy_label", worse)], to: "one.pt")
    #expect(try corrupted("labels:\(single)").report.changedCount == 4)
  }

  @Test("another order is told with the number of differences and the first of them")
  func order() throws {
    var other = truth.map { Int($0) }
    other.swapAt(3, 8)
    let path = try write([("clean_label", other), ("noisy_label", worse)])
    let told = try #require(failure { try corrupted("labels:\(path)") })
    #expect(told.kind == .badInput && told.what.contains("2 of 10") && told.why.contains("sample 3: 8 ('ship')"))
    #expect(told.why.contains("4 ('deer') in the data"))
  }

  @Test(
    "dictionaries that PyTorch writes", .enabled(if: PythonOracle.has("torch"), Comment(rawValue: PythonOracle.absence))
  )
  func torch() throws {
    let script = """
      import sys, torch, numpy as np
      a = lambda v: np.array(v, dtype=np.int64)
      torch.save({'clean_label': a(\(truth)), 'worse_label': a(\(worse)), 'clean_coarse_label': \(worse)}, sys.argv[1])
      """
    #expect(try PythonOracle.run(script, [scratch("torch.pt")]).code == 0)
    #expect(try corrupted("labels:\(scratch("torch.pt")),key=worse").dataset.train.labels == worse.map { Int32($0) })
  }

  @Test("SEAL's tables and PMD's arrays")
  func tables() throws {
    let rows = zip(truth, worse).map { "\($0),\($1)\n" }.joined()
    try FileBytes.write(Array("label,label_noisy\n\(rows)".utf8), to: scratch("dependent.csv"))
    #expect(try corrupted("labels:\(scratch("dependent.csv"))").dataset.train.labels == worse.map { Int32($0) })
    var other = data
    other.train.labels.swapAt(0, 1)
    #expect(failureKind { try corrupted("labels:\(scratch("dependent.csv"))", other) } == .badInput)

    // Ids and labels alone, as data noise writes them.
    let alone = worse.enumerated().map { "\($0.offset),\($0.element)\n" }.joined()
    try FileBytes.write(Array("sample_id,label\n\(alone)".utf8), to: scratch("alone.csv"))
    for key in ["", ",key=label"] {
      #expect(try corrupted("labels:\(scratch("alone.csv"))\(key)").dataset.train.labels == worse.map { Int32($0) })
    }
    try FileBytes.write(Array("sample_id,label\n0,ship\n".utf8), to: scratch("names.csv"))
    #expect(failure { try corrupted("labels:\(scratch("names.csv"))") }?.why.contains("whole numbers") == true)

    try LabelFile.write(worse.map { Int32($0) }, to: scratch("noisy.npy"))
    try LabelFile.write(truth, to: scratch("clean.npy"))
    #expect(try corrupted("labels:\(scratch("noisy.npy"))").report.changedCount == 4)
    let checked = "labels:\(scratch("noisy.npy")),clean=\(scratch("clean.npy"))"
    #expect(try corrupted(checked).report.changedCount == 4)
    #expect(failureKind { try corrupted(checked, other) } == .badInput)
    // An array of the first samples, and one of the whole set of which the first are in use.
    let (limited, report) = try corrupted("labels:\(scratch("noisy.npy"))", data.limited(train: 6))
    #expect(limited.train.labels == [6, 1, 9, 7, 1, 9] && report.sampleCount == 6)
    try LabelFile.write([6, 1, 9], to: scratch("three.npy"))
    #expect(try corrupted("labels:\(scratch("three.npy"))", data.limited(train: 3)).report.changedCount == 1)
    #expect(failure { try corrupted("labels:\(scratch("three.npy"))") }?.fix.contains("--limit-train 3") == true)
    var held = data
    held.train.labels[1] = LabelledSet.noLabel
    #expect(try corrupted(checked, held).dataset.train.labels == [6, -1, 9, 7, 1, 9, 2, 7, 8, 5])
  }

  @Test("tables that say which samples their rows are about are lists, in any order, and say how they were matched")
  func lists() throws {
    func labels(_ text: String, _ data: Dataset? = nil) throws -> (labels: [Int32], notes: [String]) {
      try AtomicFile.write(text, to: scratch("list.csv"))
      let (noisy, report) = try corrupted("labels:\(scratch("list.csv"))", data)
      return (noisy.train.labels, report.notes)
    }
    let expected = worse.map { Int32($0) }, order = [3, 0, 9, 1, 2, 8, 7, 6, 5, 4]
    let rows = order.map { "\($0),\(worse[$0])" }
    let byNumber = try labels("sample_id,label\n" + rows.joined(separator: "\n"))
    #expect(byNumber.labels == expected && byNumber.notes.count == 1)
    #expect(byNumber.notes[0].hasSuffix("10 samples by number alone, since it names no files for them"))
    // By files, wherever these are now; rows beyond a limit are passed over.
    let paths = truth.indices.map { "img/\(9 - $0).png" }
    let files = Dataset(
      name: "x", kind: .cifar10, classNames: KnownClasses.cifar10,
      train: LabelledSet(images: data.train.images, labels: truth, paths: paths), test: nil, source: "a test")
    let table =
      "sample_id,path,given_label,clean_label\n"
      + order.map { "\($0),\(paths[$0]),\(worse[$0]),\(truth[$0])\n" }.joined()
    let byPath = try labels(table, files)
    #expect(byPath.labels == expected && byPath.notes.isEmpty)
    #expect(try labels(table, files.limited(train: 6)).labels == Array(expected.prefix(6)))
    let shifted = Dataset(
      name: "x", kind: .cifar10, classNames: KnownClasses.cifar10,
      train: LabelledSet(
        images: data.train.images, labels: truth.reversed(), paths: paths.reversed()), test: nil, source: "a test")
    let moved = try labels(table, shifted)
    #expect(moved.labels == expected.reversed() && moved.notes[0].contains("10 of 10 images have another number"))
    for wrong in [
      "sample_id,label\n" + (rows + [rows[0]]).joined(separator: "\n"),
      "sample_id,label\n" + rows.dropLast().joined(separator: "\n"),
      "path,label\n" + rows.joined(separator: "\n"), "sample_id,label\n10,1\n" + rows.joined(separator: "\n"),
    ] { #expect(failureKind { try labels(wrong) } == .badInput, "\(wrong)") }
  }

  @Test("numbers that are names of other classes are refused, unless a name or the true labels beside them tell")
  func numberedClasses() throws {
    let digits = labelled([0, 1, 2, 0, 1, 2], classNames: ["1", "2", "10"])
    func labels(_ text: String) throws -> [Int32] {
      try AtomicFile.write(text, to: scratch("digits.csv"))
      return try corrupted("labels:\(scratch("digits.csv"))", digits).dataset.train.labels
    }
    let given = [0, 1, 2, 0, 1, 1], names = ["1", "2", "10"]
    let plain = "sample_id,label\n" + given.enumerated().map { "\($0),\($1)\n" }.joined()
    #expect(failure { try labels(plain) }?.what.contains("may mean two classes") == true)
    let named =
      "sample_id,label,label_name\n" + given.enumerated().map { "\($0),\($1),\(names[$1])\n" }.joined()
    #expect(try labels(named) == given.map { Int32($0) })
    let proven = "label,label_noisy\n" + zip(digits.train.labels, given).map { "\($0),\($1)\n" }.joined()
    #expect(try labels(proven) == given.map { Int32($0) })
    // In the folder of a run, its classes and its samples decide.
    var beside = digits
    try LabelFile.write([2, 0, 1, 2, 0, 0], to: scratch("run.npy"))
    beside.origin = { _ in
      ListOrigin(run: "r", trainCount: 6, samples: digits.sampleFingerprint(), classNames: ["2", "10", "1"])
    }
    #expect(try corrupted("labels:\(scratch("run.npy"))", beside).dataset.train.labels == given.map { Int32($0) })
    #expect(
      try corrupted("labels:\(scratch("run.npy"))", beside.limited(train: 3)).dataset.train.labels == [0, 1, 2])
    beside.origin = { _ in ListOrigin(run: "r", trainCount: 6, samples: "0123456789abcdef") }
    #expect(failureKind { try corrupted("labels:\(scratch("run.npy"))", beside) } == .badInput)
  }

  @Test("arrays that agree no more than chance are of another order")
  func chance() throws {
    let labels = (0..<1000).map { Int32($0 % 10) }
    let large = labelled(labels, kind: .cifar10, classNames: KnownClasses.cifar10)
    try LabelFile.write(labels.map { ($0 * 7 + 3) % 10 }, to: scratch("other.npy"))
    #expect(failure { try corrupted("labels:\(scratch("other.npy"))", large) }?.what.contains("order") == true)
    // 70 % wrong is PMD's most.
    try LabelFile.write(
      labels.enumerated().map { $0.offset < 700 ? ($0.element + 1) % 10 : $0.element }, to: scratch("high.npy"))
    #expect(try corrupted("labels:\(scratch("high.npy"))", large).report.changedCount == 700)
  }

  @Test("damaged files and programs that do more are refused, and never run")
  func refusals() throws {
    let good = pickle([("clean_label", truth.map { Int($0) }), ("noisy_label", worse)])
    try FileBytes.write(good, to: scratch("bare.pt"))
    #expect(try corrupted("labels:\(scratch("bare.pt"))").report.changedCount == 4)
    for length in 0..<good.count {
      try FileBytes.write(Array(good.prefix(length)), to: scratch("cut.pt"))
      #expect(failureKind { try corrupted("labels:\(scratch("cut.pt"))") } == .badInput, "\(length)")
    }
    // INST, which the reader does not know.
    try FileBytes.write([0x80, 2, 0x69] + good.dropFirst(2), to: scratch("odd.pt"))
    #expect(failure { try corrupted("labels:\(scratch("odd.pt"))") }?.why.contains("105") == true)
    try LabelFile.write([0, 1, 2, 3, 4, 5, 6, 7, 8, 10], to: scratch("range.npy"))
    #expect(failureKind { try corrupted("labels:\(scratch("range.npy"))") } == .badInput)
    #expect(failureKind { try corrupted("labels:\(scratch("nosuch.npy"))") } == .missingInput)
  }
}
