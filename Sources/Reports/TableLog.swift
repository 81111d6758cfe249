import Failures
import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A CSV table that only grows at its end, by whole rows, whose first column is the epoch.
final class TableLog {
  private let path: String
  private let columns: [String]
  private let descriptor: Int32

  /// Starts a table anew, with its header.
  init(creating path: String, columns: [String]) throws {
    self.path = path
    self.columns = columns
    descriptor = FileBytes.uninterrupted {
      open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o666)
    }
    guard descriptor >= 0 else { throw SystemFailure.cannotCreate(path) }
    try write(CSV.line(columns))
  }

  /// Opens a table to go on after an epoch: what a crash tore and the rows of later epochs are cut off.
  ///
  /// - Throws: `Failure` of kind `badInput` if the table has other columns.
  init(continuing path: String, columns: [String], after epoch: Int) throws {
    self.path = path
    self.columns = columns
    let bytes = FileBytes.kind(of: path) == .missing ? [] : try FileBytes.read(path)
    let kept = try Self.keptLength(bytes, path: path, columns: columns, after: epoch)
    descriptor = FileBytes.uninterrupted {
      open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o666)
    }
    guard descriptor >= 0 else { throw SystemFailure.cannotCreate(path) }
    guard FileBytes.uninterrupted({ ftruncate(descriptor, off_t(kept)) }) == 0 else {
      throw SystemFailure.cannotWrite(path)
    }
    if kept == 0 { try write(CSV.line(columns)) }
  }

  deinit { close(descriptor) }

  /// Adds rows as one piece and sees them to the disk.
  ///
  /// - Throws: `Failure` of kind `inputOutput`; a row that was written in part is taken back.
  func append(_ rows: [[String]]) throws {
    try write(rows.map(CSV.line).joined())
    guard FileBytes.uninterrupted({ fsync(descriptor) }) == 0 || errno == EINVAL else {
      throw SystemFailure.cannotWrite(path)
    }
  }

  private func write(_ text: String) throws {
    let start = lseek(descriptor, 0, SEEK_END)
    guard DescriptorWriting.write(text, to: descriptor) else {
      let failure = SystemFailure.cannotWrite(path)
      if start >= 0 { _ = ftruncate(descriptor, start) }
      throw failure
    }
  }

  /// The bytes from the start up to the first row that is torn, out of order or later than `epoch`.
  private static func keptLength(_ bytes: [UInt8], path: String, columns: [String], after epoch: Int) throws -> Int {
    guard let headerEnd = bytes.firstIndex(of: 0x0A) else { return 0 }
    let header = String(decoding: bytes[...headerEnd], as: UTF8.self)
    guard header == CSV.line(columns) else {
      throw Failure(
        .badInput, "the columns of '\(path)' are not those of this run.",
        why: "its first line is '\(header.dropLast())', not '\(CSV.line(columns).dropLast())'.",
        fix: "resume with the version that started the run, or move that file away.")
    }
    var kept = headerEnd + 1, previous = 0
    while let end = bytes[kept...].firstIndex(of: 0x0A) {
      let cells = bytes[kept..<end].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      guard cells.count == columns.count, let row = Int(String(decoding: cells[0], as: UTF8.self)),
        row >= previous, row <= epoch
      else { break }
      previous = row
      kept = end + 1
    }
    return kept
  }
}

/// Writing to a file descriptor, whole or not at all as far as the caller is concerned.
public enum DescriptorWriting {
  /// Writes all of the text; false, with `errno` set, if that failed.
  public static func write(_ text: String, to descriptor: Int32) -> Bool {
    var text = text
    return text.withUTF8 { write($0, to: descriptor) }
  }

  /// Writes all of the bytes; false, with `errno` set, if that failed.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBufferPointer { write($0, to: descriptor) }
  }

  private static func write(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let step = writeBytes(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if step < 0, errno == EINTR { continue }
      guard step > 0 else { return false }
      done += step
    }
    return true
  }
}

// Inside the types, `write` means their own functions; this names the C library's.
private func writeBytes(_ descriptor: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
