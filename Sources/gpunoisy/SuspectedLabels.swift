import Datasets
import Detection
import Failures
import FileFormats
import Reports

/// The rows of a detection's `label_issues.csv`, or of a training method's `suspicion.csv`, as far as they decide about
/// labels.
struct SuspectedLabels {
  struct Row {
    let id: Int
    let path: String
    let isSuspected: Bool
    let given: Int
    /// The class that the label is suggested to become, and its probability; nil where nothing was measured.
    let suggested: Int?
    let confidence: Double?
    /// Why it is suspected, or would be.
    let reason: String
    /// The names beside the two classes; empty where the table has none.
    let givenName, suggestedName: String
    /// The line of the table.
    let line: Int
  }

  /// The table's name in the run folder.
  let file: String
  /// By id.
  let rows: [Int: Row]
  /// What the detection said of the whole set; nil for a table that does not say.
  let verdict: DetectionVerdict?
  private let path: String

  /// Reads `label_issues.csv` of a detection, or `suspicion.csv` of a run of `train` with a method that judges samples.
  ///
  /// - Parameters:
  ///   - run: the run's folder.
  ///   - threshold: for suspicion.csv: a sample with a higher suspicion is suspected; nil for a detection.
  /// - Throws: `.missingInput` without the table; `.badInput` for other columns, or cells that are not numbers.
  init(run: String, above threshold: Double? = nil) throws {
    file = threshold == nil ? "label_issues.csv" : "suspicion.csv"
    path = run + "/" + file
    if threshold == nil, FileBytes.kind(of: path) != .file {
      throw Failure(
        .missingInput, "'\(run)' has no label_issues.csv.", why: "it is not a finished run of detect.",
        fix: "run 'gpunoisy detect', or continue with 'gpunoisy detect --resume \(TerminalText.argument(run))'.")
    }
    let reader = try TableReader(path, writer: threshold == nil ? "detect" : "train")
    let id = try reader.column("sample_id"), image = try reader.column("path")
    let given = try reader.column("given_label"), predicted = try reader.column("predicted_label")
    // Tables of earlier versions suggest the class that was predicted, even if it was the given one.
    let suggestion = reader.table.column("suggested_label") ?? predicted
    let names = (given: reader.table.column("given_name"), suggested: reader.table.column("suggested_name"))
    let decides = try reader.column(threshold == nil ? "is_label_issue" : "suspicion")
    let confidence = threshold == nil ? try reader.column("suggested_conf") : nil
    let rank = threshold == nil ? try reader.column("rank") : nil
    verdict = reader.table.column("verdict").flatMap { column in
      reader.table.rows.lazy.compactMap { DetectionVerdict(rawValue: $0[column]) }.first
    }
    var rows: [Int: Row] = [:]
    for (cells, line) in zip(reader.table.rows, reader.table.lines) {
      guard let number = Int(cells[id]), let label = Int(cells[given]), rows[number] == nil else {
        throw reader.damaged(line, "its sample_id or given_label is not a number, or the sample occurs twice.")
      }
      for (name, index) in [("predicted_label", predicted), ("suggested_label", suggestion)] {
        guard cells[index].isEmpty || Int(cells[index]) != nil else {
          throw reader.damaged(line, "its \(name) '\(cells[index])' is not a number.")
        }
      }
      let isSuspected: Bool
      if let threshold {
        guard let value = Double(cells[decides]), !value.isNaN else {
          throw reader.damaged(line, "its suspicion '\(cells[decides])' is not a number.")
        }
        isSuspected = value > threshold
      } else {
        isSuspected = ["true", "1"].contains(cells[decides].lowercased())
      }
      let suggested = Int(cells[suggestion])
      rows[number] = Row(
        id: number, path: cells[image], isSuspected: isSuspected, given: label,
        suggested: threshold != nil && suggested == label ? nil : suggested,
        confidence: confidence.flatMap { Double(cells[$0]) },
        reason: threshold.map { "suspicion \(cells[decides]) above \(NumberFormatting.shortest($0))" }
          ?? "suspected, rank \(cells[rank!])",
        givenName: names.given.map { cells[$0] } ?? "", suggestedName: names.suggested.map { cells[$0] } ?? "",
        line: line)
    }
    self.rows = rows
  }

  /// The samples that verdicts may be about, by id.
  var subjects: [Int: Verdicts.Subject] {
    rows.mapValues { Verdicts.Subject(id: $0.id, path: $0.path, given: $0.given, suggested: $0.suggested) }
  }

  /// Refuses to decide by suspicions that are not sure enough.
  ///
  /// - Throws: `.configuration`.
  func requireTrust(_ isGiven: Bool, for policy: ApplyPolicy) throws {
    guard policy != .review else { return }
    try verdict?.requireTrust(isGiven, in: path, for: "--policy")
  }

  /// Checks every row against the data that the run saw: its image, its label, and that its classes exist and have the
  /// names beside them.
  ///
  /// - Parameter labels: the labels that the run questioned [N].
  /// - Throws: `.badInput` with the first line that does not fit.
  func requireFit(_ dataset: Dataset, labels: [Int32]) throws {
    let paths = dataset.trainPaths, names = dataset.classNames
    for row in rows.values.sorted(by: { $0.line < $1.line }) {
      func misfit(_ why: String) -> Failure {
        Failure(
          .badInput, "line \(row.line) of '\(path)' does not match the data.", why: why,
          fix: "restore the file, or repeat the run.")
      }
      guard paths.indices.contains(row.id) else {
        throw misfit("it is about sample \(row.id), and the data set has \(paths.count).")
      }
      guard dataset.isPath(row.path, of: row.id) else {
        throw misfit("it names '\(row.path)' as sample \(row.id), which is '\(paths[row.id])'.")
      }
      guard labels[row.id] == row.given else {
        throw misfit("it gives sample \(row.id) the label \(row.given), the data set does not.")
      }
      for case (let label?, let name) in [(row.given, row.givenName), (row.suggested, row.suggestedName)] {
        guard names.indices.contains(label) else {
          throw misfit("it has the class \(label), and the classes are numbered from 0 to \(names.count - 1).")
        }
        guard name.isEmpty || name == names[label] else {
          throw misfit("it has the class \(label) beside the name '\(name)'; that class is '\(names[label])'.")
        }
      }
    }
  }
}

/// A table of a run folder, and what is wrong with it.
private struct TableReader {
  let table: CSV
  private let path, writer: String

  init(_ path: String, writer: String) throws {
    (self.path, self.writer) = (path, writer)
    table = try CSV(decoding: FileBytes.read(path), name: path)
  }

  func column(_ name: String) throws -> Int {
    if let index = table.column(name) { return index }
    throw Failure(
      .badInput, "'\(path)' has no column \(name).",
      why: "it is not as 'gpunoisy \(writer)' wrote it; it has \(table.columnList).", fix: fix)
  }

  func damaged(_ line: Int, _ why: String) -> Failure {
    Failure(.badInput, "line \(line) of '\(path)' is damaged.", why: why, fix: fix)
  }

  private var fix: String { "restore the file, or repeat the \(writer == "detect" ? "detection" : "run")." }
}
