import ArgumentParser
import Failures
import FileFormats
import Reports
import Repro
import Training

struct ReproCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repro", abstract: "Reproduce a published table: train its cells, and compare.",
    discussion: """
      Each cell and seed is a run of 'gpunoisy train' or 'detect' of its own, in OUT/CELL/seed-N, with its settings \
      beside it in seed-N.toml. A second call with the same options continues where the first ended: what is finished stays. \
      Results are in OUT: index.html, table.md, table.csv, claims.csv.

      Scales: full is the published protocol. P% takes a share of its epochs, and whatever counts epochs with them. \
      quick is the table's short form for two CPU cores, about 15 minutes for a seed. Values are judged at full scale \
      only, claims at any, by paired 95 % intervals over the seeds.

      Exit codes: 75 when runs are left, else 70 when a run failed, else 10 when a claim fails, else 0.

      Examples:
        gpunoisy repro --list
        gpunoisy repro sce-mnist --runs 3
        gpunoisy repro sce-mnist --scale full --only '*-symmetric-40' --dry-run
        gpunoisy repro aum-cifar10 --scale full --device 0 --shard 1/4 --max-time 11h50m --out aum
      """)

  @Argument(
    help: ArgumentHelp(
      "A table of --list, or a table of your own: a .toml file with a .csv beside it.", valueName: "table"))
  var name: String?
  @Flag(help: "List the tables, and stop.")
  var list = false
  @Option(help: ArgumentHelp("full, a share of the epochs such as 25%, or quick.", valueName: "full|P%|quick"))
  var scale = "quick"
  @Option(help: ArgumentHelp("Seeds of each cell: 1 to N.", valueName: "n"))
  var runs = 3
  @Option(
    help: ArgumentHelp(
      "Run these cells only; * stands for any text, and the option may be repeated.", valueName: "cell"))
  var only: [String] = []
  @Option(
    help: ArgumentHelp(
      "Run the i-th of n parts, for several jobs with the same --out, as in a Slurm array.", valueName: "i/n"))
  var shard: String?
  @Option(help: ArgumentHelp("Runs at the same time.", valueName: "n"))
  var jobs = 1
  @Flag(help: "Print what would be run, with the predicted time of each cell, and stop.")
  var dryRun = false
  @Option(help: ArgumentHelp("Save and stop after this time, such as 11h50m; exit code 75.", valueName: "time"))
  var maxTime: String?
  @Option(help: ArgumentHelp("The campaign's folder; default repro/TABLE-SCALE.", valueName: "folder"))
  var out: String?
  @Option(help: "auto, cpu, an index or part of a name from 'gpunoisy devices'.")
  var device = "auto"
  @Option(help: ArgumentHelp("fp32, mixed or tf32, as for 'gpunoisy train'.", valueName: "precision"))
  var precision: String?
  @Option(
    help: ArgumentHelp(
      "Threads of the built-in CPU path, for each run; default one per processor, divided by --jobs.", valueName: "n"))
  var threads: Int?
  @Option(help: ArgumentHelp("Folder with cifar10 and other named data sets.", valueName: "folder"))
  var dataRoot: String?
  @OptionGroup var console: ConsoleOptions

  func run() throws {
    guard let name, !list else {
      guard name == nil || list else { return }
      return try StandardOutput.write(console.json ? ReproList.json() : ReproList.text())
    }
    let options = try ReproOptions(self)
    let table = try ReproTable(named: name)
    let folder = out ?? "repro/\(table.name)-\(options.scale.folderName)"
    let campaign = try Campaign(table, scale: options.scale, seeds: runs, in: folder) { settings in
      if let precision { try settings.set("precision", to: precision) }
      settings = try LabelFiles.located(settings, root: dataRoot ?? FileBytes.environmentPath("GPUNOISY_DATA"))
    }
    _ = try table.cells(at: .full, matching: only)
    let tasks = campaign.tasks(matching: only, shard: options.shard)
    guard !tasks.isEmpty else {
      throw Failure(
        .usage, "nothing is left to run at the scale \(options.scale).",
        why: only.isEmpty
          ? "the shard \(shard ?? "") is empty: there are \(campaign.tasks.count) runs."
          : "\(only.joined(separator: ", ")) is not run at that scale.",
        fix: "choose another --scale, --only or --shard.")
    }
    try options.device.check()
    if dryRun { return try plan(campaign, tasks, options) }
    try requireData(tasks)
    try campaign.prepare(tasks)
    let runner = ReproRunner(
      tasks, options: options, progress: ReproProgress(console: console, tasks: tasks))
    let ending = try runner.run()
    let result = try publish(campaign)
    if console.json {
      try StandardOutput.write(JSONText.indented(result.json) + "\n")
    } else if !console.quiet {
      try StandardOutput.write(ReproText.text(result) + "\npage           \(TerminalText.escaped(folder))/index.html\n")
    }
    if let code = Self.exitCode(ending, result, tasks) { throw ExitCode(code) }
  }

  /// 75 when runs are left, else 70 when one failed, else 10 when a claim fails; nil when all is done.
  private static func exitCode(
    _ ending: ReproRunner.Ending, _ result: CampaignResult, _ tasks: [Campaign.Task]
  ) -> Int32? {
    if case .stopped(let kind) = ending { return kind.rawValue }
    let states = tasks.map { Campaign.state(of: $0) }
    let hasFailed = states.contains { if case .failed = $0 { true } else { false } }
    let isLeft = states.contains { state in
      switch state {
      case .untouched, .begun: true
      case .finished, .failed: false
      }
    }
    if isLeft { return Failure.Kind.stoppedEarly.rawValue }
    if hasFailed { return Failure.Kind.numerical.rawValue }
    return result.claims.contains { $0.outcome == .fails } ? Failure.Kind.checkFailed.rawValue : nil
  }

  /// Opens each data set once, so that what is missing is told before anything is trained.
  private func requireData(_ tasks: [Campaign.Task]) throws {
    var known: Set<String> = []
    for task in tasks where Campaign.state(of: task) != .finished {
      var settings = task.settings
      if let dataRoot { settings.dataRoot = dataRoot }
      let files = settings.inputFiles.map(\.path)
      guard known.insert(([settings.data] + files).joined(separator: "\n")).inserted else { continue }
      try LabelFiles.require(settings)
      _ = try RunData(settings)
    }
  }

  /// Writes the tables and pages, one process at a time: another shard may be doing the same.
  private func publish(_ campaign: Campaign) throws -> CampaignResult {
    let lock = try FolderLock(folder: campaign.folder, waiting: 60)
    defer { withExtendedLifetime(lock) {} }
    try ReproFigures.draw(campaign, device: device, quiet: console.quiet)
    let result = try CampaignResult(campaign)
    try result.write()
    return result
  }

  private func plan(_ campaign: Campaign, _ tasks: [Campaign.Task], _ options: ReproOptions) throws {
    let plan = try ReproPlan(campaign, tasks, options) { note in
      if !console.quiet { console.reporter.note(note) }
    }
    try StandardOutput.write(console.json ? JSONText.indented(plan.json) + "\n" : plan.text)
  }
}

/// The options of `repro`, read.
struct ReproOptions {
  let scale: Scale
  let shard: (index: Int, count: Int)
  let jobs: Int
  let device: DeviceChoice
  let dataRoot: String?
  /// Threads of each run; nil for one per processor.
  let threads: Int?
  /// Seconds after which to stop; nil for no limit.
  let limit: Double?

  /// - Throws: `.usage`.
  init(_ command: ReproCommand) throws {
    func wrong(_ option: String, _ text: String, _ takes: String) -> Failure {
      Failure(.usage, "--\(option) \(text) is out of range.", why: "it must be \(takes).", fix: "correct it.")
    }
    guard let scale = Scale(command.scale) else {
      throw wrong("scale", command.scale, "full, quick, or a percentage above 0 such as 25%")
    }
    self.scale = scale
    guard (1...1000).contains(command.runs) else {
      throw wrong("runs", "\(command.runs)", "a whole number from 1 to 1000")
    }
    guard (1...256).contains(command.jobs) else {
      throw wrong("jobs", "\(command.jobs)", "a whole number from 1 to 256")
    }
    if let shard = command.shard {
      let parts = shard.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let index = parts[0], let count = parts[1], count >= 1, (1...count).contains(index) else {
        throw wrong("shard", shard, "a part and their number, such as 1/4")
      }
      self.shard = (index, count)
    } else {
      shard = (1, 1)
    }
    if let text = command.maxTime {
      guard let time = TimeSpan(text) else { throw wrong("max-time", text, "a time such as 90s, 15m or 11h50m") }
      limit = time.seconds
    } else {
      limit = nil
    }
    if let threads = command.threads, !(1...1024).contains(threads) {
      throw wrong("threads", "\(threads)", "a whole number from 1 to 1024")
    }
    (jobs, dataRoot) = (command.jobs, command.dataRoot)
    let shared = command.jobs > 1 ? max(1, Processors.available / command.jobs) : nil
    threads = command.threads ?? shared
    device = DeviceChoice(text: command.device, threads: threads)
  }
}
