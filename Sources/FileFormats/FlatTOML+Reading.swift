extension FlatTOML {
  /// Where and why a text cannot be read, and what to do.
  struct SyntaxError: Error {
    var place: Place
    var why: String
    var fix: String
  }

  /// Reads a document line by line; values are in `FlatTOML+Values.swift`.
  struct Reader {
    let scalars: [Unicode.Scalar]
    var position = 0
    private var line = 1
    /// Where the line begins.
    private var lineStart = 0

    /// - Throws: for bytes that are not UTF-8.
    init(_ bytes: [UInt8]) throws(SyntaxError) {
      var scalars: [Unicode.Scalar] = []
      scalars.reserveCapacity(bytes.count)
      var parser = Unicode.UTF8.ForwardParser(), iterator = bytes.makeIterator(), offset = 0, isWhole = true
      reading: while true {
        switch parser.parseScalar(from: &iterator) {
        case .valid(let encoded):
          scalars.append(UTF8.decode(encoded))
          offset += encoded.count
        case .emptyInput: break reading
        case .error:
          isWhole = false
          break reading
        }
      }
      self.scalars = scalars
      if scalars.first == "\u{FEFF}" { (position, lineStart) = (1, 1) }
      guard !isWhole else { return }
      let hex = String(bytes[offset], radix: 16)
      lineStart = (scalars.lastIndex(of: "\n") ?? lineStart - 1) + 1
      line += scalars.count { $0 == "\n" }
      throw SyntaxError(
        place: Place(line: line, column: scalars.count - lineStart + 1),
        why: "byte \(offset + 1) of the file, 0x\(hex.count < 2 ? "0" : "")\(hex), is not UTF-8.",
        fix: "save the file as UTF-8.")
    }

    /// The sections, the first of them without a name if there are keys above all others.
    mutating func document() throws(SyntaxError) -> [Section] {
      var sections = [Section("", [])], names: [String: Place] = [:]
      // Of the section that is being read, and of the keys above all sections.
      var keys: [String: Place] = [:], keysAbove: [String: Place] = [:]
      while next != nil {
        skipSpace()
        if next == "[" {
          let section = try header()
          let name = Self.short(section.name)
          try refuse("the section [\(name)] occurs twice", section.place, first: names[section.name])
          if sections.count == 1 { keysAbove = keys }
          try refuse("'\(name)' is both a key and a section", section.place, first: keysAbove[section.name])
          names[section.name] = section.place
          keys = [:]
          sections.append(section)
          try endLine(behind: "the section's name")
        } else if next == "#" || isAtLineEnd {
          try endLine(behind: "")
        } else {
          let entry = try entry()
          try refuse("the key '\(Self.short(entry.key))' occurs twice", entry.place, first: keys[entry.key])
          keys[entry.key] = entry.place
          sections[sections.count - 1].entries.append(entry)
          try endLine(behind: "the value")
        }
      }
      return sections[0].entries.isEmpty ? Array(sections.dropFirst()) : sections
    }

    /// - Throws: if a name has been taken before.
    private func refuse(_ problem: String, _ place: Place, first: Place?) throws(SyntaxError) {
      guard let first else { return }
      throw SyntaxError(
        place: place, why: "\(problem), first on line \(first.line).", fix: "rename or delete one of the two.")
    }

    /// A section's name in its brackets.
    private mutating func header() throws(SyntaxError) -> Section {
      let start = place
      position += 1
      guard next != "[" else {
        throw SyntaxError(
          place: start, why: "lists of sections, in double brackets, are not supported.", fix: "use [section].")
      }
      skipSpace()
      let name = try key()
      skipSpace()
      guard next != "." else {
        throw failed(
          "nested sections, with dots in their names, are not supported.", "use a name without dots.")
      }
      try refuseControl()
      guard take("]") else { throw failed("']' must follow the section's name.", "close the bracket.") }
      guard !name.isEmpty else {
        throw SyntaxError(
          place: start, why: "the section has no name.", fix: "name it, or put its keys above all sections.")
      }
      return Section(name, [], place: start)
    }

    /// A key, the equals sign and the value.
    private mutating func entry() throws(SyntaxError) -> Entry {
      let start = place, key = try key()
      skipSpace()
      guard next != "." else {
        throw failed("keys with dots are not supported.", "write the first part on a line above, as [section].")
      }
      try refuseControl()
      guard take("=") else { throw failed("'=' must follow the key '\(Self.short(key))'.", "write key = value.") }
      skipSpace()
      let valuePlace = place
      return Entry(key, try value(depth: 0), place: start, valuePlace: valuePlace)
    }

    /// A key or a section's name, with or without quotes.
    private mutating func key() throws(SyntaxError) -> String {
      if next == "\"" || next == "'" { return try quotedText() }
      let first = position
      while let next, FlatTOML.isBare(next) { position += 1 }
      guard position > first else {
        try refuseControl()
        throw failed(
          isAtLineEnd ? "a name is missing here." : "a name without quotes cannot contain '\(scalars[position])'.",
          "use letters a to z, digits, _ and -, or put the name in quotes.")
      }
      return Self.text(scalars[first..<position])
    }

    // MARK: Lines

    /// What comes next; nil at the end.
    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    /// Where that is.
    var place: Place { Place(line: line, column: position - lineStart + 1) }

    /// Whether a line feed, with or without a carriage return, or the end of the file comes next.
    var isAtLineEnd: Bool {
      next == nil || next == "\n" || next == "\r" && position + 1 < scalars.count && scalars[position + 1] == "\n"
    }

    func failed(_ why: String, _ fix: String) -> SyntaxError { SyntaxError(place: place, why: why, fix: fix) }

    /// Takes the character if it comes next.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard next == scalar else { return false }
      position += 1
      return true
    }

    mutating func skipSpace() {
      while next == " " || next == "\t" { position += 1 }
    }

    /// Takes spaces, a comment and the end of the line.
    ///
    /// - Throws: if anything else comes.
    private mutating func endLine(behind what: String) throws(SyntaxError) {
      try skipComment()
      guard isAtLineEnd else {
        try refuseControl()
        throw failed(
          "'\(scalars[position])' follows \(what).", "put every key on its own line, and # before comments.")
      }
      takeLineEnd()
    }

    /// Takes spaces, and a comment up to the end of its line.
    private mutating func skipComment() throws(SyntaxError) {
      skipSpace()
      guard next == "#" else { return }
      while !isAtLineEnd {
        try refuseControl()
        position += 1
      }
    }

    /// Takes spaces, comments and ends of lines, as they may stand within a list.
    mutating func skipLines() throws(SyntaxError) {
      try skipComment()
      while next != nil, isAtLineEnd {
        takeLineEnd()
        try skipComment()
      }
    }

    private mutating func takeLineEnd() {
      guard next != nil else { return }
      position += next == "\r" ? 2 : 1
      line += 1
      lineStart = position
    }

    /// - Throws: if a control character other than a tab comes next.
    func refuseControl() throws(SyntaxError) {
      guard let next, next.value < 0x20 && next != "\t" || next.value == 0x7F else { return }
      let hex = String(next.value, radix: 16), code = String(repeating: "0", count: 4 - hex.count) + hex
      throw failed(
        "there is a control character, U+\(code.uppercased()), here.",
        "delete it; in double quotes, write \\u\(code).")
    }

    static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars)
      return String(text)
    }

    /// At most 40 characters of a text, for messages.
    static func short(_ text: String) -> String {
      text.unicodeScalars.count > 40 ? String(text.unicodeScalars.prefix(40)) + "…" : text
    }
  }
}
