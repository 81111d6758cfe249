import ArgumentParser
import Compute
import Failures
import FileFormats
import Losses
import Networks
import Reports
import Training

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure training throughput, and each operation of a step.",
    discussion: """
      Whole steps are measured: gathering and augmentation, forward, backward and update, float32, on 32×32 RGB images.

      Examples:
        gpunoisy bench --device 0
        gpunoisy bench --device cpu --model resnet32 --batch-size 128 --json
      """)

  @Option(help: "auto, cpu, an index or part of a name from 'gpunoisy devices'.")
  var device = "auto"
  @Option(help: "The network.")
  var model = "resnet32"
  @Option(help: "The loss.")
  var loss = "ce"
  @Option(help: "Images per step.")
  var batchSize = 128
  @Option(help: "fp32.")
  var precision = "fp32"
  @Option(help: "Threads of the built-in CPU path; default one per processor.")
  var threads: Int?
  @Option(help: "Steps of one block.")
  var steps = 4
  @Option(help: "Blocks.")
  var repeats = 7
  @Flag(name: .customLong("no-operations"), help: "Measure whole steps only.")
  var skipsOperations = false
  @OptionGroup var talk: TalkOptions

  func validate() throws {
    guard (1...65_536).contains(batchSize), (1...10_000).contains(steps), (1...10_000).contains(repeats) else {
      throw ValidationError("--batch-size, --steps and --repeats must be positive.")
    }
    guard precision == "fp32" else { throw ValidationError("--precision must be fp32 in this version.") }
  }

  func run() throws {
    var settings = Benchmark.Settings(network: try Network(model), loss: try Loss(loss))
    (settings.batchSize, settings.steps, settings.repeats) = (batchSize, steps, repeats)
    settings.timesOperations = !skipsOperations
    let reporter = talk.reporter
    let result = try DeviceChoice(text: device, threads: threads).open(Work(settings: settings)) { reporter.note($0) }
    try StandardOutput.write(
      talk.json ? JSONText.indented(json(result)) + "\n" : text(result))
  }

  struct Work: DeviceWork {
    let settings: Benchmark.Settings

    func run<D: Device>(on device: D) throws -> (device: String, driver: String, benchmark: Benchmark) {
      (device.name, device.driver, try Benchmark(settings, on: device))
    }
  }

  private func json(_ result: Work.Result) -> JSONValue {
    let rate = result.benchmark.rate
    return .object([
      JSONMember("schema", "gpunoisy.bench/1"), JSONMember("device", JSONValue(result.device)),
      JSONMember("driver", JSONValue(result.driver)), JSONMember("model", JSONValue(model)),
      JSONMember("loss", JSONValue(loss)), JSONMember("batch_size", JSONValue(batchSize)),
      JSONMember("precision", JSONValue(precision)),
      JSONMember(
        "training",
        .object([
          JSONMember(
            "images_per_second",
            .object([
              JSONMember("median", JSONValue(rate.median)), JSONMember("min", JSONValue(rate.min)),
              JSONMember("max", JSONValue(rate.max)),
            ])),
          JSONMember("step_ms", JSONValue(result.benchmark.stepMilliseconds)),
          JSONMember("launches_per_step", JSONValue(result.benchmark.launches)),
        ])),
      JSONMember(
        "operations",
        .array(
          result.benchmark.rows.map { row in
            .object([
              JSONMember("name", JSONValue(row.name)), JSONMember("shape", JSONValue(row.shape)),
              JSONMember("count", JSONValue(row.count)), JSONMember("ms", JSONValue(row.milliseconds)),
              JSONMember("gflops", JSONValue(row.gigaflops)), JSONMember("gbs", JSONValue(row.gigabytes)),
              JSONMember("share", JSONValue(row.share)),
            ])
          })),
    ])
  }

  private func text(_ result: Work.Result) -> String {
    let rate = result.benchmark.rate
    func fixed(_ value: Double, _ places: Int) -> String { FixedText.decimal(value, places: places) }
    var lines = """
      device     \(result.device)  (\(result.driver))
      training   \(model) \(loss) batch \(batchSize) \(precision): \(fixed(rate.median, 1)) images/s \
      (\(fixed(rate.min, 1)) to \(fixed(rate.max, 1)) in \(repeats) blocks of \(steps) steps)
      step       \(fixed(result.benchmark.stepMilliseconds, 2)) ms, \(result.benchmark.launches) launches

      """
    guard !result.benchmark.rows.isEmpty else { return lines }
    var table = TextTable([
      .init("operation"), .init("shape"), .init("count", .right), .init("ms", .right), .init("GFLOP/s", .right),
      .init("GB/s", .right), .init("share", .right),
    ])
    for row in result.benchmark.rows {
      table.append([
        row.name, row.shape, "\(row.count)", fixed(row.milliseconds, 3), fixed(row.gigaflops, 1),
        fixed(row.gigabytes, 1), FixedText.percent(row.share, places: 1),
      ])
    }
    lines += "\n" + table.text
    return lines
  }
}
