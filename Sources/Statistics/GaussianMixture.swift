#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A mixture of two normal distributions, fitted to numbers by expectation maximisation.
///
/// It begins with the two clusters whose squared distances from their means have the smallest sum, which one-dimensional
/// k-means finds exactly, and then alternates as scikit-learn's `GaussianMixture(2)` does: w_i, the chances of each
/// component for each number, from densities; weights, means and variances from w_i, plus a floor of the variances; until
/// the mean log-likelihood changes by less than a tolerance.
/// - Source: Dempster, Laird and Rubin, 1977; scikit-learn, `sklearn.mixture`; the settings are those of DivideMix (Li,
///   Socher and Hoi, ICLR 2020).
public struct GaussianMixture: Sendable, Equatable {
  /// A normal distribution with its share of the numbers.
  public struct Component: Sendable, Equatable {
    /// Its share, its mean and its variance.
    public var weight: Double, mean: Double, variance: Double

    /// A component; see the properties.
    public init(weight: Double, mean: Double, variance: Double) {
      (self.weight, self.mean, self.variance) = (weight, mean, variance)
    }

    /// The logarithm of weight · density.
    func logarithm(at x: Double) -> Double {
      let distance = x - mean
      return log(weight) - 0.5 * (log(2 * .pi * variance) + distance * distance / variance)
    }
  }

  /// The component with the smaller mean, and the other.
  public private(set) var low: Component, high: Component
  /// Rounds of the algorithm, and whether the likelihood has stopped to change.
  public private(set) var rounds = 0, isConverged = false

  /// Fits a mixture.
  ///
  /// - Parameters:
  ///   - values: finite numbers, at least two of which differ.
  ///   - rounds: at most so many.
  ///   - tolerance: of the mean log-likelihood.
  ///   - floor: is added to each variance.
  public init(fitting values: [Double], rounds limit: Int = 10, tolerance: Double = 1e-2, floor: Double = 5e-4) {
    let cut = Self.clusters(values)
    (low, high) = (Component(weight: 0, mean: 0, variance: 1), Component(weight: 0, mean: 0, variance: 1))
    maximize(values, values.map { $0 <= cut ? 1 : 0 }, floor)
    var before = -Double.infinity
    while rounds < limit, !isConverged {
      var likelihood = 0.0
      let shares = values.map { value -> Double in
        let (a, b) = (low.logarithm(at: value), high.logarithm(at: value)), most = max(a, b)
        let total = most + log(exp(a - most) + exp(b - most))
        likelihood += total
        return exp(a - total)
      }
      likelihood /= Double(values.count)
      maximize(values, shares, floor)
      rounds += 1
      isConverged = abs(likelihood - before) < tolerance
      before = likelihood
    }
    if high.mean < low.mean { swap(&low, &high) }
  }

  /// Weights, means and variances by the chances of the first component.
  private mutating func maximize(_ values: [Double], _ shares: [Double], _ floor: Double) {
    // As scikit-learn, which so never divides by 0.
    let least = 10 * Double.ulpOfOne
    func component(_ share: (Int) -> Double) -> Component {
      var count = least, sum = 0.0, squares = 0.0
      for (index, value) in values.enumerated() {
        count += share(index)
        sum += share(index) * value
      }
      let mean = sum / count
      for (index, value) in values.enumerated() { squares += share(index) * (value - mean) * (value - mean) }
      return Component(weight: count, mean: mean, variance: squares / count + floor)
    }
    (low, high) = (component { shares[$0] }, component { 1 - shares[$0] })
    let total = low.weight + high.weight
    (low.weight, high.weight) = (low.weight / total, high.weight / total)
  }

  /// The largest number of the lower one of the two clusters.
  private static func clusters(_ values: [Double]) -> Double {
    let sorted = values.sorted(), total = sorted.reduce(0, +)
    var best = (score: -Double.infinity, cut: sorted[0]), sum = 0.0
    for (index, value) in sorted.dropLast().enumerated() {
      sum += value
      // Equal numbers belong together.
      guard value < sorted[index + 1] else { continue }
      let count = Double(index + 1), rest = total - sum
      // The sum of squared distances is a constant minus this.
      let score = sum * sum / count + rest * rest / (Double(values.count) - count)
      if score > best.score { best = (score, value) }
    }
    return best.cut
  }

  /// The chance that a number belongs to the component with the smaller mean.
  public func chanceOfLow(_ value: Double) -> Double {
    1 / (1 + exp(high.logarithm(at: value) - low.logarithm(at: value)))
  }
}
