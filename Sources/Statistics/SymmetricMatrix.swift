/// A symmetric matrix [F, F] that can be made diagonal.
///
/// - Source: Jacobi, 1846, in the cyclic order of Golub & Van Loan, Matrix Computations, § 8.5.
public struct SymmetricMatrix: Sendable {
  /// F.
  public let width: Int
  /// The elements, row by row [F, F].
  public var values: [Double]

  /// The matrix of zeros.
  public init(_ width: Int) {
    self.width = width
    values = [Double](repeating: 0, count: width * width)
  }

  /// Turns the matrix into one with its eigenvalues on the diagonal; takes O(F³).
  ///
  /// - Returns: the eigenvectors in the columns of a matrix [F, F].
  public mutating func diagonalize() -> [Double] {
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
