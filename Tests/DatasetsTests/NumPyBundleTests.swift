import Datasets
import FileFormats
import Images
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

  @Test("a size that is asked for is given to arrays, too, as to files", arguments: ImageFit.allCases)
  func resized(fit: ImageFit) throws {
    let scratch = ScratchFolder(), path = scratch("data.npz")
    let arrays = [
      ("images", images([3, 6, 9, 3])), ("labels", NumPyArray([0, 1, 0] as [UInt8])),
      ("test_images", images([2, 6, 9, 3])), ("test_labels", NumPyArray([1, 0] as [UInt8])),
    ]
    try FileBytes.write(ZipArchive.stored(arrays.map { ($0.0 + ".npy", $0.1.encoded()) }), to: path)
    let plain = try Dataset.open(path)
    var options = DatasetOptions(imageSize: PixelSize(width: 8, height: 4), fit: fit, threads: 2)
    let resized = try Dataset.open(path, options: options)
    #expect(resized.sizing?.text.hasPrefix("5, all 9×6, ") == true && plain.sizing == nil)
    for (before, after) in [(plain.train, resized.train), (plain.test, resized.test)] {
      let (before, after) = try (#require(before), #require(after))
      #expect(after.labels == before.labels && (after.images.width, after.images.height) == (8, 4))
      for index in 0..<after.count {
        #expect(after.images.image(index) == before.images.image(index).fitted(fit, width: 8, height: 4))
      }
    }
    // Their own size, and runs of the first schema, leave them alone.
    options.imageSize = PixelSize(width: 9, height: 6)
    #expect(try Dataset.open(path, options: options).train.images == plain.train.images)
    (options.imageSize, options.followsFirstSchema) = (PixelSize(width: 8, height: 4), true)
    #expect(try Dataset.open(path, options: options).train.images == plain.train.images)
  }

  @Test("refuses what does not fit")
  func wrong() {
    let labels = NumPyArray([0, 1] as [Int64])
    let wrong: [[(String, NumPyArray)]] = [
      [("images", images([2, 4, 5]))], [("labels", labels)],
      [("images", images([3, 4, 5])), ("labels", labels)], [("images", images([2, 3, 4, 5])), ("labels", labels)],
      [("images", images([2, 20])), ("labels", labels)],
      [("images", images([0, 4, 5])), ("labels", NumPyArray([] as [Int64]))],
      [("images", images([2, 4, 5])), ("labels", NumPyArray([0, -2] as [Int64]))],
      [("images", images([2, 4, 5])), ("labels", NumPyArray([-1, -1] as [Int64]))],
      [("images", images([2, 4, 5])), ("labels", NumPyArray([0, 1 << 40] as [Int64]))],
      [("images", images([2, 4, 5])), ("labels", NumPyArray([0, 0.5] as [Float]))],
      [("images", images([2, 4, 5])), ("labels", labels), ("class_names", NumPyArray(["only one"]))],
      [
        ("images", images([2, 4, 5])), ("labels", labels), ("test_images", images([2, 4, 4])), ("test_labels", labels),
      ],
    ]
    for (index, arrays) in wrong.enumerated() { #expect(failureKind { try open(arrays) } == .badInput, "\(index)") }
  }

  @Test("MedMNIST's and Keras' names in any capitals, with a validation part; names, floats and one-hot as labels")
  func otherNames() throws {
    let parts = [("train_images", "train_labels"), ("val_images", "val_labels"), ("test_images", "test_labels")]
    let medical = try open(
      parts.flatMap { [($0, images([2, 4, 5])), ($1, NumPyArray([1, 0] as [UInt8], shape: [2, 1]))] })
    #expect(medical.train.labels == [1, 0] && medical.test?.labels == [1, 0] && medical.heldOut?.labels == [1, 0])
    let keras = try open([
      ("X_train", images([3, 4, 5])), ("Y_train", NumPyArray(["dog", "cat ", "NaN"])), ("x_test", images([1, 4, 5])),
      ("y_test", NumPyArray(["cat"])),
    ])
    #expect(keras.classNames == ["cat", "dog"] && keras.train.labels == [1, 0, -1] && keras.test?.labels == [0])
    let named = try open([
      ("images", images([3, 4, 5])), ("labels", NumPyArray(["dog", "1", "cat"])),
      ("class_names", NumPyArray(["dog", "cat", "emu"])), ("true_labels", NumPyArray([0, 1, .nan] as [Double])),
    ])
    #expect(named.train.labels == [0, 1, 1] && named.train.trueLabels == [0, 1, -1] && named.classCount == 3)
    let oneHot = try open([
      ("images", images([2, 4, 5])), ("labels", NumPyArray([0, 0, 1, 1, 0, 0] as [Double], shape: [2, 3])),
    ])
    #expect(oneHot.train.labels == [2, 0] && oneHot.notes.last?.contains("no training samples: 1") == true)
    let short = failure { try open([("images", images([3, 4, 5])), ("labels", NumPyArray([0, 1] as [Int64]))]) }
    #expect(short?.what.contains("2 labels") == true && short?.fix.contains("reshape") == false)
  }

  @Test("floats in 0…1 are the bytes that they were; other values are refused with advice that fits them")
  func floats() throws {
    let bytes = someBytes(24), labels = ("labels", NumPyArray([0, 1] as [Int64]))
    func read(_ values: [Float]) throws -> Dataset {
      try open([("images", NumPyArray(values, shape: [2, 3, 4])), labels])
    }
    #expect(try read(bytes.map { Float($0) / 255 }).train.images.pixels == bytes)
    #expect(try read(bytes.map { Float($0) }).train.images.pixels == bytes)
    #expect(
      try open([("images", NumPyArray(bytes.map { Double($0) / 255 }, shape: [2, 3, 4])), labels]).train.images.pixels
        == bytes)
    let binary = NumPyArray(.bool, shape: [2, 2, 2], bytes: [0, 1, 0, 0, 1, 1, 0, 1])
    #expect(try open([("images", binary), labels]).train.images.pixels == [0, 255, 0, 0, 255, 255, 0, 255])
    for (value, words) in [
      (Float(-0.5), "127.5"), (300, "images.max()"), (.nan, "NaN"), (12.5, "images.round().astype('uint8')"),
    ] {
      let failure = failure { try read([value] + bytes.dropFirst().map { Float($0 % 2) }) }
      let text = failure?.description ?? ""
      #expect(failure?.kind == .badInput && text.contains(words) && !text.contains("save images.astype"), "\(text)")
    }
    // Whole numbers that are 0 and 1 only would be black as bytes.
    func advice(_ high: Int64) -> String? {
      failure { try open([("images", NumPyArray((0..<24).map { $0 % 2 * high }, shape: [2, 3, 4])), labels]) }?.fix
    }
    #expect(advice(1) == "save (images * 255).astype('uint8')." && advice(200) == "save images.astype('uint8').")
    let rows = failure { try open([("images", images([2, 12])), labels]) }
    #expect(rows?.fix.contains("images.reshape(-1, 3, height, width).transpose(0, 2, 3, 1)") == true)
    // Test images are read as the training images are.
    let half = [Float](repeating: 0.5, count: 24)
    #expect(
      failureKind {
        try open([
          ("images", NumPyArray(bytes.map { Float($0) }, shape: [2, 3, 4])), labels,
          ("test_images", NumPyArray(half, shape: [2, 3, 4])), ("test_labels", NumPyArray([0, 1] as [Int64])),
        ])
      } == .badInput)
  }

  @Test("images of one colour are warned about")
  func oneColour() throws {
    func warnings(_ bytes: [UInt8]) throws -> [String] {
      try open([
        ("images", NumPyArray(.unsigned(1), shape: [2, 2, 2], bytes: bytes)),
        ("labels", NumPyArray([0, 1] as [Int64])),
      ]).warnings
    }
    #expect(try warnings([0, 1, 0, 0, 0, 0, 0, 0])[0].contains("stored as whole numbers"))
    #expect(try warnings([UInt8](repeating: 90, count: 8)).count == 1)
    #expect(try warnings([0, 0, 0, 0, 9, 9, 9, 9]).isEmpty)
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
