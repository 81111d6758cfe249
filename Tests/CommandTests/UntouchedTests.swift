import FileFormats
import TestSupport
import Testing

extension CommandTests {
  /// A folder of results is worth hours: whatever cannot be done must not cost any of it.
  @Suite("A run folder stays as it is")
  struct Untouched {
    /// What is refused: the rest of a command line, and its code.
    static let refused: [(command: String, code: Int32)] = [
      // Another run than the one in the folder.
      ("train --resume run --loss sce", 78), ("train --resume run --epochs 9", 78),
      ("train --resume run --recipe sce-cifar10", 78), ("train --resume run --out other", 78),
      // The folder is taken; with --force, what is wrong comes first.
      ("train shapes --out run", 73), ("detect shapes --out run", 73),
      ("train shapes --out run --force --lr nan", 64), ("train shapes --out run --force --loss nosuch", 64),
      ("train shapes --out run --force --loss forward", 78), ("train shapes --out run --force --device 99", 69),
      ("train missing --out run --force", 66), ("train shapes --out run --force --labels short.npy", 65),
      ("train shapes --out run --force --init missing.safetensors --device cpu", 66),
      ("train shapes --out run --force --limit-train 9 --batch-size 16 --drop-last --device cpu", 78),
      ("detect shapes --out run --force --passes 0", 64), ("detect shapes --out run --force --epochs 1", 78),
      ("detect missing --out run --force", 66), ("detect shapes --out run --force --clean-labels short.npy", 65),
      // What only reads.
      ("eval run missing", 66), ("eval run shapes --split both", 64), ("data info run", 65),
    ]

    @Test("by a command that is refused")
    func refusals() throws {
      let folder = ScratchFolder()
      try FileBytes.write(NumPyArray([Int64](repeating: 0, count: 9999)).encoded(), to: folder("short.npy"))
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --max-steps 2 --out run -q"), in: folder)
      let before = try FolderState(folder("run"))
      for (command, code) in Self.refused {
        let ending = try CommandUnderTest.run(command.split(separator: " ").map(String.init), in: folder)
        #expect(ending.code == code, "\(command): \(ending.errors)")
        let differences = try FolderState(folder("run")).differences(from: before)
        #expect(differences.isEmpty, "\(command): \(differences)")
      }
      #expect(try FileBytes.names(in: folder.path).sorted() == ["run", "short.npy"])
    }

    @Test("by going on with data that have changed")
    func otherData() throws {
      let folder = ScratchFolder()
      try BlockImages.write(to: folder("data"), count: 64)
      let stopped = try CommandUnderTest.run(
        ["train", "data", "--model", "mlp", "--device", "cpu", "--max-time", "0.001s", "--out", "run", "-q"], in: folder
      )
      #expect(stopped.code == 75, "\(stopped.errors)")
      let before = try FolderState(folder("run"))
      try BlockImages.write(to: folder("data"), count: 65)
      let ending = try CommandUnderTest.run(["train", "--resume", "run"], in: folder)
      #expect(ending.code == 65, "\(ending.errors)")
      #expect(try FolderState(folder("run")).differences(from: before) == [])
    }

    @Test("by going on where nothing is left to do", arguments: ["train", "detect"])
    func finished(command: String) throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        [
          command, "shapes", "--limit-train", "200", "--limit-test", "50", "--model", "resnet20", "--batch-size", "32",
          "--epochs", "2", "--device", "cpu", "--out", "run", "-q",
        ], in: folder)
      let before = try FolderState(folder("run"))
      let ending = try CommandUnderTest.run([command, "--resume", "run"], in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(try FolderState(folder("run")).differences(from: before) == [])
    }
  }
}
