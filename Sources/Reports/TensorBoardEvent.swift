import FileFormats

/// One entry of a TensorBoard event file: `tensorflow.Event` as Protocol Buffers, in the framing of TFRecord files.
///
/// Record: length (8 bytes), its checksum (4), the message, its checksum (4); all little-endian. The checksums are
/// CRC-32C, rotated and moved by a constant, so that a file of such records may itself be put into a record.
struct TensorBoardEvent {
  enum Content {
    /// The first entry of every file.
    case version
    /// The run goes on from here: TensorBoard forgets what older files hold of this step and later ones.
    case restart
    case scalars([(tag: String, value: Float)])
  }

  /// Seconds since 1970.
  let time: Double
  /// The horizontal axis.
  let step: Int
  let content: Content

  /// The record's bytes.
  var record: [UInt8] {
    let message = message.bytes
    let length = Self.littleEndian(UInt64(message.count))
    return length + Self.littleEndian(Self.maskedChecksum(length)) + message
      + Self.littleEndian(Self.maskedChecksum(message))
  }

  /// The bytes of a file up to the first record of a later step, or one that was not written whole.
  static func length(of file: [UInt8], upToStep last: Int) -> Int {
    var start = 0
    while file.count - start >= 16 {
      let size = (0..<8).reduce(UInt64(0)) { $0 | UInt64(file[start + $1]) << (8 * UInt64($1)) }
      guard size <= UInt64(file.count - start - 16) else { break }
      let message = file[(start + 12)..<(start + 12 + Int(size))]
      guard step(of: message) <= last else { break }
      start += Int(size) + 16
    }
    return start
  }

  /// The step of a message, which stands behind the time of 1 + 8 bytes; 0 where none is given.
  private static func step(of message: ArraySlice<UInt8>) -> UInt64 {
    guard message.dropFirst(9).first == 2 << 3 else { return 0 }
    var step: UInt64 = 0, shift: UInt64 = 0
    for byte in message.dropFirst(10) {
      step |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    return step
  }

  /// wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7.
  private var message: ProtocolBuffer {
    var message = ProtocolBuffer()
    message.append(1, fixed: time.bitPattern)
    if step != 0 { message.append(2, variable: UInt64(step)) }
    switch content {
    case .version: message.append(3, text: "brain.Event:2")
    case .restart:
      // SessionLog.status = 1; START = 1.
      var log = ProtocolBuffer()
      log.append(1, variable: 1)
      message.append(7, log.bytes)
    case .scalars(let scalars):
      // Summary.value = 1; tag = 1, simple_value = 2.
      var summary = ProtocolBuffer()
      for (tag, number) in scalars {
        var value = ProtocolBuffer()
        value.append(1, text: tag)
        value.append(2, fixed: number.bitPattern)
        summary.append(1, value.bytes)
      }
      message.append(5, summary.bytes)
    }
    return message
  }

  private static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let sum = CRC32C.checksum(bytes)
    return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
  }

  private static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}

/// A message in the making: fields with a number and a kind, one after the other.
private struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ field: Int, variable value: UInt64) {
    appendVariable(UInt64(field << 3))
    appendVariable(value)
  }

  mutating func append(_ field: Int, fixed value: UInt64) {
    appendVariable(UInt64(field << 3 | 1))
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  mutating func append(_ field: Int, fixed value: UInt32) {
    appendVariable(UInt64(field << 3 | 5))
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  mutating func append(_ field: Int, _ content: [UInt8]) {
    appendVariable(UInt64(field << 3 | 2))
    appendVariable(UInt64(content.count))
    bytes += content
  }

  mutating func append(_ field: Int, text: String) { append(field, Array(text.utf8)) }

  /// Seven bits a byte, the lowest first; the top bit says that more follow.
  private mutating func appendVariable(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
