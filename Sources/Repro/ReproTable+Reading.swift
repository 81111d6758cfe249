import Failures
import FileFormats
import Settings

/// A table from its two files.
extension ReproTable {
  /// Reads a table.
  ///
  /// Keys, columns and rules are in `Sources/CTables/README.md`. Settings are read as a run reads them when a cell's are
  /// asked for (`settings(of:seed:scale:)`).
  ///
  /// - Parameters:
  ///   - document: the TOML file.
  ///   - table: the CSV.
  ///   - name: the table's name, of which the files' are made.
  /// - Throws: `.badInput`, with file and line.
  public init(name: String, document: [UInt8], table: [UInt8]) throws {
    let file = "\(name).toml"
    var reader = try Reader(file: file, document: FlatTOML(decoding: document, name: file))
    (self.name, source) = (name, name)
    title = try reader.text("title")
    paper = try reader.text("paper")
    metric = try reader.metric("reports")
    measures = try reader.texts("measures", default: ["test_acc"])
    figures = try reader.texts("figures", default: [])
    differences = try reader.texts("differences", default: [])
    follows = try reader.text("follows", default: "")
    let runs = try reader.number("runs", default: 0)
    try reader.requireEmpty()
    settings = try reader.settings("settings", besides: [])
    quick = try Quick(settings: reader.settings("quick", besides: ["only"]), only: reader.texts("only", default: []))
    try reader.requireEmpty()
    cells = try CellReader(name: name, runs: Int(runs), measures: measures).cells(
      CSV(decoding: table, name: "\(name).csv"))
    claims = try reader.claims(cells: cells, measures: measures)
    for figure in figures where !cells.contains(where: { $0.name == figure }) {
      throw Failure(
        .badInput, "'\(file)' draws a figure of '\(figure)'.", why: "there is no such cell.", fix: "correct the name.")
    }
    for pattern in quick.only where !cells.contains(where: { Pattern.matches($0.name, pattern) }) {
      throw Failure(
        .badInput, "'\(file)' runs '\(pattern)' at the scale quick.", why: "no cell matches it.",
        fix: "correct the pattern.")
    }
  }

  /// The TOML file, key by key: what is not asked for is an error.
  private struct Reader {
    let file: String
    private var sections: [FlatTOML.Section]
    private var open = FlatTOML.Section("", [])

    init(file: String, document: FlatTOML) throws {
      (self.file, sections) = (file, document.sections)
      open.place = FlatTOML.Place(line: 1, column: 1)
      if sections.first?.name == "" { open.entries = sections.removeFirst().entries }
    }

    private func failure(_ place: FlatTOML.Place, _ what: String, _ fix: String) -> Failure {
      Failure(.badInput, "'\(file)' is not a table's file: \(place).", why: what, fix: fix)
    }

    private mutating func take(_ key: String) -> FlatTOML.Entry? {
      guard let index = open.entries.firstIndex(where: { $0.key == key }) else { return nil }
      return open.entries.remove(at: index)
    }

    private func missing(_ key: String) -> Failure {
      failure(open.place, "\(open.name.isEmpty ? "the head" : "[\(open.name)]") has no \(key).", "add it.")
    }

    mutating func text(_ key: String, default value: String? = nil) throws -> String {
      guard let entry = take(key) else {
        guard let value else { throw missing(key) }
        return value
      }
      guard case .string(let text) = entry.value, !text.isEmpty else {
        throw failure(entry.valuePlace, "\(key) is not a text.", "write it in quotation marks.")
      }
      return text
    }

    mutating func texts(_ key: String, default value: [String]) throws -> [String] {
      guard let entry = take(key) else { return value }
      guard case .list(let items) = entry.value else {
        throw failure(entry.valuePlace, "\(key) is not a list.", "write it in brackets.")
      }
      return try items.map { item in
        guard case .string(let text) = item, !text.isEmpty else {
          throw failure(entry.valuePlace, "\(key) has an item that is not a text.", "write it in quotation marks.")
        }
        return text
      }
    }

    mutating func number(_ key: String, default value: Double?) throws -> Double {
      guard let entry = take(key) else {
        guard let value else { throw missing(key) }
        return value
      }
      guard case .number(let number) = entry.value, number.double.isFinite, number.double.magnitude < 1e9 else {
        throw failure(entry.valuePlace, "\(key) is not a number.", "write a number without quotation marks.")
      }
      return number.double
    }

    mutating func metric(_ key: String, default value: Metric = .last) throws -> Metric {
      guard let entry = take(key) else { return value }
      guard case .string(let text) = entry.value, let metric = Metric(rawValue: text) else {
        let names = Metric.allCases.map(\.rawValue).joined(separator: ", ")
        throw failure(entry.valuePlace, "\(key) is not one of \(names).", "choose one of these.")
      }
      return metric
    }

    /// Everything that is left of the open section must have been taken.
    func requireEmpty() throws {
      guard let entry = open.entries.first else { return }
      throw failure(entry.place, "there is no key '\(entry.key)' here.", "correct the name, or remove the line.")
    }

    /// The settings of a section; keys that are something else stay to be taken.
    mutating func settings(_ name: String, besides others: [String]) throws -> [Assignment] {
      guard let index = sections.firstIndex(where: { $0.name == name }) else {
        open = FlatTOML.Section("", [])
        return []
      }
      open = sections.remove(at: index)
      let entries = open.entries.filter { !others.contains($0.key) }
      open.entries.removeAll { entry in entries.contains { $0.key == entry.key } }
      return try entries.map { entry in
        guard RunSettings.setting(named: entry.key) != nil else {
          throw failure(entry.place, "there is no setting '\(entry.key)'.", "correct the name.")
        }
        guard let text = Setting.text(entry.value) else {
          throw failure(
            entry.valuePlace, "\(entry.key) is a list of lists.", "write a number, a text or a list of them.")
        }
        return Assignment(name: entry.key, text: text, place: "'\(file)', \(entry.place)")
      }
    }

    /// All sections that are left.
    mutating func claims(cells: [Cell], measures: [String]) throws -> [Claim] {
      var claims: [Claim] = []
      while !sections.isEmpty {
        open = sections.removeFirst()
        let section = open
        func known(_ cell: String) throws -> String {
          guard cells.contains(where: { $0.name == cell }) else {
            throw failure(section.place, "there is no cell '\(cell)'.", "correct the name.")
          }
          return cell
        }
        let says = try text("says"), source = try text("source")
        let measure = try text("measure", default: measures[0]), metric = try metric("metric")
        let subject: Claim.Subject
        var margin = 0.0
        if let above = try? text("above") {
          let (first, second) = (
            try self.metric("above-metric", default: metric),
            try self.metric("below-metric", default: metric)
          )
          subject = .above(try known(above), first, below: try known(text("below")), second)
          margin = try number("margin", default: 0)
        } else {
          let cell = try known(text("cell"))
          let isLower = open.entries.contains { $0.key == "at-least" }
          let bound = try number(isLower ? "at-least" : "at-most", default: nil)
          subject = isLower ? .atLeast(cell, metric, bound) : .atMost(cell, metric, bound)
        }
        try requireEmpty()
        guard measures.contains(measure) else {
          throw failure(section.place, "'\(measure)' is not a measure of this table.", "add it to measures.")
        }
        claims.append(
          Claim(name: section.name, says: says, source: source, subject: subject, measure: measure, margin: margin))
      }
      return claims
    }
  }

  /// The CSV, line by line.
  private struct CellReader {
    let name: String, runs: Int, measures: [String]

    private static let columns = ["row", "column", "command", "measure", "published", "std", "runs", "tag", "source"]

    func cells(_ table: CSV) throws -> [Cell] {
      for column in ["row", "column", "measure", "published", "std", "tag", "source"]
      where !table.header.contains(column) {
        throw failure(1, "it has no column '\(column)'.", "add it to the first line.")
      }
      for column in table.header
      where !Self.columns.contains(column) && RunSettings.setting(named: column) == nil {
        throw failure(1, "'\(column)' is neither a column of tables nor a setting.", "correct the name.")
      }
      var named: Set<String> = []
      var order: [String] = [], found: [String: (first: Cell, settings: [String], published: [String: Published])] = [:]
      for (row, line) in zip(table.rows, table.lines) {
        func cell(_ column: String) -> String { table.header.firstIndex(of: column).map { row[$0] } ?? "" }
        let title = cell("row"), column = cell("column"), name = Self.name(title, column)
        let settings = table.header.indices.filter { !Self.columns.contains(table.header[$0]) && !row[$0].isEmpty }
          .map { Assignment(name: table.header[$0], text: row[$0], place: "'\(self.name).csv', line \(line)") }
        let texts = settings.map { "\($0.name)=\($0.text)" } + [cell("command")]
        let measure = cell("measure"), value = try published(cell, line)
        guard !name.isEmpty else { throw failure(line, "the row has no name.", "write one.") }
        guard measures.contains(measure), Quantity(measure) != nil else {
          throw failure(
            line, "'\(measure)' is not a measure of this table.", "it has \(measures.joined(separator: ", ")).")
        }
        guard var known = found[name] else {
          let job: JobKind
          switch cell("command") {
          case "", "train": job = .train
          case "detect": job = .detect
          default: throw failure(line, "'\(cell("command"))' is no command.", "write train or detect.")
          }
          let first = Cell(name: name, row: title, column: column, job: job, settings: settings, published: [:])
          order.append(name)
          found[name] = (first, texts, value.map { [measure: $0] } ?? [:])
          // A measure without a published value counts as named, too.
          named.insert("\(name) \(measure)")
          continue
        }
        guard (known.first.row, known.first.column) == (title, column) else {
          throw failure(line, "'\(name)' is the name of two cells.", "give them other rows or columns.")
        }
        guard known.settings == texts else {
          throw failure(line, "its settings differ from those of the same cell above.", "make them equal.")
        }
        guard named.insert("\(name) \(measure)").inserted else {
          throw failure(line, "the cell '\(name)' has \(measure) twice.", "remove one line.")
        }
        known.published[measure] = value
        found[name] = known
      }
      guard !order.isEmpty else { throw failure(1, "it has no cells.", "add a line for each.") }
      return order.map { name in
        let (cell, _, published) = found[name]!
        return Cell(
          name: name, row: cell.row, column: cell.column, job: cell.job, settings: cell.settings, published: published)
      }
    }

    private func published(_ cell: (String) -> String, _ line: Int) throws -> Published? {
      let text = cell("published")
      guard !text.isEmpty else { return nil }
      guard let value = Double(text), (0...100).contains(value) else {
        throw failure(line, "'\(text)' is not a percentage.", "write a number from 0 to 100.")
      }
      var deviation: Double?
      if !cell("std").isEmpty {
        guard let number = Double(cell("std")), (0...100).contains(number) else {
          throw failure(line, "'\(cell("std"))' is not a standard deviation.", "write a number of points.")
        }
        deviation = number / 100
      }
      guard let tag = Published.Tag(rawValue: cell("tag")) else {
        let names = Published.Tag.allCases.map(\.rawValue).joined(separator: ", ")
        throw failure(line, "'\(cell("tag"))' does not say how the value was found.", "write one of \(names).")
      }
      let count = cell("runs").isEmpty ? runs : Int(cell("runs")) ?? -1
      guard count >= 0 else { throw failure(line, "'\(cell("runs"))' is not a number of runs.", "write a number.") }
      guard !cell("source").isEmpty else { throw failure(line, "the value has no source.", "say where it is from.") }
      return Published(
        value: value / 100, deviation: deviation, runs: count > 0 ? count : nil, tag: tag, source: cell("source"))
    }

    /// A cell's name: row and column in lower case, with a dash for everything but letters and digits.
    static func name(_ row: String, _ column: String) -> String {
      let words = "\(row) \(column)".lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
      return words.joined(separator: "-")
    }

    private func failure(_ line: Int, _ what: String, _ fix: String) -> Failure {
      Failure(.badInput, "line \(line) of '\(name).csv' is not a cell.", why: what, fix: fix)
    }
  }
}
