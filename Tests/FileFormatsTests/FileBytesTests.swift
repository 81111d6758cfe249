import Failures
import FileFormats
import Glibc
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
    #expect(try FileBytes.names(in: scratch("a"), withHidden: true) == [".hidden", "B", "b", "z", "é"])
    #expect(FileBytes.kind(of: scratch("a")) == .folder)
    #expect(FileBytes.kind(of: scratch("a/z")) == .file)
    #expect(FileBytes.kind(of: scratch("nothing")) == .missing)
    #expect(FileBytes.kind(of: "/dev/null") == .other)
  }

  @Test("paths are compared by their bytes")
  func paths() throws {
    let scratch = ScratchFolder()
    #expect(FileBytes.folder(of: "a/b") == "a" && FileBytes.folder(of: "b") == "." && FileBytes.folder(of: "/b") == "/")
    // A mark behind a slash makes one character with it.
    #expect(FileBytes.folder(of: "a/\u{301}b") == "a")
    for (path, plain) in [("a//", "a"), ("/", "/"), ("//", "/"), ("", ""), ("a/b", "a/b"), ("é/", "é")] {
      #expect(FileBytes.withoutLastSlash(path) == plain, "\(path)")
    }
    #expect(FileBytes.withSlashes("a\\b") == "a/b")
    for (path, folder, part) in [
      ("a/b/c", "a", "b/c"), ("a/b", "a/", "b"), ("/b", "/", "b"), ("ab", "a", nil), ("a", "a", nil),
      ("a/\u{301}b", "a", "\u{301}b"), ("cafe\u{301}/b", "caf\u{E9}", nil),
    ] {
      #expect(FileBytes.part(of: path, below: folder) == part, "\(path)")
    }
    for (path, stays) in [
      ("a/b", true), ("a..", true), ("", false), ("/a", false), ("..", false), ("a/../b", false), ("a\0", false),
      ("../\u{301}a", false), ("/\u{301}a", false),
    ] {
      #expect(FileBytes.staysInside(path) == stays, "\(path)")
    }
    for (name, isName) in [
      ("é", true), ("", false), (".a", false), ("a/b", false), ("a/\u{301}b", false), (".\u{301}", false),
      (String(repeating: "é", count: 128), false),
    ] {
      #expect(FileBytes.isName(name) == isName, "\(name)")
    }
    try FileBytes.makeFolder(scratch("data/a"))
    try #require(symlink(scratch("data"), scratch("link")) == 0)
    for (path, isWithin) in [
      ("data", true), ("data/a", true), ("data/new/run", true), ("link/new", true), ("data2", false),
      ("new/data", false),
    ] {
      #expect(FileBytes.lies(scratch(path), within: scratch("data")) == isWithin, "\(path)")
      #expect(FileBytes.lies(scratch(path), within: scratch("link/")) == isWithin, "\(path)")
    }
    #expect(FileBytes.lies("/new", within: "/") && !FileBytes.lies("new", within: scratch("data")))
    #expect(FileBytes.entries(in: scratch("nothing")) == nil)
    #expect(FileBytes.entries(in: scratch("data")) == [Array("a".utf8)])
  }

  @Test("paths become absolute as they are named; what is before '..' is followed")
  func absolute() throws {
    let here = try #require(FileBytes.resolved("."))
    let base = here == "/" ? "" : here
    #expect(FileBytes.absolute("a/./b/") == base + "/a/b" && FileBytes.absolute(".") == here)
    #expect(FileBytes.absolute("/a//b/.") == "/a/b" && FileBytes.absolute("/") == "/")
    let scratch = ScratchFolder(), root = try #require(FileBytes.resolved(scratch.path))
    try FileBytes.makeFolder(scratch("a/b"))
    #expect(FileBytes.absolute(scratch("a/b/../c")) == root + "/a/c")
    #expect(FileBytes.absolute("/..") == "/")
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
