import Statistics
import Testing

@Suite("Principal components")
struct PrincipalComponentsTests {
  @Test("find the axes of an ellipse that was turned")
  func ellipse() {
    // Four points at ±3 along (0.6, 0.8) and ±1 across: variances 4.5 and 0.5.
    let points: [Float] = [1.8, 2.4, -1.8, -2.4, -0.8, 0.6, 0.8, -0.6].enumerated().map { $1 + ($0 % 2 == 0 ? 5 : -7) }
    let found = PrincipalComponents(points, width: 2)
    func expect(_ values: [Double], _ expected: [Double]) {
      #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(values)")
    }
    expect(found.mean, [5, -7])
    expect(found.axes[0], [0.6, 0.8])
    expect(found.axes[1], [0.8, -0.6])
    expect(found.shares, [0.9, 0.1])
    expect(found.coordinates(of: points).flatMap { $0 }, [3, 0, -3, 0, 0, -1, 0, 1])
  }

  /// Of all pairs of axes these keep the most variance, which is the sum of the largest eigenvalues; along different axes
  /// the points are uncorrelated.
  @Test("of many dimensions are uncorrelated, of length one, and keep all the variance together")
  func manyDimensions() {
    let random = CounterRandom(seed: 4), F = 12, N = 200
    let points = (0..<N * F).map { index -> Float in
      let place = index % F
      return Float(random.normal(.shapes, UInt32(index), 0, 0)) * Float(place + 1)
        + Float(random.normal(.shapes, UInt32(index / F), 1, 0)) * 3
    }
    let found = PrincipalComponents(points, width: F, keeping: F)
    #expect(abs(found.shares.reduce(0, +) - 1) < 1e-12 && found.shares == found.shares.sorted(by: >))
    let rows = found.coordinates(of: points)
    let mean = found.mean
    let total = points.indices.reduce(0) {
      $0 + (Double(points[$1]) - mean[$1 % F]) * (Double(points[$1]) - mean[$1 % F])
    }
    for i in 0..<F {
      for j in 0...i {
        let product = rows.reduce(0) { $0 + $1[i] * $1[j] } / total
        #expect(abs(product - (i == j ? found.shares[i] : 0)) < 1e-10, "\(i) \(j) \(product)")
        let angle = zip(found.axes[i], found.axes[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(angle - (i == j ? 1 : 0)) < 1e-10)
      }
    }
  }

  @Test("of equal points, and of one coordinate, are still axes")
  func degenerate() {
    let equal = PrincipalComponents([2, 3, 2, 3], width: 2)
    #expect(equal.shares == [0, 0] && equal.coordinates(of: [2, 3]) == [[0, 0]])
    let line = PrincipalComponents([1, 2, 6], width: 1)
    #expect(line.axes == [[1]] && line.shares == [1] && line.coordinates(of: [6]) == [[3]])
  }
}
