import Failures
import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Keeps a second process out of a run folder for as long as this object lives (or this process does).
///
/// The lock is the kernel's (`flock`), so that a crash leaves none behind; the file's text only says whose it is.
public final class FolderLock {
  static let name = ".lock"
  private let descriptor: Int32

  /// Takes the lock of a folder.
  ///
  /// - Parameter seconds: how long to wait for another process to give it up.
  /// - Throws: `Failure` of kind `cannotCreate` that names the process and the machine that hold it.
  public init(folder: String, waiting seconds: Double = 0) throws {
    let path = folder + "/" + Self.name
    descriptor = FileBytes.uninterrupted { open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw SystemFailure.cannotCreate(path) }
    let end = ContinuousClock.now + .seconds(seconds)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      guard ContinuousClock.now >= end else {
        usleep(20_000)
        continue
      }
      let holder = String(decoding: (try? FileBytes.read(path, first: 300)) ?? [], as: UTF8.self)
      close(descriptor)
      throw Failure(
        .cannotCreate, "the run folder '\(folder)' is in use.",
        why: holder.isEmpty ? "another process has locked it." : "\(holder.prefix { $0 != "\n" }) has locked it.",
        fix: "wait until that process has ended, or choose another --out FOLDER.")
    }
    // Some file systems of clusters know no locks at all; a run there is better than none.
    let text = "pid \(ThisProcess.identifier) on \(ThisProcess.host)\n"
    _ = ftruncate(descriptor, 0)
    _ = text.withCString { write(descriptor, $0, strlen($0)) }
  }

  deinit {
    // A child process that was just forked may still hold a copy of the descriptor.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}

/// Where this process runs.
enum ThisProcess {
  static var identifier: Int { Int(getpid()) }

  /// The name of this machine.
  static var host: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// What the system said last (`errno`), as a failure that names the path.
enum SystemFailure {
  static func cannotCreate(_ path: String) -> Failure {
    Failure(
      .cannotCreate, "'\(path)' cannot be created.", why: String(cString: strerror(errno)) + ".",
      fix: "choose a folder that you can write to.")
  }

  static func cannotWrite(_ path: String) -> Failure {
    Failure(
      .inputOutput, "'\(path)' could not be written.", why: String(cString: strerror(errno)) + ".",
      fix: "free space on that disk, or write somewhere else; then resume the run.")
  }
}
