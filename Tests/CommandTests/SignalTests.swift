import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  /// Ctrl-C, a scheduler's SIGTERM, and both twice, wherever the program is.
  @Suite("Signals")
  struct Signals {
    /// What the contract allows for an end without saving.
    private static let atOnce = 2.0

    /// Sends a signal and expects the end within two seconds.
    private func ended(_ program: SpawnedProgram, by signal: Int32) throws -> SpawnedProgram.Ending {
      let start = ContinuousClock.now
      program.send(signal)
      #expect(program.wait(until: { !program.isRunning }, seconds: 60) || !program.isRunning)
      #expect(ContinuousClock.now - start < .seconds(Self.atOnce), "it took \(ContinuousClock.now - start)")
      return try program.end()
    }

    @Test(
      "while images are read end the run at once, which has nothing to save", arguments: [SIGINT, SIGTERM, SIGUSR1])
    func loading(signal: Int32) throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "20", "--limit-test", "10", "--out", "source", "-q"], in: folder)
      let part = folder("source/train"), name = try #require(try FileBytes.names(in: part).first)
      let image = try "source/train/\(name)/" + #require(try FileBytes.names(in: "\(part)/\(name)").first)
      // A quarter of a million images take many seconds.
      let rows = (0..<250_000).map { "\(image),\($0 % 2 == 0 ? "cat" : "dog")\n" }.joined()
      try AtomicFile.write("path,label\n" + rows, to: folder("many.csv"))
      let program = CommandUnderTest.start(
        ["train", "many.csv", "--model", "mlp", "--device", "cpu", "--out", "run"], in: folder)
      usleep(1_500_000)
      let ending = try ended(program, by: signal)
      #expect(ending.code == (signal == SIGUSR1 ? 75 : 128 + signal))
      #expect(ending.errors.contains("nothing to save") && ending.errors.lines.count == 1, "\(ending.errors)")
      #expect(FileBytes.kind(of: folder("run")) == .missing)
    }

    @Test("within a driver that does not return end the process at once")
    func driver() throws {
      let folder = ScratchFolder()
      guard let environment = try FakeDriver.environment(constructor: "for (;;) sleep(60);", in: folder) else { return }
      let program = CommandUnderTest.start(
        CommandUnderTest.training("--out run --device 0"), in: folder,
        environment: environment)
      usleep(1_000_000)
      // Without an OpenCL loader, or with one that does not know these variables, the driver is not reached.
      guard program.isRunning else { return }
      #expect(try ended(program, by: SIGINT).code == 130)
    }

    @Test("in a long step are answered at once; the second ends the process and marks the run")
    func twice() throws {
      let folder = ScratchFolder(), run = RunFiles(folder("run"))
      let program = CommandUnderTest.start(
        [
          "train", "shapes", "--limit-train", "2048", "--limit-test", "16", "--model", "resnet56", "--batch-size",
          "512",
          "--epochs", "1", "--checkpoint-every", "1", "--device", "cpu", "--threads", "1", "--out", "run",
        ], in: folder)
      #expect(program.wait { FileBytes.kind(of: run.lastCheckpoint) == .file })
      usleep(300_000)
      program.send(SIGINT)
      #expect(program.wait(until: { program.errorsSoFar.contains("a second signal ends") }, seconds: 1))
      usleep(400_000)
      #expect(program.isRunning, "the steps are too short for this test")
      let ending = try ended(program, by: SIGTERM)
      #expect(ending.code == 143 && ending.errors.contains("--resume run"), "\(ending.errors)")
      let record = try run.record()
      #expect(record["status"] == "stopped" && record["reason"]?.string?.contains("a second signal") == true)
      #expect(record["step"]?.integer ?? 4 < 4)
    }

    @Test(
      "are not needed by a part of another process's work: it ends with that process",
      arguments: [
        CommandUnderTest.training("--out run --device cpu"),
        ["features", "shapes", "--limit-train", "64", "--features", "patches", "--to", "it.npy"],
        ["detect", "shapes", "--limit-train", "64", "--features", "patches", "--device", "cpu", "--out", "run"],
      ])
    func orphan(arguments: [String]) throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(arguments, in: folder, environment: ["GPUNOISY_PARENT": "2000000000"])
      #expect(ending.code == 143, "\(ending.errors)")
    }

    @Test("during an evaluation end it after a batch, and the run goes on to the same bits")
    func evaluation() throws {
      let folder = ScratchFolder(), run = RunFiles(folder("run"))
      let arguments = [
        "train", "shapes", "--limit-train", "16", "--limit-test", "2000", "--model", "resnet56", "--batch-size", "16",
        "--epochs", "1", "--checkpoint-every", "1", "--device", "cpu", "--threads", "1", "--lr", "0.01",
      ]
      try CommandUnderTest.output(arguments + ["--out", "whole"], in: folder)
      let program = CommandUnderTest.start(arguments + ["--out", "run"], in: folder)
      #expect(program.wait { FileBytes.kind(of: run.lastCheckpoint) == .file })
      usleep(500_000)
      let ending = try ended(program, by: SIGINT)
      #expect(ending.code == 130 && ending.output.contains("--resume run"), "\(ending.errors)")
      #expect(try run.record()["status"] == "stopped" && run.column("epoch", of: "metrics.csv").isEmpty)
      try CommandUnderTest.output(["train", "--resume", "run"], in: folder)
      try run.expectEqual(to: RunFiles(folder("whole")))
    }

    @Test("that a wrapper sends twice are one request")
    func doubled() throws {
      let folder = ScratchFolder(), run = RunFiles(folder("run"))
      let program = CommandUnderTest.start(
        CommandUnderTest.training("--epochs 100 --checkpoint-every 1 --out run"), in: folder)
      #expect(program.wait { FileBytes.kind(of: run.lastCheckpoint) == .file })
      program.send(SIGTERM)
      usleep(20_000)
      program.send(SIGTERM)
      let ending = try program.end()
      #expect(ending.code == 143 && ending.output.contains("--resume run"), "\(ending.errors)")
      #expect(try run.record()["status"] == "stopped" && run.record()["step"] == run.record()["checkpoint"])
    }
  }
}
