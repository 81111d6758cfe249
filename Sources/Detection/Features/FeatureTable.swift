import Statistics

/// Features of N samples, in the units in which they are judged.
///
/// Every column has mean 0 and deviation 1, divided by √D, so that a row's squares sum to about 1 however many columns
/// there are. Columns that do not vary are left out.
public struct FeatureTable: Sendable {
  /// The scaled features [N, D].
  public let scaled: Matrix

  /// Columns whose deviation is at most this part of the largest one do not vary.
  private static let leastDeviation = 1e-6

  /// Scales features [N, D].
  ///
  /// - Parameter takesRoots: whether each number is replaced by its square root, with its sign, first: for sums of
  ///   rectified responses, of which a few are very large.
  /// - Returns: nil where no column varies.
  public init?(_ features: [Float], width: Int, takesRoots: Bool) {
    let count = features.count / max(width, 1)
    guard count > 0, width > 0 else { return nil }
    precondition(features.count == count * width, "\(features.count) features, \(width) of each sample")
    func value(_ feature: Float) -> Double {
      let value = Double(feature)
      return takesRoots ? (value < 0 ? -1 : 1) * abs(value).squareRoot() : value
    }
    var means = [Double](repeating: 0, count: width), deviations = means
    for row in 0..<count { for column in 0..<width { means[column] += value(features[row * width + column]) } }
    for column in 0..<width { means[column] /= Double(count) }
    for row in 0..<count {
      for column in 0..<width {
        let distance = value(features[row * width + column]) - means[column]
        deviations[column] += distance * distance
      }
    }
    for column in 0..<width { deviations[column] = (deviations[column] / Double(count)).squareRoot() }
    let bar = Self.leastDeviation * (deviations.max() ?? 0)
    let kept = (0..<width).filter { deviations[$0] > bar }
    guard !kept.isEmpty else { return nil }
    let root = Double(kept.count).squareRoot()
    var values: [Double] = []
    values.reserveCapacity(count * kept.count)
    for row in 0..<count {
      for column in kept {
        values.append((value(features[row * width + column]) - means[column]) / (deviations[column] * root))
      }
    }
    scaled = Matrix(values, rows: count, columns: kept.count)
  }
}
