import Datasets
import Detection
import FileFormats
import Reports

/// The files of a detection in its run folder.
public enum DetectionFiles {
  /// The columns of label_issues.csv that every detection has.
  ///
  /// The four of cleanlab keep their names and meaning: is_label_issue, given_label, predicted_label, and the quality,
  /// which cleanlab calls label_score in one interface and label_quality in another.
  public static let columns = [
    "sample_id", "path", "is_label_issue", "label_score", "given_label", "predicted_label", "given_name",
    "suggested_name", "suggested_conf", "aum", "aum_pass1", "aum_pass2", "rank", "label_quality",
    "forgetting_events", "mean_loss", "el2n", "duplicate_group", "suggested_label", "chance", "verdict",
    "group", "reviewed", "split",
  ]

  /// Writes everything but detect.json: tables, and arrays where there are any.
  ///
  /// - Throws: `.cannotCreate`, `.inputOutput`.
  public static func write(_ finished: FinishedDetection, to folder: RunFolder) throws {
    let result = finished.result
    try writeIssues(result, finished.data.dataset, to: folder)
    try writeOverlaps(finished, to: folder)
    let measured = result.samples.filter { $0.area != nil }
    if !result.passes.isEmpty {
      try folder.writeMargins(ids: measured.map(\.id), margins: measured.map { $0.area ?? .nan })
      try folder.writeTable(
        "aum_threshold.csv", columns: ["pass", "sample_id", "aum"],
        rows: result.passes.enumerated().flatMap { pass, found in
          zip(found.ids, found.areas).sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map {
            ["\(pass + 1)", "\($0.0)", cell($0.1)]
          }
        })
    }
    if let confident = result.confident {
      // In double precision, so that other programs find the same issues in them.
      let shape = [result.confidentIDs.count, confident.classes]
      try AtomicFile.write(
        NumPyArray(confident.probabilities, shape: shape).encoded(), to: folder.file("pred_probs.npy"))
      try AtomicFile.write(
        NumPyArray(confident.labels.map { Int64($0) }).encoded(), to: folder.file("labels.npy"))
      try AtomicFile.write(
        NumPyArray(result.confidentIDs.map { Int64($0) }).encoded(), to: folder.file("sample_ids.npy"))
    }
    for (stage, kept) in zip(finished.stages, finished.results) where !kept.marginHistory.isEmpty {
      try FileBytes.makeFolder(folder.file("margins"))
      let shape = [kept.marginHistory.count / kept.dynamics.count, kept.dynamics.count]
      try AtomicFile.write(
        NumPyArray(kept.marginHistory, shape: shape).encoded(), to: folder.file("margins/\(stage.name).npy"))
    }
  }

  private static func writeIssues(_ result: DetectionResult, _ dataset: Dataset, to folder: RunFolder) throws {
    let names = dataset.classNames, paths = dataset.trainPaths
    let extra = result.passes.count > 2 ? (3...result.passes.count).map { "aum_pass\($0)" } : []
    let hasTruth = dataset.train.trueLabels != nil, verdict = result.verdict.rawValue
    try folder.writeTable(
      "label_issues.csv", columns: columns + extra + (hasTruth ? ["clean_label"] : []),
      rows: result.samples.lazy.map { sample in
        func pass(_ index: Int) -> String {
          index < sample.passAreas.count ? cell(sample.passAreas[index]) : ""
        }
        let suggestedName: String = sample.suggested.map { names[$0] } ?? ""
        var row: [String] = [
          "\(sample.id)", paths[sample.id], sample.isIssue ? "True" : "False", cell(sample.quality), "\(sample.given)",
          cell(sample.predicted), names[sample.given], suggestedName, cell(sample.suggestedConfidence),
          cell(sample.area), pass(0), pass(1), "\(sample.rank)", cell(sample.quality), cell(sample.forgettings),
          cell(sample.loss), cell(sample.error), cell(sample.duplicateGroup), cell(sample.suggested),
          cell(sample.chance), verdict, cell(sample.group),
          result.reviewed?.word(sample.id, classNames: names) ?? "", dataset.place(of: sample.id).part.rawValue,
        ]
        for index in extra.indices { row.append(pass(index + 2)) }
        if hasTruth { row.append(cell(sample.truth)) }
        return row
      })
  }

  /// Writes overlap.csv, the worst first; nothing where there are none.
  private static func writeOverlaps(_ finished: FinishedDetection, to folder: RunFolder) throws {
    guard !finished.overlaps.isEmpty else { return }
    let names = finished.data.dataset.classNames
    try folder.writeTable(
      RunFolder.overlapName,
      columns: [
        "split", "sample_id", "path", "given_label", "given_name", "train_sample_id", "train_path", "train_label",
        "train_name", "cosine",
      ],
      rows: finished.rankedOverlaps.lazy.map { found in
        let (own, other) = (found.label, found.trainLabel)
        return [
          found.overlap.part.rawValue, "\(found.overlap.id)", found.path, cell(own), own.map { names[$0] } ?? "",
          "\(found.overlap.twin)", found.trainPath, cell(other), other.map { names[$0] } ?? "",
          cell(found.overlap.cosine ?? 1),
        ]
      })
  }

  private static func cell(_ value: Int?) -> String { value.map { "\($0)" } ?? "" }

  private static func cell(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "" }
    return NumberFormatting.shortest(value)
  }
}
