import Glibc
import Reports

/// Standard output and standard error as they are in this process.
enum Terminal {
  /// What standard output can show.
  static func output(color: ColorChoice) -> TerminalTraits { traits(of: StandardOutput.descriptor, color: color) }

  /// What standard error can show; progress and errors go there.
  static func error(color: ColorChoice) -> TerminalTraits { traits(of: STDERR_FILENO, color: color) }

  /// The columns of the terminal behind standard error; `COLUMNS` or 80 where it does not say.
  static func width() -> Int {
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return environment("COLUMNS").flatMap(Int.init).flatMap { (1...10_000).contains($0) ? $0 : nil } ?? 80
  }

  /// Who shows progress, on standard error.
  static func progressReporter(_ choice: ProgressChoice, color: ColorChoice) -> any ProgressReporter {
    let traits = error(color: color)
    let output = DescriptorOutput(STDERR_FILENO)
    switch choice.resolved(for: traits) {
    case .bar: return ProgressBar(to: output, terminal: traits, width: width)
    case .none: return ProgressReporters()
    case .lines, .auto: return ProgressLines(to: output)
    }
  }

  private static func traits(of descriptor: Int32, color: ColorChoice) -> TerminalTraits {
    TerminalTraits(isTerminal: isatty(descriptor) == 1, color: color, environment: environment)
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
