/// L with L · Lᵀ = A, lower triangular, of a symmetric positive definite matrix A.
///
/// Computed by blocks of columns, on all processors; the inverses of the blocks on the diagonal are kept, so that solving
/// is products, too.
///
/// - Source: Golub, Van Loan, "Matrix computations", 4th edition, section 4.2.
public struct CholeskyFactor: Sendable {
  /// L [n, n]; what lies above the diagonal is not used.
  private var lower: Matrix
  /// The inverse of each block on the diagonal [width, width], lower triangular.
  private var inverses: [Matrix] = []

  /// Columns of a block.
  private static let width = 64

  /// Factors a symmetric matrix, of which the lower half is read; nil where it is not positive definite.
  public init?(_ matrix: Matrix) {
    precondition(matrix.rows == matrix.columns, "\(matrix.rows) × \(matrix.columns) is not square")
    lower = matrix
    let n = matrix.rows
    for first in stride(from: 0, to: n, by: Self.width) {
      let width = min(Self.width, n - first)
      // A[first…, block] -= L[first…, …first] · L[block, …first]ᵀ
      subtractProducts(first: first, width: width)
      guard let inverse = factorDiagonal(first: first, width: width) else { return nil }
      inverses.append(inverse)
      // L[below, block] = A[below, block] · L[block, block]⁻ᵀ
      let below = first + width
      lower.inRowBlocks { rows, start in
        guard rows.upperBound > below else { return }
        let top = max(rows.lowerBound, below)
        let at = start + (top - rows.lowerBound) * n + first
        Self.solve(at, n, rows: rows.upperBound - top, inverse)
      }
    }
  }

  private mutating func subtractProducts(first: Int, width: Int) {
    guard first > 0 else { return }
    let n = lower.rows
    // A copy, because other threads write to the rows below it.
    let block = Matrix(
      (first..<first + width).flatMap { Array(lower.values[$0 * n..<$0 * n + first]) }, rows: width, columns: first)
    lower.inRowBlocks { rows, start in
      guard rows.upperBound > first else { return }
      let top = max(rows.lowerBound, first)
      let row = start + (top - rows.lowerBound) * n
      block.values.withUnsafeBufferPointer { b in
        Product.add(
          -1, row, n, b.baseAddress!, first, to: row + first, n, rows: rows.upperBound - top, columns: width,
          depth: first)
      }
    }
  }

  /// Factors a block on the diagonal in place, column by column, and inverts it; nil where a pivot is not positive.
  private mutating func factorDiagonal(first: Int, width: Int) -> Matrix? {
    let n = lower.rows
    var inverse = Matrix(rows: width, columns: width)
    for j in 0..<width {
      let at = (first + j) * n + first
      var pivot = lower.values[at + j]
      for p in 0..<j { pivot -= lower.values[at + p] * lower.values[at + p] }
      guard pivot > 0, pivot.isFinite else { return nil }
      let root = pivot.squareRoot()
      lower.values[at + j] = root
      for i in j + 1..<max(width, j + 1) {
        let row = (first + i) * n + first
        var sum = lower.values[row + j]
        for p in 0..<j { sum -= lower.values[row + p] * lower.values[at + p] }
        lower.values[row + j] = sum / root
      }
    }
    for j in 0..<width {
      inverse[j, j] = 1 / lower.values[(first + j) * n + first + j]
      for i in j + 1..<max(width, j + 1) {
        let row = (first + i) * n + first
        var sum = 0.0
        for p in j..<i { sum += lower.values[row + p] * inverse[p, j] }
        inverse[i, j] = -sum / lower.values[row + i]
      }
    }
    return inverse
  }

  /// rows[…] = rows[…] · inverseᵀ, in place.
  private static func solve(_ at: UnsafeMutablePointer<Double>, _ row: Int, rows: Int, _ inverse: Matrix) {
    let width = inverse.rows
    withUnsafeTemporaryAllocation(of: Double.self, capacity: rows * width) { result in
      result.initialize(repeating: 0)
      inverse.values.withUnsafeBufferPointer { b in
        Product.add(
          1, at, row, b.baseAddress!, width, to: result.baseAddress!, width, rows: rows, columns: width, depth: width)
      }
      for i in 0..<rows { for j in 0..<width { at[i * row + j] = result[i * width + j] } }
    }
  }

  /// X · L⁻ᵀ: every row x of X [m, n] becomes (L⁻¹ x)ᵀ, so that products of rows are those of x with A⁻¹.
  public func solved(_ rows: Matrix) -> Matrix { solved(rows) { _ in 0 } }

  /// Row i is column i of L⁻¹: the products of rows i and j are the elements of A⁻¹.
  public var inverseColumns: Matrix {
    let n = lower.rows
    var identity = Matrix(rows: n, columns: n)
    for i in 0..<n { identity[i, i] = 1 }
    // Row i has no element before i.
    return solved(identity) { $0 }
  }

  /// - Parameter begin: before which column a row and those below it are zero.
  private func solved(_ right: Matrix, begin: @Sendable (Int) -> Int) -> Matrix {
    precondition(right.columns == lower.rows, "rows of \(right.columns) elements, not \(lower.rows)")
    var result = right
    let n = lower.rows
    result.inRowBlocks { rows, start in
      let zero = begin(rows.lowerBound) / Self.width * Self.width
      lower.values.withUnsafeBufferPointer { l in
        for first in stride(from: zero, to: n, by: Self.width) {
          let width = min(Self.width, n - first)
          Product.add(
            -1, start + zero, n, l.baseAddress! + first * n + zero, n, to: start + first, n, rows: rows.count,
            columns: width, depth: first - zero)
          Self.solve(start + first, n, rows: rows.count, inverses[first / Self.width])
        }
      }
    }
    return result
  }
}
