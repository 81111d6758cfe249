import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("tune")
  struct Tune {
    static let tiny = ["tune", "--device", "cpu", "--model", "resnet20", "--batch-size", "4"]

    @Test("A dry run lists candidates and keeps nothing")
    func dryRun() throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(
        Self.tiny + ["--dry-run"], in: folder, environment: ["XDG_CACHE_HOME": folder("cache")])
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.output.contains("winograd-rows") && ending.output.contains("weight-chunks"))
      #expect(FileBytes.kind(of: folder("cache/gpunoisy/tuning")) == .missing)
    }

    @Test("What it finds is kept for this device, and train and bench say that they use it")
    func use() throws {
      let folder = ScratchFolder(), environment = ["XDG_CACHE_HOME": folder("cache")]
      let ending = try CommandUnderTest.run(Self.tiny + ["--json"], in: folder, environment: environment)
      #expect(ending.code == 0, "\(ending.errors)")
      let found = try JSONText.parse(ending.output.utf8, named: "tune")
      #expect(found["schema"]?.string == "gpunoisy.tune/1")
      let trials = found["trials"]?.array ?? []
      #expect(trials.count == found["candidates"]?.integer && !trials.isEmpty)
      #expect(trials.allSatisfy { ($0["ms"]?.double ?? 0) > 0 && $0["lost"] == nil }, "\(trials)")
      let path = try #require(found["path"]?.string)
      #expect(path.hasPrefix(folder("cache")) && FileBytes.kind(of: path) == .file)

      let tiny = ["bench", "--device", "cpu", "--model", "resnet20", "--batch-size", "4", "--no-operations"]
      let short = ["--steps", "1", "--repeats", "1"]
      let bench = try CommandUnderTest.run(tiny + short, in: folder, environment: environment)
      #expect(bench.errors.contains(path))
      // Other precisions have not been tuned.
      let mixed = try CommandUnderTest.run(
        tiny + short + ["--precision", "mixed"], in: folder, environment: environment)
      #expect(mixed.errors.contains("tuning: none"))
    }

    @Test("A run records its tuning and goes on with it")
    func resume() throws {
      let folder = ScratchFolder()
      let choices = #"{"weight-chunks": [{"window": [16, 32, 32, 16, 16, 3, 3, 1, 1], "number": 3}]}"#
      try FileBytes.write(
        Array(#"{"schema": "gpunoisy.tuning/1", "made": "some day", "choices": \#(choices)}"#.utf8),
        to: folder("tuning.json"))
      func weights(_ run: String) throws -> [UInt8] {
        try FileBytes.read(folder("\(run)/checkpoints/last.safetensors"))
      }
      let settings = [
        "train", "shapes", "--limit-train", "64", "--limit-test", "16", "--model", "resnet20", "--batch-size", "16",
        "--device", "cpu",
      ]
      try CommandUnderTest.output(
        settings + ["--epochs", "2", "--tuning", "tuning.json", "--out", "whole"], in: folder)
      try CommandUnderTest.output(
        settings + ["--epochs", "2", "--tuning", "defaults", "--out", "plain"], in: folder)
      #expect(try weights("whole") != weights("plain"))

      let ending = try CommandUnderTest.run(
        settings + ["--epochs", "2", "--tuning", "tuning.json", "--out", "run", "--max-time", "0.01s"], in: folder)
      #expect(ending.code == 75, "\(ending.errors)")
      let record = try JSONText.parse(FileBytes.read(folder("run/run.json")), named: "run.json")
      #expect(record["tuning"] == (try JSONText.parse(choices.utf8, named: "choices")))
      // Another file of that name now, or none, makes no difference.
      try FileBytes.write(Array("{}".utf8), to: folder("tuning.json"))
      let resumed = try CommandUnderTest.run(["train", "--resume", "run", "--max-time", "1h"], in: folder)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(try weights("run") == weights("whole"))
      let both = try CommandUnderTest.run(["train", "--resume", "run", "--tuning", "defaults"], in: folder)
      #expect(both.code == 78, "\(both.errors)")
    }

    @Test(
      "Files that are no tuning are refused",
      arguments: ["{}", "[", #"{"schema": "gpunoisy.tuning/1", "choices": []}"#])
    func damaged(text: String) throws {
      let folder = ScratchFolder()
      try FileBytes.write(Array(text.utf8), to: folder("tuning.json"))
      let ending = try CommandUnderTest.run(
        ["bench", "--device", "cpu", "--no-operations", "--tuning", "tuning.json"], in: folder)
      #expect(ending.code == 65, "\(ending.errors)")
    }
  }
}
