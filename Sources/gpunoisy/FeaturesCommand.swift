import ArgumentParser
import Compute
import ComputeKernels
import Datasets
import Detection
import Failures
import FileFormats
import Reports
import Training

struct FeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features", abstract: "Write the features of every training image, as a NumPy array [N, D].",
    discussion: """
      Features are what the last layer but one of a network gives for an image, or how it responds to filters made of \
      the images themselves. Beside FILE.npy, FILE.csv says of which image each row is (sample_id, path); 'gpunoisy \
      detect --features FILE.npy' takes both.

      Examples:
        gpunoisy features ./photos --to photos.npy
        gpunoisy features ./photos --features patches --to photos.npy
        gpunoisy features ./photos --checkpoint runs/2026-11-21T0031_photos_resnet32_ce_s1 --to photos.npy
      """)

  @OptionGroup var options: JobOptions<FeaturesJob>
  @Option(help: ArgumentHelp("The .npy file to write.", valueName: "file"))
  var to: String
  @Option(
    help: ArgumentHelp("A run folder or a .safetensors file: features by that network.", valueName: "ckpt"))
  var checkpoint: String?
  @Option(help: ArgumentHelp("auto (a bar on a terminal, lines elsewhere), bar, lines, none.", valueName: "kind"))
  var progress: ProgressChoice = .auto
  @Flag(name: [.customShort("q"), .long], help: "Print only errors.")
  var quiet = false

  func run() throws {
    Signals.listen()
    guard to.lowercased().hasSuffix(".npy") else {
      throw Failure(
        .usage, "--to '\(to)' is not a .npy file.", why: "features are written as a NumPy array.",
        fix: "choose a name that ends in .npy.")
    }
    if let checkpoint, options.gives("features") || options.gives("weights") {
      let other = options.gives("features") ? "features" : "weights"
      throw Failure(
        .usage, "--checkpoint '\(checkpoint)' and --\(other) name two kinds.",
        why: "features are those of one network.", fix: "remove one of them.")
    }
    var settings = try options.settings()
    let file = try OutputPath(file: to, option: "--to")
    let table = try OutputPath(file: file.path.dropLast(4) + ".csv", option: "the table of --to")
    let device = DeviceChoice(text: settings.device, threads: settings.threads)
    try device.check()
    let path = try checkpoint.map { try CheckpointPlace.file(at: $0) }
    var inputs = CommandInputs(settings)
    if let path {
      inputs.add(checkpoint: path)
      try settings.bringImages(to: Checkpoint.model(of: SafetensorsFile.read(path)))
    }
    try inputs.requireSpared(by: [file, table])
    try Self.requireReplaceable(table)
    let dataset = try Dataset.opened(by: settings)
    for note in dataset.notes { EvaluationNotes.show(note, quiet: quiet) }
    let reporter = Terminal.progressReporter(quiet ? .none : progress, color: .auto)
    let work = Work(settings: settings, dataset: dataset, checkpoint: path, reporter: reporter)
    let found = try device.open(work) { EvaluationNotes.show($0, quiet: quiet) }
    let count = dataset.train.count
    try AtomicFile.write(NumPyArray(found.values, shape: [count, found.width]).encoded(), to: file.path)
    let rows = dataset.trainPaths.enumerated().map { CSV.line(["\($0)", $1]) }
    try AtomicFile.write(Self.tableHead + rows.joined(), to: table.path)
    if !quiet {
      try StandardOutput.write(
        "features     \(count) × \(found.width), \(found.source)\nfile         \(file.path)\nimages       \(table.path)\n"
      )
    }
  }

  private static let tableHead = CSV.line(["sample_id", "path"])

  /// - Throws: `.cannotCreate` where something else than the table of earlier features is in its place.
  private static func requireReplaceable(_ table: OutputPath) throws {
    guard FileBytes.kind(of: table.path) == .file else { return }
    guard try FileBytes.read(table.path, first: tableHead.utf8.count).elementsEqual(tableHead.utf8) else {
      throw Failure(
        .cannotCreate, "\(table.option) '\(table.path)' would replace another file.",
        why: "the table has the columns sample_id,path, and that file does not have them.",
        fix: "choose another name for --to, or remove the file.")
    }
  }

  /// Computing them, on the device that was chosen.
  private struct Work: DeviceWork {
    let settings: RunSettings, dataset: Dataset, checkpoint: String?
    let reporter: any ProgressReporter

    func run<D: TunableDevice>(
      on device: D
    ) throws -> (values: [Float], width: Int, source: String) {
      if let checkpoint {
        let evaluator = try Evaluator(checkpoint: checkpoint, on: device)
        let (values, width) = try evaluator.features(dataset.train.converted(channels: evaluator.model.channels))
        return (values, width, "\(evaluator.model.network) of \(checkpoint)")
      }
      // Told by one thread at a time, while this one waits.
      nonisolated(unsafe) let listener = reporter
      let computed = ImageFeatures(settings, dataset, Array(0..<dataset.train.count)) { listener.computed($0, of: $1) }
      let source = computed.sources[0]
      let (values, width, _) = try computed.features(source, on: device)
      return (values, width, source.title)
    }
  }
}
