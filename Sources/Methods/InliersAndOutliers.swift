import Datasets
import Statistics

/// Samples whose labels their neighbours have, too, and samples whose labels they have not.
struct InliersAndOutliers {
  /// Ids in ascending order.
  let inliers: [Int32], outliers: [Int32]

  /// By which samples are inliers [N].
  init(_ ids: [Int32], isInlier: [Float]) {
    inliers = ids.filter { isInlier[Int($0)] > 0 }
    outliers = ids.filter { isInlier[Int($0)] <= 0 }
  }

  /// How many of a batch's samples are outliers where it has both: half, or all that there are.
  func outliers(of size: Int) -> Int { min(size / 2, outliers.count) }

  /// The ids of an epoch's batches: in each inliers, and behind them outliers where it is to have both.
  ///
  /// Each kind goes around an order of its own, another in each epoch, so that no id occurs twice in a batch.
  ///
  /// - Parameter seed: of the order of the inliers.
  func order(batches: [Int], isMixed: Bool, epoch: Int, shuffles: Bool, seed: UInt64, outlierSeed: UInt64) -> [Int32] {
    func shuffled(_ ids: [Int32], _ seed: UInt64) -> [Int32] {
      guard shuffles else { return ids }
      return CounterRandom(seed: seed).permutation(of: ids.count, .shuffle, UInt32(epoch)).map { ids[Int($0)] }
    }
    let first = shuffled(inliers, seed), second = isMixed ? shuffled(outliers, outlierSeed) : []
    var order: [Int32] = [], at = (0, 0)
    for size in batches {
      let some = isMixed ? outliers(of: size) : 0
      order += (0..<size - some).map { first[(at.0 + $0) % first.count] }
      order += (0..<some).map { second[(at.1 + $0) % second.count] }
      at = (at.0 + size - some, at.1 + some)
    }
    return order
  }
}

/// What a sample's nearest neighbours say of its label.
struct NeighbourVotes {
  /// For each of the rows: the share of its neighbours that have another label, and the label of most of them; nil where
  /// the given label is no rarer than another.
  let rows: [(disagreement: Double, label: Int32?)]

  /// Asks the neighbours of points.
  ///
  /// - Parameter labels: of the points, none of them negative.
  init(_ neighbours: NearestNeighbours, labels: [Int32]) {
    rows = labels.indices.map { row in
      let near = neighbours.neighbours(of: row).map { labels[Int($0)] }
      var counts: [Int32: Int] = [:]
      for label in near { counts[label, default: 0] += 1 }
      let most = counts.values.max() ?? 0, own = counts[labels[row]] ?? 0
      // Of labels that are equally frequent, that of the nearest.
      let winner = own < most ? near.first { counts[$0] == most } : nil
      return (near.isEmpty ? 0 : 1 - Double(own) / Double(near.count), winner)
    }
  }
}

extension InliersAndOutliers {
  /// Columns of metrics.csv.
  static let figures =
    Selection.figures + [
      Figure("relabelled_right", "share of the outliers whose new label is the true one"),
      Figure("test_acc_2", "the second network's accuracy on the test set"),
    ]

  /// The share of the outliers whose label, of `labels` [N], is the true one; nil where none is known.
  func shareRight(_ labels: [Int32], of set: LabelledSet) -> Double? {
    guard let truth = set.trueLabels else { return nil }
    let known = outliers.map { Int($0) }.filter { truth[$0] >= 0 }
    return known.isEmpty ? nil : Double(known.count { truth[$0] == labels[$0] }) / Double(known.count)
  }
}
