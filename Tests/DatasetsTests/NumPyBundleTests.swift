import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("NumPy bundle")
struct NumPyBundleTests {
  private func open(_ arrays: [(String, NumPyArray)]) throws -> Dataset {
    let scratch = ScratchFolder()
    try FileBytes.write(ZipArchive.stored(arrays.map { ($0.0 + ".npy", $0.1.encoded()) }), to: scratch("data.npz"))
    return try Dataset.open(scratch("data.npz"))
  }

  private func images(_ shape: [Int]) -> NumPyArray {
    NumPyArray(.unsigned(1), shape: shape, bytes: someBytes(shape.reduce(1, *)))
  }

  @Test("grey and coloured images, labels of any integer type, optional parts")
  func reads() throws {
    let grey = try open([("images", images([3, 4, 5])), ("labels", NumPyArray([0, 2, 1] as [UInt8]))])
    #expect(grey.train.images.channels == 1 && grey.train.labels == [0, 2, 1] && grey.test == nil)
    #expect(grey.classNames == ["0", "1", "2"] && grey.name == "data")
    let coloured = try open([
      ("images", images([2, 4, 5, 3])), ("labels", NumPyArray([0, 1] as [Int64], shape: [2, 1])),
      ("test_images", images([1, 4, 5, 3])), ("test_labels", NumPyArray([1] as [Int16])),
      ("class_names", NumPyArray(["ä", "b", "never seen"])), ("true_labels", NumPyArray([1, 1] as [Int32])),
    ])
    #expect(coloured.classNames == ["ä", "b", "never seen"] && coloured.test?.labels == [1])
    #expect(coloured.train.trueLabels == [1, 1] && coloured.train.images.pixels == someBytes(120))
  }

  @Test("refuses what does not fit")
  func wrong() {
    let labels = NumPyArray([0, 1] as [Int64])
    let wrong: [[(String, NumPyArray)]] = [
      [("images", images([2, 4, 5]))], [("labels", labels)],
      [("images", images([3, 4, 5])), ("labels", labels)], [("images", images([2, 3, 4, 5])), ("labels", labels)],
      [("images", images([2, 20])), ("labels", labels)],
      [("images", images([0, 4, 5])), ("labels", NumPyArray([] as [Int64]))],
      [("images", NumPyArray([Float](repeating: 0, count: 8), shape: [2, 2, 2])), ("labels", labels)],
      [("images", images([2, 4, 5])), ("labels", NumPyArray([0, -1] as [Int64]))],
      [("images", images([2, 4, 5])), ("labels", NumPyArray([0, 1 << 40] as [Int64]))],
      [("images", images([2, 4, 5])), ("labels", NumPyArray([0, 1] as [Float]))],
      [("images", images([2, 4, 5])), ("labels", labels), ("class_names", NumPyArray(["only one"]))],
      [
        ("images", images([2, 4, 5])), ("labels", labels), ("test_images", images([2, 4, 4])), ("test_labels", labels),
      ],
    ]
    for (index, arrays) in wrong.enumerated() { #expect(failureKind { try open(arrays) } == .badInput, "\(index)") }
  }

  @Test("an archive cut off or with changed bytes never crashes")
  func damaged() throws {
    let scratch = ScratchFolder()
    let whole = try ZipArchive.stored([
      ("images.npy", images([2, 2, 2]).encoded()), ("labels.npy", NumPyArray([0, 1] as [UInt8]).encoded()),
    ])
    for length in stride(from: 0, to: whole.count, by: 7) {
      try FileBytes.write(Array(whole[..<length]), to: scratch("data.npz"))
      #expect(failureKind { try Dataset.open(scratch("data.npz")) } == .badInput)
    }
    for index in whole.indices {
      var changed = whole
      changed[index] ^= 0xFF
      try FileBytes.write(changed, to: scratch("data.npz"))
      let kind = failureKind { try Dataset.open(scratch("data.npz")) }
      #expect(kind == nil || kind == .badInput)
    }
  }

  @Test("a data set written as a bundle and as an image folder comes back the same")
  func writing() throws {
    let scratch = ScratchFolder()
    var data = Shapes.dataset(seed: 3).limited(train: 50, test: 20)
    data.train.trueLabels = data.train.labels.map { ($0 + 1) % 10 }
    try data.writeNumPy(to: scratch("shapes.npz"))
    let bundle = try Dataset.open(scratch("shapes.npz"))
    #expect(bundle.train == data.train && bundle.test == data.test && bundle.classNames == data.classNames)
    #expect(bundle.fingerprint == data.fingerprint && bundle.kind == .shapes)

    try data.writeImageFolder(to: scratch("folder"))
    let folder = try Dataset.open(scratch("folder"))
    #expect(folder.classNames == data.classNames && folder.kind == .shapes)
    for (id, path) in folder.train.paths.enumerated() {
      let original = try #require(Int(path.dropLast(4).suffix(2)))
      #expect(folder.train.images.image(id) == data.train.images.image(original))
      #expect(folder.train.labels[id] == data.train.labels[original])
    }
    #expect(folder.test?.count == 20)
    #expect(failureKind { try data.writeImageFolder(to: scratch("folder")) } == .cannotCreate)
  }
}
