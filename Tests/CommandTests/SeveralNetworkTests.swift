import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  /// Methods of networks that differ, teach one another, or answer together.
  @Suite("Methods of several networks")
  struct SeveralNetworkTests {
    private static let rest = ["shapes", "--limit-test", "128", "--device", "cpu"]

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
      #expect(try NumPyArray(decoding: FileBytes.read(folder("l.npy")), name: "l.npy").shape == [128, 10])
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
      ])
    func refusals(options: String, code: Int32, words: String) throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(
        CommandUnderTest.training("--out run") + options.split(separator: " ").map(String.init), in: folder)
      #expect(ending.code == code && ending.errors.contains(words), "\(ending.errors)")
      #expect(ending.errors.lines.count == 3 && FileBytes.kind(of: folder("run")) == .missing)
    }
  }
}
