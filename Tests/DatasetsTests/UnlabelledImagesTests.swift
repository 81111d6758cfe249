import Datasets
import FileFormats
import Images
import TestSupport
import Testing

@Suite("Images without labels")
struct UnlabelledImagesTests {
  /// All portions of a reading, with what it left behind.
  private struct Reading {
    let portions: [LabelledSet]
    let outcome: UnlabelledImages.Outcome

    init(_ images: UnlabelledImages, _ size: PixelSize, channels: Int = 3, _ options: DatasetOptions = .init()) throws {
      var portions: [LabelledSet] = []
      outcome = try images.read(size: size, channels: channels, options: options) { portions.append($0) }
      self.portions = portions
    }

    var pixels: [UInt8] { portions.flatMap(\.images.pixels) }
  }

  private static let small = PixelSize(width: 4, height: 4)

  @Test("a folder is walked in the order of paths, compared by bytes; what is no image, hidden or a run is passed over")
  func folder() throws {
    let scratch = ScratchFolder()
    try write(
      [
        "b.png": png(seed: 1), "a/z.png": png(seed: 2), "a/deep/er/1.png": png(seed: 3), "a.png": png(seed: 4),
        "Z.PNG": png(seed: 5), "no-suffix": png(seed: 6), "a/notes.txt": [1], ".hidden.png": png(),
        "@eaDir/t.png": png(), "runs/r/run.json": [1], "runs/r/config.toml": [1], "runs/r/page.png": png(),
      ], below: scratch)
    let images = try UnlabelledImages(scratch.path + "/")
    #expect(images.names == ["Z.PNG", "a.png", "a/deep/er/1.png", "a/z.png", "b.png", "no-suffix"])
    #expect(images.files == images.names.map { scratch($0) } && images.count == 6)
    #expect(images.passedOver.map(\.path) == [".hidden.png", "@eaDir/", "a/notes.txt", "runs/"])
    #expect(images.note?.hasPrefix("ignored 2 files and 2 folders: ") == true)
    let reading = try Reading(images, Self.small)
    #expect(reading.pixels == [5, 4, 3, 2, 1, 6].flatMap { someBytes(48, seed: $0) })
    #expect(reading.portions.flatMap(\.labels).allSatisfy { $0 == LabelledSet.noLabel })
  }

  @Test(
    "portions joined are every image by itself, whatever else there is and whatever the channels", arguments: [1, 3])
  func portions(channels: Int) throws {
    let scratch = ScratchFolder()
    // Four of the large images are more than a portion takes, in grey, too.
    let size = PixelSize(width: 2900, height: 2899)
    var files: [String: [UInt8]] = [:]
    for number in 0..<4 {
      files["\(number).png"] = try png(height: 3, width: 5 + number, channels: number % 2 == 0 ? 3 : 1, seed: 9)
    }
    try write(files, below: scratch)
    let images = try UnlabelledImages(scratch.path)
    var options = DatasetOptions(fit: .pad, threads: 2)
    let reading = try Reading(images, size, channels: channels, options)
    #expect(reading.portions.count > 1 && reading.portions.reduce(0) { $0 + $1.count } == 4)
    var alone: [UInt8] = []
    for name in images.names {
      alone += try Reading(UnlabelledImages(scratch(name)), size, channels: channels, options).pixels
    }
    #expect(reading.pixels == alone && reading.outcome.isReadable == [Bool](repeating: true, count: 4))
    // As the data set of a table reads them, which is in colour, since some are.
    try FileBytes.write(
      Array(("path,label\n" + images.names.map { "\($0),x\n" }.joined()).utf8), to: scratch("m.csv"))
    options.imageSize = size
    let labelled = try Dataset.open(scratch("m.csv"), options: options)
    #expect(labelled.train.converted(channels: channels).images.pixels == alone)
  }

  @Test("a bad image fails with the whole list, behind which nothing is given away; skipped, it is black and marked")
  func badImages() throws {
    let scratch = ScratchFolder()
    let size = PixelSize(width: 2048, height: 2048)
    var files: [String: [UInt8]] = [:]
    for number in 0..<6 { files["\(number).png"] = try number == 1 || number == 5 ? [1, 2] : png(seed: 7) }
    try write(files, below: scratch)
    let images = try UnlabelledImages(scratch.path)
    var given = 0
    let failure = failure {
      try images.read(size: size, channels: 3, options: DatasetOptions()) { given += $0.count }
    }
    #expect(failure?.kind == .badInput && failure?.what.contains("2 of 6") == true && given == 0)
    #expect(failure?.why.contains("1.png") == true && failure?.why.contains("5.png") == true)
    let skipped = try Reading(images, size, DatasetOptions(onBadImage: .skip))
    #expect(skipped.outcome.isReadable == [true, false, true, true, true, false])
    #expect(skipped.outcome.bad.map(\.path) == ["1.png", "5.png"] && skipped.outcome.repaired.isEmpty)
    #expect(skipped.portions.map(\.count) == [2, 2, 2] && skipped.portions.map { $0.unreadable } == [[1], [], [1]])
    #expect(skipped.portions[0].images.image(1).pixels.allSatisfy { $0 == 0 })
    // Nothing readable at all is a failure in any case.
    let damaged = try UnlabelledImages(scratch("1.png"))
    #expect(failureKind { try Reading(damaged, size, DatasetOptions(onBadImage: .skip)) } == .badInput)
  }

  @Test("class folders are labels only where the checkpoint knows all of them; tables and arrays by what they hold")
  func labels() throws {
    let scratch = ScratchFolder()
    let array = NumPyArray(.unsigned(1), shape: [2, 4, 5], bytes: someBytes(40)).encoded()
    let labels = NumPyArray([0, 1] as [Int64]).encoded()
    try write(
      [
        "two/cat/1.png": png(), "two/dog/1.png": png(), "one/cat/1.png": png(), "mixed/cat/1.png": png(),
        "mixed/emu/1.png": png(), "parts/train/cat/1.png": png(), "parts/test/1.png": png(),
        "rest/test/cat/1.png": png(), "flat/1.png": png(), "x.csv": Array("path\n1.png\n".utf8),
        "y.csv": Array("path,label\n1.png,0\n".utf8), "x.jsonl": Array(#"{"path": "1.png"}"#.utf8),
        "y.jsonl": Array(#"{"path": "1.png", "label": 0}"#.utf8),
        "x.npz": ZipArchive.stored([("x_train.npy", array)]),
        "y.npz": ZipArchive.stored([("x_train.npy", array), ("y_train.npy", labels)]),
      ], below: scratch)
    for name in ["two", "one", "parts", "y.csv", "y.jsonl", "y.npz"] {
      #expect(try UnlabelledImages.isLabelled(scratch(name), as: ["cat", "dog"]), "\(name)")
    }
    for name in ["mixed", "rest", "flat", "flat/1.png", "x.csv", "x.jsonl", "x.npz"] {
      #expect(try !UnlabelledImages.isLabelled(scratch(name), as: ["cat", "dog"]), "\(name)")
    }
    #expect(try UnlabelledImages.isLabelled("shapes", as: ["cat"]))
    #expect(failureKind { try UnlabelledImages.isLabelled(scratch("none"), as: ["cat"]) } == .missingInput)
    #expect(failureKind { try UnlabelledImages("shapes") } == .usage)
    let arrays = try UnlabelledImages(scratch("y.npz"))
    #expect(arrays.names == ["y.npz/0", "y.npz/1"] && arrays.files == nil)
    #expect(try Reading(arrays, Self.small, channels: 1).pixels == someBytes(40))
  }
}
