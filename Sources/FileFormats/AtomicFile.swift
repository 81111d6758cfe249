import Failures
import Glibc

/// Writes whole files such that a reader finds the old file or the new one, never a piece, even after a power cut.
public enum AtomicFile {
  /// Replaces the file at `path` by `bytes`.
  ///
  /// The bytes go to a new file in the same folder, reach the disk, and then take the old file's name. A symbolic link is
  /// followed and stays. What is no regular file (a pipe, a terminal) is simply written to.
  ///
  /// - Parameters:
  ///   - permissions: of the new file, before the process's umask.
  ///   - followingLinks: whether a symbolic link stays, and its target is replaced; otherwise the link is replaced.
  /// - Throws: `.cannotCreate` if the folder takes no file, `.inputOutput` if writing fails; the old file is then intact.
  public static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String, permissions: UInt32 = 0o666, followingLinks: Bool = true
  ) throws(Failure) {
    do throws(SystemError) {
      switch try !followingLinks && FileBytes.isLink(path) ? Target.file(path) : Target(path) {
      case .file(let path): try replace(path, by: bytes, permissions: permissions)
      case .stream(let path): try pour(bytes, into: path)
      }
    } catch {
      throw error.failure(path: path, byteCount: bytes.count)
    }
  }

  /// Replaces the file at `path` by `bytes`; see the first form.
  public static func write(
    _ bytes: [UInt8], to path: String, permissions: UInt32 = 0o666, followingLinks: Bool = true
  ) throws(Failure) {
    try bytes.withUnsafeBufferPointer { bytes throws(Failure) in
      try write(
        UnsafeRawBufferPointer(bytes), to: path, permissions: permissions, followingLinks: followingLinks)
    }
  }

  /// Replaces the file at `path` by `text` in UTF-8; see the first form.
  public static func write(_ text: String, to path: String, permissions: UInt32 = 0o666) throws(Failure) {
    try write(Array(text.utf8), to: path, permissions: permissions)
  }

  /// Deletes the temporary files in a folder that processes have left which died while they wrote.
  ///
  /// Call it only where no other process can be writing.
  public static func removeTemporaryFiles(in folder: String) {
    for name in FileBytes.entries(in: folder) ?? [] where isTemporary(name) {
      unlink("\(folder)/\(String(decoding: name, as: UTF8.self))")
    }
  }

  /// Whether a file of this name is one that is being written, or was when its process died.
  public static func isTemporary(_ name: [UInt8]) -> Bool {
    name.starts(with: prefix.utf8) && name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  private static let prefix = ".gpunoisy-", suffix = ".tmp"

  /// What stands, or will stand, at a path.
  private enum Target {
    case file(String)
    case stream(String)

    init(_ path: String) throws(SystemError) {
      guard !path.utf8.contains(0) else { throw SystemError(.create, code: EILSEQ) }
      var status = stat()
      guard stat(path, &status) == 0 else {
        // Nothing there, or a link to nothing; whether it can be made shows when it is.
        self = .file(path)
        return
      }
      switch status.st_mode & S_IFMT {
      case S_IFREG:
        guard let real = realpath(path, nil) else { throw SystemError(.resolve) }
        self = .file(String(cString: real))
        free(real)
      case S_IFDIR: throw SystemError(.create, code: EISDIR)
      default: self = .stream(path)
      }
    }
  }

  private static func replace(
    _ path: String, by bytes: UnsafeRawBufferPointer, permissions: UInt32
  ) throws(SystemError) {
    let folder = FileBytes.folder(of: path)
    let random = UInt64.random(in: .min ... .max)
    let temporary = "\(folder)/\(prefix)\(getpid())-\(String(random, radix: 36))\(suffix)"
    let file = FileBytes.uninterrupted {
      open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, permissions)
    }
    guard file >= 0 else { throw SystemError(.create) }
    do throws(SystemError) {
      var isOpen = true
      defer { if isOpen { close(file) } }
      try writeAll(bytes, to: file)
      try synchronize(file)
      isOpen = false
      // The descriptor is gone even when close fails, as it does on a network disk that is full.
      if close(file) != 0 && errno != EINTR { throw SystemError(.write) }
      if rename(temporary, path) != 0 { throw SystemError(.rename) }
    } catch {
      unlink(temporary)
      throw error
    }
    try synchronizeFolder(folder)
  }

  private static func pour(_ bytes: UnsafeRawBufferPointer, into path: String) throws(SystemError) {
    let file = FileBytes.uninterrupted { open(path, O_WRONLY | O_CLOEXEC) }
    guard file >= 0 else { throw SystemError(.create) }
    defer { close(file) }
    try writeAll(bytes, to: file)
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw SystemError(.write, code: written == 0 ? ENOSPC : errno) }
      rest = rest.dropFirst(written)
    }
  }

  /// Waits until a file's bytes are on the disk; file systems that cannot say so are believed.
  private static func synchronize(_ file: Int32) throws(SystemError) {
    while fsync(file) != 0 {
      switch errno {
      case EINTR: continue
      case EINVAL, ENOTSUP, EROFS: return
      default: throw SystemError(.write)
      }
    }
  }

  private static func synchronizeFolder(_ folder: String) throws(SystemError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A folder may be writable and yet not readable; the new file is in it all the same.
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    try synchronize(descriptor)
  }

}

/// What the operating system refused while a file was written.
private struct SystemError: Error {
  enum Step { case resolve, create, write, rename }

  let step: Step
  let code: Int32

  init(_ step: Step, code: Int32 = errno) {
    self.step = step
    self.code = code
  }

  func failure(path: String, byteCount: Int) -> Failure {
    let what = "cannot write '\(path)'."
    switch code {
    case ENOSPC, EDQUOT:
      return Failure(
        .inputOutput, what,
        why: code == ENOSPC ? "the disk has no space for \(byteCount) bytes." : "your disk quota is used up.",
        fix: "free some space or write to another disk; the previous file is intact.")
    case ENOENT, ENOTDIR:
      return Failure(
        .cannotCreate, what, why: "its folder does not exist.", fix: "create the folder, or correct the path.")
    case EISDIR:
      return Failure(.cannotCreate, what, why: "it is a folder.", fix: "name a file in it.")
    case EACCES, EPERM, EROFS:
      return Failure(
        .cannotCreate, what, why: "its folder is not writable (\(text)).",
        fix: "write to a folder that you can write to.")
    case EILSEQ:
      return Failure(.cannotCreate, what, why: "its name contains a zero byte.", fix: "correct the path.")
    default:
      return Failure(
        step == .write ? .inputOutput : .cannotCreate, what, why: "the system says: \(text).",
        fix: "fix that, or write somewhere else.")
    }
  }

  private var text: String { String(cString: strerror(code)) }
}
