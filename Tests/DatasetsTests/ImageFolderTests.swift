import Datasets
import FileFormats
import Images
import Synchronization
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

  @Test("other sizes are brought to the most frequent small size, or to the one asked for")
  func sizes() throws {
    let scratch = ScratchFolder()
    try write(
      [
        "a/1.png": png(height: 9, width: 7), "a/2.png": png(height: 9, width: 7), "b/1.png": png(height: 100, width: 3),
      ], below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect(data.train.images.height == 9 && data.train.images.width == 7)
    let small = try Dataset.open(scratch.path, options: DatasetOptions(imageSize: PixelSize(parsing: "3x2")))
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

  @Test("larger images go to the square of the network, whatever size is most frequent; small ones stay")
  func chosenSize() throws {
    let scratch = ScratchFolder()
    for index in 0..<4 {
      try write(["a/\(index).png": png(height: 60, width: 80, seed: UInt32(index))], below: scratch)
    }
    try write(["b/1.png": png(height: 100, width: 50)], below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect((data.train.images.width, data.train.images.height) == (64, 64))
    #expect(data.sizing?.text == "5, most 80×60, cropped to 64×64; --image-size")
    #expect(try Dataset.open(scratch.path, options: DatasetOptions(side: 32)).train.images.width == 32)
    let padded = try Dataset.open(scratch.path, options: DatasetOptions(fit: .pad))
    #expect(padded.sizing?.text == "5, most 80×60, padded to 64×64; --image-size")
    // 80 × 60 becomes 64 × 48 between two bars of eight rows.
    #expect(padded.train.images.image(0).pixels.prefix(8 * 64 * 3).allSatisfy { $0 == 0 })
    for index in 2..<9 { try write(["b/\(index).png": png(height: 28, width: 28)], below: scratch) }
    let small = try Dataset.open(scratch.path)
    #expect(small.train.images.width == 28 && small.sizing?.size == PixelSize(width: 28, height: 28))
    var before = DatasetOptions()
    before.followsFirstSchema = true
    try write(["b/x.png": png(height: 28, width: 29)], below: scratch)
    #expect(try Dataset.open(scratch.path, options: before).train.images.width == 28)
  }

  @Test("repair takes what is left of a damaged JPEG file, warns and lists it, and fails for other files")
  func repair() throws {
    let scratch = ScratchFolder()
    let slopes = Image(height: 32, width: 32, channels: 1, pixels: (0..<1024).map { UInt8($0 / 4) })
    let jpeg = try JPEG.encode(slopes)
    try write(["a/1.jpg": jpeg, "b/1.jpg": Array(jpeg.prefix(jpeg.count - 40))], below: scratch)
    #expect(failureKind { try Dataset.open(scratch.path) } == .badInput)
    let repaired = try Dataset.open(scratch.path, options: DatasetOptions(onBadImage: .repair))
    #expect(repaired.train.labelledIDs == [0, 1] && repaired.badImages.isEmpty)
    #expect(repaired.repairedImages.map(\.path) == ["b/1.jpg"])
    #expect(repaired.warnings.first?.contains("'b/1.jpg'") == true)
    try write(["b/2.jpg": [1, 2, 3]], below: scratch)
    #expect(failureKind { try Dataset.open(scratch.path, options: DatasetOptions(onBadImage: .repair)) } == .badInput)
  }

  @Test("progress is told by the number of images, the last time with all of them", arguments: [1, 3])
  func progress(threads: Int) throws {
    let scratch = ScratchFolder()
    for index in 0..<20 { try write(["c\(index % 2)/\(index).png": png(seed: UInt32(index))], below: scratch) }
    let told = Mutex<[Int]>([])
    var options = DatasetOptions(threads: threads)
    options.progress = { done, count in
      #expect(count == 20)
      told.withLock { $0.append(done) }
    }
    _ = try Dataset.open(scratch.path, options: options)
    #expect(told.withLock { $0.last } == 20 && told.withLock { $0 == $0.sorted() })
  }
}
