/// The checksum CRC-32C (Castagnoli's polynomial 0x1EDC6F41, reflected), as iSCSI and TFRecord files use it.
public enum CRC32C {
  /// The checksum of bytes; that of `123456789` in ASCII is 0xE3069283.
  public static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes { sum = table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ (sum >> 8) }
    return ~sum
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1 }
  }
}
