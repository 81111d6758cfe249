import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Python with NumPy, safetensors and others, as the judge of what we write and as a writer of what we read.
public enum PythonOracle {
  /// The interpreter that `GPUNOISY_PYTHON` names, or `python3` on the path.
  public static var interpreter: String { FileBytes.environment("GPUNOISY_PYTHON") ?? "python3" }

  /// Why a test that needs Python is skipped; shown by `.enabled(if:_:)`.
  public static let absence = "GPUNOISY_PYTHON names no Python with the packages that this needs"

  /// Whether the interpreter is there and has this module.
  public static func has(_ module: String) -> Bool {
    (try? run("import \(module)", [])).map { $0.code == 0 } ?? false
  }

  /// Runs a script and returns its exit code and everything it printed.
  ///
  /// - Parameter arguments: the script's `sys.argv[1:]`.
  public static func run(_ script: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
    let scratch = ScratchFolder()
    let outputPath = scratch("output")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words: [UnsafeMutablePointer<CChar>?] = ([interpreter, "-c", script] + arguments).map { strdup($0) }
    words.append(nil)
    defer { words.forEach { free($0) } }
    var child: pid_t = 0
    let error = posix_spawnp(&child, interpreter, &actions, nil, words, environ)
    guard error == 0 else { return (127, "\(interpreter): \(String(cString: strerror(error)))") }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    let output = String(decoding: try FileBytes.read(outputPath), as: UTF8.self)
    return (status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F), output)
  }
}
