import FileFormats
import Glibc

/// The process that started this one as a part of its own work, as `repro` starts its runs.
enum ParentProcess {
  /// The environment variable in which such a process leaves its number.
  private static let variable = "GPUNOISY_PARENT"

  private static let expected = FileBytes.environment(variable).flatMap { pid_t($0) }

  /// Whether it has died: nobody waits for this process any more, and another one may want its run folder.
  static var isGone: Bool { expected.map { getppid() != $0 } ?? false }

  /// Makes this process the parent of those that it starts from now on.
  static func adopt() {
    // Its own parent is read first: the variable is about to name this process.
    _ = expected
    setenv(variable, "\(getpid())", 1)
  }
}
