import Statistics
import Testing

@Suite("Draws from a beta distribution")
struct BetaDrawsTests {
  private static let count = 4000

  private func draws(_ alpha: Double, seed: UInt64 = 3) -> [Double] {
    let random = CounterRandom(seed: seed)
    return (0..<UInt32(Self.count)).map { random.beta(alpha, .mixFactor, 5, $0) }
  }

  @Test("have its mean and variance, and lie in 0 ... 1", arguments: [0.01, 0.2, 1, 4, 32, 1000])
  func moments(alpha: Double) {
    let values = draws(alpha), n = Double(values.count)
    #expect(values.allSatisfy { (0...1).contains($0) })
    let mean = values.reduce(0, +) / n, variance = values.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / n
    let exact = 1 / (4 * (2 * alpha + 1))
    // Five standard errors; the fourth moment is at most that of two points.
    #expect(abs(mean - 0.5) <= 5 * (exact / n).squareRoot())
    #expect(abs(variance / exact - 1) <= 5 * (2 / n).squareRoot())
  }

  @Test("have its distribution: uniform for 1, 3x² − 2x³ for 2")
  func distribution() {
    func distance(_ alpha: Double, _ cumulative: (Double) -> Double) -> Double {
      let sorted = draws(alpha).sorted(), n = Double(sorted.count)
      return sorted.enumerated().reduce(0) { max($0, abs(cumulative($1.element) - (Double($1.offset) + 0.5) / n)) }
    }
    // Kolmogorov and Smirnov's bound that one of a thousand samples exceeds.
    let bound = 1.95 / Double(Self.count).squareRoot()
    #expect(distance(1) { $0 } <= bound)
    #expect(distance(2) { 3 * $0 * $0 - 2 * $0 * $0 * $0 } <= bound)
    #expect(distance(2) { $0 } > bound)
  }

  @Test("are functions of seed and counter")
  func repeatable() {
    #expect(draws(1) == draws(1))
    #expect(draws(1) != draws(1, seed: 4))
    let random = CounterRandom(seed: 3)
    #expect(random.beta(1, .mixFactor, 5, 0) != random.beta(1, .mixFactor, 6, 0))
  }
}
