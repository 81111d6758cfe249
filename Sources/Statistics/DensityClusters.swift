/// Clusters of points that lie close together, and points that belong to none: DBSCAN.
///
/// A point is a core where at least `minimum` points, itself included, lie within a radius of it. Cores within each other's
/// radius form a cluster; a point within a core's radius belongs to the first cluster that reaches it, and a point that no
/// core reaches is an outlier. Clusters are numbered by their first core.
/// - Source: Ester, Kriegel, Sander and Xu, "A density-based algorithm for discovering clusters in large spatial databases
///   with noise", KDD 1996; the same labels as scikit-learn's `DBSCAN`.
public struct DensityClusters: Sendable, Equatable {
  /// The cluster of each point [N]; −1 for outliers.
  public let labels: [Int32]
  /// Clusters.
  public let count: Int

  /// Finds clusters.
  ///
  /// - Parameters:
  ///   - points: N.
  ///   - minimum: points within the radius of a core, at least 1.
  ///   - neighbours: the points within the radius of a point, itself included.
  public init(points: Int, minimum: Int, neighbours: (Int) -> [Int32]) {
    var labels = [Int32](repeating: -1, count: points), count: Int32 = 0
    let near = (0..<points).map(neighbours)
    var stack: [Int32] = []
    for point in 0..<points where labels[point] < 0 && near[point].count >= minimum {
      labels[point] = count
      stack = [Int32(point)]
      while let next = stack.popLast() {
        guard near[Int(next)].count >= minimum else { continue }
        for other in near[Int(next)] where labels[Int(other)] < 0 {
          labels[Int(other)] = count
          stack.append(other)
        }
      }
      count += 1
    }
    (self.labels, self.count) = (labels, Int(count))
  }

  /// Clusters by k-reciprocal distances, which are cheap to look up.
  public init(_ distances: ReciprocalDistances, radius: Double, minimum: Int) {
    self.init(points: distances.count, minimum: minimum) { distances.within(radius, of: $0) }
  }
}

/// How well clusters match classes, pair by pair of points.
///
/// A pair is found where both points are in one cluster, and true where both have one class; outliers are in no cluster.
public struct PairScore: Sendable, Equatable {
  /// The share of found pairs that are true, and of true pairs that are found; nil where there are none.
  public let precision: Double?, recall: Double?

  /// Twice the product of both by their sum; nil where either is not known, 0 where no found pair is true.
  public var fScore: Double? {
    guard let precision, let recall else { return nil }
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
  }

  /// Compares the clusters [N] with the classes [N] of points; negative numbers are no cluster, and no known class.
  ///
  /// Points without a known class do not count.
  public init(clusters: [Int32], classes: [Int32]) {
    precondition(clusters.count == classes.count, "\(clusters.count) clusters and \(classes.count) classes")
    var both: [SIMD2<Int32>: Int] = [:], found: [Int32: Int] = [:], whole: [Int32: Int] = [:]
    for (cluster, label) in zip(clusters, classes) where label >= 0 {
      whole[label, default: 0] += 1
      guard cluster >= 0 else { continue }
      found[cluster, default: 0] += 1
      both[SIMD2(cluster, label), default: 0] += 1
    }
    func pairs(_ counts: some Sequence<Int>) -> Int { counts.reduce(0) { $0 + $1 * ($1 - 1) / 2 } }
    let right = pairs(both.values), all = pairs(found.values), wanted = pairs(whole.values)
    precision = all > 0 ? Double(right) / Double(all) : nil
    recall = wanted > 0 ? Double(right) / Double(wanted) : nil
  }
}
