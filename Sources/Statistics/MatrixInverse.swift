#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The inverse of a square matrix, by elimination with the largest pivot of each column.
public struct MatrixInverse: Sendable {
  /// The inverse, row by row [K, K].
  public let values: [Double]
  /// log |det| of the matrix itself.
  public let logDeterminant: Double

  /// Inverts a matrix.
  ///
  /// - Parameters:
  ///   - matrix: row by row [K, K].
  ///   - minimum: a pivot up to this makes the matrix singular.
  /// - Returns: nil for a singular matrix.
  public init?(of matrix: [Double], size K: Int, minimum: Double) {
    precondition(matrix.count == K * K, "\(matrix.count) numbers are not a matrix of \(K) rows")
    var left = matrix, inverse = [Double](repeating: 0, count: K * K), logarithm = 0.0
    for k in 0..<K { inverse[k * K + k] = 1 }
    for step in 0..<K {
      let best = (step..<K).max { abs(left[$0 * K + step]) < abs(left[$1 * K + step]) } ?? step
      let pivot = left[best * K + step]
      guard abs(pivot) > minimum else { return nil }
      logarithm += log(abs(pivot))
      for k in 0..<K {
        left.swapAt(best * K + k, step * K + k)
        inverse.swapAt(best * K + k, step * K + k)
        left[step * K + k] /= pivot
        inverse[step * K + k] /= pivot
      }
      for i in 0..<K where i != step {
        let factor = left[i * K + step]
        for k in 0..<K {
          left[i * K + k] -= factor * left[step * K + k]
          inverse[i * K + k] -= factor * inverse[step * K + k]
        }
      }
    }
    (values, logDeterminant) = (inverse, logarithm)
  }
}
