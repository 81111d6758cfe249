extension FlatTOML.Reader {
  typealias SyntaxError = FlatTOML.SyntaxError

  private static let mostDepth = 4

  /// A value.
  ///
  /// - Parameter depth: how many lists it stands in.
  mutating func value(depth: Int) throws(SyntaxError) -> FlatTOML.Value {
    switch next {
    case "\"", "'":
      guard !isTripled else {
        throw failed(
          "multi-line strings, in three quotation marks, are not supported.",
          "use one quotation mark, and \\n for a line break.")
      }
      return .string(try quotedText())
    case "[": return .list(try list(depth: depth + 1))
    case "{": throw failed("inline tables, in braces, are not supported.", "use a [section].")
    default: return try word()
    }
  }

  /// Whether the same character comes three times.
  private var isTripled: Bool {
    position + 2 < scalars.count && scalars[position + 1] == next && scalars[position + 2] == next
  }

  private mutating func list(depth: Int) throws(SyntaxError) -> [FlatTOML.Value] {
    let start = place
    guard depth <= Self.mostDepth else {
      throw failed("lists are more than \(Self.mostDepth) deep.", "nest them less.")
    }
    position += 1
    var values: [FlatTOML.Value] = []
    while true {
      try skipLines()
      if take("]") { return values }
      if next != nil {
        values.append(try value(depth: depth))
        try skipLines()
        if take(",") { continue }
        if take("]") { return values }
      }
      guard next == nil else {
        try refuseControl()
        throw failed(
          "'\(scalars[position])' is not a comma or ], one of which must follow in the list.",
          "put a comma between values, and quotation marks around strings.")
      }
      throw SyntaxError(place: start, why: "the list that starts here has no end.", fix: "close it with ].")
    }
  }

  /// A text in double or single quotation marks.
  mutating func quotedText() throws(SyntaxError) -> String {
    let start = place, quote = scalars[position]
    position += 1
    var text = String.UnicodeScalarView()
    while !isAtLineEnd {
      if take(quote) { return String(text) }
      if quote == "\"", next == "\\" {
        text.append(try escape())
      } else {
        try refuseControl()
        text.append(scalars[position])
        position += 1
      }
    }
    throw SyntaxError(
      place: start, why: "the string that starts here has no end on its line.", fix: "close it with \(quote).")
  }

  /// What a backslash and the characters behind it stand for.
  private mutating func escape() throws(SyntaxError) -> Unicode.Scalar {
    let start = place, first = position
    position += 1
    guard !isAtLineEnd else {
      throw SyntaxError(place: start, why: "a backslash ends the line.", fix: "write \\\\ for a backslash.")
    }
    let character = scalars[position]
    position += 1
    switch character {
    case "\"", "\\": return character
    case "b": return "\u{8}"
    case "t": return "\t"
    case "n": return "\n"
    case "f": return "\u{C}"
    case "r": return "\r"
    case "u", "U":
      let count = character == "u" ? 4 : 8, from = position
      var value: UInt32 = 0
      while position - from < count, let next, let digit = Character(next).hexDigitValue, next.isASCII {
        value = value << 4 | UInt32(digit)
        position += 1
      }
      if position - from == count, let scalar = Unicode.Scalar(value) { return scalar }
      throw SyntaxError(
        place: start, why: "'\(Self.text(scalars[first..<position]))' is not a character code.",
        fix: "write \(count) hexadecimal digits after \\\(character); surrogates are not characters.")
    default:
      throw SyntaxError(
        place: start, why: "there is no escape '\\\(character)'.",
        fix: "write \\\\ for a backslash, or use single quotation marks.")
    }
  }

  // MARK: Words

  /// What stands without quotation marks: a number, true or false.
  private mutating func word() throws(SyntaxError) -> FlatTOML.Value {
    let start = place, first = position
    while !isAtLineEnd, let next, !" \t,]#".unicodeScalars.contains(next) {
      try refuseControl()
      position += 1
    }
    let word = scalars[first..<position], text = Self.text(word)
    switch text {
    case "": throw failed("a value is missing here.", "write a string in quotation marks, a number, true or false.")
    case "true": return .bool(true)
    case "false": return .bool(false)
    default: break
    }
    if let number = Self.number(word) { return .number(JSONNumber(checked: number)) }
    let name = "'\(Self.short(text))'", digits = word.drop { $0 == "+" || $0 == "-" }
    if Self.isDateOrTime(digits) {
      throw SyntaxError(
        place: start, why: "\(name) is a date or a time; these are not supported.", fix: "put it in quotation marks.")
    }
    if digits.first == "0", let second = digits.dropFirst().first {
      if "xob".unicodeScalars.contains(second) {
        throw SyntaxError(place: start, why: "\(name) is not a decimal number.", fix: "write its decimal digits.")
      }
      if ("0"..."9").contains(second) || second == "_" {
        throw SyntaxError(place: start, why: "\(name) starts with a zero.", fix: "remove the leading zeros.")
      }
    }
    throw SyntaxError(
      place: start, why: "\(name) is not a number, true or false; strings need quotes.",
      fix: "put quotation marks around a string, or correct the value.")
  }

  /// Whether a word begins as dates (1979-) or times (07:) do.
  private static func isDateOrTime(_ word: ArraySlice<Unicode.Scalar>) -> Bool {
    let digits = word.prefix { ("0"..."9").contains($0) }
    return [(4, "-"), (2, ":")].contains { digits.count == $0.0 && word.dropFirst($0.0).first == $0.1 }
  }

  /// A decimal number without its underscores and a leading `+`; nil for anything else.
  private static func number(_ word: ArraySlice<Unicode.Scalar>) -> String? {
    var rest = word, text = String.UnicodeScalarView()
    func take(_ isWanted: (Unicode.Scalar) -> Bool) -> Bool {
      guard let first = rest.first, isWanted(first) else { return false }
      text.append(first)
      rest.removeFirst()
      return true
    }
    func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    // Single underscores may stand between digits.
    func digits() -> Int {
      var count = 0
      while true {
        if count > 0, rest.first == "_", let second = rest.dropFirst().first, isDigit(second) { rest.removeFirst() }
        guard take(isDigit) else { return count }
        count += 1
      }
    }
    if rest.first == "+" { rest.removeFirst() } else { _ = take { $0 == "-" } }
    let isZero = rest.first == "0", whole = digits()
    guard whole == 1 || whole > 1 && !isZero else { return nil }
    if take({ $0 == "." }), digits() == 0 { return nil }
    if take({ $0 == "e" || $0 == "E" }) {
      _ = take { $0 == "+" || $0 == "-" }
      guard digits() > 0 else { return nil }
    }
    return rest.isEmpty ? String(text) : nil
  }
}
