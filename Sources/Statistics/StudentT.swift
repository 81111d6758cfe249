#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Student's t distribution with a whole number of degrees of freedom, and the intervals that it gives.
public enum StudentT {
  /// The chance that |T| ≤ t.
  ///
  /// The finite series in θ = atan(t / √ν) of Abramowitz and Stegun, 26.7.3 and 26.7.4.
  ///
  /// - Parameter degrees: ν, at least 1.
  public static func central(_ t: Double, degrees: Int) -> Double {
    let angle = atan(t / Double(degrees).squareRoot()), cosine = cos(angle), square = cosine * cosine
    let isOdd = degrees % 2 == 1
    // Terms cosᵏ θ with the products of odd over even numbers (or the other way round) before them.
    var term = isOdd ? cosine : 1, sum = degrees == 1 ? 0 : term
    var k = isOdd ? 3 : 2
    while k <= degrees - 2 {
      term *= square * Double(k - 1) / Double(k)
      sum += term
      k += 2
    }
    return isOdd ? 2 / Double.pi * (angle + sin(angle) * sum) : sin(angle) * sum
  }

  /// The t with |T| ≤ t of probability `share` (0…1), as 12.706 for 95 % and one degree of freedom.
  ///
  /// - Parameter degrees: ν, at least 1.
  public static func bound(_ share: Double, degrees: Int) -> Double {
    var low = 0.0, high = 1.0
    while central(high, degrees: degrees) < share, high < 1e9 { high *= 2 }
    for _ in 0..<200 where high - low > 1e-13 * high {
      let middle = (low + high) / 2
      if central(middle, degrees: degrees) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

/// The mean of a few values with its 95 % interval, by Student's t.
public struct MeanInterval: Sendable, Equatable {
  /// The number of values, their mean, and their sample standard deviation (n − 1), which is 0 for one value.
  public let count: Int, mean: Double, deviation: Double

  /// The statistics of values; nil for none.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    count = values.count
    mean = values.reduce(0, +) / Double(values.count)
    let center = mean
    let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
  }

  /// Half the width of the interval; nil for a single value, of which nothing is known.
  public var halfWidth: Double? { halfWidth(of: count) }

  /// Half the width of the interval that as many values with the same deviation would have.
  public func halfWidth(of count: Int) -> Double? {
    guard count > 1, self.count > 1 else { return nil }
    return StudentT.bound(0.95, degrees: count - 1) * deviation / Double(count).squareRoot()
  }
}
