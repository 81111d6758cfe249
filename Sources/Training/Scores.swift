import Compute
import Reports

/// What an epoch's steps left in the per-sample table, summed up in double precision.
public struct TrainingScore: Sendable, Equatable {
  /// Mean training loss, and accuracy towards the given labels, over the samples of the epoch.
  public var loss: Double, accuracy: Double
  /// Accuracy towards the given label where it is right, and where it is wrong (memorisation); nil without true labels,
  /// or where no sample is of that kind.
  public var cleanAccuracy: Double?, wrongAccuracy: Double?

  /// Sums up the samples with these ids.
  ///
  /// - Parameters:
  ///   - results: the last loss and prediction of every sample, by id.
  ///   - given: the labels that were trained on, by id.
  ///   - truth: the labels believed to be right, by id; nil where they are not known.
  public init(
    _ ids: ArraySlice<Int32>, _ results: (losses: [Float], predictions: [Int32]), given: [Int32], true truth: [Int32]?
  ) {
    var loss = 0.0, clean = (right: 0, count: 0), wrong = clean, right = 0
    for id in ids.lazy.map({ Int($0) }) {
      loss += Double(results.losses[id])
      let agrees = results.predictions[id] == given[id]
      if agrees { right += 1 }
      guard let truth, truth[id] >= 0 else { continue }
      if truth[id] == given[id] {
        clean = (clean.right + (agrees ? 1 : 0), clean.count + 1)
      } else {
        wrong = (wrong.right + (agrees ? 1 : 0), wrong.count + 1)
      }
    }
    self.loss = loss / Double(max(ids.count, 1))
    accuracy = Double(right) / Double(max(ids.count, 1))
    if truth != nil {
      cleanAccuracy = clean.count > 0 ? Double(clean.right) / Double(clean.count) : nil
      wrongAccuracy = wrong.count > 0 ? Double(wrong.right) / Double(wrong.count) : nil
    }
  }
}

/// Loss, accuracy and the curves per class of an evaluated set; samples without a label do not count.
public struct TestScore: Sendable, Equatable {
  /// Mean cross entropy, and accuracy; nil where no sample has a label, or the output for one is not finite.
  public var loss: Double?, accuracy: Double?
  /// Per class: accuracy, and the mean probability given to the class's own label.
  public var perClass: [EpochReport.ClassScore]
  /// Counts by label (row) and prediction (column).
  public var confusion: [[Int]]
  /// Labelled samples for which the network's output is not finite: they have no class, and so nothing has an accuracy.
  public var notFinite: Int
  /// The accuracy of each network by itself, where several answer together; else empty.
  public var ofEach: [Double?]

  init<D>(_ results: EvaluationPlans<D>.Results?, _ labels: [Int32], classes: Int) {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
    var sums = [Double](repeating: 0, count: classes), total = 0.0, count = 0, notFinite = 0
    if let results {
      for (id, label) in labels.enumerated() where label >= 0 {
        // Logits that are not finite leave no finite cross entropy, whatever class compares as the largest.
        guard results.losses[id].isFinite else {
          notFinite += 1
          continue
        }
        counts[Int(label)][Int(results.predictions[id])] += 1
        sums[Int(label)] += Double(results.confidences[id])
        total += Double(results.losses[id])
        count += 1
      }
    }
    let labelled = labels.indices.filter { labels[$0] >= 0 }
    ofEach = (results?.ofEach ?? []).map { predictions in
      guard !labelled.isEmpty, labelled.allSatisfy({ predictions[$0] >= 0 }) else { return nil }
      return Double(labelled.count { predictions[$0] == labels[$0] }) / Double(labelled.count)
    }
    let right = counts.indices.reduce(0) { $0 + counts[$1][$1] }
    let isSound = count > 0 && notFinite == 0
    loss = isSound ? total / Double(count) : nil
    accuracy = isSound ? Double(right) / Double(count) : nil
    (confusion, self.notFinite) = (counts, notFinite)
    perClass = zip(counts, sums).enumerated().map { label, entry in
      let size = entry.0.reduce(0, +)
      guard size > 0, isSound else { return .init(accuracy: nil, confidence: nil) }
      return .init(accuracy: Double(entry.0[label]) / Double(size), confidence: entry.1 / Double(size))
    }
  }
}
