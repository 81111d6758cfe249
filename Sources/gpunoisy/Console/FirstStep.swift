import Reports

/// Notices that the first step of this process is done: from here on a stopped run has something to save.
final class FirstStep: ProgressReporter {
  func began(_ run: RunOutline) {}
  func step(_ progress: StepProgress) { Signals.keepWork() }
  func epoch(_ report: EpochReport) { Signals.keepWork() }
  func note(_ text: String) {}
  func ended() {}
}
