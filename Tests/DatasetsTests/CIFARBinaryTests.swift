import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("CIFAR binary files")
struct CIFARBinaryTests {
  /// A record: labels, then a plane for each colour.
  private func record(_ labels: [UInt8], seed: UInt32) -> [UInt8] { labels + someBytes(3072, seed: seed) }

  private func cifar10(below scratch: ScratchFolder) throws {
    for batch in 1...5 {
      let first = UInt8(2 * (batch - 1)), seed = UInt32(10 * batch)
      let records = record([first], seed: seed) + record([first + 1], seed: seed + 1)
      try FileBytes.write(records, to: scratch("data_batch_\(batch).bin"))
    }
    try FileBytes.write(record([7], seed: 99), to: scratch("test_batch.bin"))
  }

  @Test("CIFAR-10: order, labels, names, and planes turned into channels")
  func cifar10() throws {
    let scratch = ScratchFolder()
    try cifar10(below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect(data.kind == .cifar10 && data.classNames == KnownClasses.cifar10)
    #expect(data.train.labels == Array(0..<10) && data.test?.labels == [7])
    #expect(data.train.paths.isEmpty && data.train.trueLabels == nil)
    // Sample 3 is the second of batch 2.
    let planes = someBytes(3072, seed: 21)
    let image = data.train.images.image(3)
    for position in [0, 1, 31, 32, 1023] {
      for channel in 0..<3 { #expect(image.pixels[position * 3 + channel] == planes[channel * 1024 + position]) }
    }
  }

  @Test("CIFAR-100: the fine label counts")
  func cifar100() throws {
    let scratch = ScratchFolder()
    try write(
      ["train.bin": record([3, 42], seed: 1) + record([19, 99], seed: 2), "test.bin": record([0, 0], seed: 3)],
      below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect(data.kind == .cifar100 && data.classCount == 100)
    #expect(data.train.labels == [42, 99] && data.test?.labels == [0])
    #expect(data.classNames[42] == "leopard" && data.classNames[99] == "worm")
  }

  @Test("class names come from the file beside")
  func names() throws {
    let scratch = ScratchFolder()
    try cifar10(below: scratch)
    let names = (0..<10).map { "class \($0)" }
    try FileBytes.write(Array((names.joined(separator: "\n") + "\n\n").utf8), to: scratch("batches.meta.txt"))
    #expect(try Dataset.open(scratch.path).classNames == names)
    try FileBytes.write(Array("one\ntwo\n".utf8), to: scratch("batches.meta.txt"))
    #expect(failureKind { try Dataset.open(scratch.path) } == .badInput)
  }

  @Test("a file cut off is refused with the bytes there and expected", arguments: [0, 1, 3072, 3073, 6145, 6147])
  func truncated(count: Int) throws {
    let scratch = ScratchFolder()
    try cifar10(below: scratch)
    let whole = try FileBytes.read(scratch("data_batch_3.bin"))
    try FileBytes.write(Array((whole + [0]).prefix(count)), to: scratch("data_batch_3.bin"))
    let failure = failure { try Dataset.open(scratch.path) }
    #expect(failure?.kind == .badInput)
    #expect(failure?.what.contains("\(count) bytes; 6146") == true)
  }

  @Test("a label out of range and a missing batch are refused")
  func wrong() throws {
    let scratch = ScratchFolder()
    try cifar10(below: scratch)
    try FileBytes.write(record([10], seed: 1), to: scratch("test_batch.bin"))
    #expect(failureKind { try Dataset.open(scratch.path) } == .badInput)
    let other = ScratchFolder()
    try FileBytes.write(record([1], seed: 1), to: other("data_batch_1.bin"))
    #expect(failureKind { try Dataset.open(other.path) } == .missingInput)
  }

  @Test(
    "the real CIFAR-10 has its first labels and 5,000 samples of each class",
    .enabled(if: RealData.folder != nil, Comment(rawValue: RealData.absence)))
  func real() throws {
    let data = try Dataset.open("cifar10", options: DatasetOptions(dataRoot: RealData.folder))
    #expect(data.train.labels.prefix(20) == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3, 4, 7, 7, 2, 9, 9, 9, 3, 2, 6])
    #expect(data.train.classCounts(10) == [Int](repeating: 5000, count: 10))
    #expect(data.test?.classCounts(10) == [Int](repeating: 1000, count: 10))
    // The well-known statistics of the original pixels; these went through JPEG once, which moves them very little.
    for (ours, known) in zip(data.normalization.mean, [0.4914, 0.4822, 0.4465] as [Float]) {
      #expect(abs(ours - known) < 0.002)
    }
    for (ours, known) in zip(data.normalization.standardDeviation, [0.2470, 0.2435, 0.2616] as [Float]) {
      #expect(abs(ours - known) < 0.004)
    }
  }

  @Test(
    "the same images as JPEG files give the same pixels",
    .enabled(if: RealData.folder != nil, Comment(rawValue: RealData.absence)))
  func realFolder() throws {
    let root = try #require(RealData.folder)
    let binary = try Dataset.open(root + "/cifar-10-batches-bin")
    let folder = try Dataset.open(root + "/cifar10-jpeg", options: DatasetOptions(threads: 2))
    #expect(folder.kind == .cifar10 && folder.classNames == binary.classNames)
    let test = try #require(folder.test), expected = try #require(binary.test)
    #expect(folder.train.count == 50_000 && test.count == 10_000)
    for (id, path) in test.paths.enumerated() {
      // test/CLASS/NNNNN.jpg, where NNNNN is the index in the binary files.
      let index = try #require(Int(path.dropLast(4).suffix(5)))
      #expect(test.labels[id] == expected.labels[index])
      guard test.images.image(id) == expected.images.image(index) else {
        Issue.record("\(path) differs from record \(index)")
        return
      }
    }
  }
}
