/// A failure that a user can act on: what happened, why, and how to mend it.
///
/// Everything that can go wrong because of the outside world (files, options, devices, memory) is thrown as a
/// `Failure`; mistakes of the programmer are preconditions. The command prints the three sentences as three lines and
/// exits with `kind`'s code.
public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The families of failure; each has one exit code, which scripts rely on.
  public enum Kind: Int32, Sendable, CaseIterable {
    /// A mistake of ours.
    case bug = 1
    /// A check that the user asked for did not pass.
    case checkFailed = 10
    /// An unknown name or a value out of range on the command line.
    case usage = 64
    /// Input data or a checkpoint that is damaged or does not fit.
    case badInput = 65
    /// A path that does not exist.
    case missingInput = 66
    /// A device that is absent, broken or gives wrong answers.
    case deviceUnavailable = 69
    /// Not-a-number or infinity in the computation.
    case numerical = 70
    /// Host or device memory is exhausted.
    case outOfMemory = 71
    /// An output that cannot be created.
    case cannotCreate = 73
    /// Reading or writing failed half-way.
    case inputOutput = 74
    /// Stopped early on request; resume to go on.
    case stoppedEarly = 75
    /// Settings that contradict each other or the run that is resumed.
    case configuration = 78
    /// Interrupted by Ctrl-C.
    case interrupted = 130
    /// Terminated by a signal.
    case terminated = 143
  }

  /// The family, and so the exit code.
  public var kind: Kind
  /// One sentence: what is wrong, with the names and numbers at hand.
  public var what: String
  /// One sentence: the reason, as far as it is known.
  public var why: String
  /// One sentence: what to do next.
  public var fix: String

  /// A failure of a family, told in three sentences.
  public init(_ kind: Kind, _ what: String, why: String, fix: String) {
    self.kind = kind
    self.what = what
    self.why = why
    self.fix = fix
  }

  /// The three lines as the command prints them.
  public var description: String { "error: \(what)\n  why: \(why)\n  fix: \(fix)" }
}

extension String {
  /// The text with its middle left out where it is longer than an error should be.
  public func shortened(to limit: Int = 80) -> String {
    utf8.count <= limit || count <= limit
      ? self : String(prefix(limit / 2)) + "…" + String(suffix(limit - limit / 2 - 1))
  }
}
