import FileFormats
import Images
import TestSupport
import Testing

extension CommandTests {
  @Suite("Defaults of the user's own data")
  struct DefaultsTests {
    /// A set of 40 images without a test set, which a network tells apart at once.
    private static func made(in folder: ScratchFolder) throws {
      for (name, grey) in [("a", 40), ("b", 200)] {
        try FileBytes.makeFolder(folder("photos/" + name))
        for number in 0..<20 {
          let pixels = [UInt8](repeating: UInt8(grey + number), count: 64)
          let image = Image(height: 8, width: 8, channels: 1, pixels: pixels)
          try FileBytes.write(PNG.encode(image), to: folder("photos/\(name)/\(number).png"))
        }
      }
    }

    private static let small = ["--model", "mlp", "--device", "cpu", "--epochs", "3", "--progress", "lines"]

    @Test("hold out a tenth, say so in the head of the run, and keep it in its settings")
    func heldOut() throws {
      let folder = ScratchFolder()
      try Self.made(in: folder)
      let ending = try CommandUnderTest.run(["train", "photos", "--out", "r"] + Self.small, in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.errors.contains("train 36 · held out 4 · 2 classes"), "\(ending.errors)")
      #expect(ending.output.contains("held out       last"), "\(ending.output)")
      let files = RunFiles(folder("r")), settings = try files.text("config.toml")
      #expect(settings.contains("val = \"0.1\"\n") && settings.contains("batch-size = 32\n"))
      let record = try files.text("run.json")
      #expect(record.contains("\"val\": \"follows the data, which has no test set\""))
      #expect(record.contains("\"batch-size\": \"follows 40 training images\""))
      let all = try CommandUnderTest.run(
        ["train", "photos", "--out", "all", "--val", "none"] + Self.small, in: folder)
      #expect(all.code == 0 && all.errors.contains("train 40 · test 0") && !all.output.contains("acc"))
      // The same command goes on with the same run, whose defaults followed the data.
      let again = try CommandUnderTest.run(["train", "photos", "--resume-or-start", "r"] + Self.small, in: folder)
      #expect(again.code == 0 && again.errors.contains("already finished"), "\(again.errors)")
      let other = try CommandUnderTest.run(
        ["train", "photos", "--resume-or-start", "r", "--batch-size", "8"] + Self.small, in: folder)
      #expect(other.code == 78 && other.errors.contains("its batch-size is 32, and 8 is asked for"))
    }

    @Test("--patience ends a run that gets no better, with a checkpoint of its last epoch")
    func patience() throws {
      let folder = ScratchFolder()
      try Self.made(in: folder)
      let command = ["train", "photos", "--model", "mlp", "--device", "cpu", "--lr", "0", "--progress", "lines"]
      let ending = try CommandUnderTest.run(
        command + ["--epochs", "9", "--patience", "2", "--out", "r"], in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.errors.contains("stopped after epoch 3 of 9: none of the last 2 was better than epoch 1"))
      #expect(try RunFiles(folder("r")).text("metrics.csv").lines.count == 4)
      let resumed = try CommandUnderTest.run(["train", "--resume", "r"], in: folder)
      #expect(resumed.code == 0 && resumed.errors.contains("already finished"), "\(resumed.errors)")
      let without = try CommandUnderTest.run(
        command + ["--epochs", "9", "--patience", "2", "--out", "s", "--val", "none"], in: folder)
      #expect(without.code == 78 && without.errors.contains("--patience has nothing to go by."))
    }
  }
}
