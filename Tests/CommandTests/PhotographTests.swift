import FileFormats
import Images
import TestSupport
import Testing

extension CommandTests {
  /// Folders of photographs of other sizes than networks take.
  @Suite("Photographs")
  struct Photographs {
    private static let quick = ["--model", "mlp", "--epochs", "1", "--batch-size", "8", "--device", "cpu"]

    /// Photographs of 200 × 150 pixels in two classes.
    private static func photographs() throws -> ScratchFolder {
      let folder = ScratchFolder()
      for (index, name) in ["cat", "dog"].enumerated() {
        try FileBytes.makeFolder(folder("photos/" + name))
        for number in 0..<4 {
          let pixels = (0..<150 * 200 * 3).map { UInt8(truncatingIfNeeded: $0 / 600 * (index + 1) + number * 9) }
          let image = Image(height: 150, width: 200, channels: 3, pixels: pixels)
          try FileBytes.write(JPEG.encode(image), to: folder("photos/\(name)/\(number).jpg"))
        }
      }
      return folder
    }

    @Test("the head of a run says what sizes there are and what becomes of them; config.toml and run.json keep it")
    func head() throws {
      let folder = try Self.photographs()
      let run = try CommandUnderTest.run(["train", "photos", "--out", "run"] + Self.quick, in: folder)
      #expect(run.code == 0 && run.errors.contains("8, all 200×150, cropped to 64×64; --image-size"), "\(run.errors)")
      let configuration = try String(decoding: FileBytes.read(folder("run/config.toml")), as: UTF8.self)
      #expect(configuration.contains("image-size = \"64x64\"") && configuration.contains("fit = \"crop\""))
      let record = try String(decoding: FileBytes.read(folder("run/run.json")), as: UTF8.self)
      #expect(record.contains("gpunoisy.run/2"))
      let info = try CommandUnderTest.output(["data", "info", "photos", "--image-size", "40x30"], in: folder)
      #expect(info.contains("images       40×30 pixels") && info.contains("8, all 200×150, resized to 40×30"))
    }

    @Test("a checkpoint's images are brought to its size in the way of its training, and in no other")
    func evaluation() throws {
      let folder = try Self.photographs()
      try CommandUnderTest.output(
        ["train", "photos", "--fit", "pad", "--image-size", "24", "--out", "run", "-q"] + Self.quick, in: folder)
      let last = "run/checkpoints/last.safetensors"
      func probabilities(_ more: [String]) throws -> [UInt8] {
        try CommandUnderTest.output(
          ["predict", last, "photos", "--split", "train", "--device", "cpu", "--probs", "p.npy"] + more, in: folder)
        return try FileBytes.read(folder("p.npy"))
      }
      #expect(try probabilities([]) == probabilities(["--fit", "pad", "--image-size", "24"]))
      for (option, value) in [("--fit", "crop"), ("--image-size", "16"), ("--image-size", "24x16")] {
        for command in ["eval", "predict"] {
          let ending = try CommandUnderTest.run(
            [command, last, "photos", "--split", "train", "--device", "cpu", option, value], in: folder)
          #expect(
            ending.code == 78 && ending.errors.contains("\(option) \(value) contradicts the checkpoint"),
            "\(ending.errors)")
        }
      }
    }

    @Test("repair trains on a truncated JPEG file, warns in the log, and data info lists it")
    func repair() throws {
      let folder = try Self.photographs(), path = folder("photos/dog/3.jpg")
      let bytes = try FileBytes.read(path)
      try FileBytes.write(Array(bytes.prefix(bytes.count * 2 / 3)), to: path)
      let train = ["train", "photos", "--out", "run"] + Self.quick
      let refused = try CommandUnderTest.run(train, in: folder)
      #expect(refused.code == 65 && refused.errors.contains("--on-bad-image repair"), "\(refused.errors)")
      let run = try CommandUnderTest.run(train + ["--on-bad-image", "repair"], in: folder)
      #expect(run.code == 0, "\(run.errors)")
      let log = try String(decoding: FileBytes.read(folder("run/log.txt")), as: UTF8.self)
      #expect(log.contains("warning: 1 damaged image is used as far as it can be read: 'dog/3.jpg'"), "\(log)")
      let info = try CommandUnderTest.output(["data", "info", "photos", "--on-bad-image", "repair"], in: folder)
      #expect(info.contains("  dog/3.jpg: libjpeg-turbo says: Premature end of JPEG file."))
    }

    @Test("a run of the first schema goes on with width and height as it had them, and keeps its schema")
    func firstSchema() throws {
      let folder = try Self.photographs()
      try CommandUnderTest.output(
        ["data", "convert", "photos", "--image-size", "48x32", "--to", "folder", "--out", "small"], in: folder)
      let start = ["train", "small", "--image-size", "48x32", "--out", "run", "-q", "--max-steps", "1"] + Self.quick
      try CommandUnderTest.output(start, in: folder)
      // What an earlier version would have left: height before width, no fit, no hash of the settings.
      func edit(_ file: String, _ changes: [(String, String)]) throws {
        var text = try String(decoding: FileBytes.read(folder("run/" + file)), as: UTF8.self)
        for (old, new) in changes {
          #expect(text.contains(old), "\(old) in \(text)")
          text = text.replacing(old, with: new)
        }
        try AtomicFile.write(text, to: folder("run/" + file))
      }
      try edit("config.toml", [("image-size = \"48x32\"", "image-size = \"32x48\""), ("fit = \"crop\"\n", "")])
      let fromSchema2 = [("gpunoisy.run/2", "gpunoisy.run/1"), ("\"config.toml\": ", "\"other\": ")]
      try edit("run.json", fromSchema2 + [("\"status\": \"finished\"", "\"status\": \"stopped\"")])
      for name in ["last", "best"] {
        let path = folder("run/checkpoints/\(name).safetensors")
        guard FileBytes.kind(of: path) == .file else { continue }
        var file = try SafetensorsFile.read(path)
        #expect(file.metadata["gpunoisy.fit"] == "crop")
        (file.metadata["gpunoisy.fit"], file.metadata["gpunoisy.settings"]) = (nil, nil)
        try FileBytes.write(Array(file.encoded()), to: path)
      }
      let resumed = try CommandUnderTest.run(["train", "--resume", "run"], in: folder)
      #expect(resumed.code == 0, "\(resumed.errors)")
      let record = try String(decoding: FileBytes.read(folder("run/run.json")), as: UTF8.self)
      #expect(record.contains("gpunoisy.run/1") && record.contains("\"status\": \"finished\""))
    }
  }
}
