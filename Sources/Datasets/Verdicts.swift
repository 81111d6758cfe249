import Failures
import FileFormats

/// What people decided about samples: the `verdicts.csv` that the page of a detection saves, or one written by hand.
///
/// `apply` reads it for the run that it was saved for, and `detect` for the data.
///
/// Columns, in any order, more are ignored: `path`, or `sample_id` (or `id`) where there are no paths; `verdict`; the right
/// label by its name in `new_name`, or in `new_label` or `label` as `ClassReader` reads it. `given_label` and
/// `given_name`, where they are there, must be the sample's.
public struct Verdicts: Sendable {
  /// What a verdict comes to.
  public enum Decision: Sendable, Equatable {
    /// The given label is right.
    case keep
    /// This class is.
    case relabel(Int)
    /// The given label is wrong, and no class is right or none is known; or the image is unwanted.
    case drop
    /// Looked at without result: it stays as it is, whatever the detector says.
    case unsure
  }

  /// One verdict.
  public struct Verdict: Sendable, Equatable {
    /// What it comes to.
    public let decision: Decision
    /// The word in the file.
    public let word: String
  }

  /// A sample that verdicts may be about.
  public struct Subject: Sendable {
    /// The sample's id, its path in tables, and the label in question.
    public let id: Int, path: String, given: Int
    /// The label that `accept` accepts where a row names none; nil where none is known.
    public let suggested: Int?

    /// A sample of these parts.
    public init(id: Int, path: String, given: Int, suggested: Int? = nil) {
      (self.id, self.path, self.given, self.suggested) = (id, path, given, suggested)
    }
  }

  /// What the verdicts are read for.
  public enum Purpose: Sendable {
    /// The run that they were saved for.
    case run
    /// Data in which labels may have been corrected since: a row whose new label is the sample's own says that it is right.
    case data
  }

  /// By sample id.
  public private(set) var byID: [Int: Verdict] = [:]
  /// How rows were matched to samples.
  public private(set) var matching = SampleList.Matching()
  /// The same verdicts as a table that says the same wherever it lies; nil where the file itself does.
  public private(set) var translation: String?

  /// Reads the file.
  ///
  /// - Parameters:
  ///   - list: the file, and the data.
  ///   - subjects: the samples that it may be about, by id.
  /// - Throws: `.missingInput`; `.badInput` for missing columns, unknown ids, classes or words, rows that contradict each
  ///   other or themselves, and rows of another run or other data.
  public init(from list: SampleList, about subjects: [Int: Subject], for purpose: Purpose = .run) throws {
    let path = list.path, table = try CSV(decoding: FileBytes.read(path), name: path)
    guard let samples = list.rows(of: table, numbers: table.column("sample_id", "id")),
      let wordColumn = table.column("verdict")
    else {
      throw Failure(
        .badInput, "'\(path)' holds no verdicts.",
        why: "it needs the columns sample_id (or path) and verdict; it has \(table.columnList).",
        fix: "give the verdicts.csv that the page of the detection saves.")
    }
    let sourceColumn = table.column("source")
    let reader = RowReader(table: table, list: list, purpose: purpose)
    var fromGrid: Set<Int> = []
    for (cells, line) in zip(table.rows, table.lines) where !cells[wordColumn].isEmpty {
      let match = samples.match(cells), row = try reader.row(match, cells, line, subjects), id = row.id
      matching.add(match)
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
    if matching.byNumber > 0 { try list.requireSameSamples() }
    if list.translates { translation = self.table(subjects, list.dataset.classNames) }
  }

  private func table(_ subjects: [Int: Subject], _ classNames: [String]) -> String {
    let head = CSV.line(["sample_id", "path", "verdict", "new_name"])
    return byID.sorted { $0.key < $1.key }.reduce(into: head) { text, entry in
      let (id, verdict) = entry, words: [String]
      switch verdict.decision {
      case .keep: words = ["keep", ""]
      case .relabel(let label): words = ["relabel", classNames[label]]
      case .drop: words = ["drop", ""]
      case .unsure: words = ["unsure", ""]
      }
      text += CSV.line(["\(id)", subjects[id]?.path ?? ""] + words)
    }
  }
}

/// Makes sense of one row.
private struct RowReader {
  let path: String
  private let classNames: [String]
  private let classes: ClassReader
  private let purpose: Verdicts.Purpose
  private let pathColumn, givenLabel, givenName, newName, newLabel: Int?

  init(table: CSV, list: SampleList, purpose: Verdicts.Purpose) {
    (path, classNames, self.purpose) = (list.path, list.dataset.classNames, purpose)
    classes = list.classes
    pathColumn = table.column("path")
    (givenLabel, givenName) = (table.column("given_label"), table.column("given_name"))
    (newName, newLabel) = (table.column("new_name"), table.column("new_label", "label"))
  }

  /// The sample that a row is about.
  func row(
    _ match: SampleRows.Match, _ cells: [String], _ line: Int, _ subjects: [Int: Verdicts.Subject]
  ) throws -> Verdicts.Subject {
    let whole = purpose == .run ? "the run judged" : "the data has"
    func noImage(_ path: String) -> Failure { wrong(line, "is about '\(path)'", "\(whole) no such image") }
    func noSample(_ id: String) -> Failure {
      wrong(line, "has the sample_id '\(id)'", "\(whole) no sample with that number")
    }
    switch match {
    case .path(let id, _), .number(let id):
      if let row = subjects[id] { return row }
      let path = pathColumn.map { cells[$0].trimmingBlanks } ?? ""
      throw path.isEmpty ? noSample("\(id)") : noImage(path)
    case .missing(let path, _): throw noImage(path)
    case .several(let path, let places):
      throw wrong(line, "is about '\(path)'", "\(whole) it \(places.count) times, under other numbers")
    case .contradiction(let path, let number):
      throw wrong(line, "is about two samples", "its path is '\(path)', and its sample_id is \(number)")
    case .unknown(let text, _): throw noSample(text)
    }
  }

  func decision(
    _ cells: [String], _ wordColumn: Int, _ row: Verdicts.Subject, _ line: Int
  ) throws -> Verdicts.Decision {
    let other = otherGiven(cells, row), label = try newClass(cells, line)
    if let other {
      if purpose == .data, label == row.given { return .keep }
      throw wrong(
        line, "gives sample \(row.id) the label '\(other)'",
        "in this \(purpose == .run ? "run" : "data") it is '\(classNames[row.given])' (\(row.given))")
    }
    let word = cells[wordColumn].trimmingBlanks.lowercased()
    switch word {
    case "keep", "correct", "right":
      guard label == nil || label == row.given else { throw contradiction(cells[wordColumn], line) }
      return .keep
    case "wrong", "other", "relabel":
      guard label != row.given else { throw contradiction(cells[wordColumn], line) }
      return label.map { .relabel($0) } ?? .drop
    case "accept":
      guard let label = label ?? row.suggested else {
        throw wrong(
          line, "accepts a suggestion",
          purpose == .run
            ? "the run has none for sample \(row.id)" : "it does not name the label, in new_label or new_name")
      }
      return label == row.given ? .keep : .relabel(label)
    case "drop", "none", "none_of_these": return .drop
    case "unsure": return .unsure
    default:
      let original = cells[wordColumn].trimmingBlanks
      if word.hasPrefix("relabel:") {
        let text = String(original.dropFirst("relabel:".count))
        guard let label = try classes.label(text, "line \(line) of '\(path)'") else {
          throw wrong(line, "has the verdict '\(original)'", "no class is named behind relabel:")
        }
        return label == row.given ? .keep : .relabel(label)
      }
      throw wrong(
        line, "has the verdict '\(original)'",
        "a verdict must be keep or correct; wrong, accept, other or relabel with a label; drop or none; unsure")
    }
  }

  /// The label that the row says was in question, where the sample has another one: the row was not made for this run.
  private func otherGiven(_ cells: [String], _ row: Verdicts.Subject) -> String? {
    let name = classNames[row.given], text = givenLabel.map { cells[$0].trimmingBlanks } ?? ""
    let named = givenName.map { cells[$0].trimmingBlanks } ?? ""
    let isNamed = named.isEmpty || named == name.trimmingBlanks
    if isNamed, text.isEmpty || classes.means(text, row.given) { return nil }
    return isNamed ? text : named
  }

  /// The class that the row names; nil for none.
  private func newClass(_ cells: [String], _ line: Int) throws -> Int? {
    func text(_ column: Int?) -> String { column.map { cells[$0].trimmingBlanks } ?? "" }
    return try classes.label(text(newLabel), named: text(newName), "line \(line) of '\(path)'")
  }

  private func contradiction(_ word: String, _ line: Int) -> Failure {
    wrong(line, "contradicts itself", "its verdict is '\(word)', its label says otherwise")
  }

  private func wrong(_ line: Int, _ what: String, _ why: String) -> Failure {
    Failure(
      .badInput, "line \(line) of '\(path)' \(what).", why: why + ".",
      fix: "correct the line, or use verdicts that were saved for this \(purpose == .run ? "run" : "data").")
  }
}
