import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("Layouts as people download them")
struct LayoutTests {
  private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("Clothing1M: lists of keys, tables of labels, numbered folders with or without images above them")
  func clothing1M() throws {
    let keys = (0..<6).map { "images/\($0 % 3)/0\($0)/\($0),7.jpg" }
    for hasFolder in [true, false] {
      let scratch = ScratchFolder()
      var files: [String: [UInt8]] = [
        "noisy_train_key_list.txt": text(keys[..<4].map { $0 + "\n" }.joined()),
        "clean_test_key_list.txt": text(keys[4...].map { $0 + "\r\n" }.joined()),
        "noisy_label_kv.txt": text(keys[..<4].enumerated().map { "\($1) \($0 % 3)\n" }.joined()),
        "clean_label_kv.txt": text(keys[3...].map { "\($0) 2\n" }.joined()),
        "category_names_eng.txt": text("T-Shirt\nShirt\nKnitwear\n"),
      ]
      for (index, key) in keys.enumerated() {
        files[hasFolder ? key : String(key.dropFirst(7))] = try png(seed: UInt32(index + 1))
      }
      try write(files, below: scratch)
      let data = try Dataset.open(scratch.path)
      #expect(data.classNames == ["T-Shirt", "Shirt", "Knitwear"])
      #expect(data.train.labels == [0, 1, 2, 0] && data.train.paths == Array(keys[..<4]))
      #expect(data.test?.labels == [2, 2] && data.train.trueLabels == nil)
      #expect(data.test?.images.image(1).pixels == someBytes(48, seed: 6))
      #expect(data.trainFile(1).map { FileBytes.kind(of: $0) } == .file, "\(hasFolder)")
      for (name, wrong) in [
        ("noisy_label_kv.txt", keys[0] + " 0\n"), ("noisy_label_kv.txt", keys.map { $0 + " x\n" }.joined()),
        ("noisy_train_key_list.txt", "../outside.jpg\n"), ("noisy_train_key_list.txt", keys[0] + "\n" + keys[0] + "\n"),
        ("category_names_eng.txt", "T-Shirt\n"),
      ] {
        let whole = try FileBytes.read(scratch(name))
        try FileBytes.write(text(wrong), to: scratch(name))
        #expect(failureKind { try Dataset.open(scratch.path) } == .badInput, "\(name): \(wrong)")
        try FileBytes.write(whole, to: scratch(name))
      }
    }
  }

  @Test("Tiny ImageNet: the classes of val stand in a table, and test has none")
  func tinyImageNet() throws {
    let scratch = ScratchFolder()
    var files: [String: [UInt8]] = [
      "val/val_annotations.txt": text("val_0.png\tn02\t0\t0\t4\t4\nval_1.png\tn01\t0\t0\t4\t4\n")
    ]
    for index in 0..<2 {
      for name in ["n01", "n02"] { files["train/\(name)/images/\(index).png"] = try png(seed: UInt32(index)) }
      files["val/images/val_\(index).png"] = try png(seed: UInt32(index + 5))
      files["test/images/test_\(index).png"] = try png(seed: UInt32(index + 9))
    }
    try write(files, below: scratch)
    let data = try Dataset.open(scratch.path)
    #expect(data.classNames == ["n01", "n02"] && data.train.count == 4)
    #expect(data.test?.labels == [1, 0] && data.test?.paths == ["val/images/val_0.png", "val/images/val_1.png"])
    #expect(data.warnings.count == 1 && data.heldOut == nil)
    try FileBytes.write(text("val_0.png\tn03\n"), to: scratch("val/val_annotations.txt"))
    #expect(failure { try Dataset.open(scratch.path) }?.what.contains("line 1") == true)
  }

  @Test("val beside test is the validation set, in folders and tables alike")
  func validation() throws {
    let scratch = ScratchFolder()
    var files: [String: [UInt8]] = [:]
    for (index, part) in ["train", "val", "test"].enumerated() {
      for name in ["a", "b"] { files["\(part)/\(name)/\(index).png"] = try png(seed: UInt32(index + 1)) }
    }
    files["m.csv"] = text(
      "path,label,split\ntrain/a/0.png,a,Train\ntrain/b/0.png,b,\nval/a/1.png,a,valid\ntest/b/2.png,b,TEST\n")
    files["twice.csv"] = text("path,label,split\ntrain/a/0.png,a,train\ntrain/b/0.png,b,train\ntrain/a/0.png,a,test\n")
    try write(files, below: scratch)
    let folder = try Dataset.open(scratch.path), table = try Dataset.open(scratch("m.csv"))
    #expect(folder.heldOut?.paths == ["val/a/1.png", "val/b/1.png"] && folder.test?.labels == [0, 1])
    #expect(table.heldOut?.paths == ["val/a/1.png"] && table.test?.paths == ["test/b/2.png"])
    #expect(table.warnings.isEmpty)
    let shared = try Dataset.open(scratch("twice.csv")).warnings
    #expect(shared.count == 1 && shared.first?.contains("'train/a/0.png' (line 4)") == true)
  }

  @Test("tables from Windows, missing files, Hugging Face's folders and Git LFS pointers")
  func tables() throws {
    let scratch = ScratchFolder()
    try write(
      [
        "p/1.png": png(), "p/2.png": png(seed: 2), "w.csv": text("path,label\np\\1.png,a\np\\2.png,b\n"),
        "c.csv": text("path,label\np/1.PNG,a\np/2.PNG,b\n"), "hub/train/0.png": png(),
        "hub/train/metadata.csv": text("file_name,label\n0.png,a\n"),
        "d.npz": text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
      ], below: scratch)
    #expect(try Dataset.open(scratch("w.csv")).train.paths == ["p/1.png", "p/2.png"])
    let capitals = failure { try Dataset.open(scratch("c.csv")) }
    #expect(capitals?.kind == .badInput && capitals?.what.contains("are not there") == true)
    #expect(capitals?.why.contains("'p/1.png' does") == true, "\(capitals?.why ?? "")")
    #expect(failure { try Dataset.open(scratch("hub")) }?.fix.contains("hub/train/metadata.csv") == true)
    #expect(failure { try Dataset.open(scratch("d.npz")) }?.what.contains("Git LFS pointer") == true)
  }

  @Test("grey and colour are converted into each other")
  func channels() {
    let grey = ImageSet(count: 1, height: 1, width: 2, channels: 1, pixels: [7, 200])
    let colour = ImageSet(count: 1, height: 1, width: 2, channels: 3, pixels: [7, 7, 7, 200, 200, 200])
    #expect(grey.converted(channels: 3) == colour && colour.converted(channels: 1) == grey)
    let mixed = ImageSet(count: 1, height: 1, width: 3, channels: 3, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255])
    #expect(mixed.converted(channels: 1).pixels == [76, 150, 29])
  }
}
