import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whole files and folders, with failures that name the path.
public enum FileBytes {
  /// What a path leads to (links are followed).
  public enum Kind: Sendable, Equatable {
    case missing
    case file
    case folder
    /// A device, pipe or socket.
    case other
  }

  /// What is at `path`; a path that cannot be looked at counts as missing.
  public static func kind(of path: String) -> Kind {
    var information = stat()
    guard !path.utf8.contains(0), stat(path, &information) == 0 else { return .missing }
    switch information.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .folder
    default: return .other
    }
  }

  /// Whether the path itself is a symbolic link.
  public static func isLink(_ path: String) -> Bool {
    var information = stat()
    return !path.utf8.contains(0) && lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
  }

  /// The bytes of a plain file, or its first `limit` bytes.
  ///
  /// - Parameter pipes: whether a pipe, such as `/dev/stdin`, is read to its end, too.
  /// - Throws: `.missingInput` when there is nothing; `.badInput` for a folder or device; `.outOfMemory` when the file
  ///   would take more than half of what this process may have; `.inputOutput` when reading fails.
  public static func read(_ path: String, first limit: Int = .max, pipes: Bool = false) throws -> [UInt8] {
    guard !path.utf8.contains(0) else {
      throw Failure(
        .badInput, "a path contains a zero byte.", why: "no file can have such a name.", fix: "correct the path.")
    }
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let descriptor = uninterrupted { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard descriptor >= 0 else { throw cannotOpen(path, errno) }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw cannotRead(path, errno) }
    if pipes, information.st_mode & S_IFMT == S_IFIFO { return try readPipe(descriptor, path, first: limit) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw Failure(
        .badInput, "'\(path)' is not a regular file.", why: "it is a folder, a device or a pipe.",
        fix: "give the path of a file.")
    }
    let size = min(Int(information.st_size), limit)
    // For a moment there are the bytes and what they stand for. Finding out the limits takes longer than reading a photo.
    if size > 1 << 26 {
      try MemoryLimit.require(
        size > Int.max / 2 ? Int.max : 2 * size, for: "'\(path)'", fix: "use a smaller file or a larger machine.")
    }
    var failed: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let step = readBytes(descriptor, buffer.baseAddress! + count, min(size - count, 1 << 30))
        if step < 0 && errno == EINTR { continue }
        if step < 0 { failed = errno }
        if step <= 0 { break }
        count += step
      }
    }
    if failed != 0 { throw cannotRead(path, failed) }
    if limit >= size, size < 1024, bytes.starts(with: lfsPointer) {
      throw Failure(
        .badInput, "'\(path)' is a Git LFS pointer, not the file itself.",
        why: "the repository was cloned without the files that Git LFS keeps.", fix: "run 'git lfs pull' there.")
    }
    return bytes
  }

  /// A text of the system's own, as under `/proc`, whose size is not known beforehand: its first 64 KiB; nil where it
  /// cannot be read.
  public static func systemText(_ path: String) -> String? {
    let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = try? readStream(descriptor, path, first: 1 << 16)
    return bytes.flatMap { $0.isEmpty ? nil : String(decoding: $0, as: UTF8.self) }
  }

  /// What comes through a pipe until its other end is closed.
  private static func readPipe(_ descriptor: Int32, _ path: String, first limit: Int) throws -> [UInt8] {
    _ = fcntl(descriptor, F_SETFL, 0)
    return try readStream(descriptor, path, first: limit)
  }

  /// What can be read up to the end; one call may give less.
  private static func readStream(_ descriptor: Int32, _ path: String, first limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < limit {
      let step = readBytes(descriptor, &chunk, min(chunk.count, limit - bytes.count))
      if step < 0 && errno == EINTR { continue }
      if step < 0 { throw cannotRead(path, errno) }
      if step == 0 { break }
      bytes += chunk[..<step]
    }
    return bytes
  }

  /// How the text begins that stands in place of a file which Git LFS keeps.
  private static let lfsPointer = Array("version https://git-lfs.github.com/spec/".utf8)

  /// Writes a new file, or replaces the contents of an existing one (not atomically).
  ///
  /// - Throws: `.cannotCreate` when the file cannot be opened; `.inputOutput` when writing fails.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = uninterrupted { open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw cannotCreate(path, errno) }
    var failed: Int32 = 0
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let step = writeBytes(descriptor, buffer.baseAddress! + done, min(buffer.count - done, 1 << 30))
        if step < 0 && errno == EINTR { continue }
        if step <= 0 {
          failed = step < 0 ? errno : EIO
          break
        }
        done += step
      }
    }
    if close(descriptor) != 0 && failed == 0 { failed = errno }
    guard failed == 0 else {
      throw Failure(
        .inputOutput, "'\(path)' could not be written.", why: message(failed) + ".",
        fix: "free space on that disk or write somewhere else.")
    }
  }

  /// Makes a folder and those above it; folders that exist stay as they are.
  ///
  /// - Throws: `.cannotCreate`.
  public static func makeFolder(_ path: String) throws {
    switch kind(of: path) {
    case .folder: return
    case .file, .other:
      throw Failure(
        .cannotCreate, "the folder '\(path)' cannot be created.", why: "a file with that name already exists.",
        fix: "choose another name.")
    case .missing: break
    }
    let above = folder(of: path)
    if above != ".", above != "/" { try makeFolder(above) }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw cannotCreate(path, errno) }
  }

  /// Makes a call to the system again for as long as a signal interrupts it (`EINTR`), as network disks let it happen.
  public static func uninterrupted(_ call: () -> Int32) -> Int32 {
    while true {
      let result = call()
      if result != -1 || errno != EINTR { return result }
    }
  }

  /// The value of an environment variable; nil when unset or empty.
  public static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  /// The memory of this machine in bytes.
  public static let physicalMemory: Int = {
    let pages = sysconf(Int32(_SC_PHYS_PAGES)), size = sysconf(Int32(_SC_PAGESIZE))
    return pages > 0 && size > 0 ? pages * size : 1 << 34
  }()

  private static func message(_ code: Int32) -> String { String(cString: strerror(code)) }

  static func cannotOpen(_ path: String, _ code: Int32) -> Failure {
    code == ENOENT || code == ENOTDIR
      ? Failure(
        .missingInput, "'\(path)' does not exist.", why: message(code) + ".", fix: "check the spelling of the path.")
      : Failure(.inputOutput, "'\(path)' cannot be opened.", why: message(code) + ".", fix: "check its permissions.")
  }

  static func cannotRead(_ path: String, _ code: Int32) -> Failure {
    Failure(
      .inputOutput, "'\(path)' could not be read.", why: message(code) + ".", fix: "check the disk and try again.")
  }

  private static func cannotCreate(_ path: String, _ code: Int32) -> Failure {
    Failure(
      .cannotCreate, "'\(path)' cannot be created.", why: message(code) + ".",
      fix: "choose an existing folder that you can write to.")
  }
}

// Inside the type, `read` and `write` mean its own functions; these name the C library's.
private func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

private func writeBytes(_ descriptor: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, buffer, count)
}
