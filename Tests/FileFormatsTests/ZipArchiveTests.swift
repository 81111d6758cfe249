import Failures
import FileFormats
import TestSupport
import Testing

@Suite("ZipArchive")
struct ZipArchiveTests {
  private let files: [(name: String, bytes: [UInt8])] = [
    ("a.npy", Array("first".utf8)), ("folder/b.npy", []), ("ü.npy", [UInt8](repeating: 7, count: 1000)),
  ]

  @Test("reads what it writes")
  func roundTrip() throws {
    let archive = try ZipArchive(decoding: ZipArchive.stored(files), name: "zip")
    #expect(archive.members.map(\.name) == files.map(\.name))
    for (name, bytes) in files {
      let member = try #require(archive[name])
      #expect(try archive.contents(of: member, limit: bytes.count) == bytes)
      #expect(try archive.prefix(of: member, count: 3) == Array(bytes.prefix(3)))
    }
    #expect(archive["c.npy"] == nil)
  }

  @Test("equal files give equal archives, and none gives an empty one")
  func repeatable() throws {
    #expect(try ZipArchive.stored(files) == ZipArchive.stored(files))
    #expect(try ZipArchive(decoding: ZipArchive.stored([]), name: "zip").members.isEmpty)
  }

  @Test("refuses to unpack more than the limit")
  func limit() throws {
    let archive = try ZipArchive(decoding: ZipArchive.stored(files), name: "zip")
    #expect(throws: Failure.self) { try archive.contents(of: archive.members[2], limit: 999) }
  }

  /// An archive with some bytes replaced, wherever they occur.
  private func replaced(_ old: String, _ new: String) throws -> [UInt8] {
    var bytes = try ZipArchive.stored(files)
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    for start in 0...(bytes.count - old.count) where Array(bytes[start..<start + old.count]) == old {
      bytes.replaceSubrange(start..<start + old.count, with: new)
    }
    return bytes
  }

  @Test(
    "refuses names that lead out of the archive",
    arguments: ["../../b.npy", "/older/b.npy", "a/../../b.np", "folder\\b.npy"])
  func hostileNames(name: String) throws {
    let padded = name + String(repeating: "x", count: 12 - name.utf8.count)
    #expect(throws: Failure.self) { try ZipArchive(decoding: replaced("folder/b.npy", padded), name: "zip") }
  }

  @Test("refuses two members of one name and members that share bytes")
  func doubled() throws {
    #expect(throws: Failure.self) {
      try ZipArchive(decoding: ZipArchive.stored([("a", [1]), ("a", [2])]), name: "zip")
    }
    // The second entry of the directory is made to point to the first member.
    var bytes = try ZipArchive.stored([("a", [1, 2]), ("a", [1, 2])])
    let second = bytes.count - 22 - 47
    for index in 42..<46 { bytes[second + index] = 0 }
    #expect(throws: Failure.self) { try ZipArchive(decoding: bytes, name: "zip") }
  }

  @Test("an archive cut off anywhere, or with any byte changed, never crashes and never gives wrong bytes")
  func damaged() throws {
    let whole = try ZipArchive.stored(files)
    for length in 0..<whole.count {
      #expect(throws: Failure.self) { try ZipArchive(decoding: Array(whole[..<length]), name: "zip") }
    }
    for index in 0..<whole.count {
      for flip: UInt8 in [1, 0x80, 0xFF] {
        var changed = whole
        changed[index] ^= flip
        guard let archive = try? ZipArchive(decoding: changed, name: "zip") else { continue }
        for member in archive.members {
          guard let contents = try? archive.contents(of: member, limit: 1 << 20) else { continue }
          #expect(files.contains { $0.bytes == contents })
        }
      }
    }
  }

  @Test(
    "reads NumPy's archives, stored and deflated, and NumPy reads ours",
    .enabled(if: PythonOracle.has("numpy"), Comment(rawValue: PythonOracle.absence)))
  func numpy() throws {
    let scratch = ScratchFolder()
    try FileBytes.write(
      ZipArchive.stored([("x.npy", NumPyArray([1, 2, 3] as [Int32]).encoded())]), to: scratch("ours.npz"))
    let script = """
      import sys, numpy as np
      f = sys.argv[1]
      assert (np.load(f + '/ours.npz')['x'] == [1, 2, 3]).all()
      a = np.arange(100000, dtype='i4')
      np.savez(f + '/stored.npz', a=a); np.savez_compressed(f + '/deflated.npz', a=a, zeros=np.zeros(10**7, 'u1'))
      """
    let (code, output) = try PythonOracle.run(script, [scratch.path])
    #expect(code == 0, "\(output)")
    for name in ["stored.npz", "deflated.npz"] {
      let archive = try ZipArchive(decoding: FileBytes.read(scratch(name)), name: name)
      let member = try #require(archive["a.npy"])
      let array = try NumPyArray(decoding: archive.contents(of: member, limit: 1 << 20), name: name)
      #expect(array.integers == Array(0..<100000))
    }
    // Ten million zeros in a few kilobytes must not be unpacked beyond the limit.
    let bomb = try ZipArchive(decoding: FileBytes.read(scratch("deflated.npz")), name: "bomb")
    let zeros = try #require(bomb["zeros.npy"])
    #expect(throws: Failure.self) { try bomb.contents(of: zeros, limit: 1 << 20) }
    #expect(try bomb.prefix(of: zeros, count: 6) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59])
  }
}
