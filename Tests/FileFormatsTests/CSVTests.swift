import Failures
import FileFormats
import Testing

@Suite("CSV")
struct CSVTests {
  private func read(_ text: String) throws -> CSV { try CSV(decoding: Array(text.utf8), name: "table.csv") }

  @Test("reads quoted fields, both line ends, a byte-order mark and no last line end")
  func reads() throws {
    let table = try read("\u{FEFF}path,label\r\n\"a,b\",\"say \"\"x\"\"\"\r\n\"two\nlines\",\n\nc,d")
    #expect(table.header == ["path", "label"])
    #expect(table.rows == [["a,b", "say \"x\""], ["two\nlines", ""], ["c", "d"]])
    #expect(table.lines == [2, 3, 6])
    #expect(table.column("file_name", "path") == 0)
    #expect(table.column("split") == nil)
  }

  @Test("reads what it writes")
  func roundTrip() throws {
    let fields = ["plain", "a,b", "\"", "line\nend", "", "ü"]
    let table = try read(CSV.line(["1", "2", "3", "4", "5", "6"]) + CSV.line(fields))
    #expect(table.rows == [fields])
  }

  @Test(
    "names the line that is wrong",
    arguments: [
      ("a,b\n1,2\n3\n", "line 3"), ("a,b\n1,\"2\n", "line 2"), ("a,b\n1,x\"2\n", "line 2"),
      ("a,b\n\"1\"x,2\n", "line 2"),
      ("", "empty"),
    ])
  func wrong(text: String, place: String) {
    #expect { try read(text) } throws: {
      ($0 as? Failure)?.kind == .badInput && ($0 as? Failure)?.what.contains(place) == true
    }
  }

  @Test("refuses text that is not UTF-8")
  func notUTF8() {
    #expect(throws: Failure.self) { try CSV(decoding: [0x61, 0x0A, 0xFF, 0x0A], name: "table.csv") }
  }
}
