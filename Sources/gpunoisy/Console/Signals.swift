import Failures
import Glibc
import Synchronization

/// Requests to stop, from Ctrl-C, the system or a scheduler.
///
/// A first signal sets a flag, which every loop that takes longer than a second looks at; Ctrl-C after that ends the
/// process at once.
enum Signals {
  /// Starts to listen for SIGINT, SIGTERM and SIGUSR1; call once at the start.
  static func listen() {
    // The handler may only touch what is already initialised.
    received.store(0, ordering: .sequentiallyConsistent)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      let previous = received.exchange(number, ordering: .sequentiallyConsistent)
      if number == SIGINT, previous == SIGINT || previous == SIGTERM { _exit(128 + SIGINT) }
    }
    sigemptyset(&action.sa_mask)
    // Reads and writes under way go on; the flag is looked at between steps.
    action.sa_flags = SA_RESTART
    for number in [SIGINT, SIGTERM, SIGUSR1] { sigaction(number, &action, nil) }
  }

  /// How the process is to end if a signal has come: `interrupted`, `terminated`, or `stoppedEarly` for SIGUSR1.
  static var request: Failure.Kind? {
    switch received.load(ordering: .relaxed) {
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    case SIGUSR1: .stoppedEarly
    default: ParentProcess.isGone ? .terminated : nil
    }
  }
}

/// The number of the last signal; 0 before the first.
private let received = Atomic<Int32>(0)
