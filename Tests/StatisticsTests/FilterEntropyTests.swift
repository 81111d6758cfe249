import Glibc
import Statistics
import Testing

@Suite("The entropy of a layer's weights")
struct FilterEntropyTests {
  @Test("is that of ten equal bins without the largest weight")
  func closedForms() {
    // 0 to 10: one number in each bin, and the largest in none.
    let eleven = (0...10).map { Float($0) }
    #expect(abs(FilterEntropy.nats(of: eleven) - 10 / 11 * log(11)) < 1e-15)
    // The order is nothing, nor are scale and place where these are exact.
    #expect(FilterEntropy.nats(of: eleven.reversed().map { 4 * $0 - 8 }) == FilterEntropy.nats(of: eleven))
    // Two values: all of the smaller in one bin.
    #expect(abs(FilterEntropy.nats(of: [-1, -1, -1, 1]) - -(0.75 * log(0.75))) < 1e-15)
  }

  @Test("is 0 where there is nothing to tell apart, or nothing that is finite")
  func degenerate() {
    for weights: [Float] in [[], [3], [2, 2, 2], [0, .infinity], [-.infinity, 1], [.nan, .nan]] {
      #expect(FilterEntropy.nats(of: weights) == 0, "\(weights)")
    }
    #expect(FilterEntropy.nats(of: [.nan, 0, 1, 2]).isFinite)
    let wide: [Float] = [-Float.greatestFiniteMagnitude, 0, .greatestFiniteMagnitude]
    #expect(abs(FilterEntropy.nats(of: wide) - 2.0 / 3 * log(3)) < 1e-15)
  }
}
