import ArgumentParser
import Compute
import ComputeKernels
import Failures
import FileFormats
import Losses
import Methods
import Networks
import Reports
import Training

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure training throughput, and what limits each operation of a step.",
    discussion: """
      Whole steps are measured: gathering and augmentation, forward, backward and update, on 32×32 RGB images; \
      the median of several blocks of steps, and the slowest and fastest block. Lists, such as --batch-size 64,128, are \
      measured one after the other.

      Then each operation runs alone. GFLOP/s and GB/s are its formula's multiplications and additions, and the bytes \
      of its tensors, over its time. The column 'limit' compares them with what the device reached in bench's own \
      kernels: fused multiply-adds, copies of that size, empty launches. 'memory 70%' means that of these three, \
      memory is the closest ceiling, and that copying as many bytes would take 70 % of its time. Far below 100 % the \
      kernel can get faster; above, caches held what the next step may have to fetch from memory.

      Examples:
        gpunoisy bench --device 0
        gpunoisy bench --device 0 --batch-size 64,256,1024 --precision fp32,mixed --no-operations
        gpunoisy bench --device cpu --threads 1,2,4 --no-operations
        gpunoisy bench --device cpu --losses
        gpunoisy bench --device cpu --method plain,elr,co-teaching --no-operations
        gpunoisy bench --json > before.json
        gpunoisy bench --compare before.json
      """)

  @Option(help: "auto, cpu, an index or part of a name from 'gpunoisy devices'.")
  var device = "auto"
  @Option(help: "The network, or several: resnet20,resnet32.")
  var model = NameList(["resnet32"])
  @Option(help: "The loss.")
  var loss = "ce"
  @Option(
    help: ArgumentHelp(
      "The training method, or several: plain,elr,aux. Its cost is that of a step, not of what it does between epochs; where a method does more in every Nth step, let --steps be a multiple of N.",
      valueName: "name"))
  var method = NameList(["plain"])
  @Option(help: "Images per step, or several numbers: 64,128.")
  var batchSize = CountList([128])
  @Option(help: "fp32, tf32 (NVIDIA's GPUs) or mixed (activations stored in 16 bits), or several: fp32,mixed.")
  var precision = NameList(["fp32"])
  @Option(help: "Threads of the built-in CPU path, or several numbers: 1,2; default one per processor.")
  var threads: CountList?
  @Option(help: DeviceChoice.instructionSetHelp)
  var instructionSet: String?
  @Flag(
    inversion: .prefixedNo,
    help: "Record a step once and replay it, on OpenCL devices that support it; default where it is faster.")
  var commandBuffers: Bool?
  @Option(help: "Steps per block.")
  var steps = 4
  @Option(help: "Blocks.")
  var repeats = 7
  @Flag(name: .customLong("no-operations"), help: "Measure only whole steps.")
  var skipsOperations = false
  @Flag(help: "Time the kernel of every loss, and its share of a step.")
  var losses = false
  @Option(help: ArgumentHelp("Compare the results with those that --json wrote earlier.", valueName: "file"))
  var compare: String?
  @Option(
    help: ArgumentHelp(
      "Launch parameters: those that 'gpunoisy tune' saved for this device (default), 'defaults', or one of its files.",
      valueName: "defaults|file"))
  var tuning: String?
  @OptionGroup var console: ConsoleOptions

  func validate() throws {
    let sizes = batchSize.values
    guard !sizes.isEmpty, sizes.allSatisfy((1...65_536).contains), (1...10_000).contains(steps),
      (1...10_000).contains(repeats), threads?.values.allSatisfy((1...1024).contains) ?? true
    else {
      throw ValidationError("--batch-size, --threads, --steps and --repeats must be positive.")
    }
    guard precision.values.allSatisfy({ Precision(rawValue: $0) != nil }) else {
      throw ValidationError("--precision must be fp32, tf32 or mixed, or several of them.")
    }
    guard (threads?.values.count ?? 1) == 1 || device.lowercased() == "cpu" else {
      throw ValidationError("several --threads are for the built-in CPU path: add --device cpu.")
    }
    guard commandBuffers != true || !["auto", "cpu"].contains(device.lowercased()) else {
      throw ValidationError("--command-buffers is for an OpenCL device: give its number or name with --device.")
    }
  }

  func run() throws {
    let loss = try Loss(loss), reporter = console.reporter
    let methods = try method.values.map { try MethodChoice($0) }
    for method in methods { try method.check(loss) }
    var cases: [Benchmark.Settings] = []
    for network in try model.values.map({ try Network($0) }) {
      for precision in precision.values.compactMap(Precision.init(rawValue:)) {
        for batch in batchSize.values {
          for method in methods {
            var settings = Benchmark.Settings(network: network, loss: loss)
            (settings.batchSize, settings.steps, settings.repeats) = (batch, steps, repeats)
            (settings.precision, settings.method) = (precision, method.entry.name == "plain" ? nil : method)
            (settings.timesOperations, settings.timesLosses) = (!skipsOperations, losses)
            cases.append(settings)
          }
        }
      }
    }
    // A file that cannot be compared with is told before anything is measured.
    let earlier = try compare.map { try BenchDocument(contentsOf: $0) }
    try earlier?.check(models: cases.map { ($0.name, $0.batchSize, $0.precision.rawValue) })

    var report: BenchReport?
    for threads in threads.map({ $0.values.map(Int?.some) }) ?? [nil] {
      // A device is opened for one precision.
      for precision in Precision.allCases {
        let work = Work(cases: cases.filter { $0.precision == precision }, threads: threads) {
          if !console.quiet { reporter.note($0) }
        }
        guard !work.cases.isEmpty else { continue }
        let choice = DeviceChoice(
          text: device, threads: threads, instructionSet: instructionSet, precision: precision,
          tuning: TuningSource(tuning), commandBuffers: commandBuffers)
        let result = try choice.open(work) { reporter.note($0) }
        if report == nil { report = result } else { report?.runs += result.runs }
      }
    }
    guard let report else { return }
    let comparison = earlier.map { BenchComparison(now: BenchDocument(report), then: $0) }
    if console.json {
      var members = report.members
      if let comparison { members.append(JSONMember("comparison", comparison.json)) }
      try StandardOutput.write(JSONText.indented(.object(members)) + "\n")
    } else {
      try StandardOutput.write(report.text + (comparison.map { "\n" + $0.text } ?? ""))
    }
  }

  /// All cases on one device.
  struct Work: DeviceWork {
    let cases: [Benchmark.Settings]
    let threads: Int?
    let note: (String) -> Void

    func run<D: TunableDevice>(on device: D) throws -> BenchReport {
      if device.tuning == .standard { note(TuningSource.absence) }
      var peaks: DevicePeaks?
      if cases.contains(where: \.timesOperations) {
        note("measuring the limits of \(device.name)")
        peaks = try DevicePeaks(of: device)
      }
      var report = BenchReport(device: device.name, driver: device.driver, peaks: peaks)
      for settings in cases {
        var settings = settings
        settings.peaks = peaks
        note(
          "measuring \(settings.network.description)\(settings.method.map { ", \($0.entry.name)" } ?? ""), batch "
            + "\(settings.batchSize), \(settings.precision.rawValue), on \(device.name)")
        report.runs.append(
          BenchRun(
            settings: settings, threads: threads, tuning: device.tuning, result: try Benchmark(settings, on: device)))
      }
      return report
    }
  }
}
