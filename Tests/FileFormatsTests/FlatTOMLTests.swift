import Failures
import FileFormats
import TestSupport
import Testing

@Suite struct `Flat TOML` {
  private func read(_ text: String) throws -> FlatTOML { try FlatTOML(decoding: Array(text.utf8), name: "x.toml") }

  private func value(_ text: String) throws -> FlatTOML.Value? {
    let sections = try read("a = \(text)\n").sections
    return sections.count == 1 && sections[0].entries.count == 1 ? sections[0].entries[0].value : nil
  }

  @Test func `has keys above all sections, and sections, in their order and with their places`() throws {
    let file = try read(
      """
      # A comment with "quotes", é and [brackets].
      epochs=3 # Another.
        "a \\"key\\"" = 'C:\\data'\t

      [ data ] # One more.
      limit-train = 60
      \tdata = "shapes"
      [empty]
      ['an other']
      -_9 = true
      """)
    #expect(
      file.sections == [
        .init("", [.init("epochs", .integer(3)), .init("a \"key\"", .string("C:\\data"))]),
        .init("data", [.init("limit-train", .integer(60)), .init("data", .string("shapes"))]), .init("empty", []),
        .init("an other", [.init("-_9", .bool(true))]),
      ])
    #expect(file.sections.map(\.place.line) == [0, 5, 8, 9] && file.comments.isEmpty)
    let entries = file.sections.flatMap(\.entries)
    #expect(entries.map { "\($0.place)" }.first == "line 2, column 1")
    #expect(entries.map(\.place.line) == [2, 3, 6, 7, 10] && entries.map(\.place.column) == [1, 3, 1, 2, 1])
    #expect(entries.map(\.valuePlace.line) == [2, 3, 6, 7, 10])
    #expect(entries.map(\.valuePlace.column) == [8, 17, 15, 9, 7])
    for text in ["", "\n", " \t", "#", "# a\n\n", "\u{FEFF}", "\r\n\r\n"] { #expect(try read(text).sections.isEmpty) }
  }

  @Test func `keeps numbers as they are written, but for underscores and a plus sign`() throws {
    for (text, number) in [
      ("0", "0"), ("-0", "-0"), ("+0", "0"), ("1_000_000", "1000000"), ("+17", "17"), ("-17", "-17"), ("0.5", "0.5"),
      ("+1.50", "1.50"), ("-0.0", "-0.0"), ("1e5", "1e5"), ("1E+05", "1E+05"), ("6.02_2e2_3", "6.022e23"),
      ("2e-0_7", "2e-07"), ("0e0", "0e0"), ("1e999", "1e999"), ("18446744073709551615", "18446744073709551615"),
      ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
      ("123456789012345678901234567890", "123456789012345678901234567890"),
    ] {
      guard case .number(let found)? = try value(text) else {
        Issue.record("\(text) is no number")
        continue
      }
      #expect(found.text == number)
    }
    #expect(try value("18446744073709551615") == .unsigned(.max))
    #expect(try value("-9_223_372_036_854_775_808") == .integer(.min))
  }

  @Test func `has texts with escapes or without, truths, and lists over several lines`() throws {
    #expect(
      try value(#""\b\t\n\f\r\"\\ \u00e9\u00E9 \U0001F600é😀""#)
        == .string("\u{8}\t\n\u{C}\r\"\\ éé 😀é😀"))
    #expect(try value(#"'\u00e9 "x"'"#) == .string(#"\u00e9 "x""#))
    #expect(try value("\"\"") == .string("") && value("''") == .string("") && value("'\t'") == .string("\t"))
    #expect(try value("true") == .bool(true) && value("false") == .bool(false))
    #expect(try value("[]") == .list([]) && value("[ # nothing\n\n]") == .list([]))
    #expect(
      try value("[ 1,\r\n  \"a,]\" , # ]\n\n true\n,[0.5,[[]]],]")
        == .list([
          .integer(1), .string("a,]"), .bool(true), .list([.double(0.5), .list([.list([])])]),
        ]))
  }

  @Test func `has lines that end in CRLF as well, and passes over a byte order mark`() throws {
    let text = "# a\na = 1\n\n[b]\nc = [1,\n# d\n2]\ne = 'f' # g\n"
    for other in [text.replacing("\n", with: "\r\n"), "\u{FEFF}\(text)", text.replacing("\n\n", with: "\r\n\n")] {
      let (one, two) = (try read(text).sections, try read(other).sections)
      #expect(one == two && one.map(\.place) == two.map(\.place))
      #expect(one.flatMap(\.entries).map(\.valuePlace) == two.flatMap(\.entries).map(\.valuePlace))
    }
    #expect(try read("\u{FEFF}a = 1").sections[0].entries[0].place == .init(line: 1, column: 1))
  }

  @Test func `reads back what it writes`() throws {
    let values: [FlatTOML.Value] = [
      .string(""), .string(String(String.UnicodeScalarView((0..<0x3000).compactMap(Unicode.Scalar.init)))),
      .string("\u{10FFFF}\u{FEFF}\\'\"\"\""), .integer(.min), .integer(.max), .unsigned(7), .double(-1e-300),
      .double(1e22), .double(300), .double(-0.0), .bool(false), .list([]),
      .list([.list([.list([.list([.integer(1), .string("a]\n")]), .bool(true)])]), .double(0.1)]),
    ]
    let names = ["a", "", "a b", "é\n", "\"", "1.5", "[x]", "#", "-", "true", "a.b", "=", "'"]
    let entries = zip(names, values).map { FlatTOML.Entry($0, $1) }
    var file = FlatTOML(
      comments: ["two\nlines\u{7F}", ""],
      sections: [.init("", entries)] + names.filter { !names.prefix(2).contains($0) }.map { .init("\($0)!", entries) })
    let text = file.text, back = try read(text)
    #expect(text.hasPrefix("# two\\x0alines\\x7f\n# \n\na = \"\"\n"))
    file.comments = []
    #expect(back == file)
    #expect(try read(back.text) == back)
    // What has more than 63 bits becomes a text, and sections without keys are left out.
    let large = FlatTOML(sections: [.init("none", []), .init("some", [.init("seed", .unsigned(.max))])])
    #expect(large.text == "[some]\nseed = \"18446744073709551615\"\n")
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let text: String, line: Int, column: Int, why: String
    init(_ text: String, _ line: Int, _ column: Int, _ why: String) {
      (self.text, self.line, self.column, self.why) = (text, line, column, why)
    }
    var testDescription: String { text.debugDescription }
  }

  @Test(arguments: [
    // What TOML has, and this has not.
    Refusal("\n\na =    inf", 3, 8, "'inf' is not a number, true or false; strings need quotes"),
    Refusal("a = -nan", 1, 5, "'-nan' is not a number"), Refusal("a = [1, +inf]", 1, 9, "'+inf' is not a number"),
    Refusal("a = 1979-05-27", 1, 5, "'1979-05-27' is a date or a time"), Refusal("a = 07:32:00", 1, 5, "a time"),
    Refusal("a = 1979-05-27T07:32:00Z", 1, 5, "a date"), Refusal("a = 1979-05-27 07:32:00", 1, 5, "a date"),
    Refusal("a = 0x1F", 1, 5, "'0x1F' is not a decimal number"), Refusal("a = 0o17", 1, 5, "not a decimal number"),
    Refusal("a = 0b1", 1, 5, "not a decimal number"), Refusal("a = \"\"\"x\"\"\"", 1, 5, "multi-line strings"),
    Refusal("a = [\n'''x''']", 2, 1, "multi-line strings"), Refusal("a = {}", 1, 5, "inline tables"),
    Refusal("a = [{b = 1}]", 1, 6, "inline tables"), Refusal("a.b = 1", 1, 2, "keys with dots"),
    Refusal(" \"a\" . b = 1", 1, 6, "keys with dots"), Refusal("[a.b]", 1, 3, "nested sections"),
    Refusal("[a . 'b']", 1, 4, "nested sections"), Refusal("\n [[a]]", 2, 2, "lists of sections"),
    Refusal("a = [[[[\n[1]]]]]", 2, 1, "more than 4 deep"), Refusal("[\"\"]", 1, 1, "has no name"),
    // What TOML has not either: names.
    Refusal("lr = 1\nb = 2\nlr = 3", 3, 1, "the key 'lr' occurs twice, first on line 1"),
    Refusal("[a]\n[b]\nc = 1\n\"c\" = 1", 4, 1, "the key 'c' occurs twice, first on line 3"),
    Refusal("[a]\nb = 1\n[c]\n [ 'a' ]", 4, 2, "the section [a] occurs twice, first on line 1"),
    Refusal("a = 1\n[b]\n[a]", 3, 1, "'a' is both a key and a section, first on line 1"),
    Refusal("= 1", 1, 1, "cannot contain '='"), Refusal("é = 1", 1, 1, "cannot contain 'é'"),
    Refusal("aé = 1", 1, 2, "'=' must follow the key 'a'"), Refusal("epochs 3", 1, 8, "'=' must follow"),
    Refusal("epochs", 1, 7, "'=' must follow"), Refusal("a b = 1", 1, 3, "'=' must follow"),
    Refusal("[", 1, 2, "a name is missing here"), Refusal("[]", 1, 2, "cannot contain ']'"),
    Refusal("[a", 1, 3, "']' must follow"), Refusal("[a b]", 1, 4, "']' must follow"),
    Refusal("[a]b = 1", 1, 4, "'b' follows the section's name"),
    Refusal("[ [a]]", 1, 3, "cannot contain '['"), Refusal("a = 1\n\u{FEFF}b = 2", 2, 1, "cannot contain"),
    // Values.
    Refusal("epochs = = 3", 1, 10, "'=' is not a number"), Refusal("a =", 1, 4, "a value is missing here"),
    Refusal("a =\n1", 1, 4, "a value is missing here"), Refusal("a = # b", 1, 5, "a value is missing here"),
    Refusal("a = 1 2", 1, 7, "'2' follows the value"), Refusal("a = 1, b = 2", 1, 6, "',' follows"),
    Refusal("a = 'b'c", 1, 8, "'c' follows"), Refusal("a = [1]]", 1, 8, "']' follows"),
    Refusal("a = True", 1, 5, "'True' is not"), Refusal("a = truee", 1, 5, "'truee' is not"),
    Refusal("a = 012", 1, 5, "'012' starts with a zero"), Refusal("a = -00.5", 1, 5, "'-00.5' starts with a zero"),
    Refusal("a = 0_1", 1, 5, "starts with a zero"), Refusal("a = 1__0", 1, 5, "'1__0' is not"),
    Refusal("a = _1", 1, 5, "is not"), Refusal("a = 1_", 1, 5, "is not"), Refusal("a = 1_.5", 1, 5, "is not"),
    Refusal("a = .5", 1, 5, "is not"), Refusal("a = 5.", 1, 5, "is not"), Refusal("a = 1e", 1, 5, "is not"),
    Refusal("a = 1.e5", 1, 5, "is not"), Refusal("a = ++1", 1, 5, "is not"), Refusal("a = 1e5.5", 1, 5, "is not"),
    Refusal("a = ٣", 1, 5, "is not"), Refusal("a = \(String(repeating: "x", count: 99))", 1, 5, "xxx…' is not"),
    Refusal("\na = [1,\n2", 2, 5, "the list that starts here has no end"),
    Refusal("a = [1\nb = 2", 2, 1, "'b' is not a comma or ]"),
    Refusal("a = [,]", 1, 6, "a value is missing here"), Refusal("a = [1,,2]", 1, 8, "a value is missing here"),
    Refusal("a = [1 2]", 1, 8, "'2' is not a comma or ]"), Refusal("a = [", 1, 5, "no end"),
    // Texts.
    Refusal("a = \"b", 1, 5, "the string that starts here has no end"), Refusal("a = 'b\n'", 1, 5, "no end"),
    Refusal("a = \"b\r\n\"", 1, 5, "no end"), Refusal("a = \"b\\\"", 1, 5, "no end"),
    Refusal("'a = 1", 1, 1, "no end"), Refusal("a = \"b\\", 1, 7, "a backslash ends the line"),
    Refusal(#"a = "b\x20""#, 1, 7, #"there is no escape '\x'"#), Refusal(#"a = "\e""#, 1, 6, #"no escape '\e'"#),
    Refusal(#"a = "\/""#, 1, 6, #"no escape '\/'"#),
    Refusal(#"a = "\u00g0""#, 1, 6, #"'\u00' is not a character code"#),
    Refusal(#"a = "\ud800""#, 1, 6, #"'\ud800' is not"#),
    Refusal(#"a = "\U00110000""#, 1, 6, "is not a character code"),
    Refusal(#"a = "\UFFFFFFFF""#, 1, 6, "is not a character code"),
    Refusal("a = \"\\u00٣0\"", 1, 6, "is not a character code"),
    // Control characters.
    Refusal("a = \"b\u{7}\"", 1, 7, "U+0007"), Refusal("a = 'b\u{7F}'", 1, 7, "U+007F"),
    Refusal("# a\u{0}", 1, 4, "U+0000"), Refusal("a = 1\u{C}", 1, 6, "U+000C"),
    Refusal("a = 1\rb = 2", 1, 6, "U+000D"), Refusal("a\u{1} = 1", 1, 2, "U+0001"),
    Refusal("\u{1B}", 1, 1, "U+001B"), Refusal("# a\r", 1, 4, "U+000D"), Refusal("a = [\u{B}]", 1, 6, "U+000B"),
    Refusal("a = 'b\r'", 1, 7, "U+000D"), Refusal("a = [1\u{1}]", 1, 7, "U+0001"),
  ])
  func `refuses what it does not know, with line and column`(refusal: Refusal) {
    let failure = #expect(throws: Failure.self) { try read(refusal.text) }
    #expect(failure?.kind == .badInput)
    #expect(failure?.what == "'x.toml' is not valid: line \(refusal.line), column \(refusal.column).")
    #expect(failure?.why.contains(refusal.why) == true, "\(failure?.why ?? "")")
    #expect(failure?.why.hasSuffix(".") == true && failure?.fix.hasSuffix(".") == true)
  }

  @Test func `refuses what is not UTF-8, with the byte, and what is too large`() throws {
    func failure(_ bytes: [UInt8]) -> Failure? {
      #expect(throws: Failure.self) { try FlatTOML(decoding: bytes, name: "x.toml") }
    }
    let text = Array("é = 1\na = \"".utf8)
    for bytes: [UInt8] in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] {
      let failure = failure(text + bytes + [0x22, 0x0A])
      #expect(failure?.kind == .badInput && failure?.what == "'x.toml' is not valid: line 2, column 6.")
      let hex = String(bytes[0], radix: 16)
      #expect(failure?.why == "byte 13 of the file, 0x\(hex), is not UTF-8.")
    }
    #expect(failure([0xEF, 0xBB, 0xBF, 0x80])?.what == "'x.toml' is not valid: line 1, column 1.")

    let scratch = ScratchFolder(), path = scratch("large.toml")
    let whole = Array("# 12345678901\n".utf8) + [UInt8](repeating: 0x0A, count: FlatTOML.mostBytes - 14)
    try FileBytes.write(whole, to: path)
    #expect(try FlatTOML.read(path).sections.isEmpty)
    try FileBytes.write(whole + [0x0A], to: path)
    let large = #expect(throws: Failure.self) { try FlatTOML.read(path) }
    #expect(large?.kind == .badInput && large?.what.contains(path) == true && large?.why.contains("1048576") == true)
    let missing = #expect(throws: Failure.self) { try FlatTOML.read(scratch("missing.toml")) }
    #expect(missing?.kind == .missingInput)
  }
}
