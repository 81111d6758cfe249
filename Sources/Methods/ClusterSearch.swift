import Datasets
import Failures
import FileFormats
import Statistics

/// Clusters of images by the features of a network, and how good they are where classes are known.
struct ClusterSearch {
  /// What clusters are made by.
  struct Settings {
    /// k₁ of k-reciprocal distances; its k₂ is 6 as in the authors' code.
    let reciprocal: Int
    /// The share of the smallest distances whose mean is the radius.
    let share: Double
    /// Images within the radius of a core.
    let minimum: Int

    init(_ choice: MethodChoice) {
      (reciprocal, share, minimum) = (Int(choice["reciprocal"]), choice["share"], Int(choice["minimum"]))
    }

    /// Bytes that a search takes beside the k-reciprocal distances, which say themselves how much they need.
    func byteCount(images N: Int, features F: Int) -> Int {
      8 * N * F + NearestNeighbours.byteCount(points: N, features: F, reciprocal)
    }
  }

  /// The cluster of each image [N], for outliers that of the nearest image that is none.
  let labels: [Int32]
  /// 1 for images that are in a cluster by themselves, 0 for outliers [N].
  let isInlier: [Float]
  /// Clusters, and the radius they were found with.
  let count: Int, radius: Double
  /// The nearest image of each.
  private let nearest: [Int32]

  /// Searches; parallel, and the same for any number of threads.
  ///
  /// - Parameters:
  ///   - features: [N, F].
  ///   - known: the radius of an earlier search; nil for one by the share of the smallest distances.
  ///   - room: bytes that are left for k-reciprocal distances.
  /// - Throws: `.outOfMemory`.
  init(_ features: [Float], width: Int, _ settings: Settings, radius known: Double?, room: () -> Int) throws {
    let points = Matrix(directionsOf: features, width: width), N = points.rows
    let neighbours = NearestNeighbours(of: points, settings.reciprocal)
    let distances = try ReciprocalDistances(
      points, neighbours, near: settings.reciprocal, mean: min(6, settings.reciprocal)
    ) { bytes in
      try MemoryLimit.require(
        bytes, of: room(), for: "the distances of \(N) images", fix: "use fewer images with --limit-train.")
    }
    // Where all images are alike, they are one cluster.
    let radius = known ?? distances.meanOfSmallest(share: settings.share) ?? 0
    let clusters = DensityClusters(distances, radius: radius, minimum: settings.minimum)
    let inside = clusters.labels.map { $0 >= 0 }
    let near = NearestNeighbours(of: points, 1, among: inside)
    labels = clusters.labels.indices.map { id in
      inside[id] || near.ids[id] < 0 ? clusters.labels[id] : clusters.labels[Int(near.ids[id])]
    }
    (isInlier, count, self.radius) = (inside.map { $0 ? 1 : 0 }, clusters.count, radius)
    nearest = (0..<N).map { neighbours.neighbours(of: $0).first ?? -1 }
  }

  /// The columns of metrics.csv that `quality` gives.
  static let figures = [
    Figure("clusters", "clusters of images"),
    Figure("outliers", "share of the images that are in no cluster, and take the nearest one's"),
    Figure("pair_precision", "share of the pairs in one cluster that have one class"),
    Figure("pair_recall", "share of the pairs with one class that are in one cluster"),
    Figure("pair_f", "harmonic mean of both"),
    Figure("rank_1", "share of the images whose nearest one has their class"),
  ]

  /// How good the clusters are, outliers with the cluster that they were given; nil for what is not known.
  func quality(classes: [Int32]) -> [Double?] {
    let score = PairScore(clusters: labels, classes: classes)
    let known = classes.indices.filter { classes[$0] >= 0 && nearest[$0] >= 0 && classes[Int(nearest[$0])] >= 0 }
    let alike = known.count { classes[$0] == classes[Int(nearest[$0])] }
    let outliers = isInlier.count { $0 == 0 }
    return [
      Double(count), labels.isEmpty ? nil : Double(outliers) / Double(labels.count), score.precision, score.recall,
      score.fScore, known.isEmpty ? nil : Double(alike) / Double(known.count),
    ]
  }
}
