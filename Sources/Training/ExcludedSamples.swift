import Datasets
import Failures
import FileFormats

/// Samples that a run leaves out: a table of ids, or the `label_issues.csv` of `gpunoisy detect`.
struct ExcludedSamples {
  let ids: [Int]

  /// Reads a CSV with the column sample_id; where it has is_label_issue, too, only the rows where that is true count.
  ///
  /// - Throws: `.missingInput`; `.badInput` for a table without that column, or an id that is not one of `count`.
  init(fromFile path: String, count: Int) throws {
    let table = try CSV(decoding: FileBytes.read(path), name: path)
    guard let idColumn = table.column("sample_id") else {
      throw Failure(
        .badInput, "'\(path)' does not say which samples to leave out.",
        why: "it needs the column sample_id; it has \(table.header.joined(separator: ", ")).",
        fix: "give the label_issues.csv of 'gpunoisy detect', or a table of ids.")
    }
    let flagColumn = table.column("is_label_issue")
    ids = try zip(table.rows, table.lines).compactMap { row, line in
      if let flagColumn, !["true", "1"].contains(row[flagColumn].lowercased()) { return nil }
      guard let id = Int(row[idColumn]), (0..<count).contains(id) else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' has the sample_id '\(row[idColumn])'.",
          why: "the training set has the ids 0 to \(count - 1).", fix: "use the file that was made for this data set.")
      }
      return id
    }
  }

  /// The weights [N] by which these samples do not count.
  func weights(count: Int) -> [Float] {
    var weights = [Float](repeating: 1, count: count)
    for id in ids where id < count { weights[id] = 0 }
    return weights
  }

  /// The set with these samples left without a label, so that they are never drawn; ids do not shift.
  func removed(from set: LabelledSet) -> LabelledSet {
    var set = set
    for id in ids where id < set.count { set.labels[id] = LabelledSet.noLabel }
    return set
  }
}
