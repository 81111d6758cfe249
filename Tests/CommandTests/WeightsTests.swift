import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Weights to start from")
  struct WeightsTests {
    @Test("are listed with network, licence, checksum, place and the line that fetches them")
    func listing() throws {
      let folder = ScratchFolder()
      func run(_ arguments: String) throws -> SpawnedProgram.Ending {
        try CommandUnderTest.run(
          arguments.split(separator: " ").map(String.init), in: folder,
          environment: ["XDG_CACHE_HOME": folder("cache"), "GPUNOISY_WEIGHTS": nil])
      }
      let text = try run("weights").output
      let words = [
        "lite0", "efficientnet-lite0", "Apache 2.0", "579344248a93e230", "resnet18-imagenet", "begins with f37072fd",
        "BSD-3-Clause", "non-commercial", "not here",
        "curl -fL --create-dirs -o \(folder.path)/cache/gpunoisy/weights/",
      ]
      for word in words { #expect(text.contains(word), "\(word)") }
      try FileBytes.makeFolder(folder("cache/gpunoisy/weights"))
      try FileBytes.write([1, 2, 3], to: folder("cache/gpunoisy/weights/resnet34-b627a593.pth"))
      let document = try JSONText.parse(Array(run("weights resnet34-imagenet --json").output.utf8), named: "weights")
      let weights = try #require(document["weights"]?.array?.first)
      #expect(document["weights"]?.array?.count == 1 && weights["name"] == "resnet34-imagenet")
      #expect(weights["mean"] == [0.485, 0.456, 0.406])
      #expect(weights["intact"] == .bool(false) && weights["image_side"] == 224)
      #expect(weights["path"]?.string == folder("cache/gpunoisy/weights/resnet34-b627a593.pth"))
      #expect(try run("weights nosuch").code == 64)
      let absent = try run("train shapes --init resnet18-imagenet")
      #expect(absent.code == 66 && absent.errors.contains("fix: curl -fL"))
      let damaged = try run("train shapes --init resnet34-imagenet")
      #expect(damaged.code == 65 && damaged.errors.contains("begins with b627a593"))
    }

    @Test(
      "are the same from a file of torch.save, in either format",
      .enabled(if: PythonOracle.has("torch, safetensors.torch"), "\(PythonOracle.absence)"))
    func torch() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --out one"), in: folder)
      let script = """
        import sys, torch
        from safetensors.torch import load_file

        state = load_file(sys.argv[1] + "/one/checkpoints/last.safetensors")
        weights = {"module." + k: v for k, v in state.items() if not k.startswith(("state.", "optimizer."))}
        torch.save({"epoch": 1, "state_dict": weights}, sys.argv[1] + "/zip.pth")
        torch.save(weights, sys.argv[1] + "/old", _use_new_zipfile_serialization=False)
        """
      let result = try PythonOracle.run(script, [folder.path])
      try #require(result.code == 0, "\(result.output)")
      for (file, out) in [("one/checkpoints/last.safetensors", "a"), ("zip.pth", "b"), ("old", "c")] {
        let options = "--epochs 1 --pretrained-rate 1 --batch-norm batch --init \(file) --out \(out)"
        let ending = try CommandUnderTest.run(CommandUnderTest.training(options), in: folder)
        #expect(ending.code == 0, "\(ending.errors)")
        if file == "zip.pth" { #expect(ending.errors.contains("state_dict, names after 'module.'")) }
        try RunFiles(folder(out)).expectEqual(to: RunFiles(folder("a")))
      }
    }

    @Test("bring the inputs that their network's published weights expect, which resuming and eval keep")
    func inputs() throws {
      let folder = ScratchFolder()
      let training = "--epochs 1 --model resnet18-imagenet --limit-train 32 --limit-test 16 --batch-size 16 --lr 0"
      try CommandUnderTest.output(CommandUnderTest.training(training + " --out one"), in: folder)
      let start = " --init one/checkpoints/last.safetensors --out two"
      try CommandUnderTest.output(CommandUnderTest.training(training + start), in: folder)
      func mean(_ run: String) throws -> [Float] {
        try SafetensorsFile.read(RunFiles(folder(run)).lastCheckpoint).floats("state.input_mean", shape: [3])
      }
      #expect(try mean("two") == [0.485, 0.456, 0.406])
      #expect(try mean("one") != mean("two"))
      let origins = try RunFiles(folder("two")).record()["origins"]
      #expect(origins?["normalize"]?.string == "follows --init")
      #expect(try RunFiles(folder("two")).text("config.toml").contains("normalize = \"network\""))
      // Nothing is lost where somebody says otherwise.
      let other = start.replacing("two", with: "three") + " --normalize images"
      try CommandUnderTest.output(CommandUnderTest.training(training + other), in: folder)
      #expect(try mean("three") == mean("one"))
      let grey = try CommandUnderTest.run(
        CommandUnderTest.training("--epochs 1 --normalize network --out four"), in: folder)
      #expect(grey.code == 78 && grey.errors.contains("--model resnet20"))
    }

    @Test(
      "are kept by --freeze but for the last layer, which goes on to the same bits after SIGKILL",
      arguments: ["", "--loss gce:q=0.7", "--method co-teaching:rate=0.3,ramp=2 --noise symmetric:0.4"])
    func freeze(options: String) throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --out start"), in: folder)
      let start = RunFiles(folder("start")).lastCheckpoint
      let settings = "--epochs 400 --checkpoint-every 30 --init \(start) --freeze \(options)"
      let (whole, _) = try CommandUnderTest.wholeAndKilled(settings, steps: 1600, in: folder) {
        #expect(unlink(start) == 0)
      }
      let last = try SafetensorsFile.read(whole.lastCheckpoint)
      #expect(last["fc.weight"] != last["head.weight"] && last["head.weight"]?.shape == [10, 64])
      let accuracy = try #require(whole.column("test_acc", of: "metrics.csv").last)
      let document = try CommandUnderTest.output(
        ["eval", whole.lastCheckpoint, "shapes", "--limit-test", "64", "--device", "cpu", "--json"], in: folder)
      let measured = try JSONText.parse(Array(document.utf8), named: "eval")["accuracy"]?.double
      #expect(measured.map { abs($0 - (Double(accuracy) ?? -1)) < 1e-4 } == true, "\(document.prefix(200))")
      // Without --model the network is the checkpoint's; the layers that were kept stay slow.
      let printed = try CommandUnderTest.output(
        ["train", "shapes", "--print-config", "--init", whole.lastCheckpoint], in: folder)
      for line in ["model = \"resnet20\"", "pretrained-rate = 0.1", "batch-norm = \"running\""] {
        #expect(printed.contains(line), "\(line)")
      }
      // A method's networks must differ.
      let ending = try CommandUnderTest.run(
        CommandUnderTest.training("--method co-teaching --init \(whole.lastCheckpoint) --out no"), in: folder)
      #expect(ending.code == 78 && ending.errors.contains("must differ in their initial weights"))
      #expect(FileBytes.kind(of: folder("no")) == .missing)
    }

    @Test(
      "by name choose their network, size and inputs",
      .enabled(
        if: FileBytes.kind(of: CacheFolder.path("weights/efficientnet-lite0-57934424.pth") ?? "") == .file,
        "Lite0's file is not on this machine; Tools/setup fetches it"))
    func lite0() throws {
      func run(_ options: String) throws -> SpawnedProgram.Ending {
        let words = "train shapes --print-config --init lite0 \(options)".split(separator: " ").map(String.init)
        return try CommandUnderTest.run(words, in: ScratchFolder(), environment: ["GPUNOISY_WEIGHTS": nil])
      }
      let all = try run("")
      for (name, value) in [("model", "efficientnet-lite0"), ("image-size", "224x224"), ("normalize", "network")] {
        let line = all.output.lines.first { $0.hasPrefix("\(name) = ") } ?? ""
        #expect(line.contains("\"\(value)\"") && line.hasSuffix("# follows the weights lite0"), "\(line)")
      }
      #expect(try run("--image-size 96").output.contains("image-size = \"96x96\""))
      #expect(try run("--model efficientnet-lite0").code == 0)
      let other = try run("--model resnet20")
      #expect(other.code == 78 && other.errors.contains("these weights are of efficientnet-lite0"), "\(other.errors)")
    }
  }
}
