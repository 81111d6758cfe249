import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Files that are too large for the memory")
  struct LargeFileTests {
    @Test("end with 71, both numbers and no crash: whole files, and tables whose fields take more than they")
    func tables() throws {
      let folder = ScratchFolder()
      // Five gigabytes that take no space on the disk; the command may have eight.
      try FileBytes.write([], to: folder("sparse.csv"))
      #expect(truncate(folder("sparse.csv"), 5 << 30) == 0)
      let sparse = try CommandUnderTest.run(["data", "info", "sparse.csv"], in: folder)
      #expect(sparse.code == 71, "\(sparse.errors)")
      #expect(sparse.errors.contains("'sparse.csv' does not fit into memory"), "\(sparse.errors)")
      #expect(sparse.errors.contains("10.7 GB are needed"), "\(sparse.errors)")

      // Forty million fields of nothing: 40 MB, and a string of 16 bytes each.
      var text = [UInt8](repeating: UInt8(ascii: ","), count: 40_000_000)
      text[0..<10] = Array("path,label".utf8)[...]
      try FileBytes.write(text, to: folder("fields.csv"))
      let fields = CommandUnderTest.start(
        ["data", "info", "fields.csv"], in: folder, preparing: "ulimit -v 700000")
      let ending = try fields.end()
      #expect(ending.code == 71 && ending.errors.contains("'fields.csv' does not fit"), "\(ending.errors)")
    }
  }
}
