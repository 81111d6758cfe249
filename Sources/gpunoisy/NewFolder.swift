import Failures
import FileFormats
import Glibc

/// A folder that appears whole or not at all: it is filled under another name beside its place, and then moved there.
///
/// What is not finished is deleted when this object goes.
final class NewFolder {
  private let path: String
  private let temporary: TemporaryFolder
  private var known: Set<String> = []
  private var isFinished = false

  /// - Parameter option: the option that names the folder, for the failure.
  /// - Throws: `.cannotCreate` if anything is at the path, or the folder above is missing or not to be written to.
  init(_ path: String, option: String) throws {
    temporary = TemporaryFolder(for: FileBytes.withoutLastSlash(path))
    guard FileBytes.kind(of: path) == .missing else {
      throw Failure(
        .cannotCreate, "\(option) '\(path)' already exists.", why: "existing folders are never changed.",
        fix: "choose a new folder.")
    }
    self.path = try OutputPath(folder: path, option: option).path
  }

  deinit {
    // Where nothing was made, nothing is this object's own.
    if !isFinished, !known.isEmpty { temporary.delete() }
  }

  /// Whether a file of this name has been made.
  func holds(_ name: String) -> Bool { known.contains(name) }

  /// Makes a folder and those above it, up to this one.
  func makeFolder(_ name: String) throws {
    guard !known.contains(name + "/") else { return }
    if let slash = name.lastIndex(of: "/") {
      try makeFolder(String(name[..<slash]))
    } else if !name.isEmpty {
      try makeFolder("")
    }
    let full = name.isEmpty ? temporary.path : "\(temporary.path)/\(name)"
    guard mkdir(full, 0o777) == 0 else { throw cannotCreate(full) }
    known.insert(name + "/")
  }

  /// Writes a file.
  func write(_ bytes: [UInt8], to name: String) throws { try FileBytes.write(bytes, to: prepared(name)) }

  /// A second name (a hard link) for a file, or a copy where the file systems allow no link.
  ///
  /// A symbolic link is followed first, so that the new name does not depend on it.
  ///
  /// - Returns: whether it is a link.
  func add(_ source: String, as name: String, copying: Bool) throws -> Bool {
    let target = try prepared(name)
    if !copying, let real = FileBytes.resolved(source), link(real, target) == 0 { return true }
    try FileBytes.write(FileBytes.read(source), to: target)
    return false
  }

  /// Moves the folder to its place.
  func finish() throws {
    guard FileBytes.kind(of: path) == .missing || rmdir(path) == 0 else { throw cannotCreate(path) }
    try temporary.finish()
    isFinished = true
  }

  private func prepared(_ name: String) throws -> String {
    try makeFolder(name.lastIndex(of: "/").map { String(name[..<$0]) } ?? "")
    let full = "\(temporary.path)/\(name)"
    known.insert(name)
    return full
  }

  private func cannotCreate(_ full: String) -> Failure {
    Failure(
      .cannotCreate, "'\(full)' cannot be created.", why: String(cString: strerror(errno)) + ".",
      fix: "choose another --to.")
  }
}
