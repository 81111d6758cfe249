import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Training methods")
  struct MethodTests {
    @Test("are listed with their parameters, papers and cost")
    func listing() throws {
      let folder = ScratchFolder()
      let text = try CommandUnderTest.output(["methods"], in: folder)
      for word in [
        "plain", "co-teaching", "rate=0.2", "published code", "marvel+", "reconstructed", "suspicion.csv", "elr",
      ] {
        #expect(text.contains(word), "\(word)")
      }
      let json = try JSONText.parse(
        Array(CommandUnderTest.output(["methods", "co-teaching", "--json"], in: folder).utf8), named: "methods")
      let method = try #require(json["methods"]?.array?.first)
      #expect(json["methods"]?.array?.count == 1 && method["name"] == "co-teaching" && method["networks"] == 2)
      #expect(method["standing"] == "published code")
      #expect(method["parameters"]?.array?.first?["default"] == JSONValue(0.2))
      #expect(try CommandUnderTest.run(["methods", "nosuch"], in: folder).code == 64)
    }

    /// The data set does not exist: each mistake is found before anybody looks for it.
    @Test(
      "are checked before the data is read",
      arguments: [
        ("--method nosuch", 64, "there is no method"), ("--method co-teaching:rate=2", 64, "out of range"),
        ("--method marvel:patience=1.5", 64, "whole number"),
        ("--method co-teaching --loss peer", 78, "one by one"),
        ("--method marvel --loss forward --transition anchors:2", 78, "transition matrix"),
        ("--freeze", 78, "only with --init"), ("--pretrained-rate 0.5", 78, "only with --init"),
        ("--init w --freeze --augment flip", 78, "computes features once"),
        ("--init w --freeze --pretrained-rate 0.5", 78, "without --freeze"),
        ("--method marvel --exclude list.csv --exclude-by weight-zero", 78, "sets the weights of the samples itself"),
        ("--method mixup --exclude list.csv --exclude-by weight-zero", 78, "mixtures of two samples"),
        ("--method mixup --loss gce", 78, "only cross entropy"), ("--method elr --loss dmi", 78, "whole batch"),
        ("--method rdi:lambda=-1", 64, "out of range"),
        ("--method mutual:members=0", 64, "out of range"), ("--method mutual:members=2.5", 64, "whole number"),
        ("--method mutual --loss peer", 78, "one by one"), ("--method grafting:amplitude=2", 64, "out of range"),
        ("--optimizer sgd --beta1 0.5", 78, "--beta1"), ("--optimizer adam --momentum 0.5", 78, "--momentum"),
        ("--optimizer rmsprop", 64, "optimizer"),
      ])
    func refusals(options: String, code: Int32, words: String) throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(
        ["train", "missing"] + options.split(separator: " ").map(String.init), in: folder)
      #expect(ending.code == code && ending.errors.contains(words), "\(ending.errors)")
      #expect(ending.errors.lines.count == 3)
      #expect(try FileBytes.names(in: folder.path).isEmpty)
    }

    @Test(
      "are not for detect, nor are other settings that it would not read",
      arguments: [
        "--val 0.2", "--val-noise on", "--aum off", "--method marvel", "--transition true", "--max-steps 3",
        "--init weights.safetensors",
      ])
    func unreadSettings(options: String) throws {
      let folder = ScratchFolder(), words = options.split(separator: " ").map(String.init)
      let ending = try CommandUnderTest.run(["detect", "missing"] + words, in: folder)
      #expect(ending.code == 78 && ending.errors.contains(words[0]) && ending.errors.lines.count == 3)
    }

    @Test(
      "leave figures and suspicions, and go on to the same bits after SIGKILL",
      arguments: [
        ("--method co-teaching:rate=0.3,ramp=2 --optimizer adam --lr 0.001", Self.selection),
        ("--method marvel+:patience=2,warm=1", Self.selection),
        ("--method elr --class-weights balanced", ["target_given", "target_right", "suspicion_auroc"]),
        ("--method aux:lambda=40", ["suspicion_auroc"]),
        (
          "--method car:lambda=0.5,start=2,every=1",
          ["confidence_right", "confidence_wrong", "target_given", "target_right", "suspicion_auroc"]
        ),
        ("--method self:every=1 --precision mixed", Self.selection + ["suspicion_auroc"]),
        ("--method dividemix:warm=1,ramp=1", ["suspicion_auroc", "test_acc_mean"]),
        (
          "--method asymmetric-co-teaching:warm=1,every=2,neighbours=5 --augment crop",
          Self.selection + ["relabelled_right"]
        ),
      ])
    func resume(method: String, columns: [String]) throws {
      let folder = ScratchFolder()
      let settings = "--epochs 4 --noise symmetric:0.4 --checkpoint-every 3 \(method)"
      let (whole, killed) = try CommandUnderTest.wholeAndKilled(settings, steps: 16, in: folder)
      #expect(try killed.text("suspicion.csv") == whole.text("suspicion.csv"))
      for column in columns {
        let values = try whole.column(column, of: "metrics.csv")
        #expect(try values.count == 4 && values == killed.column(column, of: "metrics.csv"), "\(column)")
      }
      #expect(try whole.column(columns[0], of: "metrics.csv").allSatisfy { (0...1).contains(Double($0) ?? -1) })
      #expect(try whole.table("suspicion.csv").rows.count == 128)
      // Both networks of a pair are in the checkpoint, PyTorch's names being the first one's.
      let names = try SafetensorsFile.read(whole.lastCheckpoint).names,
        isPair = ["co-teaching", "dividemix"]
          .contains { method.contains($0) }
      #expect(names.contains("conv1.weight") && names.contains("member1.conv1.weight") == isPair)
      try CommandUnderTest.output(["eval", "whole", "shapes", "--limit-test", "64", "--device", "cpu"], in: folder)
      try CommandUnderTest.output(["report", "whole", "--no-samples"], in: folder)
      #expect(try whole.text("report/index.html").contains(columns[columns.count - 1]))
    }

    @Test("that answer by an average are evaluated, and looked at later, by the average")
    func average() throws {
      let folder = ScratchFolder()
      // Each round begins with the best of what was held out.
      let settings =
        "--epochs 6 --noise symmetric:0.4 --val 0.25 --val-noise on --checkpoint-every 1 --method self:every=2,decay=0.8"
      let (whole, killed) = try CommandUnderTest.wholeAndKilled(settings, steps: 18, in: folder)
      #expect(try killed.column("val_acc", of: "metrics.csv") == whole.column("val_acc", of: "metrics.csv"))
      let file = try SafetensorsFile.read(whole.lastCheckpoint)
      #expect(file.metadata["gpunoisy.answer"] == "average")
      for name in ["conv1.weight", "bn1.running_mean"] {
        let tensors = ["", "average.", "method.best."].map { file[$0 + name] }
        #expect(tensors.allSatisfy { $0 != nil } && tensors[0] != tensors[1], "\(name)")
      }
      let accuracy = try #require(try whole.column("test_acc", of: "metrics.csv").last.flatMap(Double.init))
      let loss = try #require(try whole.column("test_loss", of: "metrics.csv").last.flatMap(Double.init))
      let rest = ["shapes", "--limit-test", "64", "--device", "cpu"]
      func evaluate(_ checkpoint: String) throws -> JSONValue {
        let text = try CommandUnderTest.output(["eval", checkpoint] + rest + ["--json"], in: folder)
        return try JSONText.parse(Array(text.utf8), named: "standard output")
      }
      let last = "whole/checkpoints/last.safetensors", document = try evaluate(last)
      #expect(document["accuracy"]?.double == accuracy && document["loss"]?.double == loss)
      try CommandUnderTest.output(["report", "whole"], in: folder)
      // By PyTorch's names alone, the network in training.
      var own = file
      own.metadata["gpunoisy.answer"] = nil
      try own.write(to: folder("own.safetensors"))
      #expect(try evaluate("own.safetensors")["loss"]?.double != loss)
      var damaged = file
      damaged["average.bn1.weight"] = nil
      try damaged.write(to: folder("damaged.safetensors"))
      #expect(try CommandUnderTest.run(["eval", "damaged.safetensors"] + rest, in: folder).code == 65)
      own.metadata["gpunoisy.answer"] = "nosuch"
      try own.write(to: folder("other.safetensors"))
      let ending = try CommandUnderTest.run(["eval", "other.safetensors"] + rest, in: folder)
      #expect(ending.code == 65 && ending.errors.contains("nosuch") && ending.errors.lines.count == 3)
    }

    @Test("that answer by all networks are evaluated, and looked at later, by the sum of their predictions")
    func sum() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        CommandUnderTest.training(
          "--epochs 2 --noise symmetric:0.4 --method dividemix:warm=1 --out run"), in: folder)
      let run = RunFiles(folder("run")), file = try SafetensorsFile.read(run.lastCheckpoint)
      #expect(file.metadata["gpunoisy.answer"] == "sum" && file.names.contains("method.mixture"))
      let accuracy = try #require(try run.column("test_acc", of: "metrics.csv").last.flatMap(Double.init))
      let loss = try #require(try run.column("test_loss", of: "metrics.csv").last.flatMap(Double.init))
      let rest = ["shapes", "--limit-test", "64", "--device", "cpu"]
      func evaluate(_ checkpoint: String) throws -> JSONValue {
        let text = try CommandUnderTest.output(["eval", checkpoint] + rest + ["--json"], in: folder)
        return try JSONText.parse(Array(text.utf8), named: "standard output")
      }
      let document = try evaluate(run.lastCheckpoint)
      #expect(document["accuracy"]?.double == accuracy && document["loss"]?.double == loss)
      // By PyTorch's names alone, the first network.
      var first = file
      first.metadata["gpunoisy.answer"] = nil
      try first.write(to: folder("first.safetensors"))
      #expect(try evaluate("first.safetensors")["loss"]?.double != loss)
      var damaged = file
      for name in file.names where name.hasPrefix("member1.") { damaged[name] = nil }
      try damaged.write(to: folder("damaged.safetensors"))
      let ending = try CommandUnderTest.run(["eval", "damaged.safetensors"] + rest, in: folder)
      #expect(ending.code == 65 && ending.errors.contains("lacks a network") && ending.errors.lines.count == 3)
    }

    private static let selection = ["kept", "label_precision", "label_recall", "left_out_wrong"]

    @Test(
      "that judge no samples go on to the same bits after SIGKILL, too",
      arguments: [
        "--method rdi:lambda=20 --clip-norm 1", "--method mixup --loss ce",
        "--method mutual:members=3 --class-weights balanced", "--method grafting:rates=1 --loss gce",
      ])
    func resumeWithoutSuspicion(method: String) throws {
      let folder = ScratchFolder()
      let settings = "--epochs 4 --noise symmetric:0.4 --checkpoint-every 3 \(method)"
      let (whole, killed) = try CommandUnderTest.wholeAndKilled(settings, steps: 16, in: folder)
      #expect(FileBytes.kind(of: folder("whole/suspicion.csv")) == .missing)
      if method.contains("rdi") {
        let distances = try whole.column("distance", of: "metrics.csv")
        #expect(try distances == killed.column("distance", of: "metrics.csv"))
        #expect(try SafetensorsFile.read(whole.lastCheckpoint).names.contains("state.anchor.conv1.weight"))
      }
      if method.contains("mutual") || method.contains("grafting") {
        let names = try SafetensorsFile.read(whole.lastCheckpoint).names
        #expect(names.contains("member1.optimizer.momentum.conv1.weight"))
        #expect(names.contains("member2.conv1.weight") == method.contains("mutual"))
        let means = try whole.column("test_acc_mean", of: "metrics.csv")
        #expect(try means.count == 4 && means == killed.column("test_acc_mean", of: "metrics.csv"))
        let columns = method.contains("mutual") ? ["test_acc_3"] : ["invalid_filters_grafted", "entropy", "entropy_2"]
        for column in columns {
          #expect(try whole.column(column, of: "metrics.csv") == killed.column(column, of: "metrics.csv"), "\(column)")
        }
      }
      try CommandUnderTest.output(["eval", "whole", "shapes", "--limit-test", "64", "--device", "cpu"], in: folder)
    }

    @Test("and all other settings are checked before --print-config prints them")
    func printedConfiguration() throws {
      let folder = ScratchFolder()
      for options in ["--method nosuch", "--loss nosuch", "--model nosuch", "--precision foo"] {
        let words = options.split(separator: " ").map(String.init)
        let ending = try CommandUnderTest.run(["train", "missing", "--print-config"] + words, in: folder)
        #expect(ending.code == 64 && ending.output.isEmpty, "\(options)")
      }
      let ending = try CommandUnderTest.run(["detect", "missing", "--print-config", "--loss", "peer"], in: folder)
      #expect(ending.code == 78 && ending.output.isEmpty)
    }

    @Test("are judged by train's own table of the settings that each optimiser reads")
    func adam() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        CommandUnderTest.training("--epochs 1 --optimizer adam --lr 0.001 --beta1 0.8 --out run"), in: folder)
      let run = RunFiles(folder("run"))
      #expect(try run.text("config.toml").contains("optimizer = \"adam\""))
      #expect(try run.text("config.toml").contains("beta1 = 0.8"))
      #expect(try SafetensorsFile.read(run.lastCheckpoint).names.contains("optimizer.second.conv1.weight"))
      // config.toml repeats it.
      try CommandUnderTest.output(["train", "--config", "run/config.toml", "--out", "again"], in: folder)
      try run.expectEqual(to: RunFiles(folder("again")))
    }
  }
}
