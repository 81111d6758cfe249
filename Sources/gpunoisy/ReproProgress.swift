import FileFormats
import Glibc
import Reports
import Repro
import Training

/// Tells how a campaign goes: a bar over its runs on a terminal, a line for each elsewhere.
final class ReproProgress {
  private enum Form { case bar, lines, none }

  private let form: Form
  private let traits: TerminalTraits
  private let tasks: [Campaign.Task]
  /// Epochs of each run, and how many are done, by its folder.
  private let weights: [String: Double]
  private var done: [String: Double] = [:]
  private var finishedCount = 0, failedCount = 0
  private var remaining = RemainingTime(), secondsLeft: Double?
  private var isDrawn = false, drawnAt = ContinuousClock.now - .seconds(1)
  private let start = ContinuousClock.now

  init(console: ConsoleOptions, tasks: [Campaign.Task]) {
    traits = Terminal.error(color: console.color)
    switch (console.quiet ? ProgressChoice.none : console.progress).resolved(for: traits) {
    case .bar: form = .bar
    case .none: form = .none
    case .lines, .auto: form = .lines
    }
    self.tasks = tasks
    weights = Dictionary(uniqueKeysWithValues: tasks.map { ($0.folder, Self.epochs($0)) })
  }

  /// Says how much there is.
  func began(kept left: Int) {
    for task in tasks { done[task.folder] = Self.epochsDone(task) }
    for task in tasks where Campaign.state(of: task) == .finished {
      done[task.folder] = weights[task.folder]
      finishedCount += 1
    }
    guard form != .none else { return }
    let kept = tasks.count - left
    write("\(tasks.count) runs\(kept > 0 ? ", \(kept) of them finished before" : "")\n")
    _ = estimate()
  }

  func note(_ text: String) {
    guard form != .none else { return }
    erase()
    write(TerminalText.escaped(text) + "\n")
  }

  func finished(_ task: Campaign.Task) {
    done[task.folder] = weights[task.folder]
    finishedCount += 1
    guard form != .none else { return }
    _ = estimate()
    let accuracy = (try? RunRecord.read(folder: task.folder))?.accuracy?.last
    let result = accuracy.map { "  test \(NumberFormatting.percent($0))" } ?? ""
    note("\(finishedCount + failedCount)/\(tasks.count)  \(Self.name(task))\(result)\(form == .lines ? left : "")")
  }

  func failed(_ task: Campaign.Task, _ reason: String) {
    failedCount += 1
    note("\(finishedCount + failedCount)/\(tasks.count)  \(Self.name(task))  FAILED: \(reason)")
  }

  /// Draws the bar, a few times a second.
  func show(_ active: [Campaign.Task], left count: Int) {
    guard form == .bar, ContinuousClock.now - drawnAt >= .milliseconds(250) else { return }
    drawnAt = ContinuousClock.now
    for task in active { done[task.folder] = Self.epochsDone(task) }
    let share = estimate(), ended = finishedCount + failedCount
    let text = active.first.map { task in
      "  \(Self.name(task)), epoch \(Int(done[task.folder] ?? 0))/\(Int(weights[task.folder] ?? 0))"
        + (active.count > 1 ? " and \(active.count - 1) more" : "")
    }
    let head = "run \(ended)/\(tasks.count) ", tail = "  \(NumberFormatting.percent(share, places: 0))\(left)"
    let width = max(Terminal.width() - 1, 20), room = width - head.count - tail.count
    guard room >= 10 else { return }
    let columns = min(room, 24), rest = room - columns
    let detail = TerminalText.escaped(text ?? "")
    let line =
      head + traits.bar(share, columns: columns) + tail + (detail.count <= rest ? detail : String(detail.prefix(rest)))
    write("\r" + line + "\u{1B}[K")
    isDrawn = true
  }

  func ended() {
    erase()
  }

  // MARK: - How much is done

  private var left: String {
    secondsLeft.map { "  about \(NumberFormatting.duration(seconds: $0)) left" } ?? ""
  }

  /// The share that is done, in 0…1; updates the time that is left.
  private func estimate() -> Double {
    let whole = weights.values.reduce(0, +), now = done.values.reduce(0, +)
    let share = whole > 0 ? min(now / whole, 1) : 0
    secondsLeft = remaining.estimate(fraction: share, at: (ContinuousClock.now - start) / .seconds(1)) ?? secondsLeft
    return share
  }

  /// Epochs that all networks of a run have together.
  private static func epochs(_ task: Campaign.Task) -> Double {
    let settings = task.settings, detection = settings.detection
    guard settings.job == .detect else { return Double(settings.epochs) }
    let networks =
      (detection.detector.usesMargins ? detection.passes : 0) + (detection.detector.usesFolds ? detection.folds : 0)
      + (detection.detector.selection == nil ? 0 : 1)
    return Double(settings.epochs * networks + (detection.retrain == nil ? 0 : detection.retrainEpochs))
  }

  private static func epochsDone(_ task: Campaign.Task) -> Double {
    [task.folder, task.folder + "/retrain"].reduce(0) { sum, folder in
      guard let bytes = try? FileBytes.read(folder + "/metrics.csv") else { return sum }
      return sum + Double(max(0, bytes.count { $0 == UInt8(ascii: "\n") } - 1))
    }
  }

  private static func name(_ task: Campaign.Task) -> String { "\(task.cell.name) seed \(task.seed)" }

  private func erase() {
    if isDrawn { write("\r\u{1B}[K") }
    isDrawn = false
  }

  private func write(_ text: String) { _ = DescriptorWriting.write(text, to: STDERR_FILENO) }
}
