import ArgumentParser
import Autotuning
import Datasets
import Failures
import FileFormats
import Reports
import Training

/// What every command that makes a run takes besides settings: where they come from, where the run goes, and how the
/// device computes.
struct RunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Settings from a TOML file; command-line options override it.", valueName: "file"))
  var config: String?
  @Option(help: ArgumentHelp("Resume the run in this folder with its own settings.", valueName: "run"))
  var resume: String?
  @Option(
    help: ArgumentHelp(
      "Resume the run in this folder, or start it there if there is none yet: for jobs that a scheduler repeats.",
      valueName: "folder"))
  var resumeOrStart: String?
  @Option(
    name: .customLong("data"),
    help: ArgumentHelp("With --resume: where the data is now, if it has moved.", valueName: "data"))
  var movedData: String?
  @Option(help: ArgumentHelp("Write the run into exactly this folder.", valueName: "folder"))
  var out: String?
  @Option(name: .customLong("runs-dir"), help: ArgumentHelp("Where new run folders go.", valueName: "folder"))
  var runsFolder = "runs"
  @Flag(help: "Overwrite --out even if it holds an earlier run; its files are deleted.")
  var force = false
  @Option(help: DeviceChoice.instructionSetHelp)
  var instructionSet: String?
  @Option(
    help: ArgumentHelp(
      "Launch parameters: those that 'tune' saved for this device (default), 'defaults', or one of its files.",
      valueName: "defaults|file"))
  var tuning: String?
  @Flag(name: .customLong("print-config"), help: "Print every setting with its origin, and stop.")
  var printsConfiguration = false
  @OptionGroup var console: ConsoleOptions

  /// The settings of a new run, or of the one to resume, checked.
  ///
  /// A value of a file that the job does not read is noted.
  ///
  /// - Throws: `.configuration` for settings that contradict each other, or that nothing reads; what reading files
  ///   throws.
  func draft<J: JobName>(_ options: JobOptions<J>) throws -> SettingsDraft {
    let given = options.given
    if let resume { return try resumed(resume, for: J.job, given) }
    if let movedData, resumedRun == nil {
      throw Failure(
        .usage, "--data '\(movedData)' has no effect.", why: "it says where the data of a run is that is resumed.",
        fix: "remove it, or name the data as DATA.")
    }
    let draft = try newRun(options, given)
    guard let run = resumedRun else { return draft }
    return try resumed(run, for: J.job, like: draft)
  }

  /// The run that goes on: `--resume`, or `--resume-or-start` where there is one.
  var resumedRun: String? {
    resume ?? resumeOrStart.flatMap { FileBytes.kind(of: $0 + "/config.toml") == .file ? $0 : nil }
  }

  /// The folder of a new run, where it is given.
  private var target: String? { out ?? resumeOrStart }

  private func newRun<J: JobName>(_ options: JobOptions<J>, _ given: [GivenSetting]) throws -> SettingsDraft {
    if let resumeOrStart, let out {
      throw Failure(
        .usage, "--resume-or-start '\(resumeOrStart)' and --out '\(out)' name two folders.",
        why: "--resume-or-start says where the run is.", fix: "leave one of them out.")
    }
    var draft = SettingsDraft(for: J.job)
    let recipes = given.filter { $0.name == "recipe" }
    for (name, text) in recipes { try draft.set(name, to: text, from: .commandLine) }
    if let config {
      let unread = try draft.apply(fileAt: config)
      if !unread.isEmpty {
        console.reporter.note("\(unread.joined(separator: ", ")): not read by \(J.job.rawValue), ignored")
      }
    }
    for (name, text) in given where name != "recipe" { try draft.set(name, to: text, from: .commandLine) }
    draft.makePathsAbsolute()
    try draft.refuseUnread()
    try draft.settings.validate()
    // Conflicts are told before files are read.
    try draft.followWeights()
    draft.followSettings()
    try draft.settings.validate()
    return draft
  }

  /// The settings of the run in a folder, which must be one of this job.
  private func settings(of run: String, for job: JobKind) throws -> SettingsDraft {
    let draft = try SettingsDraft(ofRun: run), own = draft.settings.job
    guard own != job else { return draft }
    throw Failure(
      .configuration, "'\(run)' is a run of \(own.rawValue).", why: "\(job.rawValue) cannot resume it.",
      fix: "use: gpunoisy \(own.rawValue) --resume \(run)")
  }

  private func resumed(_ run: String, for job: JobKind, _ given: [GivenSetting]) throws -> SettingsDraft {
    var draft = try settings(of: run, for: job)
    let others: [String] = [("config", config), ("out", out), ("tuning", tuning)].compactMap { $1 == nil ? nil : $0 }
    guard others.isEmpty else {
      throw Failure(
        .configuration, "--resume takes its settings and its folder from the run.",
        why: "--\(others[0]) is given too.", fix: "remove it.")
    }
    let free = RunSettings.settings(of: job).filter { $0.role == .execution }.map(\.name)
    for (name, text) in given {
      guard free.contains(name) else {
        throw Failure(
          .configuration, "\(name == "data" ? "DATA" : "--\(name)") cannot change when a run is resumed.",
          why: "the run would no longer be the same; only \(free.map { "--\($0)" }.joined(separator: ", ")) may.",
          fix: name == "data"
            ? "remove it; if the data has moved, say where it is with --data."
            : "remove it, or start a new run\(job == .train ? " from the weights with --init" : "").")
      }
      try draft.set(name, to: text, from: .commandLine)
    }
    try takeMovedData(&draft)
    try draft.settings.validate()
    return draft
  }

  /// The settings of a run that the same command line started.
  ///
  /// - Throws: `.configuration` for a command line that asks for another run than the one that is there.
  private func resumed(_ run: String, for job: JobKind, like asked: SettingsDraft) throws -> SettingsDraft {
    var draft = try settings(of: run, for: job)
    // Runs of earlier versions have paths as they were typed.
    draft.makePathsAbsolute()
    // What nobody asked for follows the data, and the run has it already.
    let hasValue = Set(asked.settings.values.map(\.name))
    for setting in RunSettings.settings(of: job) {
      let (now, before) = (setting.text(asked.settings), setting.text(draft.settings))
      let origin = asked.origin(of: setting.name)
      if setting.role == .execution {
        if origin != .standard { try draft.set(setting.name, to: now, from: .commandLine) }
      } else if setting.follows == nil || hasValue.contains(setting.name) && origin != .standard, now != before {
        throw Failure(
          .configuration, "the run in '\(run)' has other settings.",
          why: "its \(setting.name) is \(before), and \(now) is asked for.",
          fix: "repeat the command line that started it, or choose another folder.")
      }
    }
    try takeMovedData(&draft)
    try draft.settings.validate()
    return draft
  }

  /// Puts `--data` in place of what the run says; whether it is the same data is found out by its fingerprint.
  private func takeMovedData(_ draft: inout SettingsDraft) throws {
    guard let movedData else { return }
    try draft.set("data", to: movedData, from: .commandLine)
    draft.makePathsAbsolute()
  }

  /// The device of these settings.
  ///
  /// A resumed run keeps its launch parameters, since others would add numbers up in another order.
  func device(_ settings: RunSettings) throws -> DeviceChoice {
    let source = try resumedRun.flatMap { run -> TuningSource? in
      guard FileBytes.kind(of: "\(run)/run.json") == .file else { return nil }
      return TuningSource.recorded(
        try TuningRecord.tuning(RunRecord.read(folder: run).tuning, named: "\(run)/run.json"))
    }
    return DeviceChoice(
      text: settings.device, threads: settings.threads, instructionSet: instructionSet,
      precision: settings.precision, tuning: source ?? TuningSource(tuning))
  }

  /// Does a run's work on its device: what is quick to find out comes before the data is read.
  func start(_ draft: SettingsDraft) throws -> JobOutcome {
    let began = ContinuousClock.now
    let device = try device(draft.settings), reporter = console.reporter
    try device.check()
    if let size = draft.settings.imageSize {
      // What the network cannot take is told before images of that size fill the memory.
      _ = try draft.settings.model.graph(batch: 1, height: size.height, width: size.width, channels: 3, classes: 2)
    }
    if let target, resumedRun == nil {
      try RunFolder.checkFree(target, force: force)
      try requireSpared(draft.settings, target)
      try DataPlace.requireOutside(draft.settings.data, target, option: out == nil ? "--resume-or-start" : "--out")
    }
    try requireRetrainable(draft.settings)
    // Told by one thread at a time, while this one waits.
    nonisolated(unsafe) let listener = reporter
    let dataset = try RunData.read(draft.settings) { listener.loaded($0, of: $1) }
    var draft = draft
    if resumedRun == nil {
      draft.follow(DataFacts(dataset, limit: draft.settings.limitTrain))
      // Which detector it is may have followed from the data.
      try draft.refuseUnread()
      try draft.settings.validate()
    }
    let choice = DeviceReason()
    let job = Job(
      draft: draft, data: try RunData(draft.settings, of: dataset), resumed: resumedRun, out: target,
      runsFolder: runsFolder, force: force, console: reporter, isVerbose: console.verbose, began: began, choice: choice)
    return try device.open(job, reason: choice) { reporter.note($0) }
  }

  /// - Throws: `.cannotCreate` where `--force` would delete what the run is to read.
  private func requireSpared(_ settings: RunSettings, _ out: String) throws {
    let inputs = settings.inputFiles.map(\.path) + [config, tuning].compactMap { $0 }
    guard let lost = RunFolder.ownFiles(among: inputs, in: out).first else { return }
    throw Failure(
      .cannotCreate, "--force would delete '\(lost)', which this run reads.",
      why: "it is a file of the earlier run in --out '\(out)'.",
      fix: "choose another --out FOLDER, or copy the file first.")
  }

  /// Checks that a detection will find room for the training on what is left, which comes last.
  ///
  /// - Throws: `.cannotCreate`.
  private func requireRetrainable(_ settings: RunSettings) throws {
    guard settings.detection.retrain != nil, let run = resumedRun ?? target else { return }
    let place = run + "/" + RunFolder.retrainName
    // One that has begun is resumed.
    guard resumedRun == nil || FileBytes.kind(of: place + "/config.toml") == .missing else { return }
    try RunFolder.checkFree(place, force: true)
  }

  /// The run to resume, if it is finished already: its folder is then left as it is.
  ///
  /// - Throws: `.badInput` where its data has changed or its checkpoint is damaged.
  func finishedRun(_ settings: RunSettings) throws -> String? {
    guard let resume = resumedRun, FileBytes.kind(of: resume + "/" + RunFolder.recordName) == .file else { return nil }
    let record = try RunRecord.read(folder: resume)
    guard record.status == .finished else { return nil }
    try Job.requireSameSettings(resume, record)
    try Job.requireCheckpoint(resume, record, settings)
    // What a run that goes on would read, too, so that damage is told at once.
    _ = try device(settings)
    let data = try RunData(settings)
    try Job.requireSameData(resume, record, data, settings.job)
    if settings.trainsNetworks {
      let checkpoint = try SafetensorsFile.read(resume + "/checkpoints/last.safetensors")
      _ = try Checkpoint.model(of: checkpoint)
      let path = resume + "/" + Job.configurationName
      try Checkpoint.requireSameRun(
        checkpoint, settings, hash: Checkpoint.settingsHash(of: FileBytes.read(path), name: path))
      let position = try Checkpoint.position(of: checkpoint)
      try position.requirePossible(
        epochs: settings.epochs,
        steps: settings.largestMethod.stepLimit(samples: data.judged.labelledIDs.count, batch: settings.batchSize),
        in: checkpoint.path)
      try position.requireKnown(to: record, in: checkpoint.path)
    }
    if settings.job == .detect, settings.detection.detector.usesFeatures {
      _ = try FinishedDetection.features(folder: resume, data)
    }
    console.reporter.note("'\(resume)' is already finished: nothing is trained or written")
    return resume
  }
}

extension SettingsDraft {
  /// The settings of the run in a folder.
  ///
  /// - Throws: `.missingInput`, `.badInput` for a folder that holds no run.
  init(ofRun path: String) throws {
    try RunFolder.requireRun(path, holding: "config.toml")
    try self.init(ofFileAt: path + "/config.toml")
    // A run that was resumed with --data keeps its settings, and its record says where the data was last.
    guard !Dataset.isName(settings.data), FileBytes.kind(of: settings.data) == .missing,
      let place = (try? RunRecord.read(folder: path))?.data?.path, FileBytes.kind(of: place) != .missing
    else { return }
    try set("data", to: place, from: .rule("the place where the run found it last"))
  }
}

/// How the command talks: progress, colour, JSON.
struct ConsoleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("auto (a bar on a terminal, lines elsewhere), bar, lines, none.", valueName: "kind"))
  var progress: ProgressChoice = .auto
  @Option(help: ArgumentHelp("auto, always, never.", valueName: "when"))
  var color: ColorChoice = .auto
  @Flag(help: "Print one JSON document on standard output.")
  var json = false
  @Flag(name: [.customShort("q"), .long], help: "No progress; errors are still printed.")
  var quiet = false
  @Flag(name: [.customShort("v"), .long], help: "Print more detail.")
  var verbose = false

  /// Who tells the progress.
  var reporter: any ProgressReporter { Terminal.progressReporter(quiet ? .none : progress, color: color) }
}

extension ProgressChoice: ExpressibleByArgument {}
extension ColorChoice: ExpressibleByArgument {}
