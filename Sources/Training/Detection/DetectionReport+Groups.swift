import Datasets
import Detection
import Pages

/// What a page shows of near-duplicates, of images in several parts, and of an earlier round.
extension DetectionReport {
  /// Adds the groups in which a label is suspected, the images in several parts, and the verdicts of an earlier round.
  static func addGroups(_ finished: FinishedDetection, to page: inout DetectionPage) {
    let result = finished.result
    let flagged = Set(result.samples.filter(\.isIssue).map(\.id))
    // The others of a group without a suspected label are not looked at.
    page.groups = result.groups.filter { !flagged.isDisjoint(with: $0) }
    page.groupName = result.features?.cosine == nil ? "equal images" : "near-duplicates"
    page.overlapSummary = finished.overlapSummary
    page.overlaps = finished.rankedOverlaps.map { found in
      .init(
        path: found.path, trainPath: found.trainPath, label: found.label, trainLabel: found.trainLabel,
        cosine: found.overlap.cosine)
    }
    guard let reviewed = result.reviewed else { return }
    page.reviewedSummary = reviewed.summary
    page.earlier = result.samples.filter(\.isReviewed).map { sample in
      let label = reviewed.labels[sample.id]
      let verdict = label == nil ? "drop" : label == sample.given ? "keep" : "other"
      return .init(id: sample.id, verdict: verdict, label: label)
    }
  }

  /// Which samples were judged, where these are not the training samples.
  static func judgedPhrase(_ finished: FinishedDetection) -> String {
    switch finished.settings.detection.split {
    case .train: ""
    case .val: ", its validation part"
    case .test: ", its test part"
    case .all: ", all of its parts"
    }
  }
}
