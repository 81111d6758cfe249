/// The words and signs of OpenCL C, without comments, preprocessor lines and quoted text.
struct KernelTokens {
  /// The names, numbers and single signs, in order.
  private(set) var tokens: [String] = []
  /// What the macros without parameters stand for.
  private(set) var macros: [String: [String]] = [:]

  private let bytes: [UInt8]
  private var position = 0
  private var isAtLineStart = true

  init(_ source: String) { self.init(Array(source.utf8)) }

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
    while let token = token() { tokens.append(token) }
  }

  /// `tokens` with what their macros stand for in place of them; a macro within itself stays, as in C.
  func expanding(_ tokens: [String], within names: Set<String> = []) -> [String] {
    tokens.flatMap { token in
      guard !names.contains(token), let body = macros[token] else { return [token] }
      return expanding(body, within: names.union([token]))
    }
  }

  private mutating func token() -> String? {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\n"):
        isAtLineStart = true
        position += 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
      case UInt8(ascii: "/") where follows("//"): skipLine(withComments: false)
      case UInt8(ascii: "/") where follows("/*"): skipComment()
      case UInt8(ascii: "#") where isAtLineStart: directive()
      case UInt8(ascii: "\""), UInt8(ascii: "'"): skipQuoted(by: bytes[position])
      default:
        isAtLineStart = false
        return word()
      }
    }
    return nil
  }

  /// Notes a macro without parameters; passes over other preprocessor lines.
  private mutating func directive() {
    let start = position + 1
    skipLine(withComments: true)
    var line = KernelTokens(line: bytes[min(start, position)..<position])
    guard line.token() == "define", let name = line.token(), name.isIdentifier else { return }
    let hasParameters = line.position < line.bytes.count && line.bytes[line.position] == UInt8(ascii: "(")
    guard !hasParameters else { return }
    while let token = line.token() { line.tokens.append(token) }
    macros[name] = line.tokens
  }

  /// Room to read one preprocessor line, of which nothing is read yet.
  private init(line: ArraySlice<UInt8>) {
    var line = Array(line)
    for index in line.indices.dropLast()
    where line[index] == UInt8(ascii: "\\") && line[index + 1] == UInt8(ascii: "\n") {
      line[index] = UInt8(ascii: " ")
      line[index + 1] = UInt8(ascii: " ")
    }
    bytes = line
    isAtLineStart = false
  }

  private func follows(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[position...].starts(with: $0) }
  }

  /// To the end of the line, and of those that a backslash or (in a preprocessor line) a comment joins to it.
  private mutating func skipLine(withComments: Bool) {
    while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
      if withComments && follows("/*") {
        skipComment()
      } else {
        position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
      }
    }
    position = min(position, bytes.count)
  }

  private mutating func skipComment() {
    position += 2
    while position < bytes.count && !follows("*/") { position += 1 }
    position = min(position + 2, bytes.count)
  }

  private mutating func skipQuoted(by quote: UInt8) {
    position += 1
    while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
      let byte = bytes[position]
      position += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == quote { break }
    }
    position = min(position, bytes.count)
  }

  private mutating func word() -> String {
    let start = position
    while position < bytes.count, bytes[position].isWordByte { position += 1 }
    if position == start { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }
}

extension UInt8 {
  /// A letter, digit or underscore; bytes beyond ASCII count as letters.
  fileprivate var isWordByte: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }
}

extension String {
  /// Whether this token is a name.
  var isIdentifier: Bool {
    guard let first = utf8.first else { return false }
    return first.isWordByte && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
  }
}
