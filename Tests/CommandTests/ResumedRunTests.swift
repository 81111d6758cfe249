import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  /// Whatever of a run is missing, is another run's, or cannot be is told (65); what a crash can leave is taken up.
  @Suite("A resumed run takes up its own files alone")
  struct ResumedRuns {
    /// 64 samples in four steps an epoch.
    private static let quick = [
      "--limit-train", "64", "--limit-test", "32", "--model", "mlp:width=128", "--device", "cpu", "--threads", "1",
      "--batch-size", "16", "--lr", "0.01", "-q",
    ]

    /// A training of three epochs, or what is given behind it.
    private func train(_ out: String, _ rest: String..., in folder: ScratchFolder) throws {
      try CommandUnderTest.output(
        ["train", "shapes", "--epochs", "3", "--out", out] + Self.quick + rest, in: folder)
    }

    /// Changes a file of a run.
    private func edit(_ path: String, _ change: (String) -> String) throws {
      let text = String(decoding: try FileBytes.read(path), as: UTF8.self), changed = change(text)
      try #require(text != changed, "\(path)")
      try AtomicFile.write(changed, to: path)
    }

    /// Changes the last checkpoint of a run, whose SHA-256 stays right.
    private func editCheckpoint(_ run: String, _ change: (inout SafetensorsFile) throws -> Void) throws {
      let path = RunFiles(run).lastCheckpoint
      var file = try SafetensorsFile.read(path)
      try change(&file)
      try file.write(to: path)
    }

    /// A copy of a run that says that it was stopped.
    private func stopped(_ run: String, in folder: ScratchFolder) throws -> String {
      _ = try SpawnedProgram("/bin/rm", ["-rf", folder("copy")], in: "/").end()
      #expect(try SpawnedProgram("/bin/cp", ["-r", folder(run), folder("copy")], in: "/").end().code == 0)
      try edit(folder("copy/run.json")) { $0.replacing("\"status\": \"finished\"", with: "\"status\": \"stopped\"") }
      return folder("copy")
    }

    private func resume(_ command: String = "train", in folder: ScratchFolder) throws -> SpawnedProgram.Ending {
      try CommandUnderTest.run([command, "--resume", "copy", "-q"], in: folder)
    }

    private func expectRefused(
      _ word: String, _ what: String, _ command: String = "train", in folder: ScratchFolder,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let ending = try resume(command, in: folder)
      #expect(
        ending.code == 65 && ending.errors.contains(word) && ending.errors.lines.count == 3,
        "\(what): \(ending.code) \(ending.errors)", sourceLocation: sourceLocation)
    }

    @Test("not the checkpoint of other settings, or of another method")
    func otherRuns() throws {
      let folder = ScratchFolder()
      try train("run", in: folder)
      for (before, after) in [("lr = 0.01", "lr = 0.02"), ("seed = 1", "seed = 2"), ("epochs = 3", "epochs = 4")] {
        let copy = try stopped("run", in: folder)
        try edit(copy + "/config.toml") { $0.replacing(before, with: after) }
        // The built-in data follows the seed.
        try expectRefused(after == "seed = 2" ? "the data has changed" : "config.toml' has changed", after, in: folder)
        unlink(copy + "/run.json")
        try expectRefused("belongs to another run", after, in: folder)
      }
      try train("other", "--loss", "sce", "--seed", "5", in: folder)
      try train("both", "--method", "co-teaching", in: folder)
      for (other, word) in [("other", "the run's config.toml"), ("both", "--method co-teaching")] {
        let last = try FileBytes.read(folder("\(other)/checkpoints/last.safetensors"))
        let copy = try stopped("run", in: folder)
        try FileBytes.write(last, to: RunFiles(copy).lastCheckpoint)
        try expectRefused(word, other, in: folder)
        try edit(copy + "/run.json") { $0.replacing("\"status\": \"stopped\"", with: "\"status\": \"finished\"") }
        try expectRefused(word, "finished, \(other)", in: folder)
      }
      // Checkpoints of earlier versions have no hash; how a run is computed may change.
      let copy = try stopped("run", in: folder)
      try editCheckpoint(copy) { $0.metadata["gpunoisy.settings"] = nil }
      let ending = try CommandUnderTest.run(
        ["train", "--resume", "copy", "--checkpoint-every", "2", "--max-time", "1h", "-q"], in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
    }

    @Test("and record their settings even if they were killed behind their first file")
    func firstFile() throws {
      let folder = ScratchFolder()
      try train("run", in: folder)
      try FileBytes.makeFolder(folder("copy"))
      try FileBytes.write(FileBytes.read(folder("run/config.toml")), to: folder("copy/config.toml"))
      #expect(try resume(in: folder).code == 0)
      let hash = try RunFiles(folder("copy")).record()["inputs"]?["config.toml"]
      #expect(try hash?.string?.count == 64 && hash == RunFiles(folder("run")).record()["inputs"]?["config.toml"])
      #expect(
        try FileBytes.read(folder("copy/checkpoints/last.safetensors"))
          == FileBytes.read(folder("run/checkpoints/last.safetensors")))
    }

    @Test("not a position that run.json and metrics.csv contradict")
    func positions() throws {
      let folder = ScratchFolder()
      try train("run", in: folder)
      for (position, word) in [
        ("150,0,0", "there are 3 epochs"), ("0,5,5", "3 epochs of 4 steps"), ("1,0,4", "run.json do not agree"),
        ("2,3,11", "run.json do not agree"), ("3,0,11", "metrics.csv do not agree"),
        ("1,1,13", "metrics.csv do not agree"), ("3,0,99", "metrics.csv do not agree"),
      ] {
        try editCheckpoint(stopped("run", in: folder)) { $0.metadata["gpunoisy.position"] = position }
        try expectRefused(word, position, in: folder)
      }
      for kept in [0, 1, 3] {
        let copy = try stopped("run", in: folder)
        try edit(copy + "/metrics.csv") { $0.lines.prefix(kept).map { $0 + "\n" }.joined() }
        try expectRefused("metrics.csv' is not complete", "\(kept) lines", in: folder)
      }
      var copy = try stopped("run", in: folder)
      unlink(copy + "/metrics.csv")
      try expectRefused("metrics.csv' is not complete", "no table", in: folder)
      copy = try stopped("run", in: folder)
      // A row in the middle.
      try edit(copy + "/metrics.csv") { text in
        text.lines.enumerated().filter { $0.offset != 2 }.map { $0.element + "\n" }.joined()
      }
      try expectRefused("metrics.csv' is not complete", "a row less", in: folder)
      copy = try stopped("run", in: folder)
      try edit(copy + "/run.json") {
        $0.replacing("\"checkpoint\": 12", with: "\"checkpoint\": 4").replacing("\"epoch\": 3", with: "\"epoch\": 1")
      }
      try expectRefused("run.json do not agree", "two epochs ahead", in: folder)
      // What a crash leaves between the checkpoint and run.json, and between the row and the checkpoint.
      copy = try stopped("run", in: folder)
      try edit(copy + "/run.json") {
        $0.replacing("\"checkpoint\": 12", with: "\"checkpoint\": 8").replacing("\"epoch\": 3", with: "\"epoch\": 2")
      }
      // The second time it is finished.
      for _ in 0..<2 { #expect(try resume(in: folder).code == 0) }
      copy = try stopped("run", in: folder)
      try edit(copy + "/metrics.csv") { text in
        text + text.lines[3].replacing("3,12", with: "4,16", maxReplacements: 1) + "\n"
      }
      #expect(try resume(in: folder).code == 0)
      #expect(try RunFiles(copy).text("metrics.csv") == RunFiles(folder("run")).text("metrics.csv"))
    }

    @Test("not a step that this epoch does not have, though another may")
    func steps() throws {
      let folder = ScratchFolder()
      try train("run", "--method", "dividemix:warm=2", in: folder)
      // Plain epochs have four steps, the others up to fourteen.
      let copy = try stopped("run", in: folder)
      try edit(copy + "/run.json") {
        $0.replacing(/"checkpoint": \d+/, with: "\"checkpoint\": null")
      }
      try editCheckpoint(copy) { $0.metadata["gpunoisy.position"] = "1,6,10" }
      try expectRefused("epochs of 4 steps", "dividemix", in: folder)
    }

    @Test("not without the file of a stage that is done", arguments: ["detect", "train"])
    func stages(command: String) throws {
      let folder = ScratchFolder(), files: [String]
      if command == "detect" {
        try CommandUnderTest.output(
          ["detect", "shapes", "--detector", "aum", "--epochs", "2", "--no-report", "--out", "run"] + Self.quick,
          in: folder)
        files = ["pass1", "pass2"]
      } else {
        try train("run", "--method", "co-training:labels=2,rounds=3,views=whole", in: folder)
        files = ["round1", "round2"]
      }
      for file in files.dropLast() + (command == "train" ? files.suffix(1) : []) {
        let copy = try stopped("run", in: folder)
        unlink("\(copy)/stages/\(file).safetensors")
        try expectRefused("\(file).safetensors' is missing", file, command, in: folder)
      }
      let copy = try stopped("run", in: folder)
      try editCheckpoint(copy) { $0.metadata["gpunoisy.stage"] = "pass9" }
      try expectRefused("stage 'pass9'", "another run", command, in: folder)
      // The last pass is told again by its own checkpoint.
      guard command == "detect" else { return }
      unlink(try stopped("run", in: folder) + "/stages/pass2.safetensors")
      #expect(try resume(command, in: folder).code == 0)
      #expect(
        try FileBytes.read(folder("copy/stages/pass2.safetensors"))
          == FileBytes.read(folder("run/stages/pass2.safetensors")))
    }

    @Test("not with other true labels than they began with")
    func trueLabels() throws {
      let folder = ScratchFolder()
      func write(_ truth: [Int64]) throws {
        let pixels = (0..<64 * 64).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 64 * 11) }
        try AtomicFile.write(
          ZipArchive.stored([
            ("images.npy", NumPyArray(pixels, shape: [64, 8, 8]).encoded()),
            ("labels.npy", NumPyArray((0..<64).map { Int64($0 % 4) }).encoded()),
            ("true_labels.npy", NumPyArray(truth).encoded()),
          ]), to: folder("d.npz"))
      }
      try write((0..<64).map { $0 % 4 })
      try CommandUnderTest.output(
        ["train", "d.npz", "--epochs", "2", "--out", "run"] + Self.quick.dropFirst(4), in: folder)
      _ = try stopped("run", in: folder)
      try write((0..<64).map { $0 % 5 == 0 ? 0 : $0 % 4 })
      try expectRefused("the true labels", "other truth", in: folder)
      // Runs of earlier versions did not record what they were.
      try edit(folder("copy/run.json")) { $0.replacing(/"rest": "[0-9a-f]{16}"/, with: "\"rest\": null") }
      #expect(try resume(in: folder).code == 0)
    }

    @Test("not numbers that no training gives")
    func numbers() throws {
      let folder = ScratchFolder()
      for (method, columns, others) in [
        ("dividemix:warm=1,history=2", ["state.clean", "member1.state.losses"], ["state.sample_loss"]),
        ("self", ["state.ensemble", "state.kept"], ["state.margin_sum"]),
        ("elr", ["state.target"], ["state.margin_lost"]),
      ] {
        try train("run", "--force", "--method", method, in: folder)
        _ = try stopped("run", in: folder)
        #expect(try resume(in: folder).code == 0, "\(method)")
        for column in columns + others {
          let values: [Float] = [.nan, .infinity] + (others.contains(column) ? [] : [3e38, -3])
          for value in values {
            try editCheckpoint(stopped("run", in: folder)) { file in
              let shape = try #require(file[column]?.shape)
              var values = try file.floats(column, shape: shape)
              values[values.count - 1] = value
              file[column] = .init(values, shape: shape)
            }
            try expectRefused("\(column) holds numbers", "\(method) \(column) \(value)", in: folder)
          }
        }
      }
      for value in [-1, 10, .max] as [Int32] {
        try editCheckpoint(stopped("run", in: folder)) { file in
          file["state.sample_prediction"] = .init([Int32](repeating: value, count: 64), shape: [64])
        }
        try expectRefused("state.sample_prediction holds numbers", "\(value)", in: folder)
      }
    }

    @Test("and a detection finds a place for its second training before it begins")
    func retraining() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder)
      try CommandUnderTest.output(Stripes.detect + ["--no-report", "--out", "run"], in: folder)
      try FileBytes.makeFolder(folder("run/retrain"))
      try AtomicFile.write("mine", to: folder("run/retrain/notes.md"))
      let before = try FolderState(folder("run"))
      let ending = try CommandUnderTest.run(
        Stripes.detect + ["--detector", "aum", "--epochs", "2", "--retrain", "--out", "run", "--force"], in: folder)
      #expect(ending.code == 73 && ending.errors.contains("run/retrain' is not a run folder"), "\(ending.errors)")
      #expect(try FolderState(folder("run")).differences(from: before) == [])
      // What was trained there is read, not deleted.
      unlink(folder("run/retrain/notes.md"))
      try CommandUnderTest.output(
        ["train", "stripes.npz", "--noise", "symmetric:0.2", "--epochs", "1", "--model", "mlp", "--device", "cpu"]
          + ["--out", "run/retrain", "-q"], in: folder)
      let labels = "run/retrain/noisy_labels.npy"
      let read = try CommandUnderTest.run(
        Stripes.detect + ["--labels", labels, "--out", "run", "--force"], in: folder)
      #expect(read.code == 73 && read.errors.contains("noisy_labels.npy', which this run reads"), "\(read.errors)")
      #expect(FileBytes.kind(of: folder(labels)) == .file)
    }
  }
}
