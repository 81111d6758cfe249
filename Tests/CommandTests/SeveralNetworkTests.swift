import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  /// Methods of networks that differ, teach one another, or answer together.
  @Suite("Methods of several networks")
  struct SeveralNetworkTests {
    private static let rest = ["shapes", "--limit-test", "64", "--device", "cpu"]

    private func evaluate(_ checkpoint: String, in folder: ScratchFolder) throws -> JSONValue {
      let text = try CommandUnderTest.output(["eval", checkpoint] + Self.rest + ["--json"], in: folder)
      return try JSONText.parse(Array(text.utf8), named: "standard output")
    }

    /// An evaluation of the last checkpoint gives what the run's last epoch has.
    private func expectSameAsRun(_ run: RunFiles, in folder: ScratchFolder) throws {
      let accuracy = try #require(try run.column("test_acc", of: "metrics.csv").last.flatMap(Double.init))
      let loss = try #require(try run.column("test_loss", of: "metrics.csv").last.flatMap(Double.init))
      let document = try evaluate("whole/checkpoints/last.safetensors", in: folder)
      #expect(document["accuracy"]?.double == accuracy && document["loss"]?.double == loss)
    }

    @Test("of different kinds resume to the same bits, and answer together")
    func networks() throws {
      let folder = ScratchFolder()
      let settings = "--epochs 4 --checkpoint-every 3 --method mutual:members=3,with=cnn4+mlp:dropout=0,sum=1"
      let (whole, killed) = try CommandUnderTest.wholeAndKilled(settings, steps: 16, in: folder)
      for column in ["test_acc", "test_loss", "test_acc_mean", "test_acc_3"] {
        #expect(try whole.column(column, of: "metrics.csv") == killed.column(column, of: "metrics.csv"), "\(column)")
      }
      let log = try whole.text("log.txt")
      #expect(log.contains("MB for 3 networks, with activations and data"))
      #expect(log.contains("cnn4  ") && log.contains("mlp:dropout=0  "))
      let file = try SafetensorsFile.read(whole.lastCheckpoint)
      #expect(file.metadata["gpunoisy.answer"] == "sum" && file.metadata["gpunoisy.model"] == "resnet20")
      #expect(file.metadata["gpunoisy.networks"] == "[\"resnet20\",\"cnn4\",\"mlp:dropout=0\"]")
      #expect(file.names.contains { $0.hasPrefix("member1.") } && file.names.contains("member2.fc1.weight"))
      try expectSameAsRun(whole, in: folder)
      // One by one they say something else.
      var own = file
      (own.metadata["gpunoisy.answer"], own.metadata["gpunoisy.networks"]) = (nil, nil)
      try own.write(to: folder("own.safetensors"))
      let first = try evaluate("own.safetensors", in: folder)
      #expect(try first["loss"]?.double != evaluate("whole", in: folder)["loss"]?.double)
      let logits = ["predict", "whole"] + Self.rest + ["--logits", "l.npy"]
      try CommandUnderTest.output(logits, in: folder)
      #expect(try NumPyArray(decoding: FileBytes.read(folder("l.npy")), name: "l.npy").shape == [64, 10])
      try CommandUnderTest.output(["report", "whole"], in: folder)
      #expect(try whole.text("report/index.html").contains("test_acc_mean"))
      try CommandUnderTest.output(
        [
          "features", "shapes", "--limit-train", "16", "--checkpoint", "whole", "--to", "f.npy", "--device", "cpu",
          "-q",
        ],
        in: folder)

      for (key, value) in [
        ("gpunoisy.networks", nil), ("gpunoisy.networks", "[\"nosuch\"]"),
        ("gpunoisy.networks", "[\"resnet20\",\"cnn4\"]"), ("gpunoisy.networks", "[]"),
        ("gpunoisy.networks", "[3]"),
        ("gpunoisy.views", "halves"), ("gpunoisy.views", "nosuch"),
      ] as [(String, String?)] {
        var damaged = file
        damaged.metadata[key] = value
        try damaged.write(to: folder("damaged.safetensors"))
        let ending = try CommandUnderTest.run(["eval", "damaged.safetensors"] + Self.rest, in: folder)
        #expect(ending.code == 65 && ending.errors.lines.count == 3, "\(key) \(value ?? "")")
      }
      var damaged = file
      damaged["member2.fc1.weight"] = nil
      try damaged.write(to: folder("damaged.safetensors"))
      #expect(try CommandUnderTest.run(["eval", "damaged.safetensors"] + Self.rest, in: folder).code == 65)
    }

    @Test(
      "that cannot work together are refused before a folder is made",
      arguments: [
        ("--method mutual:with=resnet21", 78, "nearest name is resnet20"),
        ("--method mutual:with=mlp+cnn4", 78, "beside the first there is 1"),
        ("--method mutual:with=mlp --init weights.safetensors", 78, "the weights of one network"),
        ("--model mlp --image-size 30 --method mutual:with=resnet20", 78, "mutual:with=resnet20: resnet20 cannot take"),
        ("--method dgd", 78, "needs --teacher"), ("--teacher gone", 78, "only methods that need teachers"),
        ("--method dgd --teacher gone", 66, "the teacher"), ("--method dgd --teacher .", 65, "holds no checkpoint"),
        ("--method co-training:labels=4 --epochs 3", 78, "the rounds share the epochs"),
        ("--method co-training:labels=4 --epochs 40 --patience 3", 78, "--patience cannot be used"),
        ("--method co-training:labels=4 --epochs 40 --init weights.safetensors", 78, "--init cannot be used"),
        ("--method co-training --epochs 40", 78, "nothing to label"),
        ("--model mlp --method co-training:labels=4 --epochs 40 --image-size 31x32", 78, "their width is odd"),
        (
          "--method co-training:labels=4 --epochs 40 --image-size 20x32", 78,
          "co-training:views=halves: resnet20 cannot"
        ),
        ("--method co-training:views=nosuch --epochs 40", 64, "the views are halves"),
      ])
    func refusals(options: String, code: Int32, words: String) throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(
        CommandUnderTest.training("--out run") + options.split(separator: " ").map(String.init), in: folder)
      #expect(ending.code == code && ending.errors.contains(words), "\(ending.errors)")
      #expect(ending.errors.lines.count == 3 && FileBytes.kind(of: folder("run")) == .missing)
    }

    @Test("learn from trained networks, and resume to the same bits")
    func teachers() throws {
      let folder = ScratchFolder()
      let base = ["train", "shapes", "--limit-train", "128", "--limit-test", "64", "--epochs", "1", "--device", "cpu"]
      for (name, model) in [("one", "mlp"), ("two", "cnn4")] {
        try CommandUnderTest.output(base + ["--model", model, "--out", name, "-q"], in: folder)
      }
      let settings =
        "--epochs 4 --checkpoint-every 3 --method dgd --teacher one --teacher two/checkpoints/last.safetensors"
      let (whole, killed) = try CommandUnderTest.wholeAndKilled(settings, steps: 16, in: folder)
      #expect(
        try whole.text("config.toml").contains(
          "teacher = [\"\(folder("one"))\", \"\(folder("two"))/checkpoints/last.safetensors\"]"))
      #expect(try whole.text("log.txt").contains("MB for 2 networks and 2 teachers, with activations and data"))
      for column in ["test_acc_mean", "invalid_filters_grafted", "entropy_2"] {
        #expect(try whole.column(column, of: "metrics.csv") == killed.column(column, of: "metrics.csv"), "\(column)")
      }
      // config.toml repeats it.
      try CommandUnderTest.output(["train", "--config", "whole/config.toml", "--out", "again"], in: folder)
      try whole.expectEqual(to: RunFiles(folder("again")))
      // The teachers say something.
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 4 --method grafting --out alone"), in: folder)
      #expect(
        try SafetensorsFile.read(whole.lastCheckpoint)["conv1.weight"]
          != SafetensorsFile.read(RunFiles(folder("alone")).lastCheckpoint)["conv1.weight"])
      try expectSameAsRun(whole, in: folder)
      let inputs = try whole.record()["inputs"]
      let best = folder("one") + "/checkpoints/best.safetensors"
      #expect(try inputs?["teacher"]?.string == "\(SHA256.digest(of: FileBytes.read(best)))")
      #expect(inputs?["teacher-2"]?.string != nil)

      var other = try SafetensorsFile.read(best)
      try other.write(to: folder("kept.safetensors"))
      other.metadata["gpunoisy.classes"] = other.metadata["gpunoisy.classes"]?.replacing("circle", with: "disc")
      try other.write(to: folder("renamed.safetensors"))
      #expect(try SafetensorsFile.read(best).metadata != other.metadata)
      try CommandUnderTest.output(
        base + ["--image-size", "16", "--model", "mlp", "--out", "small", "-q"], in: folder)
      for (teacher, words) in [("renamed.safetensors", "it knows other classes"), ("small", "images of 16×16")] {
        let ending = try CommandUnderTest.run(
          CommandUnderTest.training("--epochs 1 --method dgd --out refused --teacher \(teacher)"), in: folder)
        #expect(
          ending.code == 65 && ending.errors.contains(words) && ending.errors.lines.count == 3, "\(ending.errors)")
      }
      #expect(FileBytes.kind(of: folder("refused")) == .missing)
      // A teacher that is another one, or gone, when the run goes on.
      let record = try whole.text("run.json").replacing("\"finished\"", with: "\"stopped\"")
      try AtomicFile.write(record, to: folder("whole/run.json"))
      var changed = try SafetensorsFile.read(folder("kept.safetensors"))
      changed["fc3.bias"] = .init([Float](repeating: 1, count: 10), shape: [10])
      try changed.write(to: best)
      let ending = try CommandUnderTest.run(["train", "--resume", "whole"], in: folder)
      #expect(ending.code == 65 && ending.errors.contains("has changed since"), "\(ending.errors)")
    }

    @Test("label samples for one another round by round, and resume to the same bits within every round")
    func rounds() throws {
      let folder = ScratchFolder()
      let settings = "--epochs 9 --checkpoint-every 1 --method co-training:rounds=3,labels=4,pool=60"
      let (whole, _) = try CommandUnderTest.wholeAndKilled(settings, steps: 9, in: folder)
      // Once more, killed when a round is done.
      let program = CommandUnderTest.start(CommandUnderTest.training(settings, "--out later"), in: folder)
      let later = RunFiles(folder("later"))
      #expect(program.wait { FileBytes.kind(of: folder("later/stages/round1.safetensors")) == .file })
      program.send(SIGKILL)
      _ = try program.end()
      try CommandUnderTest.output(["train", "--resume", "later", "--threads", "1"], in: folder)
      try later.expectEqual(to: whole)
      for round in 1...2 {
        let file = "stages/round\(round).safetensors"
        #expect(try FileBytes.read(whole.path + "/" + file) == FileBytes.read(later.path + "/" + file))
      }
      #expect(FileBytes.kind(of: folder("whole/stages/round3.safetensors")) == .missing)
      let counts = try whole.column("labelled", of: "metrics.csv").compactMap(Double.init)
      #expect(counts.count == 9 && counts[0] == 40 && counts[3] > 40 && counts[6] > counts[3])
      let tested = try whole.column("test_acc", of: "metrics.csv").map { !$0.isEmpty }
      #expect(tested == [false, false, true, false, false, true, false, false, true])
      #expect(try whole.column("test_acc_view_2", of: "metrics.csv").map { !$0.isEmpty } == tested)
      let file = try SafetensorsFile.read(whole.lastCheckpoint)
      #expect(file.metadata["gpunoisy.views"] == "halves" && file.metadata["gpunoisy.answer"] == "sum")
      try expectSameAsRun(whole, in: folder)
      try CommandUnderTest.output(["report", "whole"], in: folder)
      #expect(try whole.text("report/index.html").contains("joined_right"))
      // One network that sees pairs as they are.
      try CommandUnderTest.output(
        [
          "train", "pairs:shapes", "--limit-train", "128", "--limit-test", "64", "--model", "mlp", "--device", "cpu",
          "--epochs", "4", "--method", "co-training:views=whole,rounds=2,labels=3", "--out", "self",
        ], in: folder)
      let own = RunFiles(folder("self"))
      #expect(try SafetensorsFile.read(own.lastCheckpoint).metadata["gpunoisy.image"] == "32,64,3")
      try CommandUnderTest.output(
        ["eval", "self", "pairs:shapes", "--limit-test", "64", "--device", "cpu"], in: folder)
    }
  }
}
