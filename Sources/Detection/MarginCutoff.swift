/// Where the margins of wrong labels end, as far as the threshold samples of one pass tell.
///
/// A sample is flagged when more than `100 − percentile` per cent of the threshold samples have a greater area under the
/// margin: with 99 and 4,500 threshold samples, when at least 46 have. No percentile is interpolated, so that the rule
/// and the score below agree to the sample.
public struct MarginCutoff: Sendable, Equatable {
  /// The threshold samples' areas under the margin, ascending.
  public let thresholds: [Double]
  /// The share of threshold samples, in per cent, below which a sample must lie.
  public let percentile: Double

  /// A cut-off by these areas, of which those that are not numbers do not count.
  public init(thresholds: [Double], percentile: Double) {
    self.thresholds = thresholds.filter { !$0.isNaN }.sorted()
    self.percentile = percentile
  }

  /// How many threshold samples have a strictly greater area.
  public func greaterCount(than area: Double) -> Int { thresholds.count - position(after: area) }

  /// Whether a sample with this area is suspected.
  public func flags(_ area: Double) -> Bool {
    // Products of whole numbers: a quotient would round, and 1 % of 200 must be exactly 2.
    Double(greaterCount(than: area)) * 100 > (100 - percentile) * Double(thresholds.count)
  }

  /// The share of threshold samples that have no greater area: 0 is most suspicious, 1 least.
  ///
  /// Flagged are, for percentile 99, exactly those below 0.99.
  public func score(_ area: Double) -> Double {
    thresholds.isEmpty ? 1 : Double(position(after: area)) / Double(thresholds.count)
  }

  /// The smallest threshold area that is not flagged, the line that a histogram shows; nil without threshold samples.
  public var area: Double? { thresholds.first { !flags($0) } }

  /// How many threshold areas are at most this one.
  private func position(after area: Double) -> Int {
    var low = 0, high = thresholds.count
    while low < high {
      let middle = (low + high) / 2
      if thresholds[middle] <= area { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// How the passes' verdicts on a sample become one.
public enum PassCombination: String, Sendable, CaseIterable {
  /// Suspected where every pass suspects it in which it had its own label; what the authors' code does.
  case intersection
  /// Suspected where any such pass does.
  case union
  /// The first such pass decides alone.
  case single
  /// The mean area over such passes is compared with the threshold samples of all passes: on small sets, where one pass
  /// says little.
  case mean

  /// One verdict of several, in the order of the passes; nil for a pass in which the sample posed as a threshold sample.
  public func verdict(_ verdicts: [Bool?]) -> Bool {
    let given = verdicts.compactMap { $0 }
    guard let first = given.first else { return false }
    return switch self {
    case .intersection: given.allSatisfy { $0 }
    case .union: given.contains(true)
    case .single: first
    case .mean: preconditionFailure("a mean is taken of areas, not of verdicts")
    }
  }

  /// One score of several, such that it is below a limit exactly where the verdict is; nil without any.
  public func score(_ scores: [Double?]) -> Double? {
    let given = scores.compactMap { $0 }
    return switch self {
    case .intersection: given.max()
    case .union: given.min()
    case .single: given.first
    case .mean: preconditionFailure("a mean is taken of areas, not of scores")
    }
  }
}
