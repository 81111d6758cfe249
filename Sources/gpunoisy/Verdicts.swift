import Failures
import FileFormats

/// What people decided about samples: the `verdicts.csv` that the page of a detection saves, or one written by hand.
///
/// Columns, in any order, more are ignored: `sample_id` (or `id`); `verdict`; the right label in `new_name`, `new_label`
/// or `label`, a class by name or number. Where there are `path`, `given_label` or `given_name`, they must be the run's.
struct Verdicts {
  enum Decision: Equatable {
    /// The given label is right.
    case keep
    /// This class is.
    case relabel(Int)
    /// The given label is wrong, and no class is right or none is known; or the image is unwanted.
    case drop
    /// Looked at without result: it stays as it is, whatever the detector says.
    case unsure
  }

  struct Verdict {
    let decision: Decision
    /// The word in the file.
    let word: String
  }

  /// By sample id.
  private(set) var byID: [Int: Verdict] = [:]

  /// Reads the file.
  ///
  /// - Throws: `.missingInput`; `.badInput` for missing columns, unknown ids, classes or words, rows that contradict each
  ///   other or themselves, and rows of another run.
  init(fromFile path: String, for suspected: SuspectedLabels, classNames: [String]) throws {
    let table = try CSV(decoding: FileBytes.read(path), name: path)
    guard let idColumn = table.column("sample_id", "id"), let wordColumn = table.column("verdict") else {
      throw Failure(
        .badInput, "'\(path)' holds no verdicts.",
        why: "it needs the columns sample_id and verdict; it has \(table.header.joined(separator: ", ")).",
        fix: "use the verdicts.csv saved from the page of the detection.")
    }
    let sourceColumn = table.column("source")
    let reader = RowReader(table: table, path: path, classNames: classNames)
    var fromGrid: Set<Int> = []
    for (cells, line) in zip(table.rows, table.lines) where !cells[wordColumn].isEmpty {
      guard let id = Int(cells[idColumn]), let row = suspected.rows[id] else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' has the sample_id '\(cells[idColumn])'.",
          why: "the run judged no sample with that id.", fix: "use verdicts that were saved for this run.")
      }
      let verdict = Verdict(decision: try reader.decision(cells, wordColumn, row, line), word: cells[wordColumn])
      // The page's blind check asks whether a label is right; its grid says what is to be done, which counts more.
      let isGrid = sourceColumn.map { cells[$0] != "blind" } ?? true
      if let earlier = byID[id], fromGrid.contains(id) == isGrid, earlier.decision != verdict.decision {
        throw Failure(
          .badInput, "line \(line) of '\(path)' contradicts an earlier one.",
          why: "sample \(id) was '\(earlier.word)' and is '\(verdict.word)' now.", fix: "remove one of the lines.")
      }
      if isGrid { fromGrid.insert(id) }
      if isGrid || !fromGrid.contains(id) { byID[id] = verdict }
    }
  }
}

/// Makes sense of one row.
private struct RowReader {
  let path: String
  let classNames: [String]
  private let pathColumn, givenLabel, givenName, newName, newLabel: Int?

  init(table: CSV, path: String, classNames: [String]) {
    (self.path, self.classNames) = (path, classNames)
    (givenLabel, givenName) = (table.column("given_label"), table.column("given_name"))
    pathColumn = table.column("path")
    (newName, newLabel) = (table.column("new_name"), table.column("new_label", "label"))
  }

  func decision(
    _ cells: [String], _ wordColumn: Int, _ row: SuspectedLabels.Row, _ line: Int
  ) throws -> Verdicts.Decision {
    try checkGiven(cells, row, line)
    let word = cells[wordColumn].trimmed.lowercased(), label = try newClass(cells, line)
    switch word {
    case "keep", "correct", "right":
      guard label == nil || label == row.given else { throw contradiction(cells[wordColumn], line) }
      return .keep
    case "wrong", "other", "relabel":
      guard label != row.given else { throw contradiction(cells[wordColumn], line) }
      return label.map { .relabel($0) } ?? .drop
    case "accept":
      guard let label = label ?? row.suggested else {
        throw wrong(line, "accepts a suggestion", "the run has none for sample \(row.id)")
      }
      return label == row.given ? .keep : .relabel(label)
    case "drop", "none", "none_of_these": return .drop
    case "unsure": return .unsure
    default:
      let original = cells[wordColumn].trimmed
      if word.hasPrefix("relabel:") {
        let label = try classNumber(String(original.dropFirst("relabel:".count)).trimmed, line)
        return label == row.given ? .keep : .relabel(label)
      }
      throw wrong(
        line, "has the verdict '\(original)'",
        "a verdict must be keep or correct; wrong, accept, other or relabel with a label; drop or none; unsure")
    }
  }

  /// A row about another image, or the same with another label, was not made for this run.
  private func checkGiven(_ cells: [String], _ row: SuspectedLabels.Row, _ line: Int) throws {
    if let pathColumn, !cells[pathColumn].isEmpty, cells[pathColumn] != row.path {
      throw wrong(line, "has the path '\(cells[pathColumn])'", "sample \(row.id) of this run is '\(row.path)'")
    }
    let name = classNames.indices.contains(row.given) ? classNames[row.given] : ""
    for case let column? in [givenLabel, givenName] where !cells[column].isEmpty {
      guard cells[column] == name || Int(cells[column]) == row.given else {
        throw wrong(
          line, "gives sample \(row.id) the label '\(cells[column])'", "in this run it is '\(name)' (\(row.given))")
      }
    }
  }

  /// The class that the row names; nil for none.
  private func newClass(_ cells: [String], _ line: Int) throws -> Int? {
    func text(_ column: Int?) -> String { column.map { cells[$0].trimmed } ?? "" }
    let name = text(newName), number = text(newLabel)
    guard !name.isEmpty else { return number.isEmpty ? nil : try classNumber(number, line) }
    let label = try classNumber(name, line)
    guard number.isEmpty || Int(number) == label || number == classNames[label] else {
      throw wrong(line, "names two classes", "the new label is '\(name)' as well as '\(number)'")
    }
    return label
  }

  /// A class may be called "3"; then the name goes before the number.
  private func classNumber(_ text: String, _ line: Int) throws -> Int {
    if let label = classNames.firstIndex(of: text) { return label }
    guard let label = Int(text), classNames.indices.contains(label) else {
      throw wrong(
        line, "names the class '\(text)'",
        "the \(classNames.count) classes are \(classNames.prefix(20).joined(separator: ", "))")
    }
    return label
  }

  private func contradiction(_ word: String, _ line: Int) -> Failure {
    wrong(line, "contradicts itself", "its verdict is '\(word)', its label says otherwise")
  }

  private func wrong(_ line: Int, _ what: String, _ why: String) -> Failure {
    Failure(
      .badInput, "line \(line) of '\(path)' \(what).", why: why + ".",
      fix: "correct the line, or use verdicts that were saved for this run.")
  }
}

extension String {
  /// Without the spaces around it that people type.
  fileprivate var trimmed: String {
    guard let start = firstIndex(where: { $0 != " " }), let end = lastIndex(where: { $0 != " " }) else { return "" }
    return String(self[start...end])
  }
}
