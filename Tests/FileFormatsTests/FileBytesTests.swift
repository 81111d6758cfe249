import Failures
import FileFormats
import TestSupport
import Testing

@Suite("FileBytes")
struct FileBytesTests {
  @Test("reads what it writes, whole or in part")
  func roundTrip() throws {
    let scratch = ScratchFolder()
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    try FileBytes.write(bytes, to: scratch("file"))
    #expect(try FileBytes.read(scratch("file")) == bytes)
    #expect(try FileBytes.read(scratch("file"), first: 10) == Array(bytes.prefix(10)))
    try FileBytes.write([], to: scratch("file"))
    #expect(try FileBytes.read(scratch("file")).isEmpty)
  }

  @Test("tells files, folders and nothing apart, and sorts names by their bytes")
  func kinds() throws {
    let scratch = ScratchFolder()
    try FileBytes.makeFolder(scratch("a/b/c"))
    try FileBytes.makeFolder(scratch("a/b/c"))
    for name in ["a/z", "a/é", "a/B", "a/.hidden"] { try FileBytes.write([1], to: scratch(name)) }
    #expect(try FileBytes.names(in: scratch("a")) == ["B", "b", "z", "é"])
    #expect(FileBytes.kind(of: scratch("a")) == .folder)
    #expect(FileBytes.kind(of: scratch("a/z")) == .file)
    #expect(FileBytes.kind(of: scratch("nothing")) == .missing)
    #expect(FileBytes.kind(of: "/dev/null") == .other)
  }

  @Test("failures have the kind that scripts rely on")
  func failures() throws {
    let scratch = ScratchFolder()
    func kind(_ body: () throws -> Void) -> Failure.Kind? {
      do { try body() } catch { return (error as? Failure)?.kind }
      return nil
    }
    try FileBytes.write([1], to: scratch("file"))
    #expect(kind { _ = try FileBytes.read(scratch("nothing")) } == .missingInput)
    #expect(kind { _ = try FileBytes.read(scratch.path) } == .badInput)
    #expect(kind { _ = try FileBytes.read("a\0b") } == .badInput)
    #expect(kind { _ = try FileBytes.names(in: scratch("nothing")) } == .missingInput)
    #expect(kind { try FileBytes.write([1], to: scratch("no/file")) } == .cannotCreate)
    #expect(kind { try FileBytes.makeFolder(scratch("file")) } == .cannotCreate)
    #expect(kind { try FileBytes.makeFolder(scratch("file/below")) } == .cannotCreate)
  }
}
