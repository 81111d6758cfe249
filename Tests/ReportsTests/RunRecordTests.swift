import Failures
import FileFormats
import Reports
import TestSupport
import Testing

@Suite("run.json and config.toml")
struct RunRecordTests {
  private func record() -> RunRecord {
    var record = RunRecord(
      command: "train", version: "0.1.0", arguments: ["gpunoisy", "train", "a \"b\"\n"], device: "NVIDIA H200",
      driver: "575.51", tuning: ["conv": ["tile": 8]], seeds: ["noise": .max, "run": 1],
      data: .init(
        name: "shapes", layout: "shapes", trainCount: 10000, testCount: 2000, classCount: 10, fingerprint: "ab12"),
      started: UTCTime(seconds: 1_795_221_062))
    record.status = .stopped
    record.reason = "Ctrl-C."
    record.ended = UTCTime(seconds: 1_795_221_099)
    record.epoch = 3
    record.step = 117
    record.accuracy = AccuracySummary([(1, 0.5), (2, 0.75), (3, 0.7)])
    record.warnings = ["the driver is old."]
    return record
  }

  @Test("come back as they were written")
  func roundTrip() throws {
    let scratch = ScratchFolder()
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.write(record())
    #expect(try RunRecord.read(folder: folder.path) == record())
    var running = RunRecord(command: "train", version: "1", arguments: [], device: "cpu", seeds: [:])
    try folder.write(running)
    #expect(try RunRecord.read(folder: folder.path) == running)
    running.status = .finished
    #expect(try RunRecord.read(folder: folder.path) != running)
  }

  @Test("have the members that scripts rely on")
  func members() throws {
    let json = record().json
    #expect(json["schema"]?.string == "gpunoisy.run/2")
    #expect(json["status"]?.string == "stopped")
    #expect(json["argv"]?.array?.count == 3)
    #expect(json["device"]?.string == "NVIDIA H200")
    #expect(json["seeds"]?["noise"]?.unsigned == .max)
    #expect(json["data"]?["fingerprint"]?.string == "ab12")
    #expect(json["started"]?.string == "2026-11-21T00:31:02Z")
    #expect(json["accuracy"]?["best_epoch"]?.integer == 2)
    #expect(JSONText.indented(json).hasPrefix("{\n  \"schema\": \"gpunoisy.run/2\",\n  \"status\": \"stopped\",\n"))
  }

  @Test("damaged are refused, wherever they are cut")
  func damage() throws {
    let scratch = ScratchFolder()
    let bytes = Array(JSONText.indented(record().json).utf8)
    for length in 0..<(bytes.count - 1) {
      try FileBytes.write(Array(bytes.prefix(length)), to: scratch("run.json"))
      let failure = #expect(throws: Failure.self) { try RunRecord.read(folder: scratch.path) }
      #expect(failure?.kind == .badInput)
    }
    try FileBytes.write(Array(#"{"schema":"gpunoisy.run/1","status":"asleep"}"#.utf8), to: scratch("run.json"))
    let failure = #expect(throws: Failure.self) { try RunRecord.read(folder: scratch.path) }
    #expect(failure?.why.contains("'status'") == true)
  }

  @Test("with counts that cannot be are refused, and without what earlier versions did not write they are read")
  func counts() throws {
    let scratch = ScratchFolder()
    var whole = record()
    whole.pid = 77
    whole.data?.rest = "cd34"
    let text = JSONText.indented(whole.json)
    func read(_ before: String, _ after: String) throws -> RunRecord {
      try #require(text.contains(before), "\(before)")
      try AtomicFile.write(text.replacing(before, with: after), to: scratch("run.json"))
      return try RunRecord.read(folder: scratch.path)
    }
    for (before, after) in [
      ("\"train\": 10000", "\"train\": -5"), ("\"test\": 2000", "\"test\": -1"), ("\"classes\": 10", "\"classes\": 0"),
      ("\"epoch\": 3", "\"epoch\": -1"), ("\"epoch\": 3", "\"epoch\": 9223372036854775807"),
      ("\"step\": 117", "\"step\": -117"), ("\"pid\": 77", "\"pid\": -77"),
      ("\"checkpoint\": null", "\"checkpoint\": -1"), ("\"checkpoint\": null", "\"checkpoint\": \"9\""),
    ] {
      let failure = #expect(throws: Failure.self, "\(after)") { try read(before, after) }
      #expect(failure?.kind == .badInput, "\(after)")
    }
    #expect(try read("\"checkpoint\": null", "\"checkpoint\": 117").checkpoint == 117)
    #expect(try read("\"rest\": \"cd34\"", "\"rest\": \"cd34\"") == whole)
    #expect(try read("\"rest\": \"cd34\"", "\"other\": 1").data?.rest == nil)
  }

  private let configuration = FlatTOML(
    comments: ["Every setting of this run.", "two\nlines"],
    sections: [
      .init("", [.init("version", .integer(1))]),
      .init("data", [.init("data", .string("a \"b\" \\ é\n\u{7F}\u{1B}")), .init("limit train", .integer(-5))]),
      .init(
        "optimiser",
        [
          .init("lr", .double(0.1)), .init("weight-decay", .double(1e-4)), .init("tiny", .double(1e-7)),
          .init("whole", .double(300)), .init("large", .double(1e22)),
          .init("milestones", .list([.integer(150), .integer(225)])), .init("nesterov", .bool(true)),
          .init("seed", .unsigned(42)), .init("big-seed", .unsigned(.max)), .init("none", .list([])),
        ]),
    ])

  @Test("config.toml keeps sections and keys in their order")
  func configurationText() {
    #expect(
      configuration.text == """
        # Every setting of this run.
        # two\\x0alines

        version = 1

        [data]
        data = "a \\"b\\" \\\\ é\\n\\u007f\\u001b"
        "limit train" = -5

        [optimiser]
        lr = 0.1
        weight-decay = 0.0001
        tiny = 1e-07
        whole = 300.0
        large = 1e+22
        milestones = [150, 225]
        nesterov = true
        seed = 42
        big-seed = "18446744073709551615"
        none = []

        """)
  }

  @Test("config.toml is TOML", .enabled(if: PythonOracle.has("tomllib"), "\(PythonOracle.absence)"))
  func toml() throws {
    let scratch = ScratchFolder()
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.write(configuration)
    let script = #"""
      import sys, tomllib
      t = tomllib.load(open(sys.argv[1], "rb"))
      assert t["version"] == 1
      assert t["data"] == {"data": "a \"b\" \\ é\n\x7f\x1b", "limit train": -5}, t["data"]
      o = t["optimiser"]
      assert (o["lr"], o["weight-decay"], o["tiny"], o["large"]) == (0.1, 1e-4, 1e-7, 1e22)
      assert o["milestones"] == [150, 225] and o["nesterov"] is True and o["none"] == []
      assert isinstance(o["whole"], float) and o["whole"] == 300 and o["seed"] == 42
      print("ok")
      """#
    let result = try PythonOracle.run(script, [folder.file("config.toml")])
    #expect(result.code == 0 && result.output == "ok\n", "\(result.output)")
  }

  @Test("an accuracy is told as last, first best and mean of the last ten")
  func accuracy() throws {
    let values = (1...12).map { (epoch: $0, accuracy: $0 == 3 || $0 == 5 ? 0.9 : Double($0) / 100) }
    let summary = try #require(AccuracySummary(values))
    #expect(summary.last == 0.12 && summary.best == 0.9 && summary.bestEpoch == 3)
    #expect(abs(summary.lastTenMean - (0.9 * 2 + 0.04 + 0.06 + 0.07 + 0.08 + 0.09 + 0.1 + 0.11 + 0.12) / 10) < 1e-15)
    #expect(summary.text == "last 12.00% · best 90.00% (epoch 3) · mean of last 10 24.70%")
    #expect(AccuracySummary(json: summary.json) == summary)
    #expect(AccuracySummary([]) == nil)
    #expect(AccuracySummary([(1, 0.5), (2, 0.25)])?.lastTenMean == 0.375)
  }

  @Test("times are written in UTC and read back")
  func times() {
    for seconds in [0, 951_782_399, 951_782_400, 1_795_221_062, 4_102_444_800] {
      #expect(UTCTime(text: UTCTime(seconds: seconds).text) == UTCTime(seconds: seconds))
    }
    #expect(UTCTime(seconds: 951_782_400).text == "2000-02-29T00:00:00Z")
    for text in ["", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-21 00:31:02Z", "20261121003102"] {
      #expect(UTCTime(text: text) == nil)
    }
  }
}
