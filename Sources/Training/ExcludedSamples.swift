import Datasets
import Failures
import FileFormats

/// Samples that a run leaves out: a table of ids, the `label_issues.csv` of `gpunoisy detect`, or the `suspicion.csv` of
/// a training method, which needs a threshold.
struct ExcludedSamples {
  let ids: [Int]

  /// Reads the table that the settings name; nil where they name none.
  ///
  /// - Throws: what `init(fromFile:count:above:)` throws; `.configuration` for a threshold without a table.
  static func read(_ settings: RunSettings, count: Int) throws -> ExcludedSamples? {
    if let path = settings.exclude {
      return try ExcludedSamples(fromFile: path, count: count, above: settings.excludeAbove)
    }
    guard let threshold = settings.excludeAbove else { return nil }
    throw Failure(
      .configuration, "--exclude-above \(NumberFormatting.shortest(threshold)) has no effect.",
      why: "it needs --exclude, which is missing.",
      fix: "add --exclude with the suspicion.csv of a run, or remove --exclude-above.")
  }

  /// Reads a CSV with the column sample_id.
  ///
  /// With a threshold, the rows count whose suspicion is higher. Without one, all rows count, or where there is the
  /// column is_label_issue, those in which that is true.
  ///
  /// - Throws: `.missingInput`; `.badInput` for a table without that column, an id that is not one of `count`, a
  ///   threshold for a table without suspicion, or a suspicion that is not a number; `.configuration` for a table of
  ///   suspicions alone without a threshold.
  init(fromFile path: String, count: Int, above threshold: Double? = nil) throws {
    let table = try CSV(decoding: FileBytes.read(path), name: path)
    guard let idColumn = table.column("sample_id") else {
      throw Failure(
        .badInput, "'\(path)' does not say which samples to leave out.",
        why: "it needs the column sample_id; it has \(table.header.joined(separator: ", ")).",
        fix: "use the label_issues.csv of 'gpunoisy detect', or a table of ids.")
    }
    let flagColumn = table.column("is_label_issue"), suspicionColumn = table.column("suspicion")
    guard threshold != nil || suspicionColumn == nil || flagColumn != nil else {
      throw Failure(
        .configuration, "'\(path)' needs --exclude-above.",
        why: "it has the column suspicion for \(table.rows.count) samples, but no column is_label_issue.",
        fix: "add --exclude-above with a number: samples with a higher suspicion are left out.")
    }
    if let threshold, suspicionColumn == nil {
      throw Failure(
        .badInput,
        "'\(path)' has no suspicion to compare with --exclude-above \(NumberFormatting.shortest(threshold)).",
        why: "it needs the column suspicion; it has \(table.header.joined(separator: ", ")).",
        fix: "use the suspicion.csv of a run, or remove --exclude-above.")
    }
    ids = try zip(table.rows, table.lines).compactMap { row, line in
      if let threshold, let suspicionColumn {
        guard let suspicion = Double(row[suspicionColumn]), !suspicion.isNaN else {
          throw Failure(
            .badInput, "line \(line) of '\(path)' has the suspicion '\(row[suspicionColumn])'.",
            why: "it must be a number.", fix: "correct or delete that line.")
        }
        guard suspicion > threshold else { return nil }
      } else if let flagColumn, !["true", "1"].contains(row[flagColumn].lowercased()) {
        return nil
      }
      guard let id = Int(row[idColumn]), (0..<count).contains(id) else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' has the sample_id '\(row[idColumn])'.",
          why: "the ids of the training set are 0 to \(count - 1).",
          fix: "use the file that was made for this data set.")
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

extension RunSettings {
  /// A number of either sign from text.
  ///
  /// - Throws: `.usage` for text that is no number, for infinity and not-a-number.
  static func finite(_ name: String, _ text: String) throws -> Double {
    guard let value = Double(text), value.isFinite else { throw outOfRange(name, text, "a finite number") }
    return value
  }
}
