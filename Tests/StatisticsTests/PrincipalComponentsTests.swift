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

  // MARK: - Orthogonal iteration, judged by Jacobi's rotations of the whole covariance

  /// The share of the variance along each eigenvector, and these, by decreasing shares.
  private static func jacobi(_ points: [Float], width F: Int) -> (shares: [Double], axes: [[Double]]) {
    let N = points.count / F
    let mean = (0..<F).map { place in (0..<N).reduce(0) { $0 + Double(points[$1 * F + place]) } / Double(N) }
    var matrix = SymmetricMatrix(F)
    for row in 0..<N {
      let centred = (0..<F).map { Double(points[row * F + $0]) - mean[$0] }
      for i in 0..<F { for j in 0..<F { matrix.values[i * F + j] += centred[i] * centred[j] / Double(N) } }
    }
    let vectors = matrix.diagonalize(), variances = (0..<F).map { matrix.values[$0 * F + $0] }
    let order = (0..<F).sorted { variances[$0] > variances[$1] }, total = variances.reduce(0, +)
    return (order.map { variances[$0] / total }, order.map { column in (0..<F).map { vectors[$0 * F + column] } })
  }

  private static func normal(_ indices: Int...) -> Double {
    CounterRandom(seed: 6).normal(.shapes, UInt32(indices[0]), UInt32(indices[1]), 0)
  }

  /// Of an axis and a share: the iteration ends at 1e-9 of the largest eigenvalue, and gaps are above 1/100 of it.
  private static let tolerance = 1e-7

  @Test("are Jacobi's, with his signs turned", arguments: [11, 40], [1, 2, 5])
  func jacobi(width F: Int, count: Int) {
    // Deviations that fall by a tenth from each coordinate to the next, mixed by rotations in planes of two.
    let deviations = (1..<F).reduce(into: [1.0]) { all, _ in all.append(all[all.count - 1] * 0.9) }
    let points = (0..<150).flatMap { row -> [Float] in
      var point = (0..<F).map { deviations[$0] * Self.normal(row, $0) + 3 }
      for place in 0..<F - 1 {
        (point[place], point[place + 1]) = (
          0.8 * point[place] - 0.6 * point[place + 1], 0.6 * point[place] + 0.8 * point[place + 1]
        )
      }
      return point.map { Float($0) }
    }
    let found = PrincipalComponents(points, width: F, keeping: count), (shares, axes) = Self.jacobi(points, width: F)
    #expect(found.axes.count == count && found.shares.count == count)
    for index in 0..<count {
      #expect(abs(found.shares[index] - shares[index]) < Self.tolerance, "\(index): \(found.shares) \(shares)")
      let largest = axes[index].max { $0.magnitude < $1.magnitude } ?? 1
      let difference = zip(found.axes[index], axes[index]).map { $0 - (largest < 0 ? -$1 : $1) }
      #expect(difference.allSatisfy { abs($0) < Self.tolerance }, "\(index): \(difference)")
    }
  }

  @Test("of as much variance in every direction are any two at right angles, and no iteration goes on for ever")
  func equalVariances() {
    // Points at ±1 along each of 30 coordinates: the covariance is a multiple of the identity.
    let F = 30
    let points = (0..<2 * F * F).map { index -> Float in
      index / F / 2 == index % F ? (index / F % 2 == 0 ? 1 : -1) : 0
    }
    let found = PrincipalComponents(points, width: F)
    #expect(found.shares.allSatisfy { abs($0 - 1 / Double(F)) < Self.tolerance })
    expectOrthonormal(found.axes)
    // So they are without any structure, where the largest of many variances lie close together.
    let noise = (0..<200 * 60).map { Float(Self.normal($0, 1)) }
    let vague = PrincipalComponents(noise, width: 60), shares = Self.jacobi(noise, width: 60).shares
    expectOrthonormal(vague.axes)
    #expect(zip(vague.shares, shares).allSatisfy { abs($0 - $1) < Self.tolerance }, "\(vague.shares) \(shares)")
  }

  /// Vectors of some dozen numbers, each rounded once.
  private func expectOrthonormal(_ axes: [[Double]]) {
    for i in axes.indices {
      for j in 0...i {
        let product = zip(axes[i], axes[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-13, "\(i), \(j): \(product)")
      }
    }
  }

  @Test("of points on a line, or of one point, are orthonormal too, and only the first has a share")
  func fewDimensions() {
    let F = 25, direction = (0..<F).map { Double($0 % 4) - 1 }
    let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let line = (0..<40 * F).map { Float(direction[$0 % F] * Double($0 / F - 7) + 2) }
    let found = PrincipalComponents(line, width: F)
    expectOrthonormal(found.axes)
    #expect(abs(found.shares[0] - 1) < Self.tolerance && found.shares[1] < Self.tolerance)
    #expect(zip(found.axes[0], direction).allSatisfy { abs($0 - $1 / length) < Self.tolerance })
    // 0.1 has no binary digits of its own: the mean of many must still be the point.
    for count in [1, 3, 1000] {
      let point = PrincipalComponents([Float](repeating: 0.1, count: count * F), width: F)
      expectOrthonormal(point.axes)
      #expect(point.shares == [0, 0])
      #expect(point.coordinates(of: [Float](repeating: 0.1, count: F)) == [[0, 0]])
    }
  }

  @Test("are the same bits again")
  func repeats() {
    let points = (0..<50 * 30).map { Float(Self.normal($0, 2)) }
    let first = PrincipalComponents(points, width: 30), second = PrincipalComponents(points, width: 30)
    #expect(first.axes == second.axes && first.shares == second.shares)
  }

  @Test("of equal points, and of one coordinate, are still axes")
  func degenerate() {
    let equal = PrincipalComponents([2, 3, 2, 3], width: 2)
    #expect(equal.shares == [0, 0] && equal.coordinates(of: [2, 3]) == [[0, 0]])
    let line = PrincipalComponents([1, 2, 6], width: 1)
    #expect(line.axes == [[1]] && line.shares == [1] && line.coordinates(of: [6]) == [[3]])
  }
}
