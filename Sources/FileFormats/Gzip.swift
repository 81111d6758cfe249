import CZlib
import Failures

/// Decompression with a hard limit on what comes out.
public enum Gzip {
  /// How the compressed bytes are wrapped.
  public enum Wrapping: Sendable {
    /// gzip, as in `.gz` files; several members may follow each other.
    case gzip
    /// Bare deflate, as inside zip archives.
    case bare
  }

  /// Whether the bytes begin like a gzip file.
  public static func isGzip(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 3 && bytes[0] == 0x1F && bytes[1] == 0x8B && bytes[2] == 8
  }

  /// Decompresses all of `bytes`.
  ///
  /// - Parameter limit: the most bytes that may come out; more is a failure.
  /// - Parameter name: how failures name the source.
  /// - Throws: `.badInput` when the data are damaged, cut off, followed by other bytes, or larger than `limit`.
  public static func decompress(
    _ bytes: ArraySlice<UInt8>, _ wrapping: Wrapping = .gzip, limit: Int, name: String
  ) throws -> [UInt8] {
    let (output, isWhole) = try inflate(bytes, wrapping, limit: limit, name: name)
    guard isWhole else {
      throw Failure(
        .badInput, "\(name) unpacks to more than \(limit) bytes.", why: "its contents must not be longer than that.",
        fix: "download the file again.")
    }
    return output
  }

  /// The first `count` bytes that come out, fewer when there are not so many.
  ///
  /// - Throws: `.badInput` when the data are damaged or cut off before that.
  public static func prefix(
    _ bytes: ArraySlice<UInt8>, _ wrapping: Wrapping = .gzip, count: Int, name: String
  ) throws -> [UInt8] {
    try inflate(bytes, wrapping, limit: count, name: name).output
  }

  /// Inflates until the end or until `limit` bytes are out.
  private static func inflate(
    _ bytes: ArraySlice<UInt8>, _ wrapping: Wrapping, limit: Int, name: String
  ) throws -> (output: [UInt8], isWhole: Bool) {
    precondition(limit >= 0, "a limit of \(limit) bytes")
    let damaged = { (why: String) in
      Failure(.badInput, "\(name) is damaged.", why: why, fix: "download the file again.")
    }
    var stream = z_stream()
    // 15 bits of window; + 16 = gzip wrapping; negative = no wrapping.
    let windowBits: Int32 = wrapping == .gzip ? 15 + 16 : -15
    guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Failure(
        .outOfMemory, "zlib could not start.", why: "out of memory.", fix: "close other programs.")
    }
    defer { inflateEnd(&stream) }

    var output: [UInt8] = []
    // Growing by and by would need up to three times as much; deflate shrinks nothing to less than a 1032nd.
    output.reserveCapacity(min(limit, 1032 * bytes.count + 1024))
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    return try bytes.withUnsafeBytes { input in
      var consumed = 0
      while true {
        // zlib counts in 32 bits and does not change its input, though its type says it might.
        let feed = min(input.count - consumed, 1 << 30)
        let start = input.baseAddress.map { UnsafeMutableRawPointer(mutating: $0 + consumed) }
        stream.next_in = start?.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(feed)
        let (status, produced) = chunk.withUnsafeMutableBufferPointer { buffer in
          stream.next_out = buffer.baseAddress
          stream.avail_out = UInt32(buffer.count)
          let status = CZlib.inflate(&stream, Z_NO_FLUSH)
          return (status, buffer.count - Int(stream.avail_out))
        }
        consumed += feed - Int(stream.avail_in)
        let room = limit - output.count
        output.append(contentsOf: chunk[..<min(produced, room)])
        if produced > room { return (output, false) }
        switch status {
        case Z_STREAM_END:
          if consumed == input.count { return (output, true) }
          guard wrapping == .gzip else { throw damaged("\(input.count - consumed) bytes follow the compressed data.") }
          guard output.count < limit || limit == .max else { return (output, false) }
          guard inflateReset(&stream) == Z_OK else { throw damaged("zlib could not continue.") }
        case Z_OK:
          continue
        case Z_BUF_ERROR:
          guard consumed < input.count else {
            throw damaged("the compressed data ends after \(input.count) bytes, before its end marker.")
          }
        default:
          let detail = stream.msg.map { String(cString: $0) } ?? "zlib error \(status)"
          throw damaged("the compressed data is invalid at byte \(consumed): \(detail).")
        }
      }
    }
  }
}
