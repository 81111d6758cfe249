import ArgumentParser
import Compute
import ComputeKernels
import ComputeReference
import Failures
import FileFormats
import Losses
import Networks
import Reports

struct SelfTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selftest", abstract: "Check every operation of a device against double precision.",
    discussion: """
      Runs every kernel that training uses on this device on the shapes of a network and on odd ones, and compares each \
      number of the result with a plain double-precision computation. The network's operations run with a batch of \
      two. Exit code 10 if any number is wrong.

      Examples:
        gpunoisy selftest --device 0
        gpunoisy selftest --device cpu --json
      """)

  @Option(help: "auto, cpu, an index or part of a name from 'gpunoisy devices'.")
  var device = "auto"
  @Option(help: "The network whose shapes are checked in addition to the odd ones.")
  var model = "resnet32"
  @Option(help: "Threads of the built-in CPU path; default one per processor.")
  var threads: Int?
  @Option(help: DeviceChoice.instructionSetHelp)
  var instructionSet: String?
  @OptionGroup var console: ConsoleOptions

  func run() throws {
    let reporter = console.reporter
    let network = try Network(model)
    var result: Work.Result?
    for precision in Precision.allCases {
      let choice = DeviceChoice(
        text: device, threads: threads, instructionSet: instructionSet, precision: precision)
      if precision == .tf32, !choice.hasMatrixUnits { continue }
      let part = try choice.open(Work(network: network, precision: precision)) { reporter.note($0) }
      if result == nil { result = part } else { result?.results += part.results }
    }
    guard let result else { return }
    let failed = result.results.filter { !$0.passed }
    try StandardOutput.write(
      console.json
        ? JSONText.indented(json(result)) + "\n" : text(result, showing: console.verbose ? result.results : failed)
    )
    guard failed.isEmpty else {
      let worst = failed.max { $0.worstError < $1.worstError } ?? failed[0]
      throw Failure(
        .checkFailed, "the self-test failed on \(result.device): \(failed.count) of \(result.results.count) checks.",
        why: "\(worst.name) \(worst.shape): \(worst.detail).",
        fix: "update the driver, or use --device cpu; this is a fault of the driver, its compiler or our kernels.")
    }
  }

  struct Work: DeviceWork {
    let network: Network
    let precision: Precision

    func run<D: TunableDevice>(on device: D) throws -> (device: String, driver: String, results: [SelfTestResult]) {
      var cases = OperationCase.all
      for loss in Loss.all {
        let graph = try network.graph(batch: 2, height: 32, width: 32, channels: 3, classes: 10)
        let program = StepProgram.training(
          graph, forms: device.forms,
          TrainingStep(
            augmentation: Augmentation(crop: 4, flip: true), loss: loss.function, peer: loss.hasPeers, clip: true))
        cases += OperationCase.cases(for: program.fused { device.supports($0) })
      }
      var seen = Set<String>()
      cases = cases.filter { seen.insert($0.name).inserted }
      var results = try SelfTest(on: device, cases: cases, activations: precision.activations).run()
      if precision != .fp32 { results = results.map { $0.named(for: precision) } }
      return (device.name, device.driver, results)
    }
  }

  private func json(_ result: Work.Result) -> JSONValue {
    .object([
      JSONMember("schema", "gpunoisy.selftest/1"), JSONMember("device", JSONValue(result.device)),
      JSONMember("driver", JSONValue(result.driver)),
      JSONMember("passed", JSONValue(result.results.filter(\.passed).count)),
      JSONMember("failed", JSONValue(result.results.filter { !$0.passed }.count)),
      JSONMember(
        "checks",
        .array(
          result.results.map { check in
            .object([
              JSONMember("name", JSONValue(check.name)), JSONMember("shape", JSONValue(check.shape)),
              JSONMember("error", JSONValue(check.worstError)), JSONMember("tolerance", JSONValue(check.tolerance)),
              JSONMember("passed", .bool(check.passed)),
            ])
          })),
    ])
  }

  private func text(_ result: Work.Result, showing shown: [SelfTestResult]) -> String {
    var table = TextTable([
      .init("operation"), .init("shape"), .init("error", .right), .init("limit", .right), .init(""),
    ])
    for check in shown {
      table.append([
        check.name, check.shape, NumberFormatting.decimal(check.worstError, places: 1),
        NumberFormatting.decimal(check.tolerance, places: 0), check.passed ? "" : "WRONG  \(check.detail)",
      ])
    }
    let passed = result.results.filter(\.passed).count
    return (shown.isEmpty ? "" : table.text + "\n")
      + "\(result.device)  (\(result.driver)): \(passed) of \(result.results.count) checks passed\n"
      + "errors are in roundings of single precision\n"
  }
}
