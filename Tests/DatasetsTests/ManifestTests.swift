import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("Manifest")
struct ManifestTests {
  /// A folder with three images and a manifest.
  private func folder(_ name: String, _ text: String) throws -> (scratch: ScratchFolder, path: String) {
    let scratch = ScratchFolder()
    try write(
      ["p/1.png": png(seed: 1), "p/2.png": png(seed: 2), "3.png": png(seed: 3), name: Array(text.utf8)], below: scratch)
    return (scratch, scratch(name))
  }

  @Test("CSV with names, splits and clean labels, in the order of the file")
  func table() throws {
    let (scratch, path) = try folder(
      "m.csv", "path,label,split,clean_label\np/2.png,dog,,cat\np/1.png,cat,train,cat\n3.png,\"emu, grey\",test,dog\n")
    let data = try Dataset.open(path)
    #expect(data.classNames == ["cat", "dog", "emu, grey"])
    #expect(data.train.paths == ["p/2.png", "p/1.png"] && data.test?.paths == ["3.png"])
    #expect(data.train.labels == [1, 0] && data.train.trueLabels == [0, 0])
    #expect(data.test?.labels == [2] && data.test?.trueLabels == [1])
    #expect(data.train.images.image(0).pixels == someBytes(48, seed: 2))
    withExtendedLifetime(scratch) {}
  }

  @Test("JSON lines with whole numbers as labels")
  func lines() throws {
    let (scratch, path) = try folder(
      "m.jsonl",
      "{\"file_name\": \"p/1.png\", \"label\": 2}\n\n{\"path\":\"3.png\",\"label\":\"0\",\"split\":\"train\"}\n")
    let data = try Dataset.open(path)
    #expect(data.classNames == ["0", "1", "2"] && data.train.labels == [2, 0] && data.train.trueLabels == nil)
    withExtendedLifetime(scratch) {}
  }

  @Test(
    "refuses what does not fit, with the line",
    arguments: [
      ("path,label\n../x.png,a\n", "line 2"), ("path,label\n/etc/passwd,a\n", "line 2"),
      ("path,label\np/../../x.png,a\n", "line 2"),
      ("path,label\np/1.png,-1\n", "line 2"), ("path,label\np/1.png,99999999\n", "line 2"),
      ("path,label\np/1.png,\n", "line 2"),
      ("path,label,split\np/1.png,a,held\n", "line 2"), ("name,label\np/1.png,a\n", "manifest"),
      ("path,label\n", "no images"),
      ("path,label\n,a\n", "line 2"), ("path,label,split\n3.png,a,test\n", "no training"),
      ("path,label\nnone.png,a\n3.png,a\n", "1 of 2"),
    ])
  func wrong(text: String, place: String) throws {
    let (scratch, path) = try folder("m.csv", text)
    let failure = failure { try Dataset.open(path) }
    #expect(failure?.kind == .badInput)
    #expect(failure?.what.contains(place) == true, "\(failure?.what ?? "-")")
    withExtendedLifetime(scratch) {}
  }

  @Test("a link that leads out of the folder is refused")
  func link() throws {
    let (scratch, path) = try folder("m.csv", "path,label\nout.png,a\n")
    let (code, _) = try PythonOracle.run(
      "import os, sys; os.symlink('/etc/hostname', sys.argv[1])", [scratch("out.png")])
    guard code == 0 else { return }
    #expect(failure { try Dataset.open(path) }?.why.contains("points outside") == true)
  }

  @Test("a manifest cut off anywhere never crashes")
  func damaged() throws {
    let text = Array("{\"path\": \"p/1.png\", \"label\": \"ü\"}\n{\"path\": \"3.png\", \"label\": \"b\"}\n".utf8)
    let (scratch, path) = try folder("m.jsonl", "")
    for length in 0..<text.count {
      try FileBytes.write(Array(text[..<length]), to: path)
      let kind = failureKind { try Dataset.open(path) }
      #expect(kind == nil || kind == .badInput)
    }
    withExtendedLifetime(scratch) {}
  }
}
