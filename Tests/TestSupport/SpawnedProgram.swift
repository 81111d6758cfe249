import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A program in a process of its own, off a terminal, whose standard output and standard error are kept apart.
public final class SpawnedProgram {
  /// How a program ended.
  public struct Ending: Sendable {
    /// The exit code; 128 + the signal's number if a signal ended it.
    public let code: Int32
    /// Everything on standard output.
    public let output: String
    /// Everything on standard error.
    public let errors: String
  }

  private let child: pid_t
  private let scratch = ScratchFolder()
  private var status: Int32?

  /// Starts the program, with nothing on its standard input.
  ///
  /// - Parameters:
  ///   - path: the executable's absolute path.
  ///   - folder: where it works.
  ///   - environment: variables over those of this process; nil removes one.
  public init(_ path: String, _ arguments: [String], in folder: String, environment: [String: String?] = [:]) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, scratch("output"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, scratch("errors"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    // The threads that tests run on block signals, and a child would inherit that.
    var attributes = posix_spawnattr_t(), nothing = sigset_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    sigemptyset(&nothing)
    posix_spawnattr_setsigmask(&attributes, &nothing)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var variables: [String] = []
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if environment[String(text.prefix { $0 != "=" })] == nil { variables.append(text) }
      next += 1
    }
    for case let (name, value?) in environment { variables.append("\(name)=\(value)") }
    // The shell changes the folder, and then becomes the program; there is no portable call for it.
    let shell = "/bin/sh"
    let words = Self.list([shell, "-c", "cd \"$0\" && exec \"$@\"", folder, path] + arguments)
    let values = Self.list(variables)
    defer { (words + values).forEach { free($0) } }
    var child: pid_t = 0
    let error = posix_spawn(&child, shell, &actions, &attributes, words, values)
    precondition(error == 0, "\(shell): \(String(cString: strerror(error)))")
    self.child = child
  }

  deinit {
    if status == nil {
      kill(child, SIGKILL)
      waitpid(child, nil, 0)
    }
  }

  private static func list(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] { texts.map { strdup($0) } + [nil] }

  /// Whether it has not ended yet.
  public var isRunning: Bool {
    if status == nil {
      var found: Int32 = 0
      if waitpid(child, &found, WNOHANG) == child { status = found }
    }
    return status == nil
  }

  /// What it has written to standard error so far.
  public var errorsSoFar: String {
    ((try? FileBytes.read(scratch("errors"))).map { String(decoding: $0, as: UTF8.self) }) ?? ""
  }

  /// Sends a signal, unless the program has ended.
  public func send(_ signal: Int32) {
    if isRunning { kill(child, signal) }
  }

  /// Waits until something holds, or the program has ended; false in the latter case or when time is up.
  public func wait(until holds: () -> Bool, seconds: Double = 120) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !holds() {
      guard isRunning, ContinuousClock.now < end else { return holds() }
      usleep(2000)
    }
    return true
  }

  /// Waits for the end; a program that takes longer is killed, which its code shows (137).
  public func end(within seconds: Double = 300) throws -> Ending {
    if !wait(until: { !isRunning }, seconds: seconds) { send(SIGKILL) }
    while isRunning { usleep(2000) }
    let status = status ?? 0
    return Ending(
      code: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F),
      output: String(decoding: try FileBytes.read(scratch("output")), as: UTF8.self),
      errors: String(decoding: try FileBytes.read(scratch("errors")), as: UTF8.self))
  }
}
