import Failures
import FileFormats
import Glibc

/// The process that started this one as a part of its own work, as `repro` starts its runs.
enum ParentProcess {
  /// The environment variable in which such a process leaves its number.
  private static let variable = "GPUNOISY_PARENT"

  /// Ends this process with the one that started it; call once at the start.
  static func follow() { StopRequest.parent = FileBytes.environment(variable).flatMap { pid_t($0) } }

  /// Makes this process the parent of those that it starts from now on.
  static func adopt() { setenv(variable, "\(getpid())", 1) }
}
