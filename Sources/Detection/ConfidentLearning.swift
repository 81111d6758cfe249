/// Confident learning: which labels are wrong, by probabilities that a network gives to samples it was not trained on.
///
/// Follows the `cleanlab` package (2.9) to the index.
/// - Source: Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, 2021.
public struct ConfidentLearning: Sendable {
  /// Which samples are flagged; the names are cleanlab's.
  public enum Filter: String, Sendable, CaseIterable {
    /// For each pair of given and true class, as many as the joint counts, by the largest margin between the two.
    case pruneByNoiseRate = "prune_by_noise_rate"
    /// For each class, as many as the joint counts elsewhere, by the smallest probability of the class.
    case pruneByClass = "prune_by_class"
    /// Those that both of the above flag.
    case both
    /// Those that the confident joint counts off its diagonal.
    case confidentLearning = "confident_learning"
    /// Those whose most probable class is not the given one.
    case predictedNotGiven = "predicted_neq_given"
    /// As many as `confidentLearning`, by the lowest normalised margin.
    case lowNormalizedMargin = "low_normalized_margin"
    /// As many as `confidentLearning`, by the lowest probability of the given label.
    case lowSelfConfidence = "low_self_confidence"
  }

  /// A score of each label in 0…1, low for suspicious ones; the names are cleanlab's.
  public enum Quality: String, Sendable, CaseIterable {
    /// The probability of the given label.
    case selfConfidence = "self_confidence"
    /// (p_given − largest other p + 1) / 2.
    case normalizedMargin = "normalized_margin"
    /// log(e + 1) / e with e the normalised entropy over p_given.
    case confidenceWeightedEntropy = "confidence_weighted_entropy"
  }

  /// What cleanlab takes for the same number, in probabilities.
  static let tolerance = 1e-6

  /// Given labels [N], each in 0..<K.
  public let labels: [Int]
  /// Probabilities [N, K], row by row.
  public let probabilities: [Double]
  /// Number of classes, K, at least 2.
  public let classes: Int
  /// For each class the mean probability of it among the samples that carry it; 2 for a class that none carries.
  public let thresholds: [Double]
  /// Counts [K, K] of confident samples by given label (row) and class that they seem to belong to (column).
  public let confidentCounts: [Int]
  /// The counts of above, rescaled to the numbers of given labels: an estimate for all samples.
  public let joint: [Int]
  /// The samples that were counted off the diagonal, ascending.
  public let offDiagonal: [Int]

  /// Estimates the joint of given and true labels.
  public init(labels: [Int], probabilities: [Double], classes: Int) {
    precondition(classes >= 2 && probabilities.count == labels.count * classes, "\(labels.count) labels")
    (self.labels, self.probabilities, self.classes) = (labels, probabilities, classes)
    var sums = [Double](repeating: 0, count: classes), counts = [Int](repeating: 0, count: classes)
    for (index, label) in labels.enumerated() {
      sums[label] += probabilities[index * classes + label]
      counts[label] += 1
    }
    let thresholds = zip(sums, counts).map { $1 > 0 ? max($0 / Double($1), 2 * Self.tolerance) : 2 }
    var confident = [Int](repeating: 0, count: classes * classes), offDiagonal: [Int] = []
    for (index, label) in labels.enumerated() {
      let row = probabilities[index * classes..<(index + 1) * classes]
      let bins = (0..<classes).filter { row[row.startIndex + $0] >= thresholds[$0] - Self.tolerance }
      guard let first = bins.first else { continue }
      let guess = bins.count > 1 ? Self.top(row) : first
      confident[label * classes + guess] += 1
      if guess != label { offDiagonal.append(index) }
    }
    for k in 0..<classes { confident[k * classes + k] = max(confident[k * classes + k], 1) }
    self.thresholds = thresholds
    self.offDiagonal = offDiagonal
    confidentCounts = confident
    joint = Self.calibrated(confident, counts)
  }

  /// The most probable class of each sample, the first of equal ones.
  public var predictions: [Int] {
    labels.indices.map { Self.top(probabilities[$0 * classes..<($0 + 1) * classes]) }
  }

  /// The score of each label.
  public func quality(_ quality: Quality) -> [Double] {
    labels.enumerated().map { index, label in
      let row = probabilities[index * classes..<(index + 1) * classes]
      let own = row[row.startIndex + label]
      switch quality {
      case .selfConfidence: return own
      case .normalizedMargin:
        let other = row.indices.lazy.filter { $0 - row.startIndex != label }.map { row[$0] }.max()!
        return (own - other + 1) / 2
      case .confidenceWeightedEntropy:
        let weighted = Self.normalizedEntropy(row) / max(own, Self.tolerance)
        return Self.logarithm(weighted + 1) / max(weighted, Self.tolerance)
      }
    }
  }

  /// The position of the largest value, the first among equal ones.
  static func top(_ row: ArraySlice<Double>) -> Int {
    var top = row.startIndex
    for index in row.indices where row[index] > row[top] { top = index }
    return top - row.startIndex
  }

  /// Rows rescaled to the numbers of given labels, then all to the number of samples, in whole numbers.
  private static func calibrated(_ confident: [Int], _ counts: [Int]) -> [Int] {
    let classes = counts.count, tiny = 1e-100
    var values = [Double](repeating: 0, count: classes * classes)
    for row in 0..<classes {
      let range = row * classes..<(row + 1) * classes
      let sum = max(Double(confident[range].reduce(0, +)), tiny)
      for index in range { values[index] = Double(confident[index]) / sum * Double(counts[row]) }
    }
    let total = max(values.reduce(0, +), tiny), samples = Double(counts.reduce(0, +))
    return (0..<classes).flatMap { row in
      roundedPreservingSum(values[row * classes..<(row + 1) * classes].map { $0 / total * samples })
    }
  }

  /// Whole numbers whose sum is the rounded sum: those that rounding moved furthest are moved back.
  static func roundedPreservingSum(_ values: [Double]) -> [Int] {
    var rounded = values.map { $0.rounded(.toNearestOrEven) }
    let wanted = values.reduce(0, +).rounded(.toNearestOrEven)
    while true {
      let difference = wanted - rounded.reduce(0, +)
      guard difference != 0 else { return rounded.map { Int($0) } }
      let ascending = values.indices.sorted {
        (values[$0] - rounded[$0], $0) < (values[$1] - rounded[$1], $1)
      }
      let order = difference < 0 ? ascending : ascending.reversed()
      for index in order.prefix(Int(difference.magnitude)) { rounded[index] += difference < 0 ? -1 : 1 }
    }
  }
}
