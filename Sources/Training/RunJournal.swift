import Detection
import Failures
import FileFormats
import Reports
import Settings

/// Why a run ended.
public enum RunOutcome: Sendable, Equatable {
  case finished
  /// `--max-time` has passed; a checkpoint is saved.
  case timeIsUp
  /// A signal asked for it; a checkpoint is saved.
  case interrupted(Failure.Kind)

  /// How a run ends whose work was stopped with a failure of this kind (`Failure.isStop`).
  public init(stopping kind: Failure.Kind) { self = StopRequest.isTimeUp ? .timeIsUp : .interrupted(kind) }
}

/// What a run of any kind writes down while it goes on, and what asks it to stop: the only writer of the tables by epoch,
/// checkpoints, the files of stages and, but for a signal that ends the process at once, run.json, and who tells log.txt
/// and the terminal.
///
/// A journal without a folder writes nothing: the run leaves its history alone.
public final class RunJournal {
  /// The folder; nil for a run that is not written down.
  public let folder: RunFolder?
  /// run.json as it stands.
  public private(set) var record: RunRecord?
  /// Who is told how it goes: the terminal, and log.txt.
  public let reporter: any ProgressReporter
  /// What a signal has asked for, or nil.
  private let interruption: () -> Failure.Kind?
  /// Whether the tables are open.
  private(set) var isOpen = false
  private let clock = ContinuousClock()
  /// From when on `--max-time` counts; nil for the start of training.
  private let since: ContinuousClock.Instant?
  private var started: ContinuousClock.Instant, lastCheckpoint: ContinuousClock.Instant

  /// The journal of a run in a folder.
  ///
  /// - Parameters:
  ///   - record: run.json as it stands; updated as the run goes on.
  ///   - since: from when on `--max-time` counts; nil for the start of training.
  ///   - interruption: what a signal has asked for, or nil; called after every step.
  public init(
    folder: RunFolder? = nil, record: RunRecord? = nil, reporter: any ProgressReporter = ProgressReporters(),
    since: ContinuousClock.Instant? = nil, interruption: @escaping () -> Failure.Kind? = { nil }
  ) {
    (self.folder, self.record, self.reporter, self.interruption) = (folder, record, reporter, interruption)
    self.since = since
    started = since ?? clock.now
    lastCheckpoint = clock.now
  }

  /// Opens the tables and says that the run is under way.
  ///
  /// - Parameters:
  ///   - data: what is known of it decides on the tables' columns.
  ///   - figures: the method's own columns.
  ///   - epochs: how many epochs of a resumed run stay; nil begins the tables anew.
  func begin(_ data: RunData, figures: [String], withValidation: Bool, after epochs: Int?) throws {
    try folder?.openTables(
      withCleanColumns: data.dataset.train.trueLabels != nil, withValidationColumns: withValidation,
      figures: figures, classNames: data.dataset.classNames, after: epochs)
    (started, lastCheckpoint, isOpen) = (since ?? clock.now, clock.now, true)
    try mark(.running)
  }

  // MARK: - Stopping

  /// Seconds by which a step may exceed a time limit.
  private static let grace = 5.0

  /// What asks the run to stop after the step that was just enqueued.
  ///
  /// - Parameters:
  ///   - limit: seconds that the run may take.
  ///   - step: seconds of a step: one that would end long after the limit is not begun.
  func stopRequest(after limit: Double?, step: Double = 0) -> RunOutcome? {
    if let kind = interruption() { return RunOutcome(stopping: kind) }
    if let limit, seconds(since: started) + max(0, step - Self.grace) >= limit { return .timeIsUp }
    return nil
  }

  private func seconds(since instant: ContinuousClock.Instant) -> Double { (clock.now - instant) / .seconds(1) }

  // MARK: - Checkpoints

  /// Whether a checkpoint is due between two steps.
  func isCheckpointDue(_ interval: CheckpointInterval, atStep totalSteps: Int) -> Bool {
    switch interval {
    case .epochs: false
    case .steps(let count): totalSteps % count == 0
    case .time(let interval): seconds(since: lastCheckpoint) >= interval.seconds
    }
  }

  /// Replaces the last checkpoint.
  func save(_ checkpoint: () throws -> SafetensorsFile, step: Int) throws {
    guard let folder else { return }
    try checkpoint().write(to: folder.lastCheckpoint)
    lastCheckpoint = clock.now
    try update { ($0.step, $0.checkpoint) = (step, step) }
  }

  /// Replaces the best checkpoint.
  func saveBest(_ checkpoint: () throws -> SafetensorsFile) throws {
    guard let folder else { return }
    try checkpoint().write(to: folder.bestCheckpoint)
  }

  /// Writes what a stage found.
  public func save(_ result: SafetensorsFile, ofStage name: String) throws {
    guard let folder else { return }
    try FileBytes.makeFolder(folder.file("stages"))
    try result.write(to: folder.file(DetectionStage.file(named: name)))
  }

  // MARK: - Tables and run.json

  /// Adds an epoch to the tables, run.json and what is told.
  func append(_ report: EpochReport, _ history: RunHistory, between: () throws -> Void) throws {
    // The table first: a resumed run cuts rows that its checkpoint does not know of.
    try folder?.append(report)
    try between()
    try update {
      ($0.epoch, $0.step) = (report.epoch, report.step)
      $0.accuracy = history.accuracy
    }
    reporter.epoch(report)
  }

  private func update(_ change: (inout RunRecord) -> Void) throws {
    guard let folder, var changed = record else { return }
    changed.updated = .now
    change(&changed)
    record = changed
    try folder.write(changed)
  }

  /// Takes over what is known of a resumed run, whose process may have died between a checkpoint and run.json.
  ///
  /// - Parameter checkpoint: steps at the checkpoint that is there; nil for none.
  func resume(epoch: Int, step: Int, checkpoint: Int?, _ history: RunHistory) {
    record?.epoch = epoch
    record?.step = step
    if let checkpoint { record?.checkpoint = checkpoint }
    record?.accuracy = history.accuracy
  }

  /// Writes run.json with a status: running, or how the run ended.
  public func mark(_ status: RunRecord.Status, reason: String? = nil) throws {
    try update {
      $0.status = status
      $0.reason = reason
      $0.ended = status == .running ? nil : .now
    }
  }

  /// Writes run.json with how the run ended.
  public func end(_ ending: RunOutcome) throws {
    switch ending {
    case .finished: try mark(.finished)
    case .timeIsUp: try mark(.stopped, reason: "--max-time has passed")
    case .interrupted(let kind):
      let other = StopRequest.isOrphaned ? "the process that started it has ended" : "a signal"
      try mark(.stopped, reason: kind == .interrupted ? "SIGINT" : other)
    }
  }
}
