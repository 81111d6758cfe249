import ArgumentParser
import Autotuning
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
      "Launch parameters: those that 'tune' saved for this device (default), 'defaults', or one of its files.",
      valueName: "defaults|file"))
  var tuning: String?
  @Flag(name: .customLong("print-config"), help: "Print every setting with its origin, and stop.")
  var printsConfiguration = false
  @OptionGroup var talk: TalkOptions

  /// The settings of a new run, or of the one to resume, checked.
  ///
  /// A value of a file that the job does not read is noted.
  ///
  /// - Throws: `.configuration` for settings that contradict each other, or that nothing reads; what reading files
  ///   throws.
  func draft<J: JobName>(_ options: JobOptions<J>) throws -> SettingsDraft {
    let given = options.given
    if let resume { return try resumed(resume, for: J.job, given) }
    var draft = SettingsDraft(for: J.job)
    let recipes = given.filter { $0.name == "recipe" }
    for (name, text) in recipes { try draft.set(name, to: text, from: .commandLine) }
    if let config {
      let unread = try draft.apply(fileAt: config)
      if !unread.isEmpty {
        talk.reporter.note("\(unread.joined(separator: ", ")): not read by \(J.job.rawValue), ignored")
      }
    }
    for (name, text) in given where name != "recipe" { try draft.set(name, to: text, from: .commandLine) }
    try draft.settings.refuseUnread(given.map(\.name))
    try draft.settings.validate()
    return draft
  }

  private func resumed(_ run: String, for job: JobKind, _ given: [GivenSetting]) throws -> SettingsDraft {
    var draft = try SettingsDraft(ofRun: run)
    guard draft.settings.job == job else {
      let own = draft.settings.job.rawValue
      throw Failure(
        .configuration, "'\(run)' is a run of \(own).", why: "\(job.rawValue) cannot resume it.",
        fix: "use: gpunoisy \(own) --resume \(run)")
    }
    let others: [String] = [("config", config), ("out", out), ("tuning", tuning)].compactMap { $1 == nil ? nil : $0 }
    guard others.isEmpty else {
      throw Failure(
        .configuration, "--resume takes its settings and its folder from the run.",
        why: "--\(others[0]) was given too.", fix: "leave it out.")
    }
    let free = RunSettings.settings(of: job).filter { $0.role == .execution }.map(\.name)
    for (name, text) in given {
      guard free.contains(name) else {
        throw Failure(
          .configuration, "\(name == "data" ? "DATA" : "--\(name)") cannot change when a run is resumed.",
          why: "the run would no longer be the same; only \(free.map { "--\($0)" }.joined(separator: ", ")) may.",
          fix: "leave it out, or start a new run\(job == .train ? " from the weights with --init" : "").")
      }
      try draft.set(name, to: text, from: .commandLine)
    }
    try draft.settings.validate()
    return draft
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
      precision: settings.precision, tuning: source ?? TuningSource(tuning))
  }

  /// Does a run's work on its device: what is quick to find out comes before the data is read.
  func start(_ draft: SettingsDraft) throws -> JobOutcome {
    let device = try device(draft.settings), reporter = talk.reporter
    try device.check()
    if let out, resume == nil { try RunFolder.checkFree(out, force: force) }
    let job = Job(
      draft: draft, data: try RunData(draft.settings), resumed: resume, out: out, runsFolder: runsFolder,
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

extension SettingsDraft {
  /// The settings of the run in a folder.
  ///
  /// - Throws: `.missingInput`, `.badInput` for a folder that holds no run.
  init(ofRun path: String) throws {
    try RunFolder.requireRun(path, holding: "config.toml")
    try self.init(ofFileAt: path + "/config.toml")
  }
}

/// How the command talks: progress, colour, JSON.
struct TalkOptions: ParsableArguments {
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
