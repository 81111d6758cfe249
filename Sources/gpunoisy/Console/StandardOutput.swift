import Failures
import Glibc
import Reports

/// Results, which are all that goes to standard output.
enum StandardOutput {
  /// Lets writing to a closed pipe fail as an error instead of killing the process; call once at the start.
  static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Writes text; when the reader has gone (`… | head`), the process ends quietly with 0.
  ///
  /// - Throws: `Failure` of kind `inputOutput` for any other reason, such as a full disk.
  static func write(_ text: String) throws {
    guard !DescriptorWriting.write(text, to: STDOUT_FILENO) else { return }
    if errno == EPIPE { exit(0) }
    throw Failure(
      .inputOutput, "the result could not be written to standard output.", why: String(cString: strerror(errno)) + ".",
      fix: "free space where the output goes, then repeat the command.")
  }
}
