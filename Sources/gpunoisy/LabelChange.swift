import Datasets
import FileFormats
import Reports

/// What `apply` does to one training sample: another label, or none.
struct LabelChange {
  let id: Int
  let old: Int
  /// The new label; nil when the sample is dropped.
  let new: Int?
  let why: String
  /// `review`, or `detector` for what the run itself suspects.
  let who: String
}

/// Who decides about samples without a verdict.
enum ApplyPolicy: Equatable {
  /// Nobody: they stay.
  case review
  /// Suspected ones are dropped (the protocol of Pleiss et al., 2020).
  case dropAll
  /// Suspected ones take the class that the networks think most likely, from this probability on.
  case relabel(leastConfidence: Double)

  /// The changes, by id.
  ///
  /// - Parameters:
  ///   - verdicts: those on the run's samples.
  ///   - earlier: those that the run took for given; the others count more.
  func changes(_ suspected: SuspectedLabels, _ verdicts: Verdicts?, earlier: Verdicts? = nil) -> [LabelChange] {
    suspected.rows.keys.sorted().compactMap { id in
      let row = suspected.rows[id]!
      guard let verdict = verdicts?.byID[id] ?? earlier?.byID[id] else { return change(row) }
      switch verdict.decision {
      case .keep, .unsure: return nil
      case .drop: return LabelChange(id: id, old: row.given, new: nil, why: "verdict \(verdict.word)", who: "review")
      case .relabel(let label):
        return LabelChange(id: id, old: row.given, new: label, why: "verdict \(verdict.word)", who: "review")
      }
    }
  }

  private func change(_ row: SuspectedLabels.Row) -> LabelChange? {
    guard row.isSuspected else { return nil }
    switch self {
    case .review: return nil
    case .dropAll:
      return LabelChange(id: row.id, old: row.given, new: nil, why: row.reason, who: "detector")
    case .relabel(let least):
      guard let label = row.suggested, label != row.given, let confidence = row.confidence, confidence >= least else {
        return nil
      }
      return LabelChange(
        id: row.id, old: row.given, new: label,
        why: "\(row.reason); probability \(NumberFormatting.decimal(confidence, places: 4)) of the new label",
        who: "detector")
    }
  }
}
