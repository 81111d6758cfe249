import Failures
import Glibc

extension ChildProcess {
  /// Starts this program once more, and goes on without waiting for it.
  ///
  /// It is in a process group of its own, so that Ctrl-C at the terminal reaches this process alone, which decides what
  /// becomes of its children.
  ///
  /// - Parameters:
  ///   - arguments: behind the program's name.
  ///   - path: the file that takes what it writes on standard output and standard error.
  /// - Returns: its number.
  /// - Throws: `.configuration` if the system makes no process; `.cannotCreate` for a file that cannot be written.
  public static func start(_ arguments: [String], output path: String) throws -> pid_t {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else {
      throw Failure(
        .cannotCreate, "'\(path)' cannot be created.", why: "\(String(cString: strerror(errno))).",
        fix: "choose a folder that you can write to.")
    }
    defer { close(file) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    return try spawn(nil, arguments, &attributes, output: file, errors: file)
  }

  /// Makes a process without standard input.
  static func spawn(
    _ path: String?, _ arguments: [String], _ attributes: UnsafePointer<posix_spawnattr_t>?, output: Int32,
    errors: Int32
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, errors, 2)
    let words = ([CommandLine.arguments.first ?? "gpunoisy"] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var child: pid_t = 0
    let problem = posix_spawn(&child, path ?? "/proc/self/exe", &actions, attributes, words, environ)
    guard problem == 0 else { throw failure(problem) }
    return child
  }

  /// How a process that `start` made has ended; nil while it is under way.
  public static func ending(of child: pid_t) -> ChildEnding? {
    var status: Int32 = 0
    let result = waitpid(child, &status, WNOHANG)
    guard result != 0 else { return nil }
    guard result == child else { return .exited(Failure.Kind.bug.rawValue) }
    return status & 0x7F != 0 ? .crashed(signal: status & 0x7F) : .exited(status >> 8 & 0xFF)
  }

  /// How a process ended.
  public enum ChildEnding: Sendable, Equatable {
    /// By itself, with this code.
    case exited(Int32)
    /// By a signal.
    case crashed(signal: Int32)
  }
}
