/// Columns of text for people: `devices`, `bench`, summaries.
public struct TextTable: Sendable {
  /// On which side of its column a text stands.
  public enum Alignment: Sendable {
    case left, right
  }

  /// A column's title and the side its cells keep to; numbers read best on the right.
  public struct Column: Sendable {
    /// The text above the column.
    public var title: String
    /// The side that its cells keep to.
    public var alignment: Alignment

    /// A column with this title.
    public init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  /// The columns from left to right.
  public var columns: [Column]
  /// Cells, as many in each row as there are columns.
  public private(set) var rows: [[String]] = []

  /// A table without rows; without any title there is no title line.
  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row; control characters in it will be shown, not sent.
  public mutating func append(_ row: [String]) {
    precondition(row.count == columns.count, "\(row.count) cells in a row of \(columns.count) columns")
    rows.append(row.map(TerminalText.escaped))
  }

  /// The title line and the rows, two spaces between columns, none at the ends of lines.
  public var text: String {
    let titles = columns.map(\.title)
    let lines = titles.allSatisfy(\.isEmpty) ? rows : [titles] + rows
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      let cells = line.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - line[column].count)
        return columns[column].alignment == .left ? line[column] + space : space + line[column]
      }
      let joined = cells.joined(separator: "  ")
      return String(joined.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
