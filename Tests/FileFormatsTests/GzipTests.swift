import Failures
import FileFormats
import Testing

@Suite("Gzip")
struct GzipTests {
  /// Four times "hello", packed by Python's gzip module.
  private let packed: [UInt8] = [
    0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57,
    0xC8, 0x40, 0x27, 0x01, 0xE3, 0x51, 0x3D, 0x8D, 0x17, 0x00, 0x00, 0x00,
  ]
  private let plain = Array("hello hello hello hello".utf8)

  @Test("unpacks one member and several")
  func unpacks() throws {
    #expect(Gzip.isGzip(packed))
    #expect(try Gzip.decompress(packed[...], limit: 23, name: "file") == plain)
    #expect(try Gzip.decompress((packed + packed)[...], limit: 100, name: "file") == plain + plain)
    #expect(try Gzip.prefix(packed[...], count: 5, name: "file") == Array("hello".utf8))
  }

  @Test("stops at the limit")
  func limit() {
    #expect(throws: Failure.self) { try Gzip.decompress(packed[...], limit: 22, name: "file") }
    #expect(throws: Failure.self) { try Gzip.decompress((packed + packed)[...], limit: 23, name: "file") }
  }

  @Test("a file cut off anywhere fails, and so does one with a changed byte that matters")
  func damaged() {
    for length in 0..<packed.count {
      #expect(throws: Failure.self) { try Gzip.decompress(packed[..<length], limit: 100, name: "file") }
    }
    for index in packed.indices {
      var changed = packed
      changed[index] ^= 0xFF
      // Bytes 4...9 hold the date, the level and the system, which are not checked.
      let output = try? Gzip.decompress(changed[...], limit: 100, name: "file")
      #expect(output == nil || output == plain)
    }
    #expect(throws: Failure.self) { try Gzip.decompress((packed + [1, 2, 3])[...], limit: 100, name: "file") }
  }
}
