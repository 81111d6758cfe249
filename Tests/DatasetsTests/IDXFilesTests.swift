import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("IDX files")
struct IDXFilesTests {
  private let pixels = someBytes(3 * 4 * 5)

  private var files: [String: [UInt8]] {
    [
      "train-images-idx3-ubyte": idx([3, 4, 5], pixels), "train-labels-idx1-ubyte": idx([3], [2, 0, 1]),
      "t10k-images.idx3-ubyte": idx([1, 4, 5], someBytes(20)), "t10k-labels.idx1-ubyte": idx([1], [4]),
    ]
  }

  @Test("reads both spellings, with classes up to the highest label")
  func reads() throws {
    let scratch = ScratchFolder()
    try write(files, below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect(data.train.images == ImageSet(count: 3, height: 4, width: 5, channels: 1, pixels: pixels))
    #expect(data.train.labels == [2, 0, 1] && data.test?.labels == [4])
    #expect(data.classNames == ["0", "1", "2", "3", "4"] && data.kind == .other)
  }

  @Test("a missing test set is fine; a missing half of it is not")
  func parts() throws {
    let scratch = ScratchFolder()
    try write(files.filter { $0.key.hasPrefix("train") }, below: scratch)
    #expect(try Dataset.open(scratch.path).test == nil)
    try write(files.filter { $0.key.hasPrefix("t10k-labels") }, below: scratch)
    #expect(failureKind { try Dataset.open(scratch.path) } == .missingInput)
  }

  @Test("files cut off, too long, or with a head that promises too much are refused")
  func damaged() throws {
    let scratch = ScratchFolder()
    try write(files, below: scratch)
    for name in files.keys {
      let whole = try #require(files[name])
      for length in 0..<whole.count {
        try FileBytes.write(Array(whole[..<length]), to: scratch(name))
        #expect(failureKind { try Dataset.open(scratch.path) } == .badInput, "\(name) \(length)")
      }
      for index in 0..<16 where index < whole.count {
        var changed = whole
        changed[index] = 0xFF
        try FileBytes.write(changed, to: scratch(name))
        _ = try? Dataset.open(scratch.path)
      }
      try FileBytes.write(whole + [0], to: scratch(name))
      #expect(failureKind { try Dataset.open(scratch.path) } == .badInput)
      try FileBytes.write(whole, to: scratch(name))
    }
    for shape in [[3, 0, 5], [0, 4, 5], [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [4, 4, 5]] {
      try FileBytes.write(idx(shape, pixels), to: scratch("train-images-idx3-ubyte"))
      #expect(failureKind { try Dataset.open(scratch.path) } == .badInput, "\(shape)")
    }
  }

  @Test("MNIST is known by its first labels")
  func kinds() throws {
    let scratch = ScratchFolder()
    for (labels, kind) in [
      ([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], Dataset.Kind.mnist), ([9, 0, 0, 3, 0, 2, 7, 2, 5, 5], .fashionMNIST),
      ([1, 0, 0, 3, 0, 2, 7, 2, 5, 9], .other),
    ] as [([UInt8], Dataset.Kind)] {
      try write(
        ["train-images-idx3-ubyte": idx([10, 1, 1], someBytes(10)), "train-labels-idx1-ubyte": idx([10], labels)],
        below: scratch)
      #expect(try Dataset.open(scratch.path).kind == kind)
    }
  }

  @Test(
    "the real MNIST, packed and unpacked, is the same",
    .enabled(if: RealData.folder != nil, Comment(rawValue: RealData.absence)))
  func real() throws {
    let root = try #require(RealData.folder)
    let data = try Dataset.open("mnist", options: DatasetOptions(dataRoot: root))
    #expect(data.kind == .mnist && data.train.count == 60_000 && data.test?.count == 10_000)
    #expect(data.train.classCounts(10) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    #expect(abs(data.normalization.mean[0] - 0.1307) < 0.0001)
    #expect(abs(data.normalization.standardDeviation[0] - 0.3081) < 0.0001)
    // The folder has both; one with the packed files only must give the same.
    let scratch = ScratchFolder()
    for name in try FileBytes.names(in: root + "/mnist") where name.hasSuffix(".gz") {
      try FileBytes.write(FileBytes.read(root + "/mnist/" + name), to: scratch(name))
    }
    #expect(try Dataset.open(scratch.path).fingerprint == data.fingerprint)
    let packed = try FileBytes.read(scratch("train-images-idx3-ubyte.gz"))
    for length in [0, 10, 100, 100_000, packed.count - 1] {
      try FileBytes.write(Array(packed.prefix(length)), to: scratch("train-images-idx3-ubyte.gz"))
      #expect(failureKind { try Dataset.open(scratch.path) } == .badInput)
    }
  }
}
