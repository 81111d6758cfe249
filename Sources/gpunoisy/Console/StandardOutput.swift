import Failures
import Glibc
import Reports

/// Results, which are all that goes to standard output.
enum StandardOutput {
  /// Lets writing to a closed pipe, or beyond a limit of a file's size, fail as an error instead of killing the process;
  /// call once at the start.
  static func ignoreFatalSignals() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Where results go: standard output, or what it was before `reserve`.
  nonisolated(unsafe) private(set) static var descriptor = STDOUT_FILENO

  /// Keeps standard output for results: what OpenCL drivers print there goes to standard error from now on.
  ///
  /// Call before a driver is loaded, on the main thread.
  static func reserve() {
    guard descriptor == STDOUT_FILENO else { return }
    let results = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
    // Without a free descriptor, or with standard output closed, all stays as it is.
    guard results >= 0 else { return }
    guard dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
      close(results)
      return
    }
    descriptor = results
  }

  /// Writes text; when the reader has gone (`… | head`), the process ends quietly with 0.
  ///
  /// - Throws: `Failure` of kind `inputOutput` for any other reason, such as a full disk.
  static func write(_ text: String) throws {
    guard !DescriptorWriting.write(text, to: descriptor) else { return }
    if errno == EPIPE { exit(0) }
    throw Failure(
      .inputOutput, "the result could not be written to standard output.", why: String(cString: strerror(errno)) + ".",
      fix: "free space where the output goes, then repeat the command.")
  }
}
