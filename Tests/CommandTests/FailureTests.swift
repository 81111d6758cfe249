import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("Mistakes")
  struct Mistakes {
    /// A command line that cannot be carried out.
    struct Mistake: Sendable, CustomTestStringConvertible {
      let command: String
      let code: Int32
      /// A word that the message must hold.
      let word: String

      init(_ command: String, _ code: Int32, _ word: String) {
        (self.command, self.code, self.word) = (command, code, word)
      }

      var testDescription: String { "\(command) is \(code)" }
    }

    static let all = [
      // The command line.
      Mistake("train --nosuch", 64, "--nosuch"),
      Mistake("nosuch", 64, "nosuch"),
      Mistake("train a b", 64, "'b'"),
      Mistake("train --epochs", 64, "--epochs"),
      Mistake("eval", 64, "ckpt"),
      Mistake("eval damaged.safetensors shapes --split both", 64, "both"),
      Mistake("data convert shapes --to tar --out x", 64, "tar"),
      Mistake("data noise shapes", 64, "--noise"),
      // Names and values.
      Mistake("train --loss nosuch", 64, "nosuch"),
      Mistake("train --loss gce:q=7", 64, "q"),
      Mistake("train --noise symmetric:1.5", 64, "1.5"),
      Mistake("train --noise nosuch:0.4", 64, "nosuch"),
      Mistake("train --noise asymmetric:0.4", 64, "shapes"),
      Mistake("train --noise symmetric:0.4,exakt", 64, "exakt"),
      Mistake("train --noise seal:0.4,missing.npy", 66, "missing.npy"),
      Mistake("train --pixels upside-down", 64, "upside-down"),
      Mistake("train --recipe nosuch", 64, "nosuch"),
      Mistake("train --batch-size 0", 64, "--batch-size"),
      Mistake("train --epochs -3", 64, "--epochs"),
      Mistake("train --lr nan", 64, "--lr"),
      Mistake("train --model resnet33", 64, "resnet33"),
      Mistake("train --method nosuch", 64, "nosuch"),
      Mistake("train --milestones 9,3", 64, "9,3"),
      Mistake("train --max-time soon", 64, "soon"),
      Mistake("train --val 1.5 shapes", 64, "1.5"),
      Mistake("data noise shapes --noise symmetric:2 --out l.npy", 64, "2"),
      Mistake("detect --detector nosuch", 64, "nosuch"),
      Mistake("detect --passes 0", 64, "--passes"),
      Mistake("detect --percentile 100", 64, "--percentile"),
      Mistake("detect --combine both", 64, "both"),
      Mistake("detect --margin nosuch", 64, "nosuch"),
      Mistake("detect --folds 1", 64, "--folds"),
      Mistake("detect --cl-filter nosuch", 64, "nosuch"),
      Mistake("detect --retrain nosuch", 64, "nosuch"),
      Mistake("detect --fail-above 2", 64, "--fail-above"),
      Mistake("detect --threshold-samples 0", 64, "--threshold-samples"),
      Mistake("data info shapes --limit-train 0", 64, "limit-train"),
      Mistake("bench --batch-size 32,0", 64, "--batch-size"),
      Mistake("bench --batch-size 32,many", 64, "many"),
      Mistake("bench --model resnet20,resnet33", 64, "resnet33"),
      Mistake("bench --precision nosuch", 64, "--precision"),
      Mistake("bench --threads 1,2 --device auto", 64, "--device cpu"),
      Mistake("bench --instruction-set nosuch --device cpu", 64, "nosuch"),
      Mistake("selftest --instruction-set generic --device auto", 64, "--instruction-set"),
      Mistake("train shapes --instruction-set nosuch --device cpu", 64, "nosuch"),
      // What is not there.
      Mistake("bench --device cpu --compare missing.json", 66, "missing.json"),
      Mistake("train missing", 66, "missing"),
      Mistake("train cifar10", 66, "c32a1d4ab5d03f1284b67883e8d87530"),
      Mistake("train --config missing.toml", 66, "missing.toml"),
      Mistake("train --labels missing.npy", 66, "missing.npy"),
      Mistake("train --exclude missing.csv", 66, "missing.csv"),
      Mistake("detect missing", 66, "missing"),
      Mistake("detect --resume missing", 66, "missing"),
      Mistake("train --resume missing", 66, "missing"),
      Mistake("train --init missing.safetensors --device cpu", 66, "missing.safetensors"),
      Mistake("train --init missing", 66, "gpunoisy weights"),
      Mistake("eval missing shapes", 66, "missing"),
      Mistake("predict damaged.safetensors missing", 65, "damaged.safetensors"),
      Mistake("data info missing", 66, "missing"),
      // What is damaged or does not fit.
      Mistake("train empty", 65, "empty"),
      Mistake("train cut", 65, "data_batch_1.bin"),
      Mistake("data info cut", 65, "data_batch_1.bin"),
      Mistake("train pickle.pkl", 65, "pickle"),
      Mistake("train --labels pickle.pkl", 65, "pickle"),
      Mistake("eval pickle.pkl shapes", 65, "pickle"),
      Mistake("train --init pickle.pkl --device cpu", 65, "pickle"),
      Mistake("train --init resnet18-f37072fd.pth", 65, "begins with f37072fd"),
      Mistake("detect empty", 65, "empty"),
      Mistake("detect --clean-labels wild.npy", 65, "wild.npy"),
      Mistake("train --exclude short.npy", 65, "short.npy"),
      Mistake("train --labels short.npy", 65, "short.npy"),
      Mistake("train --labels wild.npy", 65, "wild.npy"),
      Mistake("train --clean-labels wild.npy", 65, "wild.npy"),
      Mistake("train --config damaged.toml", 65, "damaged.toml"),
      Mistake("train --init damaged.safetensors --device cpu", 65, "damaged.safetensors"),
      Mistake("eval damaged.safetensors shapes", 65, "damaged.safetensors"),
      Mistake("eval empty shapes", 65, "empty"),
      Mistake("train --resume empty", 65, "empty"),
      Mistake("train photos", 65, "cat/1.png"),
      Mistake("bench --device cpu --compare damaged.toml", 65, "damaged.toml"),
      Mistake("bench --device cpu --compare other.json", 65, "gpunoisy.selftest/1"),
      Mistake("bench --device cpu --compare half.json", 65, "training"),
      // Devices.
      Mistake("train --device 99", 69, "99"),
      Mistake("detect missing --device 99", 69, "99"),
      Mistake("train missing --device nosuch-device", 69, "nosuch-device"),
      Mistake("eval missing shapes --device 99", 69, "99"),
      // Outputs.
      Mistake("train --out taken", 73, "taken"),
      Mistake("detect missing --out taken", 73, "taken"),
      Mistake("train missing --out taken", 73, "taken"),
      Mistake("predict missing shapes --logits nosuch/logits.npy", 73, "nosuch"),
      Mistake("predict missing shapes --probs empty", 73, "empty"),
      Mistake("data noise missing --noise none --out nosuch/l.npy", 73, "nosuch"),
      Mistake("data shapes --out taken", 73, "taken"),
      Mistake("data shapes --out short.npz", 73, "short.npz"),
      Mistake("export run/checkpoints/last.safetensors --to onnx x.onnx", 64, "is not built yet"),
      Mistake("data convert missing --to folder --out taken --force", 73, "file"),
      Mistake("data convert missing --to npz --out short.npz", 73, "short.npz"),
      // Contradictions.
      Mistake("bench --device cpu --batch-size 64 --compare earlier.json", 78, "batch 2"),
      Mistake("train shapes --limit-train 100 --batch-size 128 --drop-last --device cpu", 78, "--drop-last"),
      Mistake("detect shapes --limit-train 40 --passes 9 --threshold-samples 5 --device cpu", 78, "--passes"),
      Mistake("train shapes --loss peer --exclude short.npy --exclude-by weight-zero", 78, "peer"),
      Mistake("detect shapes --epochs 1", 78, "--epochs"),
      Mistake("detect shapes --schedule step", 78, "--schedule"),
      Mistake("detect shapes --loss peer", 78, "peer"),
      Mistake("detect shapes --max-steps 3", 78, "--max-steps"),
      Mistake("detect shapes --init damaged.safetensors", 78, "--init"),
    ]

    @Test("Each ends with its code, three lines and no trace", arguments: all)
    func failure(of mistake: Mistake) throws {
      let folder = try Self.damagedFiles()
      let before = try FileBytes.names(in: folder.path)
      let ending = try CommandUnderTest.run(mistake.command.split(separator: " ").map(String.init), in: folder)
      #expect(ending.code == mistake.code, "\(ending.errors)")
      Self.expectThreeLines(ending)
      #expect(ending.errors.contains(mistake.word), "\(ending.errors)")
      #expect(try FileBytes.names(in: folder.path) == before)
    }

    @Test("A run cannot be resumed with another loss")
    func resumeWithAnotherLoss() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--max-steps 1 --epochs 1 --out run"), in: folder)
      let before = try FileBytes.read(folder("run/run.json"))
      for rest in [
        ["--loss", "sce"], ["--lr", "1"], ["--out", "other"], ["--config", "run/config.toml"], ["cifar10"],
      ] {
        let ending = try CommandUnderTest.run(["train", "--resume", "run"] + rest, in: folder)
        #expect(ending.code == 78, "\(rest): \(ending.errors)")
        Self.expectThreeLines(ending)
      }
      #expect(try FileBytes.read(folder("run/run.json")) == before)
      #expect(try FileBytes.names(in: folder.path) == ["run"])
    }

    @Test("A run cannot be resumed from a damaged checkpoint, and stays as it is")
    func resumeFromDamage() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--max-steps 1 --epochs 1 --out run"), in: folder)
      let checkpoint = RunFiles(folder("run")).lastCheckpoint
      var bytes = try FileBytes.read(checkpoint)
      bytes[bytes.count - 5000] ^= 1
      try FileBytes.write(bytes, to: checkpoint)
      let before = try FileBytes.read(folder("run/run.json"))
      let ending = try CommandUnderTest.run(["train", "--resume", "run"], in: folder)
      #expect(ending.code == 65)
      Self.expectThreeLines(ending)
      #expect(try FileBytes.read(folder("run/run.json")) == before)
      #expect(try FileBytes.read(checkpoint) == bytes)
    }

    @Test("--quiet silences progress, never errors")
    func quietErrors() throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(["train", "missing", "-q"], in: folder)
      #expect(ending.code == 66)
      Self.expectThreeLines(ending)
    }

    private static func expectThreeLines(
      _ ending: SpawnedProgram.Ending, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let lines = ending.errors.lines
      #expect(
        lines.count == 3 && lines[0].hasPrefix("error: ") && lines[1].hasPrefix("  why: ")
          && lines[2].hasPrefix("  fix: "), "\(ending.errors)", sourceLocation: sourceLocation)
      #expect(
        lines.allSatisfy { $0.count > 12 && !$0.contains("\\x") }, "\(ending.errors)", sourceLocation: sourceLocation)
      #expect(ending.output.isEmpty, sourceLocation: sourceLocation)
    }

    /// What the mistakes are made with.
    private static func damagedFiles() throws -> ScratchFolder {
      let folder = ScratchFolder()
      try FileBytes.makeFolder(folder("empty"))
      try FileBytes.makeFolder(folder("taken"))
      try FileBytes.write(Array("mine".utf8), to: folder("taken/file"))
      try FileBytes.write(Array("mine".utf8), to: folder("short.npz"))
      try FileBytes.makeFolder(folder("cut"))
      try FileBytes.write([UInt8](repeating: 1, count: 2 * 3073 - 1), to: folder("cut/data_batch_1.bin"))
      // The start of pickle.dumps, protocol 4.
      try FileBytes.write([0x80, 4, 0x95, 4, 0, 0, 0, 0, 0, 0, 0, 0x7D, 0x94, 0x2E], to: folder("pickle.pkl"))
      try FileBytes.write(Array("cut off".utf8), to: folder("resnet18-f37072fd.pth"))
      try FileBytes.write(NumPyArray([Int64](repeating: 0, count: 9999)).encoded(), to: folder("short.npy"))
      var labels = [Int64](repeating: 0, count: 10_000)
      labels[17] = 10
      try FileBytes.write(NumPyArray(labels).encoded(), to: folder("wild.npy"))
      try FileBytes.write(Array("epochs = = 3\n".utf8), to: folder("damaged.toml"))
      try FileBytes.write(Array(#"{"schema": "gpunoisy.selftest/1"}"#.utf8), to: folder("other.json"))
      let half = #"{"schema": "gpunoisy.bench/1", "model": "resnet32", "batch_size": 2, "precision": "fp32""#
      try FileBytes.write(Array("\(half)}".utf8), to: folder("half.json"))
      let training = #""training": {"images_per_second": {"median": 9}}"#
      try FileBytes.write(Array("\(half), \(training)}".utf8), to: folder("earlier.json"))
      var file = SafetensorsFile(metadata: ["gpunoisy.model": "resnet20"])
      file["conv1.weight"] = .init([Float](repeating: 1, count: 432), shape: [16, 3, 3, 3])
      try FileBytes.write(Array(file.encoded().dropLast(7)), to: folder("damaged.safetensors"))
      for name in ["cat/1.png", "dog/2.png"] {
        try FileBytes.makeFolder(folder("photos/" + name.prefix(3)))
        // A PNG signature and nothing behind it.
        try FileBytes.write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], to: folder("photos/" + name))
      }
      return folder
    }
  }
}
