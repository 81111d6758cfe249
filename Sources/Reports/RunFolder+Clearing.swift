import Failures
import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How `--force` deletes an earlier run.
extension RunFolder {
  /// The folder in which a detection trains on what is left: a run within a run.
  public static let retrainName = "retrain"

  /// The mark that a folder has while its earlier run is deleted, until the new one has its run.json.
  ///
  /// A process that dies meanwhile leaves files that are no run: by the mark they are known as such.
  static let clearingName = ".gpunoisy-clearing"

  /// Whether a folder has the mark.
  static func holdsMark(_ path: String) -> Bool { FileBytes.kind(of: path + "/" + clearingName) == .file }

  /// Whether the earlier run was being deleted when a process died: its config.toml goes first.
  static func isBeingCleared(_ path: String) -> Bool {
    holdsMark(path) && FileBytes.kind(of: path + "/config.toml") == .missing
  }

  /// Takes the mark away: the folder holds a run.
  func removeMark() {
    unlink(file(Self.clearingName))
    isMarked = false
  }

  /// Deletes the files of the earlier run, and of the training that belongs to it; leaves the mark.
  func clear() throws {
    guard try Self.content(of: path) != nil || Self.isBeingCleared(path) else { return }
    // Its lock is held until all is done.
    let inner = Self.holdsRun(file(Self.retrainName)) ? try RunFolder(locking: file(Self.retrainName)) : nil
    defer { withExtendedLifetime(inner) {} }
    try AtomicFile.write([], to: file(Self.clearingName), followingLinks: false)
    isMarked = true
    guard unlink(file("config.toml")) == 0 || errno == ENOENT else { throw SystemFailure.cannotWrite(path) }
    if let inner {
      try inner.clear()
      inner.removeMark()
    }
    for name in Self.ownFiles { unlink(file(name)) }
    for (name, ending) in Self.ownFolders {
      for file in (try? FileBytes.names(in: file(name))) ?? [] where file.hasSuffix(ending) {
        unlink(self.file("\(name)/\(file)"))
      }
    }
    let events = (try? FileBytes.names(in: file("tb"))) ?? []
    for name in events where name.hasPrefix(TensorBoardLog.prefix) { unlink(file("tb/" + name)) }
    rmdir(file("tb"))
  }

  /// Whether a folder holds a run that `--force` may delete.
  private static func holdsRun(_ path: String) -> Bool {
    guard FileBytes.kind(of: path) == .folder, (try? content(of: path)) != nil || isBeingCleared(path) else {
      return false
    }
    return (try? requireReplaceable(path)) != nil
  }

  /// The files that `--force` would delete, among these paths.
  ///
  /// - Parameter folder: the run folder that is to be replaced.
  public static func ownFiles(among paths: [String], in folder: String) -> [String] {
    guard let folder = FileBytes.resolved(folder) else { return [] }
    let inner = folder + "/" + retrainName, runs = [folder] + (holdsRun(inner) ? [inner] : [])
    return paths.filter { path in
      guard let path = FileBytes.resolved(path) else { return false }
      return runs.contains { run in
        guard let name = FileBytes.part(of: path, below: run) else { return false }
        return ownFiles.contains(name) || ownFolders.contains { name.hasPrefix($0.0 + "/") && name.hasSuffix($0.1) }
      }
    }
  }
}
