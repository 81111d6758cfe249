import FileFormats

/// Plain lines for files, pipes and log.txt: one for each epoch, and now and then a sign of life.
///
/// `2026-11-21T00:31:09Z epoch=1/120 step=391 lr=0.1 loss=2.7130 train_acc=0.3312 … eta_s=281`: no escape sequences, no
/// carriage returns, the same names in the same order every time. Signs of life come at most once a minute and about
/// forty times in a run, so that the log of 120 epochs stays below 200 lines however slow they are.
public final class ProgressLines: ProgressReporter {
  private let output: any ConsoleOutput
  private let clock: ConsoleClock
  private var remaining = RemainingTime()
  private var secondsLeft: Double?
  private var beganAt: Double?
  private var spokeAt = 0.0
  private var loadingSince: Double?
  private var last: StepProgress?

  /// Lines to an output, stamped with the clock's time of day.
  public init(to output: any ConsoleOutput, clock: ConsoleClock = .system) {
    self.output = output
    self.clock = clock
  }

  /// Writes one line `name=text` for each fact.
  public func began(_ run: RunOutline) {
    run.facts.forEach(say)
  }

  /// Writes the estimate as one more fact.
  public func estimated(_ estimate: RunEstimate) { say(estimate.fact) }

  /// Writes how many images are read, at most once a minute.
  public func loaded(_ done: Int, of count: Int) { self.count(done, count, as: "images") }

  /// Writes of how many images features are computed, at most once a minute.
  public func computed(_ done: Int, of count: Int) { self.count(done, count, as: "features") }

  private func count(_ done: Int, _ count: Int, as name: String) {
    let time = clock.elapsed()
    if loadingSince == nil { loadingSince = time }
    guard done < count, time - max(spokeAt, loadingSince ?? time) >= 60 else { return }
    say("\(name)=\(done)/\(count)")
  }

  /// Writes a sign of life if it is time for one.
  public func step(_ progress: StepProgress) {
    var progress = progress
    if let last, last.epoch == progress.epoch {
      progress.loss = progress.loss ?? last.loss
      progress.accuracy = progress.accuracy ?? last.accuracy
      progress.imagesPerSecond = progress.imagesPerSecond ?? last.imagesPerSecond
    }
    last = progress
    let time = clock.elapsed()
    if beganAt == nil {
      beganAt = time
      spokeAt = max(spokeAt, time)
    }
    secondsLeft = remaining.estimate(fraction: progress.fraction, at: time) ?? secondsLeft
    let whole = (time - beganAt!) + (secondsLeft ?? 0)
    guard time - spokeAt >= max(60, whole / 40) else { return }
    var parts = ["epoch=\(progress.epoch)/\(progress.epochs)", "step=\(progress.step)/\(progress.steps)"]
    if let loss = progress.loss { parts.append("loss=\(NumberFormatting.decimal(loss, places: 4))") }
    if let accuracy = progress.accuracy { parts.append("train_acc=\(NumberFormatting.decimal(accuracy, places: 4))") }
    if let speed = progress.imagesPerSecond { parts.append("img_s=\(NumberFormatting.decimal(speed, places: 0))") }
    say((parts + timeLeft).joined(separator: " "))
  }

  /// Writes the epoch's line.
  public func epoch(_ report: EpochReport) {
    let time = clock.elapsed()
    if beganAt == nil { beganAt = time }
    let fraction = report.epochs > 0 ? Double(report.epoch) / Double(report.epochs) : 1
    secondsLeft = remaining.estimate(fraction: fraction, at: time) ?? secondsLeft
    var parts = [
      "epoch=\(report.epoch)/\(report.epochs)", "step=\(report.step)",
      // As the device has it: a rate that was multiplied by 0.1 has seventeen digits in double precision.
      "lr=\(NumberFormatting.shortest(Float(report.learningRate)))",
      "loss=\(NumberFormatting.decimal(report.trainLoss, places: 4))",
      "train_acc=\(NumberFormatting.decimal(report.trainAccuracy, places: 4))",
    ]
    func add(_ name: String, _ value: Double?) {
      if let value { parts.append("\(name)=\(NumberFormatting.decimal(value, places: 4))") }
    }
    add("test_loss", report.testLoss)
    add("test_acc", report.testAccuracy)
    add("clean_acc", report.cleanAccuracy)
    add("noisy_acc", report.wrongAccuracy)
    parts.append("seconds=\(NumberFormatting.decimal(report.seconds, places: 1))")
    parts.append("img_s=\(NumberFormatting.decimal(report.imagesPerSecond, places: 0))")
    say((parts + timeLeft).joined(separator: " "))
  }

  /// Writes the text as a line of its own.
  public func note(_ text: String) { say(TerminalText.escaped(text)) }

  /// Does nothing: every line is already written.
  public func ended() {}

  private var timeLeft: [String] {
    secondsLeft.map { ["eta_s=\(NumberFormatting.decimal($0, places: 0))"] } ?? []
  }

  private func say(_ fact: RunOutline.Fact) { say("\(fact.name)=\(Self.value(fact.text))") }

  private func say(_ text: String) {
    spokeAt = clock.elapsed()
    output.write("\(clock.now().text) \(text)\n")
  }

  /// A text as a value: in quotes if it is more than one word.
  private static func value(_ text: String) -> String {
    let plain = TerminalText.escaped(text)
    return plain.isEmpty || plain.contains { $0 == " " || $0 == "\"" || $0 == "=" } ? JSONText.quoted(plain) : plain
  }
}
