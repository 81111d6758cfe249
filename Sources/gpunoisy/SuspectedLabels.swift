import Failures
import FileFormats

/// The rows of a detection's `label_issues.csv`, or of a training method's `suspicion.csv`, as far as they decide about
/// labels.
struct SuspectedLabels {
  struct Row {
    let id: Int
    let path: String
    let isSuspected: Bool
    let given: Int
    /// The class that the networks think most likely, and its probability; nil where nothing was measured.
    let suggested: Int?
    let confidence: Double?
    /// Why it is suspected, or would be.
    let reason: String
  }

  /// The table's name in the run folder.
  let file: String
  /// By id.
  let rows: [Int: Row]

  /// Reads the table of a run folder.
  ///
  /// - Throws: `.missingInput` without it; `.badInput` for other columns, or cells that are no numbers.
  init(run: String) throws {
    file = "label_issues.csv"
    let path = run + "/" + file
    guard FileBytes.kind(of: path) == .file else {
      throw Failure(
        .missingInput, "'\(run)' has no label_issues.csv.", why: "it is not a finished run of detect.",
        fix: "run 'gpunoisy detect', or resume it: gpunoisy detect --resume \(run)")
    }
    let table = try CSV(decoding: FileBytes.read(path), name: path)
    func column(_ name: String) throws -> Int {
      guard let index = table.column(name) else {
        throw Failure(
          .badInput, "'\(path)' has no column \(name).", why: "'gpunoisy detect' did not write it like this.",
          fix: "restore the file, or repeat the detection.")
      }
      return index
    }
    let id = try column("sample_id"), image = try column("path"), flag = try column("is_label_issue")
    let given = try column("given_label"), predicted = try column("predicted_label")
    let confidence = try column("suggested_conf"), rank = try column("rank")
    var rows: [Int: Row] = [:]
    for (cells, line) in zip(table.rows, table.lines) {
      guard let number = Int(cells[id]), let label = Int(cells[given]), rows[number] == nil else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' is damaged.",
          why: "its sample_id or given_label is not a number, or the sample occurs twice.",
          fix: "restore the file, or repeat the detection.")
      }
      rows[number] = Row(
        id: number, path: cells[image], isSuspected: ["true", "1"].contains(cells[flag].lowercased()), given: label,
        suggested: Int(cells[predicted]), confidence: Double(cells[confidence]),
        reason: "suspected, rank \(cells[rank])")
    }
    self.rows = rows
  }

  /// Reads the table of suspicions of a run of `train` with a method that judges samples.
  ///
  /// - Parameters:
  ///   - run: the run's folder.
  ///   - threshold: a sample with a higher suspicion is suspected.
  /// - Throws: `.missingInput` without the table; `.badInput` for other columns, or cells that are no numbers.
  init(run: String, above threshold: Double) throws {
    file = "suspicion.csv"
    let path = run + "/" + file, fix = "restore the file, or repeat the run."
    let table = try CSV(decoding: FileBytes.read(path), name: path)
    func column(_ name: String) throws -> Int {
      guard let index = table.column(name) else {
        throw Failure(
          .badInput, "'\(path)' has no column \(name).",
          why: "'gpunoisy train' did not write it like this; it has \(table.header.joined(separator: ", ")).", fix: fix)
      }
      return index
    }
    let id = try column("sample_id"), image = try column("path"), suspicion = try column("suspicion")
    let given = try column("given_label"), predicted = try column("predicted_label")
    var rows: [Int: Row] = [:]
    for (cells, line) in zip(table.rows, table.lines) {
      guard let number = Int(cells[id]), let label = Int(cells[given]), rows[number] == nil else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' is damaged.",
          why: "its sample_id or given_label is not a number, or the sample occurs twice.", fix: fix)
      }
      guard let value = Double(cells[suspicion]), !value.isNaN else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' has the suspicion '\(cells[suspicion])'.", why: "it must be a number.",
          fix: fix)
      }
      let suggested = Int(cells[predicted])
      rows[number] = Row(
        id: number, path: cells[image], isSuspected: value > threshold, given: label,
        suggested: suggested == label ? nil : suggested, confidence: nil,
        reason: "suspicion \(cells[suspicion]) above \(NumberFormatting.shortest(threshold))")
    }
    self.rows = rows
  }
}
