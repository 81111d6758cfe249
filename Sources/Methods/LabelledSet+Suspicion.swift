import Datasets
import Detection

extension LabelledSet {
  /// How well suspicions [N], high for suspicious samples, rank wrong labels before right ones; nil where the true labels
  /// are not known.
  ///
  /// Samples without a suspicion (not a number) or without a label do not count.
  public func score(ofSuspicion suspicion: [Double]) -> DetectionScore? {
    trueLabels.map { truth in
      let known = suspicion.indices.filter { !suspicion[$0].isNaN && truth[$0] >= 0 && labels[$0] >= 0 }
      return DetectionScore(
        isWrong: known.map { truth[$0] != labels[$0] }, isFlagged: known.map { _ in false },
        suspicion: known.map { suspicion[$0] })
    }
  }

  /// The chance that a wrong label is ranked before a right one, as a figure of an epoch.
  func areaUnderROC(ofSuspicion suspicion: [Double]) -> Double? { score(ofSuspicion: suspicion)?.areaUnderROC }

  /// The figure that `areaUnderROC` gives.
  static let suspicionFigure = Figure(
    "suspicion_auroc", "chance that a wrong label is more suspicious than a right one")

  /// The figures that `targetShares` gives.
  static let targetFigures = [
    Figure("target_given", "share of the samples whose target is largest for the given label"),
    Figure("target_right", "share of the samples whose target is largest for the true label"),
  ]

  /// Of targets [N, classes], the shares of those of the samples `ids` that are largest for the given and for the true
  /// label; nil for what is not known.
  func targetShares(_ targets: [Float], classes K: Int, of ids: ArraySlice<Int32>) -> [Double?] {
    var given = 0, right = 0, known = 0
    for id in ids.lazy.map({ Int($0) }) {
      let row = targets[id * K..<(id + 1) * K]
      guard let top = row.indices.max(by: { row[$0] < row[$1] }).map({ Int32($0 - row.startIndex) }) else { continue }
      given += top == labels[id] ? 1 : 0
      guard let truth = trueLabels?[id], truth >= 0 else { continue }
      known += 1
      right += top == truth ? 1 : 0
    }
    return [
      ids.isEmpty ? nil : Double(given) / Double(ids.count), known > 0 ? Double(right) / Double(known) : nil,
    ]
  }

  /// Of rows [N, classes], each sample's number for its given label; not a number for samples without one.
  func ofGivenClass(_ rows: [Float], classes: Int) -> [Double] {
    labels.enumerated().map { id, label in label >= 0 ? Double(rows[id * classes + Int(label)]) : .nan }
  }
}
