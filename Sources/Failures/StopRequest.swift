import Synchronization

/// What has asked this process to stop: one request for all of it, since a signal is sent to a process.
///
/// Whoever listens for signals sets it; work that takes longer than a second looks at it. A program that sets nothing is
/// never stopped.
public enum StopRequest {
  /// How the process is to end: `.interrupted`, `.terminated` or `.stoppedEarly`; nil as long as nobody has asked.
  ///
  /// May be set within a signal handler, if it was read once before.
  public static var kind: Failure.Kind? {
    get { Failure.Kind(rawValue: requested.load(ordering: .relaxed)) }
    set { requested.store(newValue?.rawValue ?? 0, ordering: .relaxed) }
  }

  /// Ends work that was asked to stop and has nothing worth keeping.
  ///
  /// - Parameter what: what was not done, as a sentence: `the data set was not written.`
  /// - Throws: a failure of the request's kind.
  public static func check(_ what: @autoclosure () -> String) throws(Failure) {
    guard let kind else { return }
    throw Failure(kind, what(), why: "a signal asked this process to stop.", fix: "run the command again.")
  }
}

extension Failure {
  /// Whether this is the end that a signal asked for, and no mistake of anybody's.
  public var isStop: Bool { [.interrupted, .terminated, .stoppedEarly].contains(kind) }
}

/// The raw value of the kind; 0 as long as nobody has asked.
private let requested = Atomic<Int32>(0)
