import ArgumentParser
import Autotuning
import Compute
import ComputeKernels
import Datasets
import Failures
import FileFormats
import Glibc
import Losses
import Networks
import Reports
import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train one classifier and write a run folder.",
    discussion: """
      The defaults are those of the AUM paper: ResNet-32, 300 epochs, batch 256, SGD with Nesterov momentum 0.9, \
      learning rate 0.1 divided by 10 at epochs 150 and 225, weight decay 1e-4.

      DATA is a folder of pictures (one subfolder per class, or train/ and test/ with those), CIFAR-10 or CIFAR-100 \
      binary files, MNIST's IDX files, a .csv or .jsonl manifest, a .npz, or a name: shapes, cifar10, cifar100, mnist, \
      fashion-mnist.

      --model is one of:
      \(Self.networks)

      Examples:
        gpunoisy train shapes --noise symmetric:0.4 --loss sce --epochs 3
        gpunoisy train cifar10 --device 0
        gpunoisy train ./photos --val 0.1 --loss gce:q=0.7 --epochs 60
        gpunoisy train --recipe aum-cifar10 --noise symmetric:0.4
        gpunoisy train --recipe apl-cifar10 --loss nfl+mae:cifar10 --noise symmetric:0.6,exact=class
        gpunoisy train --resume runs/2026-11-21T0031_cifar10_resnet32_ce_s1
      """)

  /// The catalogue of networks, a line for each.
  private static let networks = Network.catalogue.map { entry in
    let options = entry.options.map { "\($0.name)=\($0.values.joined(separator: "|"))" }.joined(separator: ",")
    return "  \(entry.name)\(options.isEmpty ? "" : ":" + options)  \(entry.summary)"
  }.joined(separator: "\n")

  @OptionGroup var options: SettingOptions

  @Option(help: ArgumentHelp("Settings from a TOML file; options given here win.", valueName: "file"))
  var config: String?
  @Option(
    help: ArgumentHelp(
      "A paper's whole protocol, its data too; --config and options given here win. See --list-recipes.",
      valueName: "name"))
  var recipe: String?
  @Option(help: ArgumentHelp("Go on with the run in this folder, with all of its settings.", valueName: "run"))
  var resume: String?
  @Option(help: ArgumentHelp("Write the run into exactly this folder.", valueName: "folder"))
  var out: String?
  @Option(name: .customLong("runs-dir"), help: ArgumentHelp("Where new run folders go.", valueName: "folder"))
  var runsFolder = "runs"
  @Flag(help: "Take --out's folder even if it holds an earlier run, whose files are deleted.")
  var force = false
  @Option(help: "Kernels of the built-in CPU path: one of 'gpunoisy devices -v'; default the first.")
  var instructionSet: String?
  @Flag(name: .customLong("list-losses"), help: "Print every loss with its parameters, defaults and source.")
  var listsLosses = false
  @Flag(name: .customLong("list-recipes"), help: "Print every recipe with its settings and their sources.")
  var listsRecipes = false
  @Flag(name: .customLong("print-config"), help: "Print every setting in force and stop.")
  var printsConfiguration = false
  @Option(
    help: ArgumentHelp(
      "Choices of launches: those that 'gpunoisy tune' keeps for this device (default), 'defaults', or one of its files.",
      valueName: "defaults|file"))
  var tuning: String?
  @OptionGroup var talk: TalkOptions

  /// A run that goes on keeps its choices, since others would add numbers up in another order.
  private func tuningSource() throws -> TuningSource {
    guard let resume else { return TuningSource(tuning) }
    guard tuning == nil else {
      throw Failure(
        .configuration, "--resume goes on with the tuning that the run began with.", why: "--tuning was given too.",
        fix: "leave it out.")
    }
    return .recorded(
      try TuningRecord.tuning(RunRecord.read(folder: resume).tuning, named: "\(resume)/run.json"))
  }

  func run() throws {
    if listsLosses { return try StandardOutput.write(try LossTable.text(Loss.all) + "\n" + LossTable.combinations) }
    if listsRecipes {
      let texts = try Recipe.catalogue.map { try $0.lines().joined(separator: "\n") + "\n" }
      return try StandardOutput.write(texts.joined(separator: "\n"))
    }
    Signals.listen()
    var settings = RunSettings()
    if let resume {
      try RunStart.settings(ofRun: resume, into: &settings)
      guard settings.detection == nil else {
        throw Failure(
          .configuration, "'\(resume)' is a run of detect.", why: "train cannot go on with it.",
          fix: "use: gpunoisy detect --resume \(resume)")
      }
      try options.apply(to: &settings, allowing: ["device", "threads", "max-time", "checkpoint-every"])
      guard config == nil, out == nil, recipe == nil else {
        throw Failure(
          .configuration, "--resume takes its settings and its folder from the run.",
          why: "--config, --recipe or --out was given too.", fix: "leave them out.")
      }
    } else {
      if let recipe { try settings.set("recipe", to: recipe) }
      if let config { try settings.apply(configurationAt: config) }
      try options.apply(to: &settings)
      // A detection's file has settings of the same names; what is its own, train has no use for.
      settings.detection = nil
    }
    if printsConfiguration { return try StandardOutput.write(settings.configuration.text) }
    try settings.validate()
    let reporter = talk.reporter
    let device = DeviceChoice(
      text: settings.device, threads: settings.threads, instructionSet: instructionSet,
      precision: settings.numberPrecision, tuning: try tuningSource())
    // What is quick to find out comes before the data are read.
    try device.check()
    if let out, resume == nil { try RunFolder.checkFree(out, force: force) }
    let data = try RunData(settings)
    let start = RunStart(
      settings: settings, data: data, resumed: resume, out: out, runsFolder: runsFolder,
      force: force, talk: reporter, isVerbose: talk.verbose)
    let result = try device.open(start) { reporter.note($0) }
    if talk.json {
      try StandardOutput.write(JSONText.indented(result.json) + "\n")
    } else {
      try StandardOutput.write(result.text)
    }
    switch result.ending {
    case .finished: break
    case .timeIsUp: throw ExitCode(Failure.Kind.stoppedEarly.rawValue)
    case .interrupted(let kind): throw ExitCode(kind.rawValue)
    }
  }
}

/// Everything between the settings and the trainer, on the device that was chosen.
struct RunStart: DeviceWork {
  var settings: RunSettings
  let data: RunData
  let resumed: String?
  let out: String?
  let runsFolder: String
  let force: Bool
  let talk: any ProgressReporter
  let isVerbose: Bool

  /// Settings of a run that is to go on.
  static func settings(ofRun path: String, into settings: inout RunSettings) throws {
    guard FileBytes.kind(of: path) != .missing else {
      throw Failure(
        .missingInput, "the run folder '\(path)' does not exist.", why: "there is nothing of that name.",
        fix: "check the spelling; runs are kept under 'runs' unless --runs-dir or --out said otherwise.")
    }
    guard FileBytes.kind(of: path + "/config.toml") == .file else {
      throw Failure(
        .badInput, "'\(path)' is not a run folder.", why: "it has no config.toml.",
        fix: "give the folder that 'gpunoisy train' made.")
    }
    try settings.apply(configurationAt: path + "/config.toml")
  }

  func run<D: TunableDevice>(on device: D) throws -> TrainResult {
    let dataset = data.dataset
    var record = RunRecord(
      command: "train", version: GPUNoisy.version, arguments: CommandLine.arguments, device: device.name,
      driver: device.driver, tuning: TuningRecord.json(device.tuning),
      seeds: ["seed": settings.seed, "noise": settings.noiseSeed ?? settings.seed],
      data: .init(
        name: dataset.name, layout: dataset.source, trainCount: dataset.train.count,
        testCount: data.evaluation?.count ?? 0, classCount: dataset.classCount, fingerprint: dataset.fingerprint))
    record.recipe = settings.recipe
    // Everything that can fail without a folder comes first, so that a failure leaves none behind.
    let trainer = try Trainer(settings, data: data, on: device, interruption: { Signals.request })
    if let weights = settings.initialWeights, resumed == nil {
      let random = try trainer.initialize(from: weights)
      if !random.isEmpty {
        talk.note(
          "\(random.joined(separator: " and ")) begin at random: \(weights) was made for another number of classes")
      }
    }
    let folder = try folder()
    if let resumed {
      let before = try RunRecord.read(folder: resumed)
      guard before.data?.fingerprint == record.data?.fingerprint else {
        throw Failure(
          .badInput, "the data is not what '\(resumed)' was trained on.",
          why: "the run records \(before.data?.trainCount ?? 0) training images with fingerprint "
            + "\(before.data?.fingerprint ?? "none"); now it is \(dataset.train.count) with \(dataset.fingerprint).",
          fix: "restore the data, or start a new run from the weights with --init \(folder.lastCheckpoint)")
      }
      record.started = before.started
      // A run that was stopped before its first checkpoint begins again: seed and settings repeat it exactly.
      if FileBytes.kind(of: folder.lastCheckpoint) != .missing {
        try trainer.resume(
          from: folder.lastCheckpoint, history: RunHistory.read(folder: folder.path, epochCount: settings.epochs))
      } else if let weights = settings.initialWeights {
        _ = try trainer.initialize(from: weights)
      }
    }
    let reporter = ProgressReporters([talk, folder.log()])
    defer { reporter.ended() }
    trainer.write(into: folder, record: record, reporter: reporter)
    try prepare(folder, trainer, reporter)
    if device.tuning == .standard { reporter.note(TuningSource.absence) }
    if isVerbose, let plan = trainer.session.wholeBatches {
      let launches = plan.prepared.reduce(0) { $0 + $1.count }
      reporter.note("plan: \(launches) launches a step, \(plan.byteCount / 1_000_000) MB for activations")
    }
    do {
      let ending = try trainer.run()
      switch ending {
      case .finished: try trainer.mark(.finished)
      case .timeIsUp: try trainer.mark(.stopped, reason: "--max-time has passed")
      case .interrupted(let kind): try trainer.mark(.stopped, reason: kind == .interrupted ? "SIGINT" : "a signal")
      }
      return TrainResult(ending: ending, folder: folder.path, history: trainer.history)
    } catch {
      try? trainer.mark(.failed, reason: ErrorText.failure(for: error).what)
      throw error
    }
  }

  private func folder() throws -> RunFolder {
    if let resumed { return try RunFolder.resume(resumed) }
    if let out { return try RunFolder.create(at: out, force: force) }
    let name = RunName(
      dataset: data.dataset.name, network: settings.model, loss: try Loss(settings.loss).entry.name,
      seed: settings.seed)
    return try RunFolder.create(under: runsFolder, named: name)
  }

  /// The files that do not change during the run.
  private func prepare<D: Device>(
    _ folder: RunFolder, _ trainer: Trainer<D>, _ reporter: any ProgressReporter
  ) throws {
    let train = data.dataset.train
    try folder.openTables(
      withCleanColumns: train.trueLabels != nil, withValidationColumns: data.validation != nil,
      after: resumed == nil ? nil : trainer.history.epochs.count)
    try trainer.mark(.running)
    guard resumed == nil else { return }
    if let name = settings.recipe {
      for line in try Recipe(named: name).lines(inForce: settings) { reporter.note(line) }
    }
    try folder.write(settings.resolved(for: data, on: trainer.session.device).configuration)
    let names = train.paths.isEmpty ? (0..<train.count).map { "\(data.dataset.name)/train/\($0)" } : train.paths
    try folder.writeSamples(
      paths: names, givenLabels: train.labels.map(Int.init), cleanLabels: train.trueLabels?.map(Int.init))
    if let noise = data.noise {
      try NoiseFiles.write(noise, labels: train.labels, to: folder)
      if data.dataset.classCount <= 20 { noise.table.split(separator: "\n").forEach { reporter.note(String($0)) } }
    }
  }
}
