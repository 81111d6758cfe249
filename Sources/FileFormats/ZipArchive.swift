import CZlib
import Failures

/// A zip archive in memory: a strict reader of stored and deflated members, as NumPy's `.npz` files have.
///
/// Refused: encryption, other methods, several disks, members that overlap, names that lead elsewhere, more than
/// 10,000 members, and whatever contradicts itself.
public struct ZipArchive: Sendable {
  /// One file in the archive.
  public struct Member: Sendable, Equatable {
    /// Its path in the archive.
    public let name: String
    /// The size that the archive claims for the unpacked bytes.
    public let size: Int
    let packedSize: Int
    let checksum: UInt32
    let isDeflated: Bool
    let headerOffset: Int
    let dataOffset: Int
  }

  /// The members in the order of the archive's directory.
  public let members: [Member]
  let bytes: [UInt8]
  let name: String

  /// Whether the bytes begin like a zip archive.
  public static func isZip(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06])
  }

  /// Reads the directory of an archive.
  ///
  /// - Parameter name: how failures name the file.
  /// - Throws: `.badInput` for an archive that is damaged or refused.
  public init(decoding bytes: [UInt8], name: String) throws {
    (self.bytes, self.name) = (bytes, name)
    members = try Directory(bytes: bytes, name: name).members()
  }

  /// The member of that name.
  public subscript(name: String) -> Member? { members.first { $0.name == name } }

  /// The first `count` bytes of a member, fewer when it is shorter; the checksum is not looked at.
  public func prefix(of member: Member, count: Int) throws -> [UInt8] {
    let packed = bytes[member.dataOffset..<member.dataOffset + member.packedSize]
    guard member.isDeflated else { return Array(packed.prefix(count)) }
    return try Gzip.prefix(packed, .bare, count: count, name: "\(member.name) in \(name)")
  }

  /// The unpacked bytes of a member, with their checksum verified.
  ///
  /// - Parameter limit: the most bytes that it may have.
  /// - Throws: `.badInput` when it is larger or damaged.
  public func contents(of member: Member, limit: Int) throws -> [UInt8] {
    let label = "\(member.name) in \(name)"
    guard member.size <= limit else {
      throw Failure(
        .badInput, "\(label) has \(member.size) bytes.", why: "its contents must take at most \(limit) bytes.",
        fix: "write the archive again.")
    }
    return Array(try slice(of: member))
  }

  /// The unpacked bytes of a member, with their checksum verified: where they are stored as they are, a part of the
  /// archive, without a copy.
  ///
  /// - Throws: `.badInput` when it is damaged.
  func slice(of member: Member) throws -> ArraySlice<UInt8> {
    let label = "\(member.name) in \(name)"
    let packed = bytes[member.dataOffset..<member.dataOffset + member.packedSize]
    let contents =
      member.isDeflated ? try Gzip.decompress(packed, .bare, limit: member.size, name: label)[...] : packed
    guard contents.count == member.size, Self.checksum(contents) == member.checksum else {
      throw Failure(
        .badInput, "\(label) is damaged.", why: "its size or checksum is not what the archive's directory says.",
        fix: "download or rewrite the archive.")
    }
    return contents
  }

  /// The CRC-32 that zip archives and gzip files use.
  public static func checksum(_ bytes: [UInt8]) -> UInt32 { checksum(bytes[...]) }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBytes { buffer in
      UInt32(truncatingIfNeeded: crc32_z(0, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count))
    }
  }

  /// An archive of these files, stored without compression, with a fixed date, so that equal files give equal archives.
  ///
  /// - Throws: `.cannotCreate` above 4 GiB, which this writer does not reach.
  public static func stored(_ files: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
    let total = files.reduce(22) { $0 + $1.bytes.count + 2 * $1.name.utf8.count + 76 }
    guard total < 0xFFFF_FFFF, files.count < 0xFFFF else {
      throw Failure(
        .cannotCreate, "an archive of \(total) bytes cannot be written.", why: "archives are limited to 4 GiB.",
        fix: "write a folder of images instead, or fewer samples.")
    }
    var archive = LittleEndianBytes(), directory = LittleEndianBytes()
    archive.bytes.reserveCapacity(total)
    for (name, bytes) in files {
      let offset = archive.bytes.count
      var common = LittleEndianBytes()
      // Version 2.0, UTF-8 name, stored, 00:00 on 1 January 1980.
      for value: UInt16 in [20, 0x0800, 0, 0, 0x0021] { common.append(value) }
      common.append(checksum(bytes))
      common.append(UInt32(bytes.count))
      common.append(UInt32(bytes.count))
      common.append(UInt16(name.utf8.count))
      common.append(UInt16(0))
      archive.append(UInt32(0x0403_4B50))
      archive.bytes += common.bytes + Array(name.utf8) + bytes
      directory.append(UInt32(0x0201_4B50))
      directory.append(UInt16(20))
      directory.bytes += common.bytes
      for value: UInt16 in [0, 0, 0] { directory.append(value) }
      directory.append(UInt32(0))
      directory.append(UInt32(offset))
      directory.bytes += Array(name.utf8)
    }
    let directoryOffset = archive.bytes.count
    archive.bytes += directory.bytes
    archive.append(UInt32(0x0605_4B50))
    for value: UInt16 in [0, 0, UInt16(files.count), UInt16(files.count)] { archive.append(value) }
    archive.append(UInt32(directory.bytes.count))
    archive.append(UInt32(directoryOffset))
    archive.append(UInt16(0))
    return archive.bytes
  }

  private struct LittleEndianBytes {
    var bytes: [UInt8] = []

    mutating func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
  }
}
