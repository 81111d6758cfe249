import Failures

/// Comma-separated text as in RFC 4180: a strict reader, and the quoting of a writer.
public struct CSV: Sendable {
  /// The names of the first line.
  public let header: [String]
  /// The fields of the lines below it; each row has as many as the header.
  public let rows: [[String]]
  /// The line number (from 1) in which each row begins.
  public let lines: [Int]

  /// Reads text with a header line; line ends may be LF or CRLF, or CR where there is no LF, and empty lines are left
  /// out.
  ///
  /// - Parameter name: how failures name the file.
  /// - Throws: `.badInput`, with the line number, for text that is not UTF-8, an open quotation mark, or a row with
  ///   another number of fields than the header.
  public init(decoding bytes: [UInt8], name: String) throws {
    try Self.requireMemory(bytes, name)
    var scanner = Scanner(bytes: bytes, name: name)
    guard let first = try scanner.nextRow() else {
      throw Failure(
        .badInput, "'\(name)' is empty.", why: "a table needs a header line with its column names.",
        fix: "add that line.")
    }
    header = first.fields
    var rows: [[String]] = []
    var lines: [Int] = []
    while let row = try scanner.nextRow() {
      guard row.fields.count == header.count else {
        throw Failure(
          .badInput, "line \(row.line) of '\(name)' has \(row.fields.count) fields.",
          why: "the first line names \(header.count) columns.",
          fix: "correct the line; a field that contains a comma needs quotation marks around it.")
      }
      rows.append(row.fields)
      lines.append(row.line)
    }
    (self.rows, self.lines) = (rows, lines)
  }

  /// Checks that the fields of a large table fit into memory: each is a string of 16 bytes, and most of its bytes once
  /// more; a row is an array of them.
  private static func requireMemory(_ bytes: [UInt8], _ name: String) throws {
    guard bytes.count > 1 << 24 else { return }
    var fields = 0, rows = 0
    for byte in bytes {
      if byte == 0x2C { fields += 1 }
      if byte == 0x0A { rows += 1 }
    }
    try MemoryLimit.require(
      2 * bytes.count + 16 * (fields + rows) + 64 * rows, for: "'\(name)'", fix: "use a smaller table.")
  }

  /// The index of the first of these columns that the table has; blanks around its name do not count, nor do capitals
  /// where no column has the very name.
  public func column(_ names: String...) -> Int? {
    for name in names {
      if let index = header.firstIndex(of: name) ?? header.firstIndex(where: { $0.trimmingBlanks.lowercased() == name })
      {
        return index
      }
    }
    return nil
  }

  /// The names of the columns for a failure: `path, label, split`, or the first ones and how many there are.
  public var columnList: String {
    let names = header.prefix(8).map { $0.count > 40 ? "\($0.prefix(39))…" : $0 }.joined(separator: ", ")
    return header.count > 8 ? "\(header.count) columns, which begin with \(names)" : names
  }

  /// One line of a table, with quotation marks where they are needed and a line feed at the end.
  public static func line(_ fields: [String]) -> String {
    fields.map(quoted).joined(separator: ",") + "\n"
  }

  /// A field as it stands in a table.
  public static func quoted(_ field: String) -> String {
    let needsQuotes = field.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
    guard needsQuotes else { return field }
    var text = "\""
    for scalar in field.unicodeScalars {
      if scalar == "\"" { text.unicodeScalars.append("\"") }
      text.unicodeScalars.append(scalar)
    }
    return text + "\""
  }
}

extension CSV {
  /// Walks over the bytes, row by row.
  private struct Scanner {
    let bytes: [UInt8]
    let name: String
    /// Whether a carriage return alone ends a line, as in files of old Macs.
    let endsLinesByReturn: Bool
    var position = 0
    var line = 1

    init(bytes: [UInt8], name: String) {
      (self.bytes, self.name) = (bytes, name)
      endsLinesByReturn = !bytes.contains(0x0A)
      if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    mutating func nextRow() throws -> (fields: [String], line: Int)? {
      while position < bytes.count {
        let start = line
        let fields = try row()
        if fields.count > 1 || !fields[0].isEmpty { return (fields, start) }
      }
      return nil
    }

    private mutating func row() throws -> [String] {
      var fields: [String] = []
      while true {
        fields.append(try position < bytes.count && bytes[position] == 0x22 ? quotedField() : plainField())
        guard position < bytes.count else { return fields }
        if bytes[position] == 0x2C {
          position += 1
          continue
        }
        if bytes[position] == 0x0D, !endsLinesByReturn { position += 1 }
        position += 1
        line += 1
        return fields
      }
    }

    /// Up to a comma, LF, CRLF or the end, which stay.
    private mutating func plainField() throws -> String {
      let start = position
      while position < bytes.count, bytes[position] != 0x2C, bytes[position] != 0x0A, !isLineEnd(position) {
        if bytes[position] == 0x22 { throw wrong("has a quotation mark inside a field", "quote the whole field") }
        position += 1
      }
      return try text(bytes[start..<position])
    }

    private mutating func quotedField() throws -> String {
      let start = line
      var field: [UInt8] = []
      position += 1
      while true {
        guard position < bytes.count else {
          line = start
          throw wrong("has an unclosed quotation mark", "close it")
        }
        let byte = bytes[position]
        position += 1
        if byte == 0x22 {
          guard position < bytes.count, bytes[position] == 0x22 else { break }
          position += 1
        } else if byte == 0x0A {
          line += 1
        }
        field.append(byte)
      }
      guard position == bytes.count || bytes[position] == 0x2C || bytes[position] == 0x0A || isLineEnd(position) else {
        throw wrong("has text after a closing quotation mark", "double quotation marks inside a field")
      }
      return try text(field[...])
    }

    /// Whether CR and LF stand here, or a CR that ends a line by itself.
    private func isLineEnd(_ index: Int) -> Bool {
      bytes[index] == 0x0D && (endsLinesByReturn || index + 1 == bytes.count || bytes[index + 1] == 0x0A)
    }

    private func text(_ field: ArraySlice<UInt8>) throws -> String {
      guard let text = String(validating: field, as: UTF8.self) else {
        throw wrong("is not UTF-8 text", "save the file as UTF-8")
      }
      return text
    }

    private func wrong(_ what: String, _ fix: String) -> Failure {
      Failure(.badInput, "line \(line) of '\(name)' \(what).", why: "the file is not well-formed CSV.", fix: "\(fix).")
    }
  }
}
