import Failures

/// What the command says, and with which code it ends, when something went wrong.
public enum ErrorText {
  /// Three lines (`error:`, `why:`, `fix:`), each in one line whatever the texts hold.
  ///
  /// - Parameter usesColor: whether `error:` is bold; nothing else is ever styled.
  public static func lines(for error: any Error, usesColor: Bool = false) -> String {
    let failure = failure(for: error)
    let title = usesColor ? "\u{1B}[1merror:\u{1B}[0m" : "error:"
    return "\(title) \(PlainText.escaped(failure.what))\n  why: \(PlainText.escaped(failure.why))\n"
      + "  fix: \(PlainText.escaped(failure.fix))\n"
  }

  /// The process's exit code.
  public static func exitCode(for error: any Error) -> Int32 { failure(for: error).kind.rawValue }

  /// The failure itself, or for any other error one that owns up to a mistake of ours.
  public static func failure(for error: any Error) -> Failure {
    if let failure = error as? Failure { return failure }
    return Failure(
      .bug, "gpunoisy did not expect this: \(error)", why: "this is a mistake in gpunoisy, not in your input.",
      fix: "please report it with the command line and the run's log.txt.")
  }
}
