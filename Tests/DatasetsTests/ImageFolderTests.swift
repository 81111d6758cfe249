import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("Image folder")
struct ImageFolderTests {
  @Test("split layout: classes sorted by name, samples by path, hidden and other files left out")
  func split() throws {
    let scratch = ScratchFolder()
    try write(
      [
        "train/dog/2.png": png(seed: 2), "train/dog/10.PNG": png(seed: 10), "train/cat/deep/1.png": png(seed: 1),
        "train/cat/no-suffix": png(seed: 3), "train/cat/.hidden.png": [1], "train/cat/notes.txt": Array("x".utf8),
        "test/dog/1.png": png(seed: 4), "README": Array("x".utf8),
      ], below: scratch)
    let data = try Dataset.open(scratch.path + "/")
    #expect(data.classNames == ["cat", "dog"])
    #expect(data.train.paths == ["train/cat/deep/1.png", "train/cat/no-suffix", "train/dog/10.PNG", "train/dog/2.png"])
    #expect(data.train.labels == [0, 0, 1, 1] && data.test?.labels == [1])
    #expect(data.train.images.image(2).pixels == someBytes(48, seed: 10))
    #expect(data.train.images.channels == 3 && data.badImages.isEmpty)
  }

  @Test("flat layout; grey and coloured images together become coloured, grey alone stays grey")
  func flat() throws {
    let scratch = ScratchFolder()
    try write(["a/1.png": png(channels: 1), "b/1.png": png(channels: 1, seed: 2)], below: scratch)
    #expect(try Dataset.open(scratch.path).train.images.channels == 1)
    try write(["b/2.png": png()], below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect(data.train.images.channels == 3 && data.test == nil)
    #expect(data.train.images.image(0).pixels == someBytes(16).flatMap { [$0, $0, $0] })
  }

  @Test("other sizes are brought to the most frequent size, or to the one asked for")
  func sizes() throws {
    let scratch = ScratchFolder()
    try write(
      [
        "a/1.png": png(height: 9, width: 7), "a/2.png": png(height: 9, width: 7), "b/1.png": png(height: 100, width: 3),
      ], below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect(data.train.images.height == 9 && data.train.images.width == 7)
    let small = try Dataset.open(scratch.path, options: DatasetOptions(imageSize: PixelSize(parsing: "2x3")))
    #expect(small.train.images.height == 2 && small.train.images.width == 3 && small.train.images.pixels.count == 54)
  }

  @Test("bad images: fail lists them all; skip keeps ids and takes away labels", arguments: [1, 3])
  func badImages(threads: Int) throws {
    let scratch = ScratchFolder()
    var files = try ["a/00.png": png(), "b/00.png": png()]
    for index in 1...25 { files["a/\(index < 10 ? "0" : "")\(index).jpg"] = Array(try png().prefix(index)) }
    files["b/01.gif"] = Array("GIF89a".utf8)
    try write(files, below: scratch)
    let failure = failure { try Dataset.open(scratch.path, options: DatasetOptions(threads: threads)) }
    #expect(failure?.kind == .badInput)
    #expect(failure?.what.contains("26 of 28") == true)
    #expect(failure?.why.contains("a/20.jpg") == true && failure?.why.contains("a/21.jpg") == false)
    #expect(failure?.why.contains("and 6 more") == true)

    let data = try Dataset.open(scratch.path, options: DatasetOptions(onBadImage: .skip, threads: threads))
    #expect(data.train.count == 28 && data.train.labelledIDs == [0, 26] && data.badImages.count == 26)
    #expect(data.train.labels[0] == 0 && data.train.labels[1] == LabelledSet.noLabel && data.train.labels[26] == 1)
    #expect(data.train.images.image(26).pixels == someBytes(48))
    #expect(data.train.images.image(1).pixels.allSatisfy { $0 == 0 })
  }

  @Test("an empty class, a test class without training samples, and nothing readable at all are refused")
  func wrong() throws {
    let empty = ScratchFolder()
    try write(["train/a/1.png": png(), "train/b/x.txt": [1]], below: empty)
    #expect(failureKind { try Dataset.open(empty.path) } == .badInput)
    let unknown = ScratchFolder()
    try write(["train/a/1.png": png(), "test/b/1.png": png()], below: unknown)
    #expect(failureKind { try Dataset.open(unknown.path) } == .badInput)
    let damaged = ScratchFolder()
    try write(["a/1.png": [1], "b/1.jpg": []], below: damaged)
    #expect(failureKind { try Dataset.open(damaged.path, options: DatasetOptions(onBadImage: .skip)) } == .badInput)
  }

  @Test("the number of threads does not change the data set")
  func threads() throws {
    let scratch = ScratchFolder()
    for index in 0..<40 {
      try write(["c\(index % 4)/\(index).png": png(height: 5 + index % 3, seed: UInt32(index))], below: scratch)
    }
    let one = try Dataset.open(scratch.path), many = try Dataset.open(scratch.path, options: DatasetOptions(threads: 7))
    #expect(one.fingerprint == many.fingerprint && one.train == many.train)
  }

  @Test("links that lead in a circle end in a failure, not in a hang")
  func circle() throws {
    let scratch = ScratchFolder()
    try write(["a/1.png": png(), "b/1.png": png()], below: scratch)
    let (code, _) = try PythonOracle.run(
      "import os, sys; os.symlink(sys.argv[1], sys.argv[1] + '/b/loop')", [scratch.path])
    guard code == 0 else { return }
    #expect(failureKind { try Dataset.open(scratch.path) } == .badInput)
  }
}
