import Failures
import FileFormats
import TestSupport
import Testing

@Suite struct `Damaged TOML` {
  private struct Mistakes {
    var draws = SeededDraws("damaged TOML")

    mutating func below(_ bound: Int) -> Int { draws.below(bound) }

    /// A document with one to four mistakes.
    mutating func document() -> [UInt8] {
      var bytes = TOMLSeeds.all[below(TOMLSeeds.all.count)]
      for _ in 0..<(1 + below(4)) {
        let place = below(bytes.count + 1), end = min(bytes.count, place + 1 + below(below(4) == 0 ? 60 : 4))
        switch below(6) {
        case 0, 1: bytes.insert(contentsOf: snippets[below(snippets.count)], at: place)
        case 2: bytes.replaceSubrange(place..<end, with: snippets[below(snippets.count)])
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count + 1))
        default:
          // Lines of another document.
          let lines = TOMLSeeds.all[below(TOMLSeeds.all.count)].split(separator: 0x0A, omittingEmptySubsequences: false)
          let first = below(lines.count), line = lines[first..<min(lines.count, first + 1 + below(3))]
          let ends = bytes.indices.filter { bytes[$0] == 0x0A } + [bytes.count]
          bytes.insert(contentsOf: [0x0A] + line.joined(separator: [0x0A]), at: ends[below(ends.count)])
        }
      }
      return bytes
    }
  }

  private static let snippets: [[UInt8]] =
    [
      "\"", "'", "\"\"", "''", "\"\"\"", "'''", "#", "=", ",", "[", "]", "[[", "]]", "{", "}", "{}", ".", "_",
      "-", "+", "\\", "\\n", "\\u00e9", "\\U0001f600", "\\ud800", "\\x41", "\\e", "\n", "\r", "\r\n", "\t", " ",
      "\u{0}", "\u{7F}", "\u{85}", "\u{FEFF}", "\u{2028}", "é", "0", "1", "12", "01", "0x1f", "0o7", "0b1",
      "1_000", "1__0", "1.5", "5.", ".5", "1e5", "1E-05", "e5", "-0", "+1", "99999999999999999999", "1e999",
      "inf", "nan", "true", "false", "True", "1979-05-27", "07:32:00", "a.b = 1\n", "\n[data]\n", "\n[a.b]\n",
      "\nlr = 1\n", "[1, 2]", "[\n1,\n]", "= ", "\n# é\n",
    ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]

  @Test(
    "is accepted only where Python accepts it, with the same meaning",
    .enabled(if: PythonOracle.has("tomllib"), "\(PythonOracle.absence)"))
  func againstPython() throws {
    var mistakes = Mistakes()
    var cases: [JSONValue] = []
    for _ in 0..<20_000 {
      let bytes = mistakes.document(), text = String(validating: bytes, as: UTF8.self)
      do {
        let file = try FlatTOML(decoding: bytes, name: "x.toml")
        #expect(text != nil)
        // What is written means the same again.
        #expect(try FlatTOML(decoding: Array(file.text.utf8), name: "y.toml").text == file.text)
        cases.append(["text": .string(text ?? ""), "sections": .array(file.sections.map(Self.json))])
      } catch let failure as Failure {
        if let text { cases.append(["text": .string(text), "why": .string(failure.why)]) }
      }
    }
    let scratch = ScratchFolder(), path = scratch("cases.json")
    try FileBytes.write(Array(JSONText.compact(.array(cases)).utf8), to: path)
    let result = try PythonOracle.run(Self.judge, [path])
    #expect(result.code == 0, "\(result.output)")
    print("damaged TOML: accepted and refused documents: \(result.output)")
    // Mistakes that leave the document one, and mistakes that do not.
    let counts = result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    #expect(counts.count == 2 && counts.allSatisfy { $0 > 2000 }, "\(result.output)")
  }

  private static func json(_ section: FlatTOML.Section) -> JSONValue {
    [.string(section.name), .array(section.entries.map { [.string($0.key), json($0.value)] })]
  }

  private static func json(_ value: FlatTOML.Value) -> JSONValue {
    switch value {
    case .string(let text): .string(text)
    case .number(let number): .number(number)
    case .bool(let flag): .bool(flag)
    case .list(let values): .array(values.map(json))
    }
  }

  /// Reads every document, and compares; what we refuse and Python does not must be a part of TOML that we leave out.
  private static let judge = #"""
    import json, re, sys, tomllib
    sys.set_int_max_str_digits(0)
    LEFT_OUT = re.compile("|".join([
      "'[-+]?(inf|nan)' is not a number", "is a date or a time", "is not a decimal number", "multi-line strings",
      "inline tables", "keys with dots", "nested sections", "lists of sections", "more than 4 deep",
      "the section has no name"]))
    def same(a, b):
      if type(a) is not type(b): return False
      if isinstance(a, dict): return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
      if isinstance(a, list): return len(a) == len(b) and all(map(same, a, b))
      return repr(a) == repr(b)
    accepted = refused = wrong = 0
    for case in json.load(open(sys.argv[1], encoding="utf-8")):
      try: theirs = tomllib.loads(case["text"].removeprefix("\ufeff"))
      except tomllib.TOMLDecodeError as error: theirs = error
      if "sections" in case:
        ours = {}
        for name, entries in case["sections"]: (ours.setdefault(name, {}) if name else ours).update(entries)
        accepted += 1
        fits = same(ours, theirs)
      else:
        ours = case["why"]
        refused += 1
        fits = isinstance(theirs, Exception) or LEFT_OUT.search(ours)
      if not fits:
        wrong += 1
        if wrong <= 5: print(repr(case["text"]), "\n  ours:  ", ours, "\n  theirs:", theirs)
    print(accepted, refused)
    sys.exit(1 if wrong else 0)
    """#
}
