import Failures
import Glibc

/// This program once more, in a process of its own that may crash or hang.
public enum ChildProcess {
  /// How it ended.
  public enum Ending: Sendable, Equatable {
    /// By itself: the exit code and what it wrote on standard output and standard error.
    case exited(code: Int32, output: String, errors: String)
    /// By a signal, such as SIGSEGV.
    case crashed(signal: Int32)
    /// It took too long and was killed.
    case tooSlow
  }

  /// Runs an executable to its end.
  ///
  /// - Parameters:
  ///   - path: the executable; nil for this program's own.
  ///   - seconds: when it is killed.
  /// - Throws: `.configuration` if the system makes no process.
  public static func run(_ path: String? = nil, arguments: [String], within seconds: Double) throws -> Ending {
    var output: [Int32] = [0, 0], errors: [Int32] = [0, 0]
    guard open(&output) else { throw failure(errno) }
    defer { close(output[0]) }
    guard open(&errors) else {
      close(output[1])
      throw failure(errno)
    }
    defer { close(errors[0]) }
    let child: pid_t
    do {
      defer {
        close(output[1])
        close(errors[1])
      }
      child = try spawn(path, arguments, nil, output: output[1], errors: errors[1])
    }

    let end = ContinuousClock.now + .seconds(seconds)
    var texts: [[UInt8]] = [[], []], isOpen = [true, true]
    while isOpen.contains(true) {
      let left = (end - ContinuousClock.now) / .milliseconds(1)
      guard left > 0 else {
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        return .tooSlow
      }
      var polled = [
        pollfd(fd: isOpen[0] ? output[0] : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isOpen[1] ? errors[0] : -1, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&polled, 2, Int32(min(left, 1000) + 1)) > 0 else { continue }
      for index in 0..<2 where polled[index].revents != 0 {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(polled[index].fd, &bytes, bytes.count)
        if count > 0 { texts[index] += bytes.prefix(count) } else { isOpen[index] = false }
      }
    }
    var status: Int32 = 0
    while waitpid(child, &status, WNOHANG) == 0 {
      // It closed its output but lives on.
      guard ContinuousClock.now < end else {
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        return .tooSlow
      }
      usleep(1000)
    }
    if status & 0x7F != 0 { return .crashed(signal: status & 0x7F) }
    return .exited(
      code: status >> 8 & 0xFF, output: String(decoding: texts[0], as: UTF8.self),
      errors: String(decoding: texts[1], as: UTF8.self))
  }

  /// A pipe whose ends a child does not inherit.
  private static func open(_ ends: inout [Int32]) -> Bool {
    guard pipe(&ends) == 0 else { return false }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return true
  }

  static func failure(_ code: Int32) -> Failure {
    Failure(
      .configuration, "cannot start another process of this program.",
      why: "\(String(cString: strerror(code))).", fix: "end other programs, or raise the process limit (ulimit -u).")
  }
}
