import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Pages about runs")
  struct Report {
    private let folder = ScratchFolder()

    private func train(_ name: String, _ rest: String = "") throws {
      try CommandUnderTest.output(
        CommandUnderTest.training("--epochs 2 --noise symmetric:0.4 -q --out \(name) \(rest)"), in: folder)
    }

    private func count(_ part: String, in text: String) -> Int {
      text.split(separator: part, omittingEmptySubsequences: false).count - 1
    }

    @Test("compare two, with curves, classes, confidence and features of both")
    func comparison() throws {
      try train("ce")
      try train("sce", "--loss sce")
      let output = try CommandUnderTest.output(
        ["report", "ce", "sce/", "--out", "both.html", "--device", "cpu", "--json"], in: folder)
      let document = try JSONText.parse(Array(output.utf8), named: "standard output")
      #expect(
        document["page"] == "both.html" && document["runs"] == ["ce", "sce"] && document["samples"] == [128, 128])
      let html = String(decoding: try FileBytes.read(folder("both.html")), as: UTF8.self)
      // Three of accuracy and loss, two of memorisation, and for each run two of classes, one of confidence, two planes.
      #expect(count("<figure>", in: html) == 3 + 2 + 2 * 5)
      #expect(html.contains("2 networks trained on shapes") && html.contains(">hourglass</"))
      // A table of ten classes for each, of the test set.
      #expect(
        count("<table class=\"confusion\">", in: html) == 2 && count("the test set, last checkpoint", in: html) == 2)
      #expect(!html.contains("<script") && !html.contains("not measured"))
      let curves = try RunFiles(folder("ce")).column("noisy_acc", of: "metrics.csv")
      #expect(html.contains("<td>\(percent(curves[1]))</td>"), "\(curves)")
    }

    private func percent(_ cell: String) -> String {
      let hundredths = Int(((Double(cell) ?? 0) * 10_000).rounded())
      return "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)%"
    }

    @Test("are made where the data are gone, and say so; one run keeps its page in its folder")
    func withoutData() throws {
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "60", "--limit-test", "20", "--out", "photos", "-q"], in: folder)
      try CommandUnderTest.output(
        [
          "train", "photos", "--model", "resnet20", "--batch-size", "30", "--epochs", "1", "--device", "cpu", "-q",
          "--out", "run",
        ], in: folder)
      try #require(rename(folder("photos"), folder("moved")) == 0)
      let ending = try CommandUnderTest.run(["report", "run", "--device", "cpu"], in: folder)
      #expect(ending.code == 0 && ending.errors.contains("/photos' does not exist."), "\(ending.errors)")
      #expect(ending.output == "page           run/report/index.html\n")
      let html = try RunFiles(folder("run")).text("report/index.html")
      #expect(
        html.contains("/photos&#39; does not exist.") && html.contains("<polyline") == false)
      #expect(html.contains("<path class=\"dot s0 p0\"") && !html.contains("memorised</figcaption>"))

      // Of several, what cannot be compared is left out, and named.
      let some = try CommandUnderTest.run(
        ["report", ".", "run", "--device", "cpu", "--out", "some.html"], in: folder)
      #expect(some.code == 0 && some.errors.contains("left out: '.' is not a run folder"), "\(some.errors)")
      #expect(some.output == "page           some.html\n")

      try CommandUnderTest.output(["report", "run", "--device", "cpu", "--data", "moved", "-q"], in: folder)
      #expect(try RunFiles(folder("run")).text("report/index.html").contains("by given label"))
    }

    @Test("stay in the run's folder: a link in their place is refused, not followed", arguments: [true, false])
    func links(toFile: Bool) throws {
      try train("run")
      try FileBytes.makeFolder(folder("elsewhere"))
      try AtomicFile.write("precious", to: folder("elsewhere/index.html"))
      if toFile {
        try FileBytes.makeFolder(folder("run/report"))
        #expect(symlink("../../elsewhere/index.html", folder("run/report/index.html")) == 0)
      } else {
        #expect(symlink("../elsewhere", folder("run/report")) == 0)
      }
      let ending = try CommandUnderTest.run(["report", "run", "--no-samples"], in: folder)
      #expect(ending.code == 73 && ending.errors.contains("is a symbolic link"), "\(ending.errors)")
      #expect(try FileBytes.read(folder("elsewhere/index.html")) == Array("precious".utf8))
      // The record says what the classes are called, also without a checkpoint.
      unlink(folder(toFile ? "run/report/index.html" : "run/report"))
      for name in ["last", "best"] { unlink(folder("run/checkpoints/\(name).safetensors")) }
      try CommandUnderTest.output(["report", "run", "--no-samples", "-q"], in: folder)
      #expect(try RunFiles(folder("run")).text("report/index.html").contains("hourglass"))
    }

    @Test("are refused for what is no run of train")
    func refusals() throws {
      try train("run")
      func expect(
        _ code: Int32, _ text: String, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
      ) throws {
        let ending = try CommandUnderTest.run(["report"] + arguments, in: folder)
        #expect(
          ending.code == code && ending.errors.contains(text), "\(ending.errors)", sourceLocation: sourceLocation)
        #expect(FileBytes.kind(of: folder("comparison.html")) == .missing, sourceLocation: sourceLocation)
      }
      try expect(66, "'nowhere' does not exist", ["run", "nowhere"])
      try expect(65, "is not a run folder", ["."])
      try expect(73, "the folder 'no' does not exist", ["run", "--out", "no/page.html"])
      try expect(64, "umap", ["run", "--projection", "umap"])
      try expect(64, "threads", ["run", "--threads", "0"])
      try expect(64, "Missing expected argument", [])
      let table = try RunFiles(folder("run")).text("metrics.csv")
      try AtomicFile.write(table.lines[0] + "\n", to: folder("run/metrics.csv"))
      try expect(65, "has no finished epoch yet", ["run"])
      try AtomicFile.write(
        table.lines[0] + "\n1,2,x" + String(repeating: ",", count: 8) + "\n", to: folder("run/metrics.csv"))
      try expect(65, "is damaged", ["run"])
      try CommandUnderTest.output(
        [
          "detect", "shapes", "--limit-train", "60", "--limit-test", "20", "--model", "resnet20", "--epochs", "2",
          "--device", "cpu", "--out", "detection", "-q",
        ], in: folder)
      try expect(78, "is a run of detect", ["detection", "detection"])
      try expect(64, "are not for 'detection'", ["detection", "--no-samples"])
    }
  }
}
