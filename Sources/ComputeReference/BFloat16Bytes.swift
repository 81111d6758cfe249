/// Numbers stored as bfloat16, the upper half of a float, for tests: rounded to nearest, ties to even.
struct BFloat16Bytes {
  /// The relative size of the rounding when a number is stored: half a unit in the last of 8 digits.
  static let rounding = 0x1p-8 * 1.001

  /// Two bytes for each number.
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Rounds the floats whose bytes are given.
  init(floats: [UInt8]) {
    let halves = floats.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { index -> UInt16 in
        let value = raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        if value.isNaN { return 0x7fc0 }
        let bits = value.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
      }
    }
    bytes = halves.withUnsafeBytes { Array($0) }
  }

  /// The same numbers as the bytes of floats.
  var floats: [UInt8] {
    let values = bytes.withUnsafeBytes { raw in
      (0..<raw.count / 2).map { UInt32(raw.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self)) << 16 }
    }
    return values.withUnsafeBytes { Array($0) }
  }
}
