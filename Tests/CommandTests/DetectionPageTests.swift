import FileFormats
import Glibc
import Images
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

    private static let quick = [
      "--model", "mlp", "--epochs", "2", "--batch-size", "16", "--lr", "0.001", "--device", "cpu", "-q",
    ]

    /// Photographs in two classes.
    private static func photographs(_ count: Int, in folder: ScratchFolder, pixels: (_ index: Int) -> Image) throws {
      for name in ["cat", "dog"] { try FileBytes.makeFolder(folder("photos/" + name)) }
      for index in 0..<count {
        try FileBytes.write(
          JPEG.encode(pixels(index)), to: folder("photos/\(index % 2 == 0 ? "cat" : "dog")/\(index).jpg"))
      }
    }

    /// An image of the page.
    private static func image(_ address: JSONValue?) throws -> Image {
      let pieces = try #require(address?.string).split(separator: ",", maxSplits: 1)
      try #require(pieces.count == 2 && pieces[0] == "data:image/jpeg;base64")
      let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
      let values = Dictionary(uniqueKeysWithValues: zip(letters, 0..<64))
      var bytes: [UInt8] = [], word = 0, bits = 0
      for letter in pieces[1].utf8 where letter != UInt8(ascii: "=") {
        (word, bits) = (word << 6 & 0xFFFF | (values[letter] ?? 0), bits + 6)
        if bits >= 8 {
          bits -= 8
          bytes.append(UInt8(truncatingIfNeeded: word >> bits))
        }
      }
      return try Image(decoding: bytes, name: "the page")
    }

    @Test("shows images as their files have them, also where the data has moved, and names no program by its place")
    func originals() throws {
      let folder = ScratchFolder()
      try Self.photographs(24, in: folder) { index in
        // A bar at the right end, which the middle of a wide image lacks.
        let pixels = (0..<200 * 400).flatMap { place -> [UInt8] in
          place % 400 >= 360 ? [250, 10, UInt8(index * 10)] : [20, 20, UInt8(index * 10)]
        }
        return Image(height: 200, width: 400, channels: 3, pixels: pixels)
      }
      try CommandUnderTest.output(["detect", "photos", "--out", "run"] + Self.quick, in: folder)
      let run = RunFiles(folder("run")), data = try run.pageData(), html = try run.text("report/index.html")
      #expect(data["root"]?.string == folder("photos") && data["images"]?.members?.count == 24)
      for (name, address) in try #require(data["images"]?.members).map({ ($0.name, $0.value) }) {
        let image = try Self.image(address), right = image.pixels[(64 * 256 + 250) * 3],
          left = image.pixels[64 * 256 * 3]
        #expect(image.width == 256 && image.height == 128 && right > 230 && left < 40, "\(name)")
      }
      #expect(!html.contains(CommandUnderTest.path) && html.contains("<code>gpunoisy detect photos --out run"))

      try #require(rename(folder("photos"), folder("moved")) == 0)
      try CommandUnderTest.output(["report", "run", "--data", "moved", "-q"], in: folder)
      let again = try run.pageData()
      #expect(again["root"]?.string == folder("moved") && again["images"] == data["images"])
      #expect(try run.text("report/index.html").contains("--data \(folder("moved"))</code>"))
    }

    @Test("offers commands that work: a corrected copy, training on it, and without what is suspected; a second round")
    func commands() throws {
      let folder = ScratchFolder()
      try Self.photographs(24, in: folder) { index in
        Image(height: 60, width: 60, channels: 3, pixels: [UInt8](repeating: UInt8(index * 10), count: 60 * 60 * 3))
      }
      try CommandUnderTest.output(
        ["detect", "photos", "--noise", "symmetric:0.2", "--seed", "3", "--percentile", "50", "--out", "run"]
          + Self.quick, in: folder)
      let html = try RunFiles(folder("run")).text("report/index.html")
      let part = try #require(html.split(separator: "What comes next</h2>").last?.split(separator: "</section>").first)
      let commands = part.split(separator: "<code>").dropFirst().map { line in
        String(line.split(separator: "</code>")[0]).split(separator: " ").map(String.init)
      }
      try #require(commands.count == 4 && commands.allSatisfy { $0[0] == "gpunoisy" })
      let issues = try CSV(decoding: FileBytes.read(folder("run/label_issues.csv")), name: "label_issues.csv")
      try AtomicFile.write(
        "sample_id,verdict\n\(issues.rows[0][0]),drop\n", to: folder("verdicts.csv"))
      try CommandUnderTest.output(Array(commands[0].dropFirst()), in: folder)
      for (index, command) in commands.dropFirst().enumerated() {
        try CommandUnderTest.output(
          command.dropFirst() + ["--out", "again\(index)"] + Self.quick, in: folder)
      }
      // The same noise, and none of what is suspected.
      let configuration = try RunFiles(folder("again1")).text("config.toml")
      #expect(configuration.contains("noise-seed = 3") && configuration.contains("symmetric:0.2"))
    }

    @Test("shows smaller images where the page would have more than 25 MB")
    func size() throws {
      let folder = ScratchFolder()
      var state: UInt64 = 1
      // Noise, of which a JPEG file takes the most bytes.
      try Self.photographs(700, in: folder) { _ in
        let pixels = (0..<256 * 256 * 3).map { _ -> UInt8 in
          state = state &* 6_364_136_223_846_793_005 &+ 1
          return UInt8(truncatingIfNeeded: state >> 56)
        }
        return Image(height: 256, width: 256, channels: 3, pixels: pixels)
      }
      try CommandUnderTest.output(["detect", "photos", "--out", "run"] + Self.quick, in: folder)
      let run = RunFiles(folder("run")), html = try run.text("report/index.html"), images = try run.pageData()["images"]
      #expect((10_000_000...25_000_000).contains(html.utf8.count), "\(html.utf8.count) bytes")
      #expect(images?.members?.count == 700)
      let sides = try Set(#require(images?.members).prefix(5).map { try Self.image($0.value).width })
      #expect(sides == [192] || sides == [128], "\(sides)")
    }
  }
}
