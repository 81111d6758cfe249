import Failures

extension ZipArchive {
  /// Reads and checks the directory at the end of an archive (PKWARE's APPNOTE, sections 4.3 and 4.5.3).
  struct Directory {
    let bytes: [UInt8]
    let name: String

    private static let mostMembers = 10_000

    func members() throws -> [Member] {
      let end = try endRecord()
      guard end.count <= Self.mostMembers else {
        throw damaged("it lists \(end.count) members; at most \(Self.mostMembers) are supported.")
      }
      guard end.offset >= 0, end.size >= 0, end.offset <= end.position, end.size <= end.position - end.offset else {
        throw damaged("its directory lies outside the file.")
      }
      var position = end.offset
      var members: [Member] = []
      for _ in 0..<end.count {
        members.append(try entry(at: &position, limit: end.offset + end.size, directory: end.offset))
      }
      try checkOverlap(members, directory: end.offset)
      return members
    }

    /// Where the directory is, from the record at the end of the file.
    private func endRecord() throws -> (position: Int, count: Int, size: Int, offset: Int) {
      // The record has 22 bytes and a comment of at most 65,535.
      var position = bytes.count - 22
      let lowest = max(0, bytes.count - 22 - 0xFFFF)
      while position >= lowest {
        if u32(position) == 0x0605_4B50, position + 22 + u16(position + 20) == bytes.count { break }
        position -= 1
      }
      guard position >= lowest else { throw damaged("the directory at its end is missing: the file was truncated.") }
      guard u16(position + 4) == u16(position + 6) else { throw damaged("it spans several disks.") }
      let found = (position, u16(position + 10), u32(position + 12), u32(position + 16))
      guard found.1 == 0xFFFF || found.2 == 0xFFFF_FFFF || found.3 == 0xFFFF_FFFF else { return found }

      // Large archives say so by these values and keep the true ones in a record before, found through a locator.
      let locator = position - 20
      guard locator >= 0, u32(locator) == 0x0706_4B50, let start = u64(locator + 8) else { return found }
      guard start <= locator - 56, u32(start) == 0x0606_4B50, let count = u64(start + 32), let size = u64(start + 40),
        let offset = u64(start + 48)
      else { throw damaged("its 64-bit directory record is wrong.") }
      return (start, count, size, offset)
    }

    private func entry(at position: inout Int, limit: Int, directory: Int) throws -> Member {
      guard position + 46 <= limit, u32(position) == 0x0201_4B50 else {
        throw damaged("an entry of its directory is wrong.")
      }
      let flags = u16(position + 8), method = u16(position + 10)
      let checksum = UInt32(u32(position + 16))
      var packedSize = u32(position + 20), size = u32(position + 24), headerOffset = u32(position + 42)
      let nameCount = u16(position + 28), extraCount = u16(position + 30), commentCount = u16(position + 32)
      let nameStart = position + 46, extraStart = nameStart + nameCount
      guard extraStart + extraCount + commentCount <= limit else {
        throw damaged("an entry of its directory is truncated.")
      }
      guard let memberName = String(validating: bytes[nameStart..<extraStart], as: UTF8.self),
        Self.isHarmless(memberName)
      else { throw damaged("a member's name is not plain UTF-8 or points outside the archive.") }
      try readLargeSizes(extraStart..<extraStart + extraCount, &size, &packedSize, &headerOffset)
      position = extraStart + extraCount + commentCount

      guard flags & 0x2041 == 0 else { throw damaged("'\(memberName)' is encrypted.") }
      guard method == 0 || method == 8 else {
        throw damaged("'\(memberName)' is compressed with method \(method); 0 and 8 are supported.")
      }
      guard method == 8 || size == packedSize else {
        throw damaged("'\(memberName)' has two different sizes.")
      }
      guard headerOffset <= directory - 30, u32(headerOffset) == 0x0403_4B50, u16(headerOffset + 8) == method else {
        throw damaged("'\(memberName)' is not where the directory says.")
      }
      let localNameStart = headerOffset + 30
      let dataOffset = localNameStart + u16(headerOffset + 26) + u16(headerOffset + 28)
      guard dataOffset <= directory, packedSize <= directory - dataOffset,
        bytes[localNameStart..<localNameStart + u16(headerOffset + 26)].elementsEqual(memberName.utf8)
      else { throw damaged("'\(memberName)' is not where the directory says.") }
      return Member(
        name: memberName, size: size, packedSize: packedSize, checksum: checksum, isDeflated: method == 8,
        headerOffset: headerOffset, dataOffset: dataOffset)
    }

    /// Replaces values of 0xFFFFFFFF by those of the 64-bit extra field, which holds only these, in this order.
    private func readLargeSizes(_ extra: Range<Int>, _ size: inout Int, _ packedSize: inout Int, _ offset: inout Int)
      throws
    {
      guard size == 0xFFFF_FFFF || packedSize == 0xFFFF_FFFF || offset == 0xFFFF_FFFF else { return }
      var position = extra.lowerBound
      while position + 4 <= extra.upperBound {
        let kind = u16(position), end = position + 4 + u16(position + 2)
        guard end <= extra.upperBound else { break }
        if kind == 1 {
          var next = position + 4
          func large(_ value: Int) throws -> Int {
            guard value == 0xFFFF_FFFF else { return value }
            guard next + 8 <= end, let large = u64(next) else { throw damaged("a 64-bit size is wrong.") }
            next += 8
            return large
          }
          (size, packedSize, offset) = (try large(size), try large(packedSize), try large(offset))
          return
        }
        position = end
      }
      throw damaged("a 64-bit size is missing.")
    }

    /// Two members that share bytes are the mark of a decompression bomb.
    private func checkOverlap(_ members: [Member], directory: Int) throws {
      let sorted = members.sorted { $0.headerOffset < $1.headerOffset }
      for (one, next) in zip(sorted, sorted.dropFirst()) where one.dataOffset + one.packedSize > next.headerOffset {
        throw damaged("'\(one.name)' and '\(next.name)' overlap.")
      }
      guard Set(members.map(\.name)).count == members.count else { throw damaged("two members have the same name.") }
    }

    private static func isHarmless(_ name: String) -> Bool {
      FileBytes.staysInside(name) && !name.utf8.contains(0x5C)
    }

    private func damaged(_ why: String) -> Failure {
      Failure(.badInput, "'\(name)' is not a readable zip archive.", why: why, fix: "download or rewrite the archive.")
    }

    // Little-endian numbers; beyond the end they read as zero, which no check above accepts.
    private func u16(_ position: Int) -> Int {
      position >= 0 && position + 2 <= bytes.count ? Int(bytes[position]) | Int(bytes[position + 1]) << 8 : 0
    }

    private func u32(_ position: Int) -> Int { u16(position) | u16(position + 2) << 16 }

    /// Nil for values that could overflow sums of offsets.
    private func u64(_ position: Int) -> Int? {
      guard u16(position + 6) == 0 else { return nil }
      return u32(position) | u16(position + 4) << 32
    }
  }
}
