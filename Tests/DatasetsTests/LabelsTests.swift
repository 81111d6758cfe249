import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("Labels of a data set")
struct LabelsTests {
  private let data = labelled([0, 1, 2, 0], classNames: ["a", "b", "c"])

  @Test("NumPy files of any integer type replace labels; true labels stay apart")
  func arrays() throws {
    let scratch = ScratchFolder()
    for array in [
      NumPyArray([2, 2, 1, 0] as [Int64]), NumPyArray([2, 2, 1, 0] as [UInt8]),
      NumPyArray([2, 2, 1, 0] as [Int32], shape: [4, 1]),
    ] {
      try FileBytes.write(array.encoded(), to: scratch("labels.npy"))
      let replaced = try data.replacingLabels(fromFile: scratch("labels.npy"))
      #expect(replaced.train.labels == [2, 2, 1, 0] && replaced.train.trueLabels == nil)
      let scored = try data.withTrueLabels(fromFile: scratch("labels.npy"))
      #expect(scored.train.labels == [0, 1, 2, 0] && scored.train.trueLabels == [2, 2, 1, 0])
    }
    try LabelFile.write([1, 1, 1, 2], to: scratch("written.npy"))
    #expect(try data.replacingLabels(fromFile: scratch("written.npy")).limited(train: 2).train.labels == [1, 1])
  }

  @Test("tables replace labels by number or name, in any order of rows")
  func tables() throws {
    let scratch = ScratchFolder()
    try FileBytes.write(
      Array("sample_id,given_label\n3,c\n0,1\n2,a\n1,b\n".utf8), to: scratch("labels.csv"))
    #expect(try data.replacingLabels(fromFile: scratch("labels.csv")).train.labels == [1, 1, 0, 2])
  }

  @Test(
    "tables that do not fit are refused",
    arguments: [
      "sample_id,label\n0,0\n1,0\n2,0\n", "sample_id,label\n0,0\n1,0\n2,0\n2,0\n",
      "sample_id,label\n0,0\n1,0\n2,0\n4,0\n",
      "sample_id,label\n0,0\n1,0\n2,0\n3,3\n", "sample_id,label\n0,0\n1,0\n2,0\n3,-2\n",
      "sample_id,label\n0,0\n1,0\n2,0\n3,d\n",
      "id,label\n0,0\n1,0\n2,0\n3,0\n", "",
    ])
  func wrongTables(text: String) throws {
    let scratch = ScratchFolder()
    try FileBytes.write(Array(text.utf8), to: scratch("labels.csv"))
    #expect(failureKind { try data.replacingLabels(fromFile: scratch("labels.csv")) } == .badInput)
  }

  @Test("arrays that do not fit, and pickles, are refused")
  func wrongArrays() throws {
    let scratch = ScratchFolder()
    for array in [
      NumPyArray([0, 1, 2] as [Int64]), NumPyArray([0, 1, 2, 3] as [Int64]), NumPyArray([0, 1, 2, -2] as [Int64]),
      NumPyArray([0, 1, 2, 0.5] as [Float]), NumPyArray([0, 1, 2, 0] as [Int64], shape: [2, 2]),
    ] {
      try FileBytes.write(array.encoded(), to: scratch("labels.npy"))
      #expect(failureKind { try data.replacingLabels(fromFile: scratch("labels.npy")) } == .badInput)
    }
    try FileBytes.write([0x80, 2, 0], to: scratch("labels.pt"))
    #expect(failure { try data.replacingLabels(fromFile: scratch("labels.pt")) }?.what.contains("pickle") == true)
    #expect(failureKind { try data.replacingLabels(fromFile: scratch("none.npy")) } == .missingInput)
  }

  @Test("rows belong to the images that they name, wherever these are now")
  func paths() throws {
    let scratch = ScratchFolder()
    let names = ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
    let images = ImageSet(count: 4, height: 1, width: 1, channels: 1, pixels: [1, 2, 3, 4])
    func dataset(_ paths: [String]) -> Dataset {
      Dataset(
        name: "pets", classNames: ["cat", "dog"],
        train: LabelledSet(images: images, labels: [0, 0, 1, 1], paths: paths),
        test: nil, source: "test")
    }
    func labels(_ rows: [String], of data: Dataset) throws -> [Int32] {
      try AtomicFile.write((["path,sample_id,label"] + rows).joined(separator: "\n"), to: scratch("labels.csv"))
      let (replaced, matching) = try data.replacingLabels(from: SampleList(scratch("labels.csv"), of: data))
      #expect(matching.byPath == 4 && matching.byNumber == 0)
      return replaced.train.labels
    }
    let rows = ["cat/1.png,0,1", "cat/2.png,1,0", "dog/1.png,2,cat", "dog/2.png,3,dog"]
    #expect(try labels(rows, of: dataset(names)) == [1, 0, 0, 1])
    // The same images in another order, numbers as they were; and with backslashes.
    #expect(try labels(rows, of: dataset([names[2], names[0], names[3], names[1]])) == [0, 1, 1, 0])
    #expect(try labels(["cat\\1.png,0,1"] + rows.dropFirst(), of: dataset(names)) == [1, 0, 0, 1])
    let renamed = failure { try labels(rows, of: dataset(["cat/0.png"] + names.dropFirst())) }
    #expect(renamed?.kind == .badInput && renamed?.why.contains("'cat/1.png'") == true)
    let other = failure { try labels(rows, of: dataset((0..<4).map { "rose/\($0).png" })) }
    #expect(other?.kind == .badInput && other?.what.contains("was made for other data") == true)
    #expect(failureKind { try labels(["cat/1.png,0,1"] + rows.dropLast(), of: dataset(names)) } == .badInput)
  }

  @Test("lists of numbers alone are held against the run that wrote them")
  func origins() throws {
    let scratch = ScratchFolder()
    try LabelFile.write([1, 1, 1, 2], to: scratch("labels.npy"))
    func replaced(_ origin: ListOrigin) throws -> [Int32] {
      try data.replacingLabels(from: SampleList(scratch("labels.npy"), of: data, origin: origin)).dataset.train.labels
    }
    let samples = data.sampleFingerprint()
    #expect(try replaced(ListOrigin(run: "r", trainCount: 4, samples: samples)) == [1, 1, 1, 2])
    #expect(
      try replaced(ListOrigin(run: "r", trainCount: 3, samples: data.sampleFingerprint(first: 3))) == [1, 1, 1, 2])
    #expect(try replaced(ListOrigin(run: "r", trainCount: 9)) == [1, 1, 1, 2])
    for (count, hash) in [(4, "0123456789abcdef"), (3, samples), (5, samples)] {
      #expect(failureKind { try replaced(ListOrigin(run: "r", trainCount: count, samples: hash)) } == .badInput)
    }
  }

  @Test("a number that is also the name of another class is refused, in tables and arrays alike")
  func numberedClasses() throws {
    let scratch = ScratchFolder()
    let digits = labelled([0, 1, 2, 0], classNames: ["1", "2", "10"])
    func labels(_ text: String, _ origin: ListOrigin? = nil) throws -> [Int32] {
      try AtomicFile.write(text, to: scratch("labels.csv"))
      return try digits.replacingLabels(from: SampleList(scratch("labels.csv"), of: digits, origin: origin)).dataset
        .train
        .labels
    }
    let numbers = "sample_id,label\n0,0\n1,1\n2,2\n3,0\n"
    #expect(
      failure { try labels(numbers) }?.what
        == "the label '1' may mean two classes: line 3 of '\(scratch("labels.csv"))'.")
    #expect(failureKind { try labels("sample_id,label\n0,0\n1,10\n2,0\n3,0\n") } == .badInput)
    #expect(try labels("sample_id,label\n0,0\n1,0\n2,0\n3,0\n") == [0, 0, 0, 0])
    // Names decide, and what a run with these very classes wrote counts them.
    #expect(try labels("sample_id,label,given_name\n0,0,1\n1,1,2\n2,2,10\n3,,10\n") == [0, 1, 2, 2])
    #expect(failureKind { try labels("sample_id,label,given_name\n0,0,2\n1,1,2\n2,2,10\n3,,10\n") } == .badInput)
    #expect(try labels(numbers, ListOrigin(run: "r", trainCount: 4, classNames: ["1", "2", "10"])) == [0, 1, 2, 0])
    #expect(
      failureKind { try labels(numbers, ListOrigin(run: "r", trainCount: 4, classNames: ["1", "2", "3"])) } == .badInput
    )
    try LabelFile.write([0, 1, 2, 0], to: scratch("labels.npy"))
    #expect(failureKind { try digits.replacingLabels(fromFile: scratch("labels.npy")) } == .badInput)
    // Names that are numbers, each at its own position, are no question.
    let own = labelled([0, 1, 0, 1], classNames: ["0", "1"])
    try LabelFile.write([1, 1, 0, 0], to: scratch("labels.npy"))
    #expect(try own.replacingLabels(fromFile: scratch("labels.npy")).train.labels == [1, 1, 0, 0])
  }

  @Test("holding out keeps ids, takes away labels in train, and repeats with the seed")
  func holdingOut() throws {
    let data = labelled((0..<100).map { $0 % 3 }, classNames: ["a", "b", "c"])
    let split = try data.holdingOut(.fraction(0.2), seed: 5)
    let validation = try #require(split.heldOut)
    #expect(validation.count == 20 && split.train.count == 100 && split.train.labelledIDs.count == 80)
    let heldOut = (0..<100).filter { split.train.labels[$0] < 0 }
    #expect(validation.labels == heldOut.map { data.train.labels[$0] })
    #expect(validation.images == data.train.images.selecting(heldOut.map { Int32($0) }))
    #expect(split.evaluation == validation)
    #expect(try data.holdingOut(.count(20), seed: 5).train == split.train)
    #expect(try data.holdingOut(.count(20), seed: 6).train != split.train)
    #expect(failureKind { try data.holdingOut(.count(100), seed: 1) } == .usage)
    #expect(failureKind { try data.holdingOut(.fraction(0.001), seed: 1) } == .usage)
    #expect(try HeldOutPart(parsing: "500") == .count(500) && HeldOutPart(parsing: "0.1") == .fraction(0.1))
    for text in ["0", "1.5", "-1", "x", "nan"] { #expect(failureKind { try HeldOutPart(parsing: text) } == .usage) }
  }

  @Test("normalisation is the exact mean and population deviation over the samples in use")
  func normalization() {
    let images = ImageSet(count: 2, height: 1, width: 2, channels: 3, pixels: [0, 10, 7, 255, 20, 7, 9, 9, 9, 9, 9, 9])
    let normalization = Normalization(of: images, ids: [0])
    #expect(normalization.mean == [0.5, Float(15.0 / 255), Float(7.0 / 255)])
    #expect(normalization.standardDeviation == [0.5, Float(5.0 / 255), 1])
  }
}
