import Failures
import FileFormats
import Reports
import Settings

/// A table at a scale with so many seeds, as run folders below one folder.
///
/// `FOLDER/CELL/seed-1` is an ordinary run, `FOLDER/CELL/seed-1.toml` its settings: what is done and what is left stands
/// in these alone.
public struct Campaign: Sendable {
  /// The run of one cell and seed.
  public struct Task: Sendable {
    /// The cell, and the seed.
    public let cell: ReproTable.Cell, seed: Int
    /// The run's settings.
    public let settings: RunSettings
    /// Its folder, and the file of its settings.
    public let folder: String
    /// The folders of the campaign's runs that it learns from or starts from, which come first.
    public let sources: [String]
    /// The file of its settings.
    public var configuration: String { folder + ".toml" }
    /// What it says on standard error while it is under way.
    public var errors: String { folder + ".err" }
  }

  /// How a run stands.
  public enum State: Sendable, Equatable {
    /// Nothing is there.
    case untouched
    /// It was begun, and can go on: this many epochs are done.
    case begun(epochs: Int)
    case finished
    /// It ended with an error.
    case failed(String)
  }

  /// The table, its scale, the number of seeds, and the folder.
  public let table: ReproTable, scale: Scale, seeds: Int, folder: String
  /// The runs: all cells of one seed before those of the next.
  public let tasks: [Task]

  /// Plans a campaign; nothing is written.
  ///
  /// - Parameter change: what is asked besides of every run's settings.
  /// - Throws: `.badInput` for a cell whose settings are wrong.
  public init(
    _ table: ReproTable, scale: Scale, seeds: Int, in folder: String,
    change: (inout RunSettings) throws -> Void = { _ in }
  ) throws {
    (self.table, self.scale, self.seeds, self.folder) = (table, scale, seeds, folder)
    let cells = try table.cells(at: scale, matching: [])
    tasks = try (1...seeds).flatMap { seed in
      try cells.map { cell in
        var settings = try table.settings(of: cell, seed: UInt64(seed), scale: scale)
        try change(&settings)
        let sources = try Self.takeRuns(into: &settings, cell, among: cells, seed: seed, in: folder)
        return Task(
          cell: cell, seed: seed, settings: settings, folder: "\(folder)/\(cell.name)/seed-\(seed)", sources: sources)
      }
    }
    try requireOrder()
  }

  /// Checks that there is an order in which every run comes behind its sources.
  ///
  /// - Throws: `.badInput`.
  private func requireOrder() throws {
    var open = tasks, done: Set<String> = []
    while !open.isEmpty {
      let ready = open.filter { $0.sources.allSatisfy(done.contains) }.map(\.folder)
      guard !ready.isEmpty else {
        throw Failure(
          .badInput, "the cells \(open.map(\.cell.name).sorted().joined(separator: ", ")) wait for one another.",
          why: "each needs the run of another one first.",
          fix: "name cells in teacher and init that do not need this one.")
      }
      done.formUnion(ready)
      open.removeAll { done.contains($0.folder) }
    }
  }

  /// What stands before the name of a cell of whose runs others make use: `teacher = "cell:teacher-resnet-32"`.
  private static let cellPrefix = "cell:"

  /// Puts runs in the place of the cells that a cell's settings name: as teachers, or for initial weights.
  ///
  /// - Returns: the folders of these runs.
  /// - Throws: `.badInput` where there is no such cell at the scale.
  private static func takeRuns(
    into settings: inout RunSettings, _ cell: ReproTable.Cell, among cells: [ReproTable.Cell], seed: Int,
    in folder: String
  ) throws -> [String] {
    var folders: [String] = []
    func run(_ path: String, file: String = "") throws -> String {
      guard path.hasPrefix(cellPrefix) else { return path }
      let name = String(path.dropFirst(cellPrefix.count))
      guard name != cell.name, cells.contains(where: { $0.name == name }) else {
        throw Failure(
          .badInput, "cell \(cell.name) refers to the cell '\(name)', which is not there.",
          why: "no other cell of this scale has that name.",
          fix: "write cell: and the name of a cell that runs at every scale at which this one does.")
      }
      folders.append("\(folder)/\(name)/seed-\(seed)")
      return FileBytes.absolute(folders[folders.count - 1]) + file
    }
    settings.teachers = RunList(try settings.teachers.map { try run($0) })
    settings.initialWeights = try settings.initialWeights.map { try run($0, file: "/checkpoints/last.safetensors") }
    return folders
  }

  private static let recordName = "campaign.toml"

  /// Writes the campaign's record and the settings of these runs, where they are not there yet.
  ///
  /// - Throws: `.configuration` where the folder holds another campaign, or a run with other settings; `.cannotCreate`
  ///   for a folder that holds something else.
  public func prepare(_ tasks: [Task]) throws {
    let record = FlatTOML(
      comments: ["What 'gpunoisy repro' runs here; a second call with the same options continues."],
      sections: [
        .init("", [.init("table", .string(table.name)), .init("scale", .string(scale.description))])
      ])
    let path = "\(folder)/\(Self.recordName)"
    if FileBytes.kind(of: path) == .file {
      let before = try FlatTOML.read(path)
      guard before.sections == record.sections else {
        let texts = before.sections.flatMap(\.entries).map { Setting.text($0.value) ?? "" }
        throw Failure(
          .configuration, "'\(folder)' holds another campaign.",
          why: "it is of \(texts.joined(separator: " at the scale ")), not of \(table.name) at the scale \(scale).",
          fix: "choose another --out FOLDER.")
      }
    } else {
      try FileBytes.makeFolder(folder)
      let names = try FileBytes.names(in: folder).filter { !$0.hasPrefix(".") }
      guard names.isEmpty else {
        throw Failure(
          .cannotCreate, "'\(folder)' is not empty.", why: "it holds '\(names[0])', and no campaign.",
          fix: "choose another --out FOLDER.")
      }
      try AtomicFile.write(record.text, to: path)
    }
    for task in tasks {
      let text = task.settings.configuration.text
      if FileBytes.kind(of: task.configuration) == .file {
        try requireSame(task, text)
      } else {
        try FileBytes.makeFolder(FileBytes.folder(of: task.configuration))
        try AtomicFile.write(text, to: task.configuration)
      }
    }
  }

  /// - Throws: `.configuration` where the file of a run's settings has others.
  private func requireSame(_ task: Task, _ text: String) throws {
    guard try FileBytes.read(task.configuration) != Array(text.utf8) else { return }
    let before = try SettingsDraft(ofFileAt: task.configuration).settings
    let changed = RunSettings.settings(of: task.settings.job).filter { $0.text(before) != $0.text(task.settings) }
    guard let first = changed.first else { return }
    throw Failure(
      .configuration, "the run '\(task.folder)' was planned with other settings.",
      why: "its \(first.name) is \(first.text(before)), and \(first.text(task.settings)) is asked for.",
      fix: "repeat the options of the first call, or choose another --out FOLDER.")
  }

  /// How a run stands, by its files.
  public static func state(of task: Task) -> State {
    guard FileBytes.kind(of: task.folder + "/config.toml") == .file else { return .untouched }
    guard FileBytes.kind(of: task.folder + "/run.json") == .file else { return .begun(epochs: 0) }
    do {
      let record = try RunRecord.read(folder: task.folder)
      switch record.status {
      case .finished: return .finished
      case .failed: return .failed(record.reason ?? "it ended with an error")
      case .running, .stopped: return .begun(epochs: record.epoch)
      }
    } catch {
      return .failed(ErrorMessages.failure(for: error).what)
    }
  }

  /// Whether the run in a folder is finished.
  public static func isFinished(_ folder: String) -> Bool {
    (try? RunRecord.read(folder: folder))?.status == .finished
  }

  /// The runs of a shard, of these cells: every `count`-th, from the `index`-th on.
  ///
  /// The sources of a run, and theirs, are runs of the same call, in whatever shard they are.
  ///
  /// - Parameters:
  ///   - patterns: names of cells, in which `*` stands for any text; none for all.
  ///   - shard: which part of how many, from 1.
  public func tasks(matching patterns: [String], shard: (index: Int, count: Int)) -> [Task] {
    let chosen = tasks.filter { Pattern.matches($0.cell.name, anyOf: patterns) }
    let own = chosen.indices.filter { $0 % shard.count == shard.index - 1 }.map { chosen[$0] }
    var folders = Set(own.map(\.folder)), count = 0
    while count < folders.count {
      count = folders.count
      folders.formUnion(tasks.filter { folders.contains($0.folder) }.flatMap(\.sources))
    }
    return tasks.filter { folders.contains($0.folder) }
  }
}
