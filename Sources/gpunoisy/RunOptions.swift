import ArgumentParser
import Autotuning
import Failures
import FileFormats
import Reports
import Training

/// What every command that makes a run takes besides settings: where they come from, where the run goes, and how the
/// device computes.
struct RunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Settings from a TOML file; options given here override it.", valueName: "file"))
  var config: String?
  @Option(
    help: ArgumentHelp(
      "A paper's whole protocol, its data too; --config and options given here override it. detect keeps its own epochs, "
        + "batch size and schedule. See 'gpunoisy train --list-recipes'.", valueName: "name"))
  var recipe: String?
  @Option(help: ArgumentHelp("Resume the run in this folder with its own settings.", valueName: "run"))
  var resume: String?
  @Option(help: ArgumentHelp("Write the run into exactly this folder.", valueName: "folder"))
  var out: String?
  @Option(name: .customLong("runs-dir"), help: ArgumentHelp("Where new run folders go.", valueName: "folder"))
  var runsFolder = "runs"
  @Flag(help: "Overwrite --out even if it holds an earlier run; its files are deleted.")
  var force = false
  @Option(help: "Kernels of the built-in CPU path: one of 'gpunoisy devices -v'; default the first.")
  var instructionSet: String?
  @Option(
    help: ArgumentHelp(
      "Launch parameters: those that 'gpunoisy tune' saved for this device (default), 'defaults', or one of its files.",
      valueName: "defaults|file"))
  var tuning: String?
  @Flag(name: .customLong("print-config"), help: "Print every effective setting and stop.")
  var printsConfiguration = false
  @OptionGroup var talk: TalkOptions

  /// The settings of a new run, or of the one to resume.
  ///
  /// - Parameters:
  ///   - own: the job's own settings, as they were given.
  ///   - note: is told what a file has that the job does not read.
  /// - Throws: `.configuration` for a setting that nothing reads; what reading files throws.
  func settings(
    for job: JobKind, _ options: SettingOptions, own: [(name: String, text: String)] = [], note: (String) -> Void
  ) throws -> RunSettings {
    if let resume { return try resumedSettings(resume, for: job, options, own: own) }
    var settings = job == .train ? RunSettings() : .detectionDefaults
    if let recipe { try settings.set("recipe", to: recipe) }
    if let config { try settings.apply(configurationAt: config) }
    let passedOver = settings.forgetUnread(for: job)
    if !passedOver.isEmpty {
      note("\(passedOver.joined(separator: ", ")): not read by \(job.rawValue), passed over")
    }
    try options.apply(to: &settings)
    for (name, text) in own { try settings.set(name, to: text) }
    try settings.refuseUnread(options.names + own.map(\.name))
    return settings
  }

  private func resumedSettings(
    _ run: String, for job: JobKind, _ options: SettingOptions, own: [(name: String, text: String)]
  ) throws -> RunSettings {
    let settings = try RunSettings(ofRun: run)
    guard settings.job == job else {
      throw Failure(
        .configuration, "'\(run)' is a run of \(settings.job.rawValue).",
        why: "\(job.rawValue) cannot resume it.", fix: "use: gpunoisy \(settings.job.rawValue) --resume \(run)")
    }
    let given =
      [("config", config), ("recipe", recipe), ("out", out), ("tuning", tuning)].compactMap { $1 == nil ? nil : $0 }
      + own.map(\.name)
    guard given.isEmpty else {
      throw Failure(
        .configuration, "--resume takes its settings and its folder from the run.",
        why: "--\(given[0]) was given too.", fix: "leave it out.")
    }
    var resumed = settings
    try options.apply(to: &resumed, allowing: ["device", "threads", "max-time", "checkpoint-every"])
    return resumed
  }

  /// The device of these settings.
  ///
  /// A resumed run keeps its launch parameters, since others would add numbers up in another order.
  func device(_ settings: RunSettings) throws -> DeviceChoice {
    let source = try resume.map {
      TuningSource.recorded(try TuningRecord.tuning(RunRecord.read(folder: $0).tuning, named: "\($0)/run.json"))
    }
    return DeviceChoice(
      text: settings.device, threads: settings.threads, instructionSet: instructionSet,
      precision: settings.numberPrecision, tuning: source ?? TuningSource(tuning))
  }

  /// Does a run's work on its device: what is quick to find out comes before the data is read.
  func start(_ settings: RunSettings) throws -> JobOutcome {
    let device = try device(settings), reporter = talk.reporter
    try device.check()
    if let out, resume == nil { try RunFolder.checkFree(out, force: force) }
    let job = Job(
      settings: settings, data: try RunData(settings), resumed: resume, out: out, runsFolder: runsFolder,
      force: force, talk: reporter, isVerbose: talk.verbose)
    return try device.open(job) { reporter.note($0) }
  }

  /// The run to resume, if it is finished already: its folder is then left as it is.
  ///
  /// - Throws: `.badInput` where its data has changed or its checkpoint is damaged.
  func finishedRun(_ settings: RunSettings) throws -> String? {
    guard let resume, case let record = try RunRecord.read(folder: resume), record.status == .finished else {
      return nil
    }
    try Job.requireSameData(resume, record, RunData(settings), settings.job)
    _ = try Checkpoint.model(of: SafetensorsFile.read(resume + "/checkpoints/last.safetensors"))
    talk.reporter.note("'\(resume)' is already finished: nothing is trained or written")
    return resume
  }
}

extension RunSettings {
  /// The settings of the run in a folder.
  ///
  /// - Throws: `.missingInput`, `.badInput` for a folder that holds no run.
  init(ofRun path: String) throws {
    try RunFolder.requireRun(path, holding: "config.toml")
    self.init()
    try apply(configurationAt: path + "/config.toml")
    _ = forgetUnread()
  }
}
