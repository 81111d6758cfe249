/// The directions in which points vary most: the eigenvectors of their covariance with the largest eigenvalues.
///
/// `covariance = Σ_n (x_n - mean)(x_n - mean)ᵀ / N`, diagonalised by Jacobi's rotations in double precision. Each axis has
/// the sign that makes its largest component positive, so that equal points give equal axes.
///
/// - Source: Pearson, 1901; Jacobi, 1846, in the cyclic order of Golub & Van Loan, Matrix Computations, § 8.5.
public struct PrincipalComponents: Sendable {
  /// The mean of the points [F].
  public let mean: [Double]
  /// Unit vectors [F] at right angles, the one with the most variance first.
  public let axes: [[Double]]
  /// The share of the whole variance along each axis, 0…1; 0 where all points are equal.
  public let shares: [Double]

  /// Analyses N points with F coordinates each.
  ///
  /// - Parameters:
  ///   - points: the points, row by row [N, F]; at least one.
  ///   - width: F, at least 1.
  ///   - count: how many axes to keep; no more than F are there.
  public init(_ points: [Float], width: Int, keeping count: Int = 2) {
    precondition(width > 0 && !points.isEmpty && points.count % width == 0, "\(points.count) values, \(width) in a row")
    let N = points.count / width
    var mean = [Double](repeating: 0, count: width)
    for row in 0..<N {
      for place in 0..<width { mean[place] += Double(points[row * width + place]) }
    }
    for place in 0..<width { mean[place] /= Double(N) }
    self.mean = mean

    var matrix = SymmetricMatrix(width)
    var centred = [Double](repeating: 0, count: width)
    for row in 0..<N {
      for place in 0..<width { centred[place] = Double(points[row * width + place]) - mean[place] }
      for i in 0..<width {
        for j in i..<width { matrix.values[i * width + j] += centred[i] * centred[j] / Double(N) }
      }
    }
    for i in 0..<width {
      for j in 0..<i { matrix.values[i * width + j] = matrix.values[j * width + i] }
    }
    let vectors = matrix.diagonalize()
    let variances = (0..<width).map { max(0, matrix.values[$0 * width + $0]) }, total = variances.reduce(0, +)
    let order = (0..<width).sorted { (variances[$1], $0) < (variances[$0], $1) }.prefix(count)
    axes = order.map { column in
      let axis = (0..<width).map { vectors[$0 * width + column] }
      let largest = axis.max { $0.magnitude < $1.magnitude } ?? 1
      return largest < 0 ? axis.map { -$0 } : axis
    }
    shares = order.map { total > 0 ? variances[$0] / total : 0 }
  }

  /// Where points lie along the axes, the mean at the origin: one row [axes.count] for each point.
  ///
  /// - Parameter points: the points [N, F].
  public func coordinates(of points: [Float]) -> [[Double]] {
    let width = mean.count
    return stride(from: 0, to: points.count, by: width).map { start -> [Double] in
      axes.map { axis -> Double in
        var sum = 0.0
        for place in 0..<width { sum += (Double(points[start + place]) - mean[place]) * axis[place] }
        return sum
      }
    }
  }
}

/// A symmetric matrix [F, F] that can be made diagonal.
private struct SymmetricMatrix {
  let width: Int
  var values: [Double]

  init(_ width: Int) {
    self.width = width
    values = [Double](repeating: 0, count: width * width)
  }

  /// Turns the matrix into one with its eigenvalues on the diagonal.
  ///
  /// - Returns: the eigenvectors in the columns of a matrix [F, F].
  mutating func diagonalize() -> [Double] {
    var vectors = [Double](repeating: 0, count: width * width)
    for index in 0..<width { vectors[index * width + index] = 1 }
    let whole = values.reduce(0) { $0 + $1 * $1 }
    // Convergence is quadratic at the end: six to ten sweeps are usual.
    for _ in 0..<60 {
      var rest = 0.0
      for i in 0..<width {
        for j in 0..<i { rest += values[i * width + j] * values[i * width + j] }
      }
      guard rest > 1e-26 * whole else { break }
      for p in 0..<width {
        for q in p + 1..<max(width, p + 1) where values[p * width + q] != 0 { rotate(p, q, &vectors) }
      }
    }
    return vectors
  }

  /// Makes the elements (p, q) and (q, p) zero.
  private mutating func rotate(_ p: Int, _ q: Int, _ vectors: inout [Double]) {
    let ratio = (values[q * width + q] - values[p * width + p]) / (2 * values[p * width + q])
    let tangent = (ratio < 0 ? -1 : 1) / (ratio.magnitude + (ratio * ratio + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot(), sine = tangent * cosine
    func turn(_ array: inout [Double], _ first: Int, _ second: Int) {
      let (x, y) = (array[first], array[second])
      (array[first], array[second]) = (cosine * x - sine * y, sine * x + cosine * y)
    }
    for k in 0..<width { turn(&values, k * width + p, k * width + q) }
    for k in 0..<width { turn(&values, p * width + k, q * width + k) }
    for k in 0..<width { turn(&vectors, k * width + p, k * width + q) }
  }
}
