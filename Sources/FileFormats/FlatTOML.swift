import Failures

/// The flat part of TOML 1.0 that settings need: keys, and sections one deep, with texts, numbers, truths and lists.
///
/// Read by `read` and `init(decoding:name:)`, written by `text`. What reading accepts means the same to every reader of
/// TOML 1.0; what it leaves out of TOML (dates, `inf` and `nan`, other bases than ten, texts over several lines, inline
/// tables, names with dots, lists of sections) is refused by name.
public struct FlatTOML: Sendable, Equatable {
  /// A value.
  public enum Value: Sendable, Equatable {
    case string(String)
    /// As written, but without underscores and a leading `+`, which is how JSON spells it, too.
    case number(JSONNumber)
    case bool(Bool)
    case list([Value])

    /// An integer.
    public static func integer(_ value: Int) -> Value { .number(JSONNumber(value)) }

    /// An integer with all 64 bits; `FlatTOML.text` spells one of more than 63 bits as a text.
    public static func unsigned(_ value: UInt64) -> Value { .number(JSONNumber(value)) }

    /// The shortest number that reads back to `value`, which must be finite.
    public static func double(_ value: Double) -> Value { .number(JSONNumber(value)) }
  }

  /// A line and a column of a file, both from 1; columns count Unicode scalars.
  public struct Place: Sendable, Equatable, CustomStringConvertible {
    /// The line; 0 for what was not read from a file.
    public var line: Int
    /// The column in that line.
    public var column: Int

    /// That place; without arguments, that of what was not read from a file.
    public init(line: Int = 0, column: Int = 0) {
      self.line = line
      self.column = column
    }

    /// As messages name it: `line 3, column 8`.
    public var description: String { "line \(line), column \(column)" }
  }

  /// A key with its value.
  public struct Entry: Sendable, Equatable {
    /// The key.
    public var key: String
    /// Its value.
    public var value: Value
    /// Where the key begins.
    public var place: Place
    /// Where the value begins.
    public var valuePlace: Place
    /// A comment to write behind the value, without the `#`; none after reading.
    public var comment: String?

    /// A key with this value.
    public init(
      _ key: String, _ value: Value, place: Place = Place(), valuePlace: Place = Place(), comment: String? = nil
    ) {
      self.key = key
      self.value = value
      self.place = place
      self.valuePlace = valuePlace
      self.comment = comment
    }

    /// Same key and value, wherever they stand.
    public static func == (left: Self, right: Self) -> Bool { left.key == right.key && left.value == right.value }
  }

  /// A `[section]` with its keys.
  public struct Section: Sendable, Equatable {
    /// The section's name; empty for the keys above all sections.
    public var name: String
    /// Keys and values in their order.
    public var entries: [Entry]
    /// Where the opening bracket stands.
    public var place: Place

    /// A section with these entries.
    public init(_ name: String = "", _ entries: [Entry], place: Place = Place()) {
      self.name = name
      self.entries = entries
      self.place = place
    }

    /// Same name, and same keys and values in the same order, wherever they stand.
    public static func == (left: Self, right: Self) -> Bool {
      left.name == right.name && left.entries == right.entries
    }
  }

  /// Lines of comment to write above everything else, without the `#`; none after reading.
  public var comments: [String]
  /// The sections in their order; the one without a name comes first, if it has keys.
  public var sections: [Section]

  /// A document of these sections.
  public init(comments: [String] = [], sections: [Section]) {
    self.comments = comments
    self.sections = sections
  }

  /// The largest file that is read, in bytes: 1 MiB.
  public static let mostBytes = 1 << 20

  /// Reads a file, or what comes through a pipe such as `/dev/stdin`.
  ///
  /// - Throws: `.missingInput`, `.badInput`, `.inputOutput` as `FileBytes.read`; `.badInput` as `init(decoding:name:)`.
  public static func read(_ path: String) throws -> FlatTOML {
    try FlatTOML(decoding: FileBytes.read(path, first: mostBytes + 1, pipes: true), name: path)
  }

  /// Reads text: UTF-8, lines ending in LF or CRLF; a byte order mark at its start is passed over.
  ///
  /// Keys and names of sections are compared as Swift compares strings, so that "é" in two Unicode spellings counts as
  /// the same.
  ///
  /// - Parameter name: the file that messages speak of.
  /// - Throws: `.badInput`, with line and column, for text that is not TOML 1.0 or beyond its flat part, for lists more
  ///   than four deep, for a section without a name, and for more than `mostBytes` bytes.
  public init(decoding bytes: [UInt8], name: String) throws {
    guard bytes.count <= Self.mostBytes else {
      throw Failure(
        .badInput, "'\(name)' is too large for a settings file.", why: "it has more than \(Self.mostBytes) bytes.",
        fix: "check that it is the file you meant.")
    }
    let sections: [Section]
    do {
      var reader = try Reader(bytes)
      sections = try reader.document()
    } catch {
      throw Failure(.badInput, "'\(name)' is not valid: \(error.place).", why: error.why, fix: error.fix)
    }
    self.init(sections: sections)
  }
}
