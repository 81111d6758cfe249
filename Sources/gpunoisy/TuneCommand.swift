import ArgumentParser
import Autotuning
import Compute
import ComputeKernels
import Datasets
import Failures
import FileFormats
import Losses
import Networks
import Reports
import Training

struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune", abstract: "Find the fastest kernel launches on this device, and save them.",
    discussion: """
      How a convolution is split into pieces hardly affects its result but strongly affects its speed. tune tries the \
      possible splits for the convolutions of a network. Each is first checked against double precision, in its own \
      process, so a driver that crashes or hangs loses a candidate and not the program. Splits that are more than 3 % \
      faster than the standard are saved for this device, driver and precision; 'train', 'detect' and 'bench' then use \
      them, and say so. Every batch size is tuned separately.

      Another split adds numbers in another order: the last bits of a tuned run differ from those of an untuned one. A \
      run keeps the tuning it started with, also when it is resumed.

      Examples:
        gpunoisy tune --device 0
        gpunoisy tune --device 0 --model resnet32 --batch-size 256 --precision mixed
        gpunoisy tune --device cpu --dry-run
        gpunoisy train cifar10 --device 0 --tuning defaults
      """)

  @Option(help: "auto, cpu, an index or part of a name from 'gpunoisy devices'.")
  var device = "auto"
  @Option(help: "The network.")
  var model = "resnet32"
  @Option(help: "Images per step.")
  var batchSize = 128
  @Option(help: "fp32, tf32 (NVIDIA's GPUs) or mixed.")
  var precision = "fp32"
  @Option(help: "Threads of the built-in CPU path; default one per processor.")
  var threads: Int?
  @Option(help: ArgumentHelp("Seconds after which a candidate times out.", valueName: "s"))
  var timeout = 120.0
  @Flag(name: .customLong("dry-run"), help: "List the candidates without trying them.")
  var isDryRun = false
  /// One candidate, for the process of its own.
  @Option(help: .private)
  var trial: String?
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    guard (1...65_536).contains(batchSize), threads.map((1...1024).contains) ?? true,
      timeout > 0, timeout <= 1e6
    else {
      throw ValidationError("--batch-size, --threads and --timeout must be positive, and --timeout at most 1e6 s.")
    }
    guard Precision(rawValue: precision) != nil else {
      throw ValidationError("--precision must be fp32, tf32 or mixed.")
    }
  }

  func run() throws {
    let reporter = console.reporter, precision = Precision(rawValue: precision) ?? .fp32
    let choice = DeviceChoice(text: device, threads: threads, precision: precision)
    try choice.check()
    if let trial {
      let candidate = try Self.candidate(trial)
      let result = try choice.open(TrialWork(command: self, precision: precision, candidate: candidate)) { _ in }
      return try StandardOutput.write("\(result.standardSeconds) \(result.seconds)\n")
    }
    let found = try choice.open(Search(command: self, precision: precision, reporter: reporter)) { reporter.note($0) }
    try StandardOutput.write(console.json ? JSONText.indented(found.json) + "\n" : found.text)
  }

  /// The training step that is tuned.
  func program<D: Device>(on device: D, _ precision: Precision) throws -> StepProgram {
    let graph = try Network(model).graph(
      batch: batchSize, height: Shapes.side, width: Shapes.side, channels: 3, classes: 10)
    return StepProgram.training(
      graph, forms: device.forms, precision: precision,
      TrainingStep(augmentation: Augmentation(crop: 4, flip: true), loss: try Loss("ce").function))
  }

  // MARK: One candidate as text: NAME=NUMBER@B,H,W,C,O,KH,KW,STRIDE,PADDING

  static func text(_ candidate: Candidate) -> String {
    let window = candidate.key.window
    let numbers = [
      window.B, window.H, window.W, window.C, window.O, window.KH, window.KW, window.stride, window.padding,
    ]
    return "\(candidate.key.choice.rawValue)=\(candidate.number)@\(numbers.map(String.init).joined(separator: ","))"
  }

  static func candidate(_ text: String) throws -> Candidate {
    let parts = text.split { "=@".contains($0) }.map(String.init)
    let numbers = (parts.last ?? "").split(separator: ",").compactMap { Int($0) }
    guard parts.count == 3, let choice = Tuning.Choice(rawValue: parts[0]), let number = Int(parts[1]),
      let window = TuningRecord.window(of: numbers)
    else { throw ValidationError("--trial is for 'gpunoisy tune' itself.") }
    return Candidate(Tuning.Key(choice, window), number)
  }

  /// Tries one candidate in this process.
  struct TrialWork: DeviceWork {
    let command: TuneCommand
    let precision: Precision
    let candidate: Candidate

    func run<D: TunableDevice>(on device: D) throws -> TrialResult {
      try Trial(of: command.program(on: device, precision), precision, on: device).run(candidate)
    }
  }

  /// The whole search, and whether it pays for whole steps.
  struct Search: DeviceWork {
    let command: TuneCommand
    let precision: Precision
    let reporter: any ProgressReporter

    func run<D: TunableDevice>(on device: D) throws -> TuneReport {
      let candidates = Candidate.all(for: try command.program(on: device, precision), on: device)
      var report = TuneReport(device: device.name, driver: device.driver, command: command, candidates: candidates)
      if command.isDryRun { return report }
      reporter.note("\(candidates.count) candidates, each in its own process")
      let tuner = try Tuner(candidates, note: { if !command.console.quiet { reporter.note(TuneReport.line($0)) } }) {
        try outcome(of: $0)
      }
      report.rows = tuner.rows
      report.tuning = tuner.tuning
      if !tuner.tuning.numbers.isEmpty {
        let (standard, tuned) = try wholeSteps(tuner.tuning, on: device)
        report.steps = (standard, tuned)
        // Alone, an operation finds in caches what it must fetch within a step.
        if tuned >= standard { report.tuning = .standard }
      }
      let key = TuningCache.Key(device, precision)
      if let cache = TuningCache.standard {
        try cache.store(.init(tuning: report.tuning, made: UTCTime.now.text), for: key)
        report.path = cache.path(for: key)
      } else {
        reporter.note("there is no home folder: nothing was saved")
      }
      return report
    }

    private func outcome(of candidate: Candidate) throws -> Tuner.Outcome {
      var arguments = [
        "tune", "--trial", TuneCommand.text(candidate), "--device", command.device, "--model", command.model,
        "--batch-size", "\(command.batchSize)", "--precision", precision.rawValue,
      ]
      if let threads = command.threads { arguments += ["--threads", "\(threads)"] }
      switch try ChildProcess.run(arguments: arguments, within: command.timeout) {
      case .tooSlow: return .lost("it took more than \(NumberFormatting.decimal(command.timeout, places: 0)) s")
      case .crashed(let signal): return .lost("it crashed (signal \(signal))")
      case .exited(let code, let output, let errors):
        let numbers = output.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        guard code == 0, numbers.count == 2, numbers.allSatisfy({ $0 > 0 }) else {
          let lines = errors.split(separator: "\n").map { $0.drop { $0 == " " } }
          return .lost(lines.prefix(2).joined(separator: " "))
        }
        return .measured(TrialResult(standardSeconds: numbers[0], seconds: numbers[1]))
      }
    }

    /// Milliseconds of a whole step without and with a tuning, medians of blocks in turns.
    private func wholeSteps<D: TunableDevice>(
      _ tuning: Tuning, on device: D
    ) throws -> (standard: Double, tuned: Double) {
      defer { device.tuning = .standard }
      var settings = Benchmark.Settings(network: try Network(command.model), loss: try Loss("ce"))
      (settings.batchSize, settings.precision, settings.timesOperations) = (command.batchSize, precision, false)
      (settings.steps, settings.repeats) = (2, 3)
      var times: [(standard: Double, tuned: Double)] = []
      for _ in 0..<5 {
        device.tuning = .standard
        let standard = try Benchmark(settings, on: device).stepMilliseconds
        device.tuning = tuning
        times.append((standard, try Benchmark(settings, on: device).stepMilliseconds))
      }
      return (times.map(\.standard).sorted()[2], times.map(\.tuned).sorted()[2])
    }
  }
}
