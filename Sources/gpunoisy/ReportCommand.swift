import ArgumentParser
import Compute
import ComputeKernels
import Datasets
import Failures
import FileFormats
import Pages
import Reports
import Training

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a page about one run, or several side by side.",
    discussion: """
      Writes one HTML file that works offline: accuracy and loss over the epochs, memorisation of wrong labels, each \
      class over the epochs, which classes are taken for which, the last network's confidence in the given labels, and \
      the features of its last layer in two dimensions. The last three need the checkpoint and the data; where these \
      are missing, the page says so. The page of a detection is rewritten as 'detect' wrote it, from the run's files \
      and the data: no device is needed, and nothing else in the run changes.

      Examples:
        gpunoisy report runs/2026-11-21T0031_cifar10_resnet32_ce_s1
        gpunoisy report runs/ce runs/sce runs/gce --out comparison.html
        gpunoisy report runs/*
        gpunoisy report RUN --no-samples
        gpunoisy report RUN-OF-DETECT
      """)

  @Argument(
    help: ArgumentHelp("Run folders of 'gpunoisy train', or one of 'gpunoisy detect'.", valueName: "run"))
  var runs: [String]
  @Option(
    help: ArgumentHelp(
      "The page; default report/index.html in the run, or comparison.html for several.", valueName: "file.html"))
  var out: String?
  @Option(
    help: ArgumentHelp(
      "How features are projected to 2-D: pca (default), principal components; tsne, which keeps neighbours together.",
      valueName: "name"))
  var projection: RunComparison.Projection = .pca
  @Flag(help: "Show only the tables of the runs: read no checkpoint and no data.")
  var noSamples = false
  @OptionGroup var options: JobOptions<ReportJob>
  @Flag(help: "Print one JSON document on standard output.")
  var json = false
  @Flag(name: [.customShort("q"), .long], help: "Print nothing but errors.")
  var quiet = false

  func run() throws {
    let given = try options.settings()
    if folders.count == 1 {
      let settings = try settings(of: folders[0])
      if settings.job == .detect { return try rebuild(folders[0], settings) }
    }
    let choice = DeviceChoice(text: given.device, threads: given.threads)
    try choice.check()
    let (folders, inputs) = try comparable()
    let classNames = try Self.commonClasses(zip(folders, inputs).map { ($0, $1.run.record) })
    let path = try target(folders, inputs.map(\.settings))
    var page = ComparisonPage(runs: inputs.map(\.run), classNames: [])
    if noSamples {
      for index in folders.indices { page.runs[index].absence = "--no-samples was given." }
    } else {
      let work = Work(
        inputs: zip(folders, inputs).map { ($0, $1.settings, $1.run.record) }, projection: projection, quiet: quiet)
      let results = try choice.open(work) { EvaluationNotes.show($0, quiet: quiet) }
      for (index, result) in results.enumerated() {
        (page.runs[index].samples, page.runs[index].absence) = (result.samples, result.absence)
        page.runs[index].confusion = result.confusion
        page.runs[index].mixtures = result.mixtures
      }
    }
    page.classNames = classNames
    try write(page.html, to: path)
    try tell(path, samples: page.runs.map { $0.samples?.given.count ?? 0 })
  }

  /// The run folders.
  private var folders: [String] { runs.map(FileBytes.withoutLastSlash) }

  /// Writes the page; a link is followed only where somebody names it.
  func write(_ html: String, to path: String) throws {
    try AtomicFile.write(Array(html.utf8), to: path, followingLinks: out != nil)
  }

  /// Says where the page is.
  func tell(_ path: String, samples: [Int]) throws {
    if json {
      let document: JSONValue = [
        "schema": "gpunoisy.report/1", "page": .string(path),
        "runs": .array(folders.map { .string($0) }), "samples": .array(samples.map { JSONValue($0) }),
      ]
      try StandardOutput.write(JSONText.indented(document) + "\n")
    } else if !quiet {
      try StandardOutput.write("page           \(TerminalText.escaped(path))\n")
    }
  }

  /// Measures the samples of all runs on the device that was chosen.
  private struct Work: DeviceWork {
    typealias Findings = (
      samples: ComparisonPage.Samples?, confusion: ComparisonPage.Confusion?, mixtures: [ComparisonPage.Mixture],
      absence: String?
    )

    let inputs: [(folder: String, settings: RunSettings, record: RunRecord)]
    let projection: RunComparison.Projection
    let quiet: Bool

    func run<D: TunableDevice>(
      on device: D
    ) throws -> [Findings] {
      try inputs.map { folder, settings, record in
        do {
          let checkpoint = folder + "/checkpoints/last.safetensors"
          let data = try RunData(settings)
          try record.require(data, of: folder, fix: "restore the data, or say where it is with --data.")
          if let warning = data.emptyClassWarning { EvaluationNotes.show("\(folder): \(warning)", quiet: quiet) }
          let samples = try RunComparison.samples(
            checkpoint: checkpoint, data: data.dataset, projection: projection, on: device)
          let confusion = try RunComparison.confusion(checkpoint: checkpoint, data: data, on: device)
          return (samples, confusion, try RunComparison.mixtures(checkpoint: checkpoint, data: data.dataset), nil)
        } catch let failure as Failure where [.missingInput, .badInput, .numerical].contains(failure.kind) {
          // The curves are worth a page without the data.
          EvaluationNotes.show("\(folder): no samples, since \(failure.what)", quiet: quiet)
          return (nil, nil, [], failure.what)
        }
      }
    }
  }

  /// The runs that can be compared: of several, those that cannot are left out with a note, so that `runs/*` does.
  ///
  /// - Throws: what is wrong with the first, where none is left; `.missingInput`.
  private func comparable() throws -> (folders: [String], runs: [(settings: RunSettings, run: ComparisonPage.Run)]) {
    var kept: [(String, (settings: RunSettings, run: ComparisonPage.Run))] = [], first: Failure?
    for folder in folders {
      do {
        let settings = try settings(of: folder)
        try requireTraining(folder, settings)
        kept.append((folder, (settings, try RunComparison.run(folder: folder, settings: settings))))
      } catch let failure as Failure where folders.count > 1 && [.badInput, .configuration].contains(failure.kind) {
        EvaluationNotes.show("left out: \(failure.what)", quiet: quiet)
        first = first ?? failure
      }
    }
    if kept.isEmpty, let first { throw first }
    return (kept.map(\.0), kept.map(\.1))
  }

  private func settings(of folder: String) throws -> RunSettings {
    var settings = try SettingsDraft(ofRun: folder).settings
    for (name, text) in options.given where name != "device" { try settings.set(name, to: text) }
    return settings
  }

  /// Detections are not compared: their pages show samples, and their networks are not the result.
  private func requireTraining(_ folder: String, _ settings: RunSettings) throws {
    guard settings.job == .detect else { return }
    let again = folder + "/retrain", hasAgain = FileBytes.kind(of: again) == .folder
    throw Failure(
      .configuration, "'\(folder)' is a run of detect.", why: "only runs of train can be compared.",
      fix: hasAgain ? "use '\(again)' instead." : "remove it; given only that folder, report writes its page again.")
  }

  /// - Throws: `.cannotCreate` also where the page would replace what is read.
  private func target(_ folders: [String], _ settings: [RunSettings]) throws -> String {
    if out == nil, folders.count == 1 {
      let path = try RunFolder.pagePath(in: folders[0])
      try FileBytes.makeFolder(FileBytes.folder(of: path))
      return try OutputPath(file: path, option: "--out").path
    }
    var inputs = CommandInputs()
    inputs.sparesPages = false
    for folder in folders { inputs.add(run: folder) }
    for settings in settings { inputs.add(settings) }
    let output = try OutputPath(file: out ?? "comparison.html", option: "--out")
    try inputs.requireSpared(by: [output])
    return output.path
  }

  /// The names of the classes that all runs have; none where no run says them.
  ///
  /// - Throws: `.configuration` for runs with other classes: curves of different classes would stand under one name.
  private static func commonClasses(_ runs: [(folder: String, record: RunRecord)]) throws -> [String] {
    let classes = runs.map { folder, record in
      let names = record.data?.classNames ?? classNames(folder)
      return (folder: folder, names: names, count: record.data?.classCount ?? names.count)
    }
    guard let first = classes.first(where: { !$0.names.isEmpty }) else { return [] }
    guard
      let other = classes.first(where: { $0.names.isEmpty ? $0.count != first.count : $0.names != first.names })
    else { return first.names }
    func text(_ names: [String], _ count: Int) -> String {
      let list = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
      return "\(count)" + (names.isEmpty ? "" : " (\(list))")
    }
    throw Failure(
      .configuration, "the classes of '\(first.folder)' and '\(other.folder)' differ.",
      why: "they are \(text(first.names, first.count)) and \(text(other.names, other.count)).",
      fix: "give runs with the same classes, or one run at a time.")
  }

  /// The names in a checkpoint of a run whose record does not say them; none without one.
  private static func classNames(_ folder: String) -> [String] {
    guard let path = try? CheckpointPlace.file(at: folder) else { return [] }
    return (try? Checkpoint.model(of: SafetensorsFile.read(path)).classNames) ?? []
  }
}

extension RunComparison.Projection: ExpressibleByArgument {}
