import Failures
import FileFormats
import Glibc
import Testing

@Suite("Atomic files")
final class AtomicFileTests {
  private let folder: String

  init() throws {
    var template = Array("/tmp/gpunoisy-atomic-XXXXXX".utf8CString)
    folder = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit {
    chmod(folder, 0o700)
    for name in names { remove("\(folder)/\(name)") }
    rmdir(folder)
  }

  private var names: [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private func failure(_ path: String) throws -> Failure {
    try #require(throws: Failure.self) { try AtomicFile.write("new", to: path) }
  }

  @Test("writes and replaces, and leaves nothing else behind")
  func replaces() throws {
    let path = "\(folder)/file.bin", large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
    try AtomicFile.write(large, to: path)
    #expect(try FileBytes.read(path) == large)
    try AtomicFile.write("short", to: path)
    #expect(try FileBytes.read(path) == Array("short".utf8))
    try AtomicFile.write([], to: path)
    #expect(try FileBytes.read(path) == [])
    #expect(names == ["file.bin"])
  }

  @Test("a file has the permissions that are asked for")
  func permissions() throws {
    try AtomicFile.write("secret", to: "\(folder)/file", permissions: 0o600)
    var status = stat()
    #expect(stat("\(folder)/file", &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test("a reader that has the old file open keeps it")
  func oldReaders() throws {
    let path = "\(folder)/file"
    try AtomicFile.write("old", to: path)
    let reader = open(path, O_RDONLY)
    defer { close(reader) }
    try AtomicFile.write("new", to: path)
    var bytes = [UInt8](repeating: 0, count: 3)
    #expect(read(reader, &bytes, 3) == 3 && bytes == Array("old".utf8))
  }

  @Test("a link is followed and stays")
  func links() throws {
    try AtomicFile.write("old", to: "\(folder)/real")
    symlink("real", "\(folder)/link")
    try AtomicFile.write("new", to: "\(folder)/link")
    var status = stat()
    #expect(lstat("\(folder)/link", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(try FileBytes.read("\(folder)/real") == Array("new".utf8))
  }

  @Test("a place where no file can be is told")
  func cannotCreate() throws {
    #expect(try failure("\(folder)/none/file").kind == .cannotCreate)
    #expect(try failure("\(folder)/none/file").why == "its folder does not exist.")
    #expect(try failure(folder).why == "it is a folder.")
    #expect(try failure("\(folder)/file\0").kind == .cannotCreate)
    try AtomicFile.write("x", to: "\(folder)/file")
    #expect(try failure("\(folder)/file/below").kind == .cannotCreate)
    #expect(try failure("\(folder)/" + String(repeating: "n", count: 300)).kind == .cannotCreate)
    #expect(names == ["file"])
  }

  @Test("what is no regular file is written to and stays what it is")
  func devices() throws {
    try AtomicFile.write("gone", to: "/dev/null")
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test("a full disk is told")
  func fullDisk() throws {
    let failure = try failure("/dev/full")
    #expect(failure.kind == .inputOutput)
    #expect(failure.why == "the disk has no space for 3 bytes.")
  }
}
