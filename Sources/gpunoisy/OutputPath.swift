import Failures
import FileFormats
import Glibc

/// A path that a command will write to, checked before any work is done.
struct OutputPath {
  let path: String
  /// The option that names it.
  let option: String

  /// A file that is to be made, or replaced.
  ///
  /// - Parameters:
  ///   - option: the option that names it, for the failure.
  ///   - replaces: whether a file that is there already may be replaced.
  /// - Throws: `.cannotCreate` if its folder is missing or not to be written to, if it is a folder itself, or if it
  ///   is there and must stay.
  init(file path: String, option: String, replaces: Bool = true) throws {
    try self.init(path, option)
    switch FileBytes.kind(of: path) {
    case .folder:
      throw Failure(
        .cannotCreate, "\(option) '\(path)' cannot be written.", why: "it is a folder.", fix: "name a file in it.")
    case .file where !replaces:
      throw Failure(
        .cannotCreate, "\(option) '\(path)' already exists.", why: "files are replaced only with --force.",
        fix: "choose another name, or add --force.")
    case .file, .missing, .other: break
    }
  }

  /// A folder that is to be made; it may be there if it is empty.
  ///
  /// - Throws: `.cannotCreate` likewise, and for a folder that is not empty unless `replaces` is set.
  init(folder path: String, option: String, replaces: Bool = false) throws {
    let path = FileBytes.withoutLastSlash(path)
    try self.init(path, option)
    switch FileBytes.kind(of: path) {
    case .missing: break
    case .folder:
      guard try replaces || FileBytes.names(in: path).isEmpty else {
        throw Failure(
          .cannotCreate, "\(option) '\(path)' is not empty.",
          why: "existing images would mix with the new ones.",
          fix: "choose a new folder, or add --force to replace an earlier conversion.")
      }
    case .file, .other:
      throw Failure(
        .cannotCreate, "\(option) '\(path)' cannot be a folder.", why: "a file with that name already exists.",
        fix: "choose another name.")
    }
  }

  /// The folder above must be there.
  private init(_ path: String, _ option: String) throws {
    (self.path, self.option) = (path, option)
    guard !path.isEmpty else {
      throw Failure(.usage, "\(option) is empty.", why: "it must be the path to write to.", fix: "add a path.")
    }
    let folder = FileBytes.folder(of: path)
    guard FileBytes.kind(of: folder) == .folder else {
      throw Failure(
        .cannotCreate, "\(option) '\(path)' cannot be written.", why: "the folder '\(folder)' does not exist.",
        fix: "create the folder, or correct the path.")
    }
    guard access(folder, W_OK | X_OK) == 0 else {
      throw Failure(
        .cannotCreate, "\(option) '\(path)' cannot be written.",
        why: "the folder '\(folder)' is not writable (\(String(cString: strerror(errno)))).",
        fix: "write to a folder that you can write to.")
    }
  }
}
