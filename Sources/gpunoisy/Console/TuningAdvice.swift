import Reports

/// Says of a long run on a device without choices of launches that there may be faster ones.
final class TuningAdvice: ProgressReporter {
  /// Shorter runs are over before a search has paid, in seconds.
  private static let minimumSeconds = 1800.0
  private let console: any ProgressReporter

  init(to console: any ProgressReporter) { self.console = console }

  func estimated(_ estimate: RunEstimate) {
    if estimate.seconds >= Self.minimumSeconds { console.note(TuningSource.advice) }
  }

  func began(_ run: RunOutline) {}
  func step(_ progress: StepProgress) {}
  func epoch(_ report: EpochReport) {}
  func note(_ text: String) {}
  func ended() {}
}
