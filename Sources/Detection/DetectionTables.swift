/// A detection's result, counted: by class, by pair of classes, and by area under the margin.
public struct DetectionTables: Sendable, Equatable {
  /// What was found among the samples that carry one label.
  public struct Class: Sendable, Equatable {
    /// The label.
    public var label: Int
    /// Samples that carry it, and those of them that are suspected.
    public var size = 0, flagged = 0
    /// Suspected samples of other labels that seem to belong here.
    public var suggested = 0
    /// The mean area under the margin of those that carry it; nil without margins.
    public var meanArea: Double?
    /// Samples that carry it wrongly, where the true labels are known.
    public var wrong: Int?

    /// The counts of one class.
    public init(
      label: Int, size: Int = 0, flagged: Int = 0, suggested: Int = 0, meanArea: Double? = nil, wrong: Int? = nil
    ) {
      (self.label, self.size, self.flagged, self.suggested) = (label, size, flagged, suggested)
      (self.meanArea, self.wrong) = (meanArea, wrong)
    }
  }

  /// Suspected samples of one label that seem to belong to another.
  public struct Pair: Sendable, Equatable {
    /// The label that the samples carry, and the one that they seem to need.
    public var given: Int, predicted: Int
    /// How many there are.
    public var count: Int

    /// A pair that occurs `count` times.
    public init(given: Int, predicted: Int, count: Int) {
      (self.given, self.predicted, self.count) = (given, predicted, count)
    }
  }

  /// How areas under the margin are spread.
  public struct Histogram: Sendable, Equatable {
    /// The bins' ends, ascending, one more than there are bins.
    public var edges: [Double]
    /// Samples in each bin, and the threshold samples of all passes.
    public var samples: [Int], thresholds: [Int]
    /// The samples in each bin by whether their label is wrong, where that is known.
    public var right: [Int]?, wrong: [Int]?
  }

  /// One entry for each class, by label.
  public let classes: [Class]
  /// The pairs that occur, the most frequent first.
  public let pairs: [Pair]
  /// The areas' spread; nil without margins.
  public let histogram: Histogram?

  /// Tables of these counts.
  public init(classes: [Class], pairs: [Pair] = [], histogram: Histogram? = nil) {
    (self.classes, self.pairs, self.histogram) = (classes, pairs, histogram)
  }

  /// Counts a result over `classCount` classes, areas in `bins` bins.
  public init(_ result: DetectionResult, classCount: Int, bins: Int = 60) {
    var classes = (0..<classCount).map { Class(label: $0) }
    var counts: [Int: Int] = [:], sums = [Double](repeating: 0, count: classCount)
    var measured = [Int](repeating: 0, count: classCount)
    for sample in result.samples {
      classes[sample.given].size += 1
      if let area = sample.area {
        sums[sample.given] += area
        measured[sample.given] += 1
      }
      if let truth = sample.truth {
        classes[sample.given].wrong = (classes[sample.given].wrong ?? 0) + (truth == sample.given ? 0 : 1)
      }
      guard sample.isIssue else { continue }
      classes[sample.given].flagged += 1
      if let suggested = sample.suggested {
        counts[sample.given * classCount + suggested, default: 0] += 1
        classes[suggested].suggested += 1
      }
    }
    for k in 0..<classCount where measured[k] > 0 { classes[k].meanArea = sums[k] / Double(measured[k]) }
    self.classes = classes
    pairs = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      Pair(given: $0.key / classCount, predicted: $0.key % classCount, count: $0.value)
    }
    histogram = Self.histogram(result, bins: bins)
  }

  private static func histogram(_ result: DetectionResult, bins: Int) -> Histogram? {
    let judged = result.samples.filter { $0.area != nil }
    let thresholds = result.passes.flatMap(\.cutoff.thresholds)
    let values = judged.compactMap(\.area) + thresholds
    guard let low = values.min(), let high = values.max() else { return nil }
    let width = high > low ? (high - low) / Double(bins) : 1
    func counts(_ areas: [Double]) -> [Int] {
      var counts = [Int](repeating: 0, count: bins)
      for area in areas {  // Areas are finite, but their difference need not be.
        let place = (area - low) / width
        counts[place < Double(bins) ? max(0, Int(place)) : bins - 1] += 1
      }
      return counts
    }
    let known = judged.contains { $0.truth != nil }
    func counts(wrong: Bool) -> [Int] {
      counts(judged.filter { $0.truth != nil && ($0.truth != $0.given) == wrong }.compactMap(\.area))
    }
    return Histogram(
      edges: (0...bins).map { low + width * Double($0) }, samples: counts(judged.compactMap(\.area)),
      thresholds: counts(thresholds), right: known ? counts(wrong: false) : nil,
      wrong: known ? counts(wrong: true) : nil)
  }
}
