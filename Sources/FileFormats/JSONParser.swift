/// Where and why a text is not JSON.
struct JSONSyntaxError: Error {
  var offset: Int
  var problem: String
}

/// A recursive-descent reader of one JSON document, bounded in depth and in the number of values.
struct JSONParser {
  private let bytes: [UInt8]
  private let limits: JSONText.Limits
  private var position = 0
  private var valueCount = 0

  init(bytes: [UInt8], limits: JSONText.Limits) {
    self.bytes = bytes
    self.limits = limits
  }

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw failed("there is text after the end of the document") }
    return value
  }

  private func failed(_ problem: String, at offset: Int? = nil) -> JSONSyntaxError {
    JSONSyntaxError(offset: offset ?? position, problem: problem)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// Takes the byte if it comes next.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    valueCount += 1
    guard valueCount <= limits.values else { throw failed("it holds more than \(limits.values) values") }
    guard let next else { throw failed("it ends where a value must follow") }
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default: throw failed("a value cannot start like this")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
    for index in 0..<word.utf8CodeUnitCount {
      guard next == word.utf8Start[index] else { throw failed("this is not the word \(word)") }
      position += 1
    }
    return value
  }

  private mutating func enter(_ depth: Int) throws(JSONSyntaxError) {
    guard depth <= limits.depth else { throw failed("it is nested deeper than \(limits.depth) levels") }
    position += 1
    skipSpace()
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    try enter(depth)
    var elements: [JSONValue] = []
    if take("]") { return .array(elements) }
    while true {
      elements.append(try value(depth: depth))
      skipSpace()
      if take("]") { return .array(elements) }
      guard take(",") else { throw failed("a comma or ] must follow in an array") }
      skipSpace()
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    try enter(depth)
    var members: [JSONMember] = []
    var names: Set<String> = []
    if take("}") { return .object(members) }
    while true {
      let start = position
      guard next == UInt8(ascii: "\"") else { throw failed("a name in quotes is missing here") }
      let name = try string()
      guard names.insert(name).inserted else { throw failed("the name occurs twice in one object", at: start) }
      skipSpace()
      guard take(":") else { throw failed("a colon must follow the name") }
      skipSpace()
      members.append(JSONMember(name, try value(depth: depth)))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failed("a comma or } must follow in an object") }
      skipSpace()
    }
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw failed("a digit is missing here") }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONNumber {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return JSONNumber(checked: String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    let start = position
    position += 1
    var plain: [UInt8] = []
    var runStart = position
    while true {
      guard let byte = next else { throw failed("a string has no end", at: start) }
      switch byte {
      case UInt8(ascii: "\""):
        plain += bytes[runStart..<position]
        position += 1
        guard let text = String(validating: plain, as: UTF8.self) else {
          throw failed("a string is not valid UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"):
        plain += bytes[runStart..<position]
        position += 1
        plain += UTF8.encode(try escape())!
        runStart = position
      case 0..<0x20: throw failed("a string has an unescaped control character")
      default: position += 1
      }
    }
  }

  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    guard let byte = next else { throw failed("a string ends inside an escape") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try fourHexDigits()
      if let scalar = Unicode.Scalar(first) { return scalar }
      guard first < 0xDC00, take("\\"), take("u") else { throw failed("half of a surrogate pair is missing") }
      let second = try fourHexDigits()
      guard (0xDC00..<0xE000).contains(second) else { throw failed("half of a surrogate pair is missing") }
      return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))!
    default: throw failed("there is no such escape", at: position - 1)
    }
  }

  private mutating func fourHexDigits() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failed("four hexadecimal digits must follow \\u")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
