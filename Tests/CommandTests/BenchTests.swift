import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("bench")
  struct Bench {
    static let tiny = [
      "bench", "--device", "cpu", "--model", "resnet20", "--batch-size", "2", "--steps", "1", "--repeats", "2",
    ]

    static func document(_ arguments: [String], in folder: ScratchFolder) throws -> JSONValue {
      let ending = try CommandUnderTest.run(arguments + ["--json"], in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      return try JSONText.parse(ending.output.utf8, named: "bench")
    }

    static func array(_ value: JSONValue?) -> [JSONValue] {
      if case .array(let values) = value { values } else { [] }
    }

    @Test("One measurement is a document with what others read from it, and a limit for each operation")
    func document() throws {
      let bench = try Self.document(Self.tiny + ["--losses"], in: ScratchFolder())
      #expect(bench["schema"]?.string == "gpunoisy.bench/1")
      #expect(bench["model"]?.string == "resnet20" && bench["batch_size"]?.integer == 2)
      #expect(bench["precision"]?.string == "fp32" && bench["runs"] == nil && bench["comparison"] == nil)
      let rate = try #require(bench["training"]?["images_per_second"])
      let (least, median, most) = (rate["min"]?.double ?? 0, rate["median"]?.double ?? 0, rate["max"]?.double ?? 0)
      #expect(0 < least && least <= median && median <= most)
      let step = try #require(bench["training"]?["step_ms"]?.double)
      #expect(abs(step * median / 1000 - 2) < 1e-6, "two images in a step")

      let peak = try #require(bench["peaks"]?["multiply_add_gflops"]?.double)
      #expect(peak > 0.1 && (bench["peaks"]?["launch_us"]?.double ?? 0) > 0)
      #expect(Self.array(bench["peaks"]?["copies"]).allSatisfy { ($0["gbs"]?.double ?? 0) > 0.01 })

      let operations = Self.array(bench["operations"])
      let shares = operations.reduce(0) { $0 + ($1["share"]?.double ?? .nan) }
      #expect(abs(shares - 1) < 1e-6)
      for operation in operations {
        #expect(["compute", "memory", "launch"].contains(operation["limit"]?.string), "\(operation)")
        #expect((operation["limit_fraction"]?.double ?? 0) > 0, "\(operation)")
      }
      // The stem of every ResNet: 2 images, 27 multiply-adds for each of 16 channels of 32×32 pixels.
      let stem = try #require(operations.first { $0["shape"]?.string?.hasPrefix("3→16 32×32") ?? false })
      let work = (stem["gflops"]?.double ?? 0) * 1e9 * (stem["ms"]?.double ?? 0) / 1000
      #expect(abs(work / (2 * 2 * 27 * 16 * 32 * 32) - 1) < 1e-6)

      // A tensor of a ResNet's first stage is 64 KB per image, and the backward pass keeps some twenty of them.
      let bytes = try #require(bench["memory"]?["bytes_per_image"]?.double)
      #expect(bytes > 10 * 65_536 && bytes < 1e8)
      let losses = Self.array(bench["losses"])
      #expect(losses.first?["name"]?.string == "ce" && losses.contains { $0["name"]?.string == "peer" })
      #expect(losses.allSatisfy { ($0["ms"]?.double ?? 0) > 0 && ($0["step_share"]?.double ?? 0) > 0 })
    }

    @Test("Lists are measured one after the other, on as many threads as asked for")
    func lists() throws {
      let bench = try Self.document(
        ["bench", "--device", "cpu", "--model", "resnet20,resnet20:shortcut=stride", "--batch-size", "1,2"]
          + ["--threads", "1,2", "--steps", "1", "--repeats", "1", "--no-operations"], in: ScratchFolder())
      let runs = Self.array(bench["runs"])
      #expect(runs.count == 8)
      #expect(runs.map { $0["threads"]?.integer } == [1, 1, 1, 1, 2, 2, 2, 2])
      #expect(runs.map { $0["batch_size"]?.integer } == [1, 2, 1, 2, 1, 2, 1, 2])
      #expect(runs[2]["model"]?.string == "resnet20:shortcut=stride")
      // The first is the document's own, for whoever knows of no lists.
      #expect(bench["training"] == runs[0]["training"] && bench["peaks"] == nil)
    }

    @Test("Methods are measured beside plain training, with what they launch")
    func methods() throws {
      let arguments =
        ["bench", "--device", "cpu", "--model", "resnet20", "--method", "plain,elr:lambda=2,momentum=0.5,co-teaching"]
        + ["--batch-size", "2", "--steps", "1", "--repeats", "1"]
      let bench = try Self.document(arguments, in: ScratchFolder()), runs = Self.array(bench["runs"])
      #expect(runs.map { $0["method"]?.string?.prefix(8) } == [nil, "elr:mome", "co-teach"])
      let launches = runs.compactMap { $0["training"]?["launches_per_step"]?.integer }
      #expect(launches.count == 3 && launches[1] == launches[0] + 1 && launches[2] == 2 * (launches[0] + 2))
      #expect(Self.array(runs[1]["operations"]).contains { $0["shape"]?.string == "rows_early_learning 2" })
      let text = try CommandUnderTest.output(arguments + ["--no-operations"], in: ScratchFolder())
      #expect(text.contains("of plain") && text.contains("resnet20 with elr:momentum=0.5,lambda=2"))
      #expect(
        try CommandUnderTest.run(["bench", "--method", "mixup", "--loss", "gce"], in: ScratchFolder()).code == 78)
    }

    @Test("Both precisions in one call; mixed moves half the bytes")
    func precisions() throws {
      let bench = try Self.document(
        ["bench", "--device", "cpu", "--model", "resnet20", "--batch-size", "2", "--precision", "fp32,mixed"]
          + ["--steps", "1", "--repeats", "1"], in: ScratchFolder())
      let runs = Self.array(bench["runs"])
      #expect(runs.map { $0["precision"]?.string } == ["fp32", "mixed"])
      let bytes = runs.map { run in
        let operations = Self.array(run["operations"])
        let stem = operations.first { $0["shape"]?.string?.hasPrefix("3→16 32×32") ?? false }
        return (stem?["gbs"]?.double ?? 0) * (stem?["ms"]?.double ?? 0)
      }
      #expect(bytes.count == 2 && bytes[0] > 0 && abs(bytes[1] / bytes[0] - 0.5) < 1e-6)
    }

    @Test("--compare tells how many times as fast as then, operation by operation")
    func compare() throws {
      let folder = ScratchFolder()
      var bench = try Self.document(Self.tiny, in: folder)
      // As if it had been a million times as slow then, with an operation that is no more.
      guard case .object(var members) = bench else { return }
      let slow = (bench["training"]?["images_per_second"]?["median"]?.double ?? 0) / 1e6
      members = members.map { member in
        switch member.name {
        case "training": return JSONMember("training", ["images_per_second": ["median": JSONValue(slow)]])
        case "operations":
          return JSONMember(
            "operations",
            .array(Self.array(member.value) + [["name": "old", "shape": "1", "count": 1, "ms": 2.0]]))
        default: return member
        }
      }
      bench = .object(members)
      try FileBytes.write(Array(JSONText.compact(bench).utf8), to: folder("then.json"))
      let now = try Self.document(Self.tiny + ["--compare", "then.json"], in: folder)
      let runs = Self.array(now["comparison"]?["runs"])
      #expect(runs.count == 1)
      #expect((runs.first?["ratio"]?.double ?? 0) > 1e4)
      let operations = Self.array(runs.first?["operations"])
      #expect(operations.last?["name"]?.string == "old" && operations.last?["now_ms"] == JSONValue.null)
      #expect(operations.dropLast().allSatisfy { ($0["ratio"]?.double ?? 0) > 0 })

      let text = try CommandUnderTest.output(Self.tiny + ["--no-operations", "--compare", "then.json"], in: folder)
      #expect(text.contains("now / then") && text.contains("'then.json'"))
    }

    @Test("--instruction-set chooses the kernels")
    func instructionSet() throws {
      let bench = try Self.document(
        Self.tiny + ["--no-operations", "--instruction-set", "generic"], in: ScratchFolder())
      #expect(bench["driver"]?.string == "generic")
    }
  }
}
