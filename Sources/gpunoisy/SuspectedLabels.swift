import Failures
import FileFormats

/// The rows of a detection's `label_issues.csv` as far as they decide about labels.
struct SuspectedLabels {
  struct Row {
    let id: Int
    let path: String
    let isSuspected: Bool
    let given: Int
    /// The class that the networks think most likely, and its probability; nil where nothing was measured.
    let suggested: Int?
    let confidence: Double?
    let rank: String
  }

  /// By id.
  let rows: [Int: Row]

  /// Reads the table of a run folder.
  ///
  /// - Throws: `.missingInput` without it; `.badInput` for other columns, or cells that are no numbers.
  init(run: String) throws {
    let path = run + "/label_issues.csv"
    guard FileBytes.kind(of: path) == .file else {
      throw Failure(
        .missingInput, "'\(run)' has no label_issues.csv.", why: "it is not a finished run of detect.",
        fix: "run 'gpunoisy detect', or go on with 'gpunoisy detect --resume \(run)'.")
    }
    let table = try CSV(decoding: FileBytes.read(path), name: path)
    func column(_ name: String) throws -> Int {
      guard let index = table.column(name) else {
        throw Failure(
          .badInput, "'\(path)' has no column \(name).", why: "it is not as 'gpunoisy detect' wrote it.",
          fix: "restore the file, or repeat the detection.")
      }
      return index
    }
    let id = try column("sample_id"), file = try column("path"), flag = try column("is_label_issue")
    let given = try column("given_label"), predicted = try column("predicted_label")
    let confidence = try column("suggested_conf"), rank = try column("rank")
    var rows: [Int: Row] = [:]
    for (cells, line) in zip(table.rows, table.lines) {
      guard let number = Int(cells[id]), let label = Int(cells[given]), rows[number] == nil else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' is damaged.",
          why: "its sample_id or given_label is no number, or the sample occurs twice.",
          fix: "restore the file, or repeat the detection.")
      }
      rows[number] = Row(
        id: number, path: cells[file], isSuspected: ["true", "1"].contains(cells[flag].lowercased()), given: label,
        suggested: Int(cells[predicted]), confidence: Double(cells[confidence]), rank: cells[rank])
    }
    self.rows = rows
  }
}
