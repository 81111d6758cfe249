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
      Array("sample_id,path,given_label\n3,x,c\n0,x,1\n2,x,a\n1,x,b\n".utf8), to: scratch("labels.csv"))
    #expect(try data.replacingLabels(fromFile: scratch("labels.csv")).train.labels == [1, 1, 0, 2])
  }

  @Test(
    "tables that do not fit are refused",
    arguments: [
      "sample_id,label\n0,0\n1,0\n2,0\n", "sample_id,label\n0,0\n1,0\n2,0\n2,0\n",
      "sample_id,label\n0,0\n1,0\n2,0\n4,0\n",
      "sample_id,label\n0,0\n1,0\n2,0\n3,3\n", "sample_id,label\n0,0\n1,0\n2,0\n3,-1\n",
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
      NumPyArray([0, 1, 2] as [Int64]), NumPyArray([0, 1, 2, 3] as [Int64]), NumPyArray([0, 1, 2, -1] as [Int64]),
      NumPyArray([0, 1, 2, 0] as [Float]), NumPyArray([0, 1, 2, 0] as [Int64], shape: [2, 2]),
    ] {
      try FileBytes.write(array.encoded(), to: scratch("labels.npy"))
      #expect(failureKind { try data.replacingLabels(fromFile: scratch("labels.npy")) } == .badInput)
    }
    try FileBytes.write([0x80, 2, 0], to: scratch("labels.pt"))
    #expect(failure { try data.replacingLabels(fromFile: scratch("labels.pt")) }?.what.contains("pickle") == true)
    #expect(failureKind { try data.replacingLabels(fromFile: scratch("none.npy")) } == .missingInput)
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
