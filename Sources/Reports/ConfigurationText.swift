import FileFormats

/// A TOML document built from sections and keys in a fixed order: config.toml.
public struct ConfigurationText: Sendable, Equatable {
  /// A value of the few kinds that settings have.
  public enum Value: Sendable, Equatable {
    case string(String)
    case integer(Int)
    /// TOML integers have 63 bits; larger seeds are written as strings.
    case unsigned(UInt64)
    case number(Double)
    case bool(Bool)
    case list([Value])
  }

  /// A `[table]` with its keys; the one without a name comes first.
  public struct Section: Sendable, Equatable {
    /// The table's name; empty for the keys above all tables.
    public var name: String
    /// Keys and values in their order.
    public var settings: [(key: String, value: Value)]

    /// A table with these keys.
    public init(_ name: String = "", _ settings: [(key: String, value: Value)]) {
      self.name = name
      self.settings = settings
    }

    /// Same name, and same keys and values in the same order.
    public static func == (left: Self, right: Self) -> Bool {
      left.name == right.name && left.settings.elementsEqual(right.settings, by: ==)
    }
  }

  /// Lines of comment above everything else, without the `#`.
  public var comments: [String]
  /// The tables in their order; those without keys are left out.
  public var sections: [Section]

  /// A document of these tables.
  public init(comments: [String] = [], sections: [Section]) {
    self.comments = comments
    self.sections = sections
  }

  /// The document.
  public var text: String {
    var blocks: [String] = []
    if !comments.isEmpty { blocks.append(comments.map { "# \(PlainText.escaped($0))\n" }.joined()) }
    for section in sections where !section.settings.isEmpty {
      let title = section.name.isEmpty ? "" : "[\(Self.key(section.name))]\n"
      blocks.append(title + section.settings.map { "\(Self.key($0.key)) = \(Self.spelled($0.value))\n" }.joined())
    }
    return blocks.joined(separator: "\n")
  }

  private static func spelled(_ value: Value) -> String {
    switch value {
    case .string(let text): quoted(text)
    case .integer(let number): String(number)
    case .unsigned(let number): number <= UInt64(Int64.max) ? String(number) : quoted(String(number))
    case .number(let number): NumberText.shortest(number)
    case .bool(let flag): flag ? "true" : "false"
    case .list(let values): "[" + values.map(spelled).joined(separator: ", ") + "]"
    }
  }

  private static func key(_ name: String) -> String {
    let isBare =
      !name.isEmpty
      && name.unicodeScalars.allSatisfy { scalar in
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
      }
    return isBare ? name : quoted(name)
  }

  /// TOML's basic strings are JSON's, but for DEL, which wants an escape.
  private static func quoted(_ text: String) -> String {
    var quoted = ""
    for scalar in JSONText.quoted(text).unicodeScalars {
      if scalar == "\u{7F}" { quoted += "\\u007f" } else { quoted.unicodeScalars.append(scalar) }
    }
    return quoted
  }
}
