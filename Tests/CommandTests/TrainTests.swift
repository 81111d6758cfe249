import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Training runs")
  struct Training {
    @Test("a recipe sets a protocol, tells its sources, and yields to what is given")
    func recipes() throws {
      let folder = ScratchFolder()
      func configuration(_ rest: String) throws -> String {
        try CommandUnderTest.output(
          ["train", "shapes", "--print-config"] + rest.split(separator: " ").map(String.init), in: folder)
      }
      let own = try configuration("--recipe sce-cifar10 --epochs 3")
      #expect(own.contains("data = \"shapes\"") && own.contains("epochs = 3") && own.contains("lr = 0.01"))
      #expect(own.contains("sce:alpha=0.1,beta=1,A=-6") && own.contains("recipe = \"sce-cifar10\""))
      // Whatever a recipe turns on or off can be turned back.
      let peer = try configuration("--recipe peer-cifar10")
      #expect(peer.contains("drop-last = true") && peer.contains("nesterov = false"))
      #expect(peer.contains("val = \"10000\""))
      let back = try configuration("--recipe peer-cifar10 --no-drop-last --nesterov --val none")
      #expect(back.contains("drop-last = false") && back.contains("nesterov = true"))
      #expect(back.contains("val = \"none\""))
      #expect(
        try configuration("--recipe forward-cifar10 --transition none --loss ce").contains("transition = \"none\""))
      let list = try CommandUnderTest.output(["train", "--list-recipes"], in: folder)
      #expect(list.contains("recipe narl-cifar10") && list.contains("  clip-norm = 5  (paper and code)"))

      let short = "--epochs 1 --val none --nesterov --recipe narl-cifar10"
      let ending = try CommandUnderTest.run(CommandUnderTest.training(short + " --out run"), in: folder)
      #expect(ending.code == 0 && ending.errors.contains("  weight-decay = 5e-4  (code)"))
      #expect(ending.errors.contains("lr = 0.1  (code)  replaced by what was given"))
      let run = RunFiles(folder("run"))
      #expect(try run.record()["recipe"] == "narl-cifar10" && !run.text("config.toml").contains("val = \"1000\""))
      #expect(
        try CommandUnderTest.run(["train", "--resume", "run", "--recipe", "narl-cifar10"], in: folder).code == 78)
      // The log has it whatever is told; config.toml repeats the run.
      let quiet = try CommandUnderTest.run(
        ["train", "--config", "run/config.toml", "--out", "quiet", "-q"], in: folder)
      #expect(quiet.code == 0 && quiet.errors.isEmpty)
      for name in ["run", "quiet"] {
        let log = try RunFiles(folder(name)).text("log.txt")
        #expect(log.contains("recipe narl-cifar10") && log.contains("  weight-decay = 5e-4  (code)"), "\(name)")
      }
      try RunFiles(folder("quiet")).expectEqual(to: run)
      #expect(try run.text("config.toml") == RunFiles(folder("quiet")).text("config.toml"))
      // Without a recipe there is none.
      let plain = try CommandUnderTest.run(CommandUnderTest.training("--epochs 1 --out plain"), in: folder)
      #expect(try plain.code == 0 && RunFiles(folder("plain")).record()["recipe"] == .null)
    }

    @Test("Leave a complete run folder, and one JSON document on standard output")
    func runFolder() throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(
        CommandUnderTest.training("--epochs 2 --noise symmetric:0.4 --json"), in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      for bytes in [ending.output.utf8, ending.errors.utf8] {
        #expect(!bytes.contains(0x1B) && !bytes.contains(0x0D))
      }
      let document = try JSONText.parse(Array(ending.output.utf8), named: "standard output")
      let path = try #require(document["run"]?.string)
      #expect(path.hasPrefix("runs/") && path.hasSuffix("_shapes_resnet20_ce_s1"))
      #expect(try FileBytes.names(in: folder("runs")).map { "runs/" + $0 } == [path])
      #expect(document["status"] == "finished")

      let run = RunFiles(folder(path))
      #expect(
        Set(try FileBytes.names(in: run.path)).isSuperset(of: [
          "run.json", "config.toml", "log.txt", "metrics.csv", "per_class.csv", "samples.csv", "aum_values.csv",
          "noisy_labels.npy", "noise_transition.csv", "checkpoints",
        ]))
      #expect(try FileBytes.names(in: run.path + "/tb").count == 1)
      #expect(try FileBytes.names(in: run.path + "/checkpoints") == ["best.safetensors", "last.safetensors"])

      let record = try run.record()
      #expect(record["status"] == "finished")
      #expect(record["epoch"] == 2 && record["step"] == 8)
      #expect(record["argv"]?.array?.count == 20)
      #expect(record["device"]?.string?.hasPrefix("cpu (built in") == true)
      #expect(record["data"]?["train"] == 128 && record["data"]?["test"] == 64)

      let header = try run.text("metrics.csv").lines[0]
      #expect(
        header
          == "epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,images_per_second,clean_acc,noisy_acc")
      #expect(try run.column("epoch", of: "metrics.csv") == ["1", "2"])
      #expect(try run.column("step", of: "metrics.csv") == ["4", "8"])
      let classes = try run.table("per_class.csv")
      #expect(classes.header == ["epoch", "class", "accuracy", "confidence"])
      #expect(classes.rows.count == 20)
      // The classes of 64 test samples in turn: 7 of the first four, 6 of the rest.
      let accuracy = try run.column("accuracy", of: "per_class.csv").suffix(10).map { try #require(Double($0)) }
      let right = accuracy.enumerated().reduce(0) { $0 + $1.element * ($1.offset < 4 ? 7 : 6) }
      let last = try #require(try run.column("test_acc", of: "metrics.csv").last.flatMap(Double.init))
      #expect(abs(right / 64 - last) < 1e-12)
      #expect(document["test_acc"]?["last"]?.double == last)

      let samples = try run.table("samples.csv")
      #expect(samples.header == ["sample_id", "path", "given_label", "clean_label", "given_name", "clean_name"])
      #expect(samples.rows.count == 128)
      #expect(samples.rows.map { $0[3] } == (0..<128).map { "\($0 % 10)" })
      let noisy = try NumPyArray(decoding: FileBytes.read(run.path + "/noisy_labels.npy"), name: "noisy_labels.npy")
      #expect(noisy.integers?.map(String.init) == samples.rows.map { $0[2] })
      let wrong = samples.rows.count { $0[2] != $0[3] }
      #expect(abs(Double(wrong) / 128 - 0.4) < 0.15)

      let margins = try run.table("aum_values.csv")
      #expect(margins.header == ["sample_id", "aum"])
      #expect(Set(margins.rows.map { $0[0] }) == Set((0..<128).map(String.init)))
      let values = margins.rows.compactMap { Double($0[1]) }
      #expect(values.count == 128 && values == values.sorted(by: >))
    }

    @Test("Have two columns fewer where the true labels are not known")
    func columnsWithoutTruth() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --out run"), in: folder)
      let run = RunFiles(folder("run"))
      #expect(
        try run.text("metrics.csv").lines[0]
          == "epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,images_per_second")
      #expect(try run.table("samples.csv").header == ["sample_id", "path", "given_label", "given_name"])
      // The first epoch's margins do not count.
      #expect(try run.text("aum_values.csv") == "sample_id,aum\n")
    }

    @Test("Say little off a terminal, and nothing when quiet")
    func console() throws {
      let folder = ScratchFolder()
      let short = [
        "train", "shapes", "--limit-train", "8", "--limit-test", "8", "--model", "resnet20", "--batch-size", "8",
        "--device", "cpu", "--checkpoint-every", "120ep", "--lr", "0.01",
      ]
      let long = try CommandUnderTest.run(short + ["--epochs", "120", "--out", "long"], in: folder)
      #expect(long.code == 0)
      #expect((121..<200).contains(long.errors.lines.count))
      #expect(try (121..<200).contains(RunFiles(folder("long")).text("log.txt").lines.count))
      let quiet = try CommandUnderTest.run(short + ["--epochs", "2", "--out", "quiet", "-q"], in: folder)
      #expect(quiet.code == 0 && quiet.errors.isEmpty && quiet.output.contains("run folder"))
    }

    @Test("Are repeated bit for bit by their config.toml, on one thread or two")
    func repetition() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        CommandUnderTest.training("--epochs 2 --noise pairflip:0.3 --loss gce:q=0.5 --threads 1 --out one"), in: folder)
      try CommandUnderTest.output(["train", "--config", "one/config.toml", "--out", "again"], in: folder)
      try RunFiles(folder("again")).expectEqual(to: RunFiles(folder("one")))
      #expect(try FileBytes.read(folder("again/config.toml")) == FileBytes.read(folder("one/config.toml")))
      try CommandUnderTest.output(
        ["train", "--config", "one/config.toml", "--threads", "2", "--progress", "none", "--out", "two"], in: folder)
      try RunFiles(folder("two")).expectEqual(to: RunFiles(folder("one")))
      // The test can fail: another seed is another run.
      try CommandUnderTest.output(
        ["train", "--config", "one/config.toml", "--seed", "2", "--out", "other"], in: folder)
      #expect(
        try SafetensorsFile.read(folder("other/checkpoints/last.safetensors"))["conv1.weight"]
          != SafetensorsFile.read(folder("one/checkpoints/last.safetensors"))["conv1.weight"])
    }

    @Test("Start from the weights of another run")
    func initialWeights() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --out one"), in: folder)
      try CommandUnderTest.output(
        CommandUnderTest.training("--epochs 1 --lr 0 --init one/checkpoints/last.safetensors --out two"), in: folder)
      let one = try SafetensorsFile.read(folder("one/checkpoints/last.safetensors"))
      let two = try SafetensorsFile.read(folder("two/checkpoints/last.safetensors"))
      // With a rate of zero the weights stay; the running statistics move.
      #expect(one["layer3.2.conv2.weight"] == two["layer3.2.conv2.weight"])
      #expect(one["fc.bias"] == two["fc.bias"])
    }
  }

  @Suite("Runs that are stopped")
  struct Stopping {
    /// What stops a run, with the code and the status that it leaves.
    private struct Cause {
      let name: String
      /// nil: `--max-time`.
      let signal: Int32?
      let code: Int32
      let status: JSONValue
    }

    private static let causes = [
      Cause(name: "kill", signal: SIGKILL, code: 137, status: "running"),
      Cause(name: "interrupt", signal: SIGINT, code: 130, status: "stopped"),
      Cause(name: "terminate", signal: SIGTERM, code: 143, status: "stopped"),
      Cause(name: "requeue", signal: SIGUSR1, code: 75, status: "stopped"),
      Cause(name: "time", signal: nil, code: 75, status: "stopped"),
    ]

    @Test("Go on to the same bits as if nothing had happened")
    func resume() throws {
      let folder = ScratchFolder()
      // Three does not divide the four steps of an epoch: checkpoints fall within epochs, and at their ends.
      let settings = "--epochs 4 --noise symmetric:0.4 --loss peer --checkpoint-every 3"
      try CommandUnderTest.output(CommandUnderTest.training(settings, "--out whole"), in: folder)
      for cause in Self.causes {
        let run = RunFiles(folder(cause.name))
        let program = CommandUnderTest.start(
          CommandUnderTest.training(settings, "--out \(cause.name)", cause.signal == nil ? "--max-time 0.3s" : ""),
          in: folder)
        if let signal = cause.signal {
          #expect(program.wait { FileBytes.kind(of: run.lastCheckpoint) == .file })
          program.send(signal)
        }
        let ending = try program.end()
        #expect(ending.code == cause.code, "\(cause.name): \(ending.errors)")
        #expect(try run.record()["status"] == cause.status, "\(cause.name)")
        // Otherwise the test says nothing.
        #expect(try #require(run.record()["step"]?.integer) < 16, "\(cause.name)")
        if cause.signal != SIGKILL { #expect(ending.output.contains("gpunoisy train --resume \(cause.name)")) }

        let resumed = try CommandUnderTest.run(
          ["train", "--resume", cause.name, "--threads", "1"] + (cause.signal == nil ? ["--max-time", "1h"] : []),
          in: folder)
        #expect(resumed.code == 0, "\(cause.name): \(resumed.errors)")
        #expect(resumed.errors.contains("resume="))
        #expect(try run.record()["status"] == "finished")
        try run.expectEqual(to: RunFiles(folder("whole")))
      }
    }

    @Test("by --max-time stop within an evaluation, too, which they repeat when they are resumed")
    func evaluation() throws {
      let folder = ScratchFolder(), run = RunFiles(folder("run"))
      // One step, and an evaluation of many seconds.
      let ending = try CommandUnderTest.run(
        [
          "train", "shapes", "--limit-train", "8", "--limit-test", "2000", "--model", "resnet110", "--batch-size", "8",
          "--epochs", "1", "--device", "cpu", "--threads", "1", "--max-time", "4s", "--out", "run",
        ], in: folder)
      #expect(ending.code == 75 && ending.output.contains("gpunoisy train --resume run"), "\(ending.errors)")
      let record = try run.record()
      #expect(record["status"] == "stopped" && record["reason"] == "--max-time has passed" && record["step"] == 1)
      #expect(try run.table("metrics.csv").rows.isEmpty)
      let resumed = try CommandUnderTest.run(["train", "--resume", "run", "--max-time", "none"], in: folder)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(try run.table("metrics.csv").rows.count == 1)
    }

    @Test("say how long they take, if that is more than a minute")
    func estimate() throws {
      let folder = ScratchFolder()
      func errors(_ rest: String) throws -> String {
        let ending = try CommandUnderTest.run(
          CommandUnderTest.training(rest, "--checkpoint-every 100ep --limit-test 16"), in: folder)
        return ending.errors
      }
      let long = try errors("--epochs 20000 --max-time 6s --out long")
      #expect(long.lines.count { $0.contains(" time=\"about ") && $0.hasSuffix("; --epochs\"") } == 1, "\(long)")
      #expect(try RunFiles(folder("long")).text("log.txt").contains(" time=\"about "))
      #expect(try !errors("--epochs 2 --out short").contains("time="))
      #expect(try !errors("--epochs 20000 --max-time 6s -q --out quiet").contains("time="))
    }

    @Test("Cannot be resumed with other data")
    func otherData() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "64", "--limit-test", "32", "--out", "d.npz"], in: folder)
      try CommandUnderTest.output(
        [
          "train", "d.npz", "--model", "resnet20", "--batch-size", "64", "--epochs", "2", "--device", "cpu", "--out",
          "run",
        ],
        in: folder)
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "63", "--limit-test", "32", "--out", "d.npz", "--force"], in: folder)
      let ending = try CommandUnderTest.run(["train", "--resume", "run"], in: folder)
      #expect(ending.code == 65)
      #expect(ending.errors.contains("fingerprint"))
      #expect(try RunFiles(folder("run")).record()["status"] == "finished")
    }
  }
}
