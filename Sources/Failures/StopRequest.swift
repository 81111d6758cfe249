import Glibc
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
    get {
      Failure.Kind(rawValue: requested.load(ordering: .relaxed))
        ?? (isOrphaned ? .terminated : isTimeUp ? .stoppedEarly : nil)
    }
    set { requested.store(newValue?.rawValue ?? 0, ordering: .relaxed) }
  }

  /// The process that started this one as a part of its own work, whose end is to stop this one; nil for none.
  public static var parent: Int32? {
    get {
      let number = parentNumber.load(ordering: .relaxed)
      return number == 0 ? nil : number
    }
    set { parentNumber.store(newValue ?? 0, ordering: .relaxed) }
  }

  /// Whether `parent` has ended: nobody waits for this process any more, and another one may want its run folder.
  public static var isOrphaned: Bool { parent.map { getppid() != $0 } ?? false }

  /// When the process is to stop by itself; nil for never.
  public static var deadline: ContinuousClock.Instant? {
    get {
      let nanoseconds = limit.load(ordering: .relaxed)
      return nanoseconds == .max ? nil : reference + .nanoseconds(nanoseconds)
    }
    set {
      // A century is as good as never, and fits.
      let seconds = newValue.map { min(($0 - reference) / .seconds(1), 3e9) }
      limit.store(seconds.map { Int($0 * 1e9) } ?? .max, ordering: .relaxed)
    }
  }

  /// Whether it is the deadline that asks, and nobody else.
  public static var isTimeUp: Bool {
    guard requested.load(ordering: .relaxed) == 0, !isOrphaned, let deadline else { return false }
    return ContinuousClock.now >= deadline
  }

  /// Ends work that was asked to stop and has nothing worth keeping.
  ///
  /// - Parameter what: what was not done, as a sentence: `the data set was not written.`
  /// - Throws: a failure of the request's kind.
  public static func check(_ what: @autoclosure () -> String) throws(Failure) {
    guard let kind else { return }
    throw Failure(
      kind, what(),
      why: isTimeUp
        ? "--max-time has passed."
        : isOrphaned ? "the process that started this one has ended." : "a signal asked this process to stop.",
      fix: "run the command again.")
  }
}

extension Failure {
  /// Whether this is the end that a signal asked for, and no mistake of anybody's.
  public var isStop: Bool { [.interrupted, .terminated, .stoppedEarly].contains(kind) }
}

/// The raw value of the kind; 0 as long as nobody has asked.
private let requested = Atomic<Int32>(0)
/// The number of the parent; 0 for none.
private let parentNumber = Atomic<Int32>(0)
/// The deadline in nanoseconds after `reference`; the largest number for none.
private let limit = Atomic<Int>(.max)
private let reference = ContinuousClock.now
