import Failures

/// JSON as text: a strict reader for input that may be hostile, and a writer whose output is a function of the value.
public enum JSONText {
  /// Bounds on what a document may ask of the reader.
  public struct Limits: Sendable {
    /// Nested arrays and objects, at most.
    public var depth: Int
    /// Values in the whole document, at most; bounds the memory to about 40 bytes for each.
    public var values: Int

    /// Bounds; the default ones are ample for every document of ours.
    public init(depth: Int = 64, values: Int = 1 << 20) {
      self.depth = depth
      self.values = values
    }
  }

  /// Reads one document as RFC 8259 writes it.
  ///
  /// Refused: invalid UTF-8, lone surrogates, trailing commas, comments, text after the document, and an object with the
  /// same name twice (compared as Swift compares strings, so that "é" in two Unicode spellings counts as the same).
  ///
  /// - Parameter name: the file (and line) that messages speak of.
  /// - Throws: `Failure` of kind `badInput` with the byte at which the text goes wrong.
  public static func parse(
    _ bytes: some Collection<UInt8>, named name: String, limits: Limits = Limits()
  ) throws -> JSONValue {
    var parser = JSONParser(bytes: Array(bytes), limits: limits)
    do {
      return try parser.document()
    } catch {
      throw Failure(
        .badInput, "'\(name)' is not valid JSON at byte \(error.offset).", why: "\(error.problem).",
        fix: "correct the file, or write it again with a JSON library.")
    }
  }

  /// The document in one line without spaces.
  public static func compact(_ value: JSONValue) -> String {
    var text = ""
    append(value, indent: nil, to: &text)
    return text
  }

  /// The document with two spaces of indentation for each level and a newline at the end.
  public static func indented(_ value: JSONValue) -> String {
    var text = ""
    append(value, indent: 0, to: &text)
    return text + "\n"
  }

  /// A string in quotes, with what JSON demands escaped and nothing else.
  public static func quoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<" ":
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static func append(_ value: JSONValue, indent: Int?, to text: inout String) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let number): text += number.text
    case .string(let string): text += quoted(string)
    case .array(let elements):
      appendList(elements, in: ("[", "]"), indent: indent, to: &text) { element, inner, text in
        append(element, indent: inner, to: &text)
      }
    case .object(let members):
      appendList(members, in: ("{", "}"), indent: indent, to: &text) { member, inner, text in
        text += quoted(member.name) + (inner == nil ? ":" : ": ")
        append(member.value, indent: inner, to: &text)
      }
    }
  }

  private static func appendList<Element>(
    _ elements: [Element], in brackets: (String, String), indent: Int?, to text: inout String,
    each: (Element, Int?, inout String) -> Void
  ) {
    guard !elements.isEmpty else {
      text += brackets.0 + brackets.1
      return
    }
    let inner = indent.map { $0 + 2 }
    text += brackets.0
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      if let inner { text += "\n" + String(repeating: " ", count: inner) }
      each(element, inner, &text)
    }
    if let indent { text += "\n" + String(repeating: " ", count: indent) }
    text += brackets.1
  }
}
