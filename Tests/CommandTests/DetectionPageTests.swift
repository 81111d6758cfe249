import FileFormats
import Glibc
import TestSupport
import Testing

extension RunFiles {
  /// What the page of a detection holds for its script.
  func pageData() throws -> JSONValue {
    let pieces = try text("report/index.html").split(separator: #"id="data">"#, maxSplits: 1)
    let text = try #require(pieces.last).prefix { $0 != "<" }
    return try JSONText.parse(Array(text.utf8), named: "data")
  }
}

extension CommandTests {
  @Suite("The page that detect writes")
  struct DetectionPage {
    @Test("escapes names of folders and files, and tells what is wrong with the data")
    func hostileNames() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--out", "d", "--limit-train", "40", "--limit-test", "10"], in: folder)
      let name = #"<img src=x onerror="document.title='hacked'">"#
      for split in ["train", "test"] {
        try #require(rename(folder("d/\(split)/arrow"), folder("d/\(split)/\(name)")) == 0)
        try #require(rename(folder("d/\(split)/bars"), folder("d/\(split)/<")) == 0)
      }
      // The folder "<" and the rest of an end tag.
      let path = "train/</script><script>hacked()<!--.png"
      try #require(rename(folder("d/train/</01.png"), folder("d/" + path)) == 0)
      try FileBytes.write(FileBytes.read(folder("d/" + path)), to: folder("d/train/star/99.png"))
      try FileBytes.write(
        Array(FileBytes.read(folder("d/train/ring/06.png")).prefix(200)), to: folder("d/train/ring/<b>.png"))
      try CommandUnderTest.output(
        [
          "detect", "d", "--model", "resnet20", "--epochs", "2", "--batch-size", "16", "--device", "cpu",
          "--on-bad-image", "skip", "--out", "run", "-q",
        ], in: folder)

      let run = RunFiles(folder("run")), html = try run.text("report/index.html"), data = try run.pageData()
      #expect(data["classes"]?.array?.prefix(2).map(\.string) == ["<", name])
      #expect(data["samples"]?["path"]?.array?.contains(.string(path)) == true)
      #expect(!html.contains("<img") && !html.contains("<b>.png") && !html.contains("hacked()<!--"))
      // The data's and the page's own.
      #expect(html.split(separator: "<script", omittingEmptySubsequences: false).count == 3)
      #expect(html.split(separator: "</script>", omittingEmptySubsequences: false).count == 3)
      #expect(html.contains("Files that could not be read (1)") && html.contains("train/ring/&lt;b&gt;.png"))
      #expect(html.contains("Groups of equal images with different labels (1)"))
      #expect(html.contains("train/&lt;/script&gt;&lt;script&gt;hacked()&lt;!--.png</code>, "))
      #expect(html.contains("Classes too small to judge") && html.contains("--on-bad-image skip"))
    }
  }
}
