#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension CounterRandom {
  /// A number from 0 to 1 with the distribution Beta(alpha, alpha), alpha > 0: X / (X + Y) of two gamma variates.
  ///
  /// Their logarithms are compared, so that small shapes do not divide 0 by 0.
  public func beta(_ alpha: Double, _ purpose: Purpose, _ a: UInt32, _ b: UInt32) -> Double {
    precondition(alpha > 0, "a beta distribution of shape \(alpha)")
    let first = logarithmOfGamma(alpha, purpose, a, b, half: 0)
    let second = logarithmOfGamma(alpha, purpose, a, b, half: 1)
    return 1 / (1 + exp(second - first))
  }

  /// The logarithm of a variate of the gamma distribution of a shape.
  ///
  /// Marsaglia and Tsang's rejection for shape + 1, times a uniform number to the power of 1 / shape. Each attempt has a
  /// counter of its own, of which each half of a pair has every second one.
  /// - Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (3), 2000.
  private func logarithmOfGamma(
    _ shape: Double, _ purpose: Purpose, _ a: UInt32, _ b: UInt32, half: UInt32
  ) -> Double {
    let d = shape + 1 - 1.0 / 3, c = 1 / (9 * d).squareRoot()
    var attempt = half
    while true {
      let word = words(purpose, a, b, attempt)
      let x = Self.normal(word), root = 1 + c * x, v = root * root * root
      // (0, 1], so that both have a logarithm.
      let uniform = (Double(word.z) + 1) * 0x1p-32, power = (Double(word.w) + 1) * 0x1p-32
      if root > 0, log(uniform) < 0.5 * x * x + d * (1 - v + log(v)) {
        return log(d * v) + log(power) / shape
      }
      attempt += 2
    }
  }
}
