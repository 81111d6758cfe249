import FileFormats
import TestSupport
import Testing

extension CommandTests {
  /// Numbers and names that no sound file or command line has: each must end with a sentence, never in a trap.
  @Suite("Odd numbers")
  struct OddNumbers {
    private static let quick = [
      "--model", "mlp:width=128", "--device", "cpu", "--threads", "1", "--epochs", "1", "--batch-size", "16", "-q",
    ]

    private func expect(
      _ arguments: [String], _ code: Int32, _ text: String, in folder: ScratchFolder,
      environment: [String: String?] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let ending = try CommandUnderTest.run(arguments, in: folder, environment: environment)
      #expect(ending.code == code, "\(arguments): \(ending.errors)", sourceLocation: sourceLocation)
      let said = ending.errors + ending.output
      #expect(said.contains(text), "\(arguments): \(ending.errors)", sourceLocation: sourceLocation)
    }

    @Test("in settings are refused, or taken as the largest that there is")
    func settings() throws {
      let folder = ScratchFolder()
      try AtomicFile.write("freeze = true\n", to: folder("freeze.toml"))
      try expect(["train", "shapes", "--config", "freeze.toml"] + Self.quick, 78, "--freeze needs --init", in: folder)
      try expect(["train", "shapes", "--freeze"] + Self.quick, 78, "--init", in: folder)
      let small = ["train", "shapes", "--limit-train", "40", "--limit-test", "10", "--out"]
      try expect(small + ["long", "--max-time", "1e21s"] + Self.quick, 0, "", in: folder)
      for columns in ["-9223372036854775808", "0", "99999999999999999999"] {
        try expect(
          small + ["bar", "--force", "--progress", "bar"] + Self.quick.dropLast(), 0, "", in: folder,
          environment: ["COLUMNS": columns])
      }
      try expect(["losses", "gce:q=0.7@0/0.5@9223372036854775807"], 64, "q", in: folder)
      try expect(["losses", "ce+sr:lambda=1@0/2@9223372036854775807"], 64, "lambda", in: folder)
      try expect(["tune", "--trial", "winograd-rows=1@0,0,0,0,0,0,0,0,0"], 64, "--trial", in: folder)
      try expect(["tune", "--timeout", "1e21"], 64, "--timeout", in: folder)
    }

    @Test("of classes, and names that are too long or become one")
    func classes() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "20", "--limit-test", "4", "--out", "d", "-q"], in: folder)
      let images = try FileBytes.names(in: folder("d/train")).flatMap { label in
        try FileBytes.names(in: folder("d/train/\(label)")).map { "d/train/\(label)/\($0)" }
      }
      func table(_ name: String, _ labels: [String]) throws {
        let rows = zip(images, labels).map { CSV.line([$0, $1]) }.joined()
        try AtomicFile.write("path,label\n" + rows, to: folder(name))
      }
      try table("far.csv", ["0", "65535"])
      try expect(["data", "noise", "far.csv", "--noise", "symmetric:0.2"], 65, "65536 classes", in: folder)
      try table("long.csv", ["cat", String(repeating: "dog", count: 100)])
      try expect(["data", "info", "long.csv"], 65, "a name of 300 bytes", in: folder)
      try FileBytes.makeFolder(folder("twins/1"))
      try FileBytes.makeFolder(folder("twins/01"))
      try FileBytes.write(FileBytes.read(folder(images[0])), to: folder("twins/1/a.png"))
      try FileBytes.write(FileBytes.read(folder(images[1])), to: folder("twins/01/b.png"))
      try expect(
        ["data", "convert", "twins", "--to", "folder", "--out", "one"], 73, "would be one folder", in: folder)
    }

    @Test("in the heads of files are bad input")
    func heads() throws {
      let folder = ScratchFolder()
      // The head of a PNG image of 2^32 - 1 pixels a side, and of nothing else.
      var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
      png += [UInt8](repeating: 0xFF, count: 8) + [8, 2, 0, 0, 0] + [UInt8](repeating: 0, count: 4)
      for label in ["a", "b"] {
        try FileBytes.makeFolder(folder("huge/\(label)"))
        try FileBytes.write(png, to: folder("huge/\(label)/1.png"))
      }
      try expect(["data", "info", "huge"], 65, "cannot be read", in: folder)
    }

    @Test("of labels that are more than the part has which a detection judges")
    func judged() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "60", "--limit-test", "20", "--out", "d", "-q"], in: folder)
      try AtomicFile.write(NumPyArray([Int64](repeating: 1, count: 60)).encoded(), to: folder("l.npy"))
      try expect(
        ["detect", "d", "--split", "all", "--limit-train", "50", "--noise", "labels:l.npy", "--device", "cpu"], 65,
        "60 labels", in: folder)
    }
  }
}
