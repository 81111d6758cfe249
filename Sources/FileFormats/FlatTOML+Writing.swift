extension FlatTOML {
  /// The document as text, which reads back to the same sections.
  ///
  /// Sections without keys are left out. Integers of more than 63 bits, which readers of TOML need not take, become
  /// texts. Control characters of comments are shown as `\x1b`.
  public var text: String {
    var blocks: [String] = []
    if !comments.isEmpty { blocks.append(comments.map { "# \(Self.oneLine($0))\n" }.joined()) }
    for section in sections where !section.entries.isEmpty {
      let title = section.name.isEmpty ? "" : "[\(Self.key(section.name))]\n"
      blocks.append(title + section.entries.map(Self.line).joined())
    }
    return blocks.joined(separator: "\n")
  }

  /// A key with its value and, from column 33 on where there is room, its comment.
  private static func line(_ entry: Entry) -> String {
    let line = "\(key(entry.key)) = \(spelled(entry.value))"
    guard let comment = entry.comment else { return line + "\n" }
    return line + String(repeating: " ", count: max(0, 31 - line.count)) + " # \(oneLine(comment))\n"
  }

  private static func spelled(_ value: Value) -> String {
    switch value {
    case .string(let text): quoted(text)
    case .number(let number): isTooLong(number) ? quoted(number.text) : number.text
    case .bool(let flag): flag ? "true" : "false"
    case .list(let values): "[" + values.map(spelled).joined(separator: ", ") + "]"
    }
  }

  /// Whether a number is an integer that does not fit 64 bits with a sign.
  private static func isTooLong(_ number: JSONNumber) -> Bool {
    number.integer == nil && !number.text.utf8.contains { ".eE".utf8.contains($0) }
  }

  private static func key(_ name: String) -> String {
    !name.isEmpty && name.unicodeScalars.allSatisfy(isBare) ? name : quoted(name)
  }

  /// Whether a key may have this character without quotes.
  static func isBare(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
    default: false
    }
  }

  /// TOML's texts in double quotes are JSON's, but for DEL, which wants an escape.
  private static func quoted(_ text: String) -> String {
    var quoted = ""
    for scalar in JSONText.quoted(text).unicodeScalars {
      if scalar == "\u{7F}" { quoted += "\\u007f" } else { quoted.unicodeScalars.append(scalar) }
    }
    return quoted
  }

  /// A text for a comment: one line, whatever it holds.
  private static func oneLine(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20, 0x7F..<0xA0:
        let hex = String(scalar.value, radix: 16)
        line += "\\x" + (hex.count < 2 ? "0" : "") + hex
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}
