import Glibc
import Reports

/// The one place where an error becomes text on standard error and an exit code.
enum ErrorReport {
  /// Prints the error's three lines and returns the exit code that goes with it.
  static func show(_ error: any Error, color: ColorChoice = .auto) -> Int32 {
    let text = ErrorMessages.lines(for: error, usesColor: Terminal.error(color: color).usesColor)
    // With standard error closed there is nobody to tell; the code still says it.
    _ = DescriptorWriting.write(text, to: STDERR_FILENO)
    return ErrorMessages.exitCode(for: error)
  }
}
