import Glibc

/// Drivers that end the process while they are loaded and asked for their devices.
///
/// A driver is a foreign library in this process. One that is damaged, or does not fit the kernel, may crash in its
/// constructor, before there is an error code that could be looked at. Nothing can be saved then, but it can be said why.
enum DriverCrash {
  /// Does `work`; where a driver crashes in it, the process ends with 69 and says what can be done, instead of the
  /// signal's name alone.
  static func explained<Result>(_ work: () -> Result) -> Result {
    let earlier = watch()
    defer {
      for (number, var old) in earlier { sigaction(number, &old, nil) }
    }
    return work()
  }

  /// Sets the handler, and returns those that were there.
  private static func watch() -> [(number: Int32, old: sigaction)] {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { end($0) }
    sigemptyset(&action.sa_mask)
    return signals.map { number in
      var old = sigaction()
      sigaction(number, &action, &old)
      return (number, old)
    }
  }

  private static let signals = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT]
}

/// The handler may hardly call anything: it writes a fixed text, and ends the process without its exit functions.
private func end(_: Int32) {
  message.withUTF8Buffer { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  _exit(69)
}

private let message: StaticString = """
  error: an OpenCL driver crashed while it was loaded.
    why: a library that a file in /etc/OpenCL/vendors (or OCL_ICD_VENDORS) names does not work on this machine.
    fix: use --device cpu, which loads none, or set OCL_ICD_VENDORS to a folder with the .icd file of one that works.

  """
