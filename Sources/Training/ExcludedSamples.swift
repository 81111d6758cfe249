import Datasets
import Detection
import Failures
import FileFormats

/// Samples that a run leaves out: a table of ids, the `label_issues.csv` of `gpunoisy detect`, or the `suspicion.csv` of
/// a training method, which needs a threshold.
struct ExcludedSamples {
  let ids: [Int]
  /// How rows were matched to samples.
  let matching: SampleList.Matching

  /// Every sample whose given label is not its true one.
  ///
  /// - Throws: `.configuration` where the true labels are not known.
  init(wrongIn set: LabelledSet) throws {
    guard let truth = set.trueLabels else {
      throw Failure(
        .configuration, "--exclude wrong needs to know which labels are wrong.",
        why: "the data has no true labels, and no noise was drawn.",
        fix: "add --noise or --clean-labels, or give a table of samples.")
    }
    ids = set.labelledIDs.map(Int.init).filter { truth[$0] >= 0 && set.labels[$0] != truth[$0] }
    matching = SampleList.Matching()
  }

  /// Reads the table that the settings name; nil where they name none.
  ///
  /// - Throws: what `init(from:above:)` throws; `.configuration` for a threshold without a table.
  static func read(_ settings: RunSettings, of dataset: Dataset) throws -> ExcludedSamples? {
    if case .table(let path) = settings.exclude {
      return try ExcludedSamples(
        from: SampleList(path, of: dataset), above: settings.excludeAbove, trusting: settings.detection.trusts)
    }
    guard let threshold = settings.excludeAbove else { return nil }
    throw Failure(
      .configuration, "--exclude-above \(NumberFormatting.shortest(threshold)) has no effect.",
      why: "it needs --exclude with a table, which is missing.",
      fix: "add --exclude with the suspicion.csv of a run, or remove --exclude-above.")
  }

  /// Reads a CSV with the column path or sample_id.
  ///
  /// With a threshold, the rows count whose suspicion is higher. Without one, all rows count, or where there is the
  /// column is_label_issue, those in which that is true.
  ///
  /// - Throws: `.missingInput`; `.badInput` for a table without these columns, a sample that the data does not have, a
  ///   threshold for a table without suspicion, or a suspicion that is not a number; `.configuration` for a table of
  ///   suspicions alone without a threshold, and for a detection's list that is not sure enough, unless it is trusted.
  init(from list: SampleList, above threshold: Double? = nil, trusting: Bool = false) throws {
    let path = list.path, table = try CSV(decoding: FileBytes.read(path), name: path)
    if let column = table.column("verdict"),
      let verdict = table.rows.lazy.compactMap({ DetectionVerdict(rawValue: $0[column]) }).first
    {
      try verdict.requireTrust(trusting, in: path, for: "--exclude")
    }
    guard table.column("sample_id", "path") != nil else {
      throw Failure(
        .badInput, "'\(path)' does not say which samples to leave out.",
        why: "it needs the column sample_id or path; it has \(table.columnList).",
        fix: "give the label_issues.csv of 'gpunoisy detect', or a table of ids.")
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
        why: "it needs the column suspicion; it has \(table.columnList).",
        fix: "use the suspicion.csv of a run, or remove --exclude-above.")
    }
    var rows = try table.rows.indices.filter { index in
      let row = table.rows[index]
      guard let threshold, let suspicionColumn else {
        return flagColumn.map { ["true", "1"].contains(row[$0].lowercased()) } ?? true
      }
      guard let suspicion = Double(row[suspicionColumn]), !suspicion.isNaN else {
        throw Failure(
          .badInput, "line \(table.lines[index]) of '\(path)' has the suspicion '\(row[suspicionColumn])'.",
          why: "it must be a number.", fix: "correct or delete that line.")
      }
      return suspicion > threshold
    }
    // A detection may have judged other parts, too; they are not trained on.
    if let column = table.column("split") {
      let isTraining = { (row: Int) in ["", "train", "training"].contains(table.rows[row][column].lowercased()) }
      guard table.rows.isEmpty || table.rows.indices.contains(where: isTraining) else {
        throw Failure(
          .configuration, "'\(path)' lists no training samples.",
          why: "it is about the \(table.rows[0][column]) part, which is not trained on.",
          fix: "correct that part with gpunoisy apply, or judge the training samples: gpunoisy detect without --split.")
      }
      rows = rows.filter(isTraining)
    }
    (ids, matching) = try list.ids(of: rows, in: table)
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
