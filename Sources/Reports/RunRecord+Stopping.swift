import FileFormats
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension RunRecord {
  /// Marks a run of this process as stopped, from another thread than the one that runs it; no record is written after
  /// that, so that the process must end.
  ///
  /// Does nothing where there is no record, the run has ended, or a write of the record takes longer than half a second.
  ///
  /// - Returns: whether the run can be resumed.
  public static func markStopped(folder: String, reason: String) -> Bool {
    // Never given back: the main thread could write `running` over it.
    for _ in 0..<50 where !ending.load(ordering: .acquiring) {
      if lock.withLockIfAvailable({ _ in ending.store(true, ordering: .releasing) }) != nil { break }
      usleep(10_000)
    }
    if ending.load(ordering: .acquiring), var record = try? read(folder: folder), record.pid == ThisProcess.identifier,
      record.status == .running
    {
      (record.status, record.reason, record.updated, record.ended) = (.stopped, reason, .now, .now)
      try? AtomicFile.write(
        Array(JSONText.indented(record.json).utf8), to: folder + "/" + RunFolder.recordName, followingLinks: false)
    }
    return FileBytes.kind(of: folder + "/config.toml") == .file
  }

  /// Writes the record, unless the process is about to end and has marked it.
  static func replacing(_ write: () throws -> Void) throws {
    try lock.withLock { _ in
      while ending.load(ordering: .acquiring) { usleep(10_000) }
      try write()
    }
  }
}

/// Held while a record is written.
private let lock = Mutex<Void>(())
/// Whether the process is about to end.
private let ending = Atomic<Bool>(false)
