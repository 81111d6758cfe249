import FileFormats
import Glibc
import Testing

/// Everything in a folder: names, contents, and when each file and folder was last changed.
///
/// The file that locks a run folder does not count: it says which process took the folder last.
struct FolderState: Equatable {
  struct Entry: Equatable {
    let bytes: [UInt8]?
    let seconds: Int, nanoseconds: Int
  }

  private(set) var entries: [String: Entry] = [:]

  init(_ path: String) throws { try add(path, as: ".") }

  private mutating func add(_ path: String, as name: String) throws {
    var status = stat()
    try #require(lstat(path, &status) == 0, "\(path)")
    let isFolder = FileBytes.kind(of: path) == .folder
    entries[name] = Entry(
      bytes: isFolder ? nil : try FileBytes.read(path), seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec)
    guard isFolder else { return }
    for child in try FileBytes.names(in: path) where child != ".lock" {
      try add("\(path)/\(child)", as: "\(name)/\(child)")
    }
  }

  /// The names of what is new, gone or changed, and how.
  func differences(from other: FolderState) -> [String] {
    Set(entries.keys).union(other.entries.keys).sorted().compactMap { name in
      switch (entries[name], other.entries[name]) {
      case (nil, _): "\(name) is gone"
      case (_, nil): "\(name) is new"
      case (let mine?, let theirs?):
        mine == theirs ? nil : "\(name) " + (mine.bytes == theirs.bytes ? "was written again" : "has changed")
      }
    }
  }
}
