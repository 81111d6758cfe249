import Datasets
import FileFormats
import TestSupport
import Testing

/// How folders are read that people have, and what is passed over in them.
@Suite("Folders as people have them")
struct FolderPartsTests {
  /// Images 0.png to (count - 1).png in each of the folders.
  private func images(_ folders: [String], count: Int = 2) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for (index, folder) in folders.enumerated() {
      for number in 0..<count { files["\(folder)/\(number).png"] = try png(seed: UInt32(10 * index + number + 1)) }
    }
    return files
  }

  private func open(_ files: [String: [UInt8]]) throws -> Dataset {
    let scratch = ScratchFolder()
    try write(files, below: scratch)
    return try Dataset.open(scratch.path)
  }

  @Test(
    "parts have their usual names in any capitals; validation is the test set where there is no other",
    arguments: [
      ["Train", "Test"], ["training", "validation"], ["TRAIN", "VAL"], ["train", "valid"], ["Training", "Testing"],
      ["train", "val", "test"], ["Train", "Valid", "TESTING"],
    ])
  func parts(names: [String]) throws {
    let data = try open(images(names.flatMap { ["\($0)/cat", "\($0)/dog"] }))
    #expect(data.classNames == ["cat", "dog"] && data.notes.isEmpty)
    #expect(data.train.paths.allSatisfy { $0.hasPrefix(names[0] + "/") } && data.train.labels == [0, 0, 1, 1])
    let test = try #require(data.test)
    #expect(test.paths.allSatisfy { $0.hasPrefix(names[names.count - 1] + "/") } && test.labels == [0, 0, 1, 1])
    #expect(data.heldOut?.paths.allSatisfy { $0.hasPrefix(names[1] + "/") } == (names.count == 3 ? true : nil))
  }

  @Test("a part alone beside other folders is a class, whatever is below it, and that is said")
  func classCalledTrain() throws {
    for extra in [[], ["train/steam", "train/diesel"], ["car/2019", "train/2019", "bus/2020"]] {
      let data = try open(images(["bus", "car", "train"] + extra))
      #expect(data.classNames == ["bus", "car", "train"], "\(extra)")
      #expect(data.train.count == 2 * (3 + extra.count) && data.test == nil)
      #expect(data.notes == ["'train' is read as a class, like the folders beside it"])
    }
    // Only images right in them, so that neither is a part.
    #expect(try open(images(["bus", "test", "train"])).classNames == ["bus", "test", "train"])
    // Two parts, and something beside them that is neither.
    let data = try open(images(["train/cat", "train/dog", "test/cat", "extra"]))
    #expect(data.classNames == ["cat", "dog"] && data.test?.labels == [0, 0])
    #expect(data.notes == ["ignored 1 folder: 1 beside train, val and test (extra/)"])
    // A folder without images beside train is no class.
    #expect(
      try open(images(["train/cat", "train/dog"]).merging(["docs/a.txt": [1]]) { one, _ in one }).classCount == 2)
  }

  @Test(
    "parts without a training part, without class folders, or twice are refused",
    arguments: [
      (["val/cat", "val/dog", "test/cat", "test/dog"], "no training part"),
      (["test/cat", "test/dog"], "no training part"),
      (["train", "test"], "no class folders"),
      (["train/cat", "train/dog", "Training/cat"], "two folders for one part"),
      (["train/cat", "val/cat", "valid/cat"], "two folders for one part"),
    ])
  func refused(folders: [String], words: String) throws {
    let failure = failure { try open(images(folders)) }
    #expect(failure?.kind == .badInput && failure?.what.contains(words) == true, "\(failure?.what ?? "")")
  }

  @Test("images without classes in a part are counted, and the part is not used")
  func unlabelled() throws {
    for folder in ["test", "test/test", "test/images", "Test/unknown"] {
      let data = try open(images(["train/cat", "train/dog"]).merging(images([folder], count: 5)) { one, _ in one })
      #expect(data.test == nil && data.warnings.count == 1)
      #expect(data.warnings.first?.contains("5 files in '\(folder.prefix(4))' have no classes") == true)
      #expect(data.passedOver.count == 5 && data.passedOver.allSatisfy { $0.reason == .noLabels })
    }
  }

  @Test("a folder around the parts is named")
  func around() throws {
    let warnings = try open(images(["data/train/cat", "data/train/dog", "data/test/cat"])).warnings
    #expect(warnings.count == 1 && warnings[0].hasSuffix("/data'"))
  }

  @Test("what is no sample is passed over, counted by its reason and listed")
  func passedOver() throws {
    let scratch = ScratchFolder()
    var files = try images(["cat", "dog"])
    for name in [
      "cat/@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg", "@eaDir/x.jpg", "__MACOSX/cat/0.png", "lost+found/1.png",
      ".hidden/1.png",
      "cat/.ipynb_checkpoints/1.png", "cat/._0.png",
    ] { files[name] = try png() }
    for name in ["README.txt", "cat/Thumbs.db", "dog/desktop.ini", "dog/notes.txt", "0.txt"] { files[name] = [65] }
    for name in ["runs/one", "campaign/cell/s1"] {
      for file in ["config.toml", "run.json"] { files["\(name)/\(file)"] = [65] }
      files["\(name)/report/1.png"] = try png()
    }
    files["runs/comparison.html"] = [65]
    files["loose.png"] = try png()
    try write(files, below: scratch)
    for name in ["emu", "emu/deep", "System Volume Information", "$RECYCLE.BIN"] {
      try FileBytes.makeFolder(scratch(name))
    }
    try FileBytes.makeFolder(scratch("run-killed/checkpoints"))
    try FileBytes.write([65], to: scratch("run-killed/config.toml"))
    let data = try Dataset.open(scratch.path)
    #expect(data.classNames == ["cat", "dog"] && data.train.count == 4 && data.warnings.isEmpty)
    func paths(_ reason: PassedOver.Reason) -> [String] { data.passedOver.filter { $0.reason == reason }.map(\.path) }
    #expect(
      paths(.system) == [
        "$RECYCLE.BIN/", "@eaDir/", "System Volume Information/", "__MACOSX/", "lost+found/", "cat/@eaDir/",
        "cat/Thumbs.db", "dog/desktop.ini",
      ])
    #expect(paths(.hidden) == [".hidden/", "cat/._0.png", "cat/.ipynb_checkpoints/"])
    #expect(paths(.run) == ["campaign/", "run-killed/", "runs/"] && paths(.empty) == ["emu/"])
    #expect(Set(paths(.noImage)) == ["0.txt", "README.txt", "dog/notes.txt"] && paths(.noClass) == ["loose.png"])
    #expect(
      data.notes == [
        "ignored 7 files and 12 folders: 3 not images, 1 image in no class folder, 3 with runs of gpunoisy, 8 made by "
          + "the operating system or a storage device, 3 hidden, 1 empty (emu/)"
      ])
  }

  @Test("a folder with files but no images is refused; formats that are not read count as images")
  func imageless() throws {
    let failure = failure { try open(images(["cat", "dog"]).merging(["emu/a.txt": [65]]) { one, _ in one }) }
    #expect(failure?.what.contains("'emu'") == true && failure?.kind == .badInput)
    let scratch = ScratchFolder()
    try write(
      images(["cat", "dog"]).merging(["dog/5.HEIC": [1, 2], "dog/6.avif": [3]]) { one, _ in one }, below: scratch)
    #expect(failureKind { try Dataset.open(scratch.path) } == .badInput)
    let data = try Dataset.open(scratch.path, options: DatasetOptions(onBadImage: .skip))
    #expect(data.badImages.map(\.path) == ["dog/5.HEIC", "dog/6.avif"] && data.train.unreadable == [4, 5])
    #expect(data.notes == ["warning: skipped 2 images that cannot be read, such as 'dog/5.HEIC'"])
  }

  @Test("classes without training samples are named, a few of many")
  func emptyClasses() {
    let names = (0..<30).map { "c\($0)" }
    #expect(labelled([0, 1], classNames: ["a", "b"]).notes.isEmpty)
    #expect(
      labelled([0, 2, -1], classNames: ["a", "b", "c"]).notes.last
        == "warning: 1 of 3 classes has no training samples: b")
    let many = labelled([0], classNames: names).notes[0]
    #expect(many.contains("29 of 30 classes have no training samples: c1, c2, ") && many.hasSuffix("c10, …"))
  }
}
