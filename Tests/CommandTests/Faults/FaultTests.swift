import FileFormats
import TestSupport
import Testing

extension CommandTests {
  /// Twenty kills and twenty failing calls, chosen anew each time.
  @Suite(
    "Nothing is lost", .enabled(if: FaultyRun.library != nil, "needs a C compiler, for a library that makes calls fail")
  )
  struct Faults {
    /// What is run: seconds, with checkpoints within epochs and at their ends.
    private static let commands = [
      ["train", "--epochs", "3", "--noise", "symmetric:0.3", "--val", "0.2"],
      ["detect", "--epochs", "2", "--detector", "aum+cl", "--folds", "2", "--threshold-samples", "4"],
      ["detect", "--epochs", "2", "--trust", "--retrain", "--retrain-epochs", "2", "--percentile", "60"],
    ].map { command in
      [command[0], "shapes"] + command.dropFirst() + [
        "--limit-train", "64", "--limit-test", "32", "--model", "mlp:width=128", "--batch-size", "16", "--lr", "0.005",
        "--checkpoint-every", "3", "--device", "cpu", "--threads", "1",
      ]
    }
    private static let changing = "write,open,rename,fsync,ftruncate,mkdir,unlink"
    private static let trials = 20

    @Test("by SIGKILL at a call that changes files: the run goes on to the same bits")
    func kills() throws {
      var draws = SeededDraws("kills")
      for command in Self.commands.indices {
        let whole = FaultyRun(command: Self.commands[command]), calls = try count(whole, Self.changing)
        for _ in stride(from: command, to: Self.trials, by: Self.commands.count) {
          let run = FaultyRun(command: whole.command), place = 1 + draws.below(calls)
          let kind = draws.choice(["kill", "after", "half"])
          let trial = "\(whole.command[0]) \(command), \(kind) at call \(place) of \(calls)"
          let ending = try run.begin(Self.changing, at: place, kind).ending
          #expect(ending.code == 137, "\(trial): \(ending.code) \(ending.errors)")
          let resumed = try run.goOn()
          #expect(resumed.code == 0, "\(trial): \(resumed.errors)")
          try expectSame(run, whole, trial)
        }
      }
    }

    @Test("by SIGKILL while --force replaces a run: the folder is taken again, for the bits of the new run")
    func forcedStarts() throws {
      var draws = SeededDraws("kills of --force")
      let old = FaultyRun(command: Self.commands[2]), whole = FaultyRun(command: Self.commands[0])
      _ = try count(old, Self.changing)
      // All of the deletion, and the first files of the new run.
      let calls = min(80, try count(whole, Self.changing))
      for _ in 0..<Self.trials / 2 {
        let run = FaultyRun(command: whole.command + ["--force"])
        try run.takeOver(old)
        let place = 1 + draws.below(calls), kind = draws.choice(["kill", "after", "half"])
        let trial = "--force, \(kind) at call \(place) of \(calls)"
        let ending = try run.begin(Self.changing, at: place, kind).ending
        #expect(ending.code == 137, "\(trial): \(ending.code) \(ending.errors)")
        // Without settings there is no run that could be another one; with some it may still be the old one.
        let isGone = FileBytes.kind(of: run.run + "/config.toml") == .missing
        let target = isGone && place % 2 == 0 ? ["--resume-or-start", "run"] : ["--out", "run", "--force"]
        let again = try CommandUnderTest.run(whole.command + target + ["-q"], in: run.folder)
        #expect(again.code == 0, "\(trial): \(again.errors)")
        try expectSame(run, whole, trial)
      }
    }

    /// A way in which a call fails, and what may come of it.
    private struct Failing {
      let calls: String, kind: String
      /// Whether the run must go on as if nothing had been.
      var isHarmless = false
    }

    private static let failing =
      [("write", [28, 5, 27]), ("open", [28, 13, 24, 30]), ("rename", [13, 28, 5]), ("fsync", [5, 28])].flatMap {
        calls, errors in
        errors.flatMap { error in ["once", "always"].map { Failing(calls: calls, kind: "\($0):\(error)") } }
      } + ["mkdir", "ftruncate", "read", "look"].map { Failing(calls: $0, kind: "once:5") }
      + ["write", "read", "fsync", "open", "look"].map { Failing(calls: $0, kind: "once:4", isHarmless: true) }
      + ["write", "read"].map { Failing(calls: $0, kind: "short", isHarmless: true) }

    @Test("by a call that fails: the code and the message fit, nothing is left behind, and the run goes on")
    func failures() throws {
      var draws = SeededDraws("failing calls")
      var wholes: [Int: FaultyRun] = [:], counts: [String: Int] = [:]
      for _ in 0..<Self.trials {
        let command = draws.below(Self.commands.count), fault = draws.choice(Self.failing)
        let whole =
          try wholes[command]
          ?? {
            let run = FaultyRun(command: Self.commands[command])
            _ = try count(run, Self.changing)
            return run
          }()
        wholes[command] = whole
        let key = "\(command) \(fault.calls)"
        let calls = try counts[key] ?? count(FaultyRun(command: whole.command), fault.calls)
        counts[key] = calls
        guard calls > 0 else { continue }
        let run = FaultyRun(command: whole.command), place = 1 + draws.below(calls)
        let trial = "\(whole.command[0]) \(command), \(fault.kind) at \(fault.calls) \(place) of \(calls)"
        let ending = try run.begin(fault.calls, at: place, fault.kind).ending
        #expect(try run.temporaryFiles() == [], "\(trial)")
        if ending.code != 0 {
          #expect(!fault.isHarmless, "\(trial): \(ending.errors)")
          #expect([73, 74].contains(ending.code), "\(trial): \(ending.code) \(ending.errors)")
          let starts = ["error: ", "  why: ", "  fix: "], lines = ending.errors.lines
          #expect(lines.count == 3 && zip(lines, starts).allSatisfy { $0.hasPrefix($1) }, "\(trial): \(ending.errors)")
          try expectKept(run, trial)
          let resumed = try run.goOn()
          #expect(resumed.code == 0, "\(trial): \(resumed.errors)")
        }
        try expectSame(run, whole, trial)
      }
    }

    @Test("by tests that take a small machine down: every command has 8 GB of address space")
    func limit() throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.start(["--version"], in: folder, preparing: "ulimit -v").end()
      withExtendedLifetime(folder) {}
      #expect(ending.code == 0 && ending.output.lines.first == "8388608", "\(ending.output)")
    }

    /// The number of these calls of a run without a fault.
    private func count(_ run: FaultyRun, _ calls: String) throws -> Int {
      let (ending, count) = try run.begin(calls, at: 0, "kill")
      try #require(ending.code == 0, "\(run.command): \(ending.errors)")
      return count
    }

    private func expectSame(_ run: FaultyRun, _ whole: FaultyRun, _ trial: String) throws {
      #expect(try run.differences(from: whole) == [], "\(trial)")
      #expect(try run.temporaryFiles() == [], "\(trial)")
    }

    /// What run.json says was saved is there.
    private func expectKept(_ run: FaultyRun, _ trial: String) throws {
      let files = RunFiles(run.run)
      guard FileBytes.kind(of: run.run + "/run.json") == .file, let step = try files.record()["checkpoint"]?.integer
      else {
        return
      }
      let position = try SafetensorsFile.read(files.lastCheckpoint).metadata["gpunoisy.position"] ?? ""
      #expect(position.split(separator: ",").last.flatMap { Int($0) } ?? -1 >= step, "\(trial): \(position), \(step)")
    }
  }
}
