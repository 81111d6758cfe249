import FileFormats

/// One line on a terminal that is drawn over and over.
///
/// `epoch  38/120 ━━━━━━━━╸━━━━━━  61%  loss 2.113  train 57.9%  test 80.4%  21 480 img/s  ETA 4m10s`: the bar and its
/// percentage are the epoch's, the time is the run's. The line never fills the terminal's last column, so that it never
/// wraps; what does not fit is left out, least important first.
public final class ProgressBar: ProgressReporter {
  private let output: any ConsoleOutput
  private let terminal: TerminalTraits
  private let width: () -> Int
  private let clock: ConsoleClock
  private var remaining = RemainingTime()
  private var last: StepProgress?
  private var testAccuracy: Double?
  private var secondsLeft: Double?
  private var drawnAt = -Double.infinity
  private var isDrawn = false
  private var column = 0

  /// A bar on a terminal that can show what `terminal` says.
  ///
  /// - Parameter width: the terminal's columns, asked before each drawing because a window can be resized.
  public init(
    to output: any ConsoleOutput, terminal: TerminalTraits, clock: ConsoleClock = .system, width: @escaping () -> Int
  ) {
    self.output = output
    self.terminal = terminal
    self.clock = clock
    self.width = width
  }

  /// Writes the facts, one in each line, their names in a column.
  public func began(_ run: RunOutline) {
    column = (run.facts.map(\.name.count).max() ?? 0) + 2
    run.facts.forEach(write)
  }

  /// Writes the estimate as the last of the facts, above the bar.
  public func estimated(_ estimate: RunEstimate) {
    erase()
    write(estimate.fact)
    if last != nil { draw() }
  }

  private func write(_ fact: RunOutline.Fact) {
    let name = fact.name + String(repeating: " ", count: max(2, column - fact.name.count))
    output.write(styled(name, "1") + TerminalText.escaped(fact.text) + "\n")
  }

  /// Draws how many images are read; away with it once all are.
  public func loaded(_ done: Int, of count: Int) { draw("reading images", done, count) }

  /// Draws of how many images features are computed; away with it once they are of all.
  public func computed(_ done: Int, of count: Int) { draw("computing features", done, count) }

  private func draw(_ what: String, _ done: Int, _ count: Int) {
    guard done < count else { return erase() }
    let numbers = "\(NumberFormatting.grouped(done))/\(NumberFormatting.grouped(count))"
    let start = "\(what)  \(numbers)", room = max(width() - 1, 0) - start.count - 1
    let filled = room >= 10 ? " " + bar(Double(done) / Double(max(count, 1)), columns: min(room, 40)) : ""
    output.write("\r\(start.prefix(max(width() - 1, 0)))\(filled)\u{1B}[K")
    isDrawn = true
  }

  /// Draws the line, unless it was drawn a moment ago.
  public func step(_ progress: StepProgress) {
    var progress = progress
    if let last, last.epoch == progress.epoch {
      progress.loss = progress.loss ?? last.loss
      progress.accuracy = progress.accuracy ?? last.accuracy
      progress.imagesPerSecond = progress.imagesPerSecond ?? last.imagesPerSecond
    }
    last = progress
    let time = clock.elapsed()
    secondsLeft = remaining.estimate(fraction: progress.fraction, at: time) ?? secondsLeft
    // Ten drawings per second are smooth enough, and cost nothing.
    guard time - drawnAt >= 0.1 || progress.step == progress.steps else { return }
    drawnAt = time
    draw()
  }

  /// Draws the line with the epoch's results.
  public func epoch(_ report: EpochReport) {
    testAccuracy = report.testAccuracy ?? testAccuracy
    let steps = last?.steps ?? 1
    let progress = StepProgress(
      epoch: report.epoch, epochs: report.epochs, step: steps, steps: steps, loss: report.trainLoss,
      accuracy: report.trainAccuracy, imagesPerSecond: report.imagesPerSecond)
    last = progress
    secondsLeft = remaining.estimate(fraction: progress.fraction, at: clock.elapsed()) ?? secondsLeft
    draw()
  }

  /// Writes the text above the bar.
  public func note(_ text: String) {
    erase()
    output.write(TerminalText.escaped(text) + "\n")
    if last != nil { draw() }
  }

  /// Leaves the last drawing and goes to the next line.
  public func ended() {
    if isDrawn { output.write("\n") }
    isDrawn = false
    last = nil
  }

  private func erase() {
    if isDrawn { output.write("\r\u{1B}[K") }
    isDrawn = false
  }

  private func draw() {
    guard let last else { return }
    output.write("\r" + line(last, width: max(width() - 1, 0)) + "\u{1B}[K")
    isDrawn = true
  }

  /// The line in at most `width` columns.
  private func line(_ progress: StepProgress, width: Int) -> String {
    let total = String(progress.epochs)
    let number = String(repeating: " ", count: max(0, total.count - String(progress.epoch).count)) + "\(progress.epoch)"
    let title = "epoch \(number)/\(total)"
    let share = progress.steps > 0 ? min(max(Double(progress.step) / Double(progress.steps), 0), 1) : 0
    let bare = NumberFormatting.percent(share, places: 0)
    let percentage = String(repeating: " ", count: 4 - bare.count) + bare
    // In the order of the line; `keep` is the order in which they are given up, last first.
    var optional: [(keep: Int, text: String)] = []
    if let loss = progress.loss { optional.append((1, "loss " + NumberFormatting.decimal(loss, places: 3))) }
    if let accuracy = progress.accuracy {
      optional.append((3, "train " + NumberFormatting.percent(accuracy, places: 1)))
    }
    if let testAccuracy { optional.append((2, "test " + NumberFormatting.percent(testAccuracy, places: 1))) }
    if let speed = progress.imagesPerSecond, speed.isFinite, speed < 1e15 {
      optional.append((4, NumberFormatting.grouped(Int(speed.rounded())) + " img/s"))
    }
    if let secondsLeft { optional.append((0, "ETA " + NumberFormatting.duration(seconds: secondsLeft))) }
    let shortestBar = 10
    func length(_ texts: [String]) -> Int { texts.reduce(0) { $0 + 2 + $1.count } }
    while !optional.isEmpty, title.count + 1 + shortestBar + length([percentage] + optional.map(\.text)) > width {
      optional.remove(at: optional.indices.max { optional[$0].keep < optional[$1].keep }!)
    }
    let rest = ([percentage] + optional.map(\.text)).reduce("") { $0 + "  " + $1 }
    let room = width - title.count - 1 - rest.count
    guard room >= shortestBar else { return String("\(title)\(rest)".prefix(width)) }
    return "\(title) \(bar(share, columns: min(room, 40)))\(rest)"
  }

  private func bar(_ share: Double, columns: Int) -> String { terminal.bar(share, columns: columns) }

  private func styled(_ text: String, _ code: String) -> String { terminal.styled(text, code) }
}

extension TerminalTraits {
  /// A bar that is filled to a share of its columns.
  public func bar(_ share: Double, columns: Int) -> String {
    guard usesUnicode else {
      let filled = Int(share * Double(columns))
      return String(repeating: "#", count: filled) + String(repeating: ".", count: columns - filled)
    }
    let halves = Int(share * Double(2 * columns))
    let full = String(repeating: "━", count: halves / 2) + (halves % 2 == 1 ? "╸" : "")
    let empty = String(repeating: usesColor ? "━" : " ", count: columns - (halves + 1) / 2)
    return styled(full, "32") + styled(empty, "2")
  }

  func styled(_ text: String, _ code: String) -> String {
    usesColor && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
