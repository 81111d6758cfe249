import Failures
import FileFormats
import Glibc

/// The folder beside its place in which an output is made; it takes the place when it is whole.
///
/// `photos.gpunoisy-4711.tmp` is what process 4711 is writing for `photos`, `photos.gpunoisy-4711.old` what was there.
struct TemporaryFolder {
  private let place: String
  /// Where the output is made.
  let path: String
  private let old: String

  /// Deletes what earlier processes left beside the place when they died; nothing is made yet.
  ///
  /// - Parameter place: a path without a slash at its end.
  init(for place: String) {
    self.place = place
    let start = "\(place)\(Self.mark)\(getpid())"
    (path, old) = (start + ".tmp", start + ".old")
    Self.clearUp(beside: place)
  }

  private static let mark = ".gpunoisy-"

  /// Moves the folder to its place; one that is there makes room first, and is deleted at the end.
  ///
  /// A process that dies in between leaves the old folder whole: the next one for this place puts it back.
  ///
  /// - Throws: `.cannotCreate`; the old folder is then where it was.
  func finish() throws {
    let replaces = FileBytes.kind(of: place) == .folder
    guard !replaces || rename(place, old) == 0 else { throw cannotCreate(errno) }
    guard rename(path, place) == 0 else {
      let code = errno
      if replaces { rename(old, place) }
      throw cannotCreate(code)
    }
    if replaces { Self.delete(old) }
  }

  /// Deletes the folder, as far as it was made.
  func delete() { Self.delete(path) }

  private func cannotCreate(_ code: Int32) -> Failure {
    Failure(
      .cannotCreate, "'\(place)' cannot be created.", why: String(cString: strerror(code)) + ".",
      fix: "choose another name.")
  }

  /// Puts an old folder back whose place is empty, and deletes the rest that processes have left which are gone.
  private static func clearUp(beside place: String) {
    let folder = FileBytes.folder(of: place), name = FileBytes.parts(of: place).last ?? place
    let left = (FileBytes.entries(in: folder) ?? []).filter { isAbandoned($0, of: name) }
      .map { "\(folder)/\(String(decoding: $0, as: UTF8.self))" }
      .filter { !FileBytes.isLink($0) && FileBytes.kind(of: $0) == .folder }
    for path in left {
      if path.hasSuffix(".old"), FileBytes.kind(of: place) == .missing, rename(path, place) == 0 { continue }
      delete(path)
    }
  }

  /// Whether a name is that of a folder for this output, and its process is gone.
  private static func isAbandoned(_ entry: [UInt8], of name: String) -> Bool {
    let start = Array((name + mark).utf8), endings = [".tmp", ".old"].map { Array($0.utf8) }
    guard entry.starts(with: start), let ending = endings.first(where: { entry.suffix($0.count).elementsEqual($0) }),
      case let digits = entry.dropFirst(start.count).dropLast(ending.count),
      let process = Int32(String(decoding: digits, as: UTF8.self)), process > 0
    else { return false }
    // A number like this process's own is that of an earlier one: nothing was made yet.
    return process == getpid() || kill(process, 0) != 0 && errno == ESRCH
  }

  /// Deletes a folder and what is in it; of links, only the links.
  private static func delete(_ path: String) {
    for entry in FileBytes.entries(in: path) ?? [] {
      let inner = "\(path)/\(String(decoding: entry, as: UTF8.self))"
      if !FileBytes.isLink(inner), FileBytes.kind(of: inner) == .folder { delete(inner) } else { unlink(inner) }
    }
    rmdir(path)
  }
}
