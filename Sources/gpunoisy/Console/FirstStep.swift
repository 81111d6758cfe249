import Failures
import Reports

/// Notices that the first step of this process is done: from here on a stopped run has something to save.
///
/// `--max-time` counts from the start of the command and is heeded from here on, so that a run that is resumed again and
/// again comes further each time.
final class FirstStep: ProgressReporter {
  private let deadline: ContinuousClock.Instant?

  init(deadline: ContinuousClock.Instant?) { self.deadline = deadline }

  private func keepWork() {
    Signals.keepWork()
    if let deadline { StopRequest.deadline = deadline }
  }

  func began(_ run: RunOutline) {}
  func step(_ progress: StepProgress) { keepWork() }
  func epoch(_ report: EpochReport) { keepWork() }
  func note(_ text: String) {}
  func ended() {}
}
