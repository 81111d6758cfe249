import Failures

/// What the command says, and with which code it ends, when something went wrong.
public enum ErrorMessages {
  /// Three lines (`error:`, `why:`, `fix:`), each in one line whatever the texts hold.
  ///
  /// - Parameter usesColor: whether `error:` is bold; nothing else is ever styled.
  public static func lines(for error: any Error, usesColor: Bool = false) -> String {
    let failure = failure(for: error)
    let title = usesColor ? "\u{1B}[1merror:\u{1B}[0m" : "error:"
    return "\(title) \(oneLine(failure.what))\n  why: \(oneLine(failure.why))\n  fix: \(oneLine(failure.fix))\n"
  }

  /// A text in one line: what its author continued in indented lines is joined, everything else is escaped.
  private static func oneLine(_ text: String) -> String {
    var joined = "", rest = Substring(text)
    while let end = rest.firstIndex(of: "\n") {
      let next = rest[rest.index(after: end)...], words = next.drop { $0 == " " }
      // Names from outside do not look like this: a continuation is indented as far as the texts behind `why:`.
      let isContinued = next.prefix(7).allSatisfy { $0 == " " } && next.count > 7
      joined += rest[..<end] + (isContinued ? " " : "\n")
      rest = isContinued ? words : next
    }
    return TerminalText.escaped(joined + rest)
  }

  /// The process's exit code.
  public static func exitCode(for error: any Error) -> Int32 { failure(for: error).kind.rawValue }

  /// The failure itself, or for any other error one that owns up to a mistake of ours.
  public static func failure(for error: any Error) -> Failure {
    if let failure = error as? Failure { return failure }
    return Failure(
      .bug, "an unexpected error occurred: \(error)", why: "this is a bug in gpunoisy, not in your input.",
      fix: "please report it with the command line and the run's log.txt.")
  }
}
