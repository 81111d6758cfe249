import ArgumentParser
import Detection
import Failures
import Reports
import Training

/// What a run came to.
struct JobOutcome {
  /// A run within a run.
  final class Inner {
    let outcome: JobOutcome
    init(outcome: JobOutcome) { self.outcome = outcome }
  }

  var ending: RunOutcome
  let folder: String
  let history: RunHistory
  /// What a detection found.
  var detection: FinishedDetection?
  /// The training on what a detection left.
  var retrained: Inner?
  /// How well a method's suspicion fits, where the true labels are known.
  var suspicion: DetectionScore?

  /// Why there was no training on what a detection left, although it was asked for.
  var refusal: Failure?

  /// Why the whole of it ended.
  var wholeEnding: RunOutcome { ending == .finished ? retrained?.outcome.ending ?? .finished : ending }

  /// Ends the process with the exit code of a run that was stopped.
  func requireEnd() throws {
    switch wholeEnding {
    case .finished: break
    case .timeIsUp: throw ExitCode(Failure.Kind.stoppedEarly.rawValue)
    case .interrupted(let kind): throw ExitCode(kind.rawValue)
    }
  }
}
