import Statistics
import Testing

@Suite("Matrices in double precision")
struct MatrixTests {
  /// Numbers between -1 and 1 that follow from their position.
  private func matrix(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> Matrix {
    let random = CounterRandom(seed: seed)
    return Matrix(
      (0..<rows * columns).map { 2 * random.uniform(.shapes, UInt32($0), 0) - 1 }, rows: rows, columns: columns)
  }

  private func difference(_ a: Matrix, _ b: Matrix) -> Double {
    zip(a.values, b.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  private func plainProduct(_ a: Matrix, _ b: Matrix) -> Matrix {
    var result = Matrix(rows: a.rows, columns: b.rows)
    for i in 0..<a.rows {
      for j in 0..<b.rows {
        var sum = 0.0
        for p in 0..<a.columns { sum += a[i, p] * b[j, p] }
        result[i, j] = sum
      }
    }
    return result
  }

  @Test(
    "the product of two matrices is the sums of products, at sizes around every tile and block",
    arguments: [(1, 1, 1), (7, 25, 3), (9, 24, 257), (129, 481, 30), (300, 13, 520)])
  func product(_ m: Int, _ n: Int, _ k: Int) {
    let a = matrix(m, k), b = matrix(n, k, seed: 2), plain = plainProduct(a, b)
    #expect(difference(a.timesTransposed(b), plain) < 1e-11)
    #expect(difference(a.timesTransposedHere(b), plain) < 1e-11)
    let own = a.timesOwnTranspose
    #expect(difference(own, plainProduct(a, a)) < 1e-11)
    #expect(own == own.transposed)
    #expect(abs(a.product(m - 1, 0) - own[m - 1, 0]) < 1e-11)
    #expect(a.transposed[k - 1, m - 1] == a[m - 1, k - 1])
  }

  @Test("a Cholesky factor solves, at sizes around its blocks", arguments: [1, 5, 64, 65, 200, 333])
  func cholesky(_ n: Int) throws {
    let rows = matrix(n, n + 3)
    var A = rows.timesOwnTranspose
    for i in 0..<n { A[i, i] += 0.5 }
    let factor = try #require(CholeskyFactor(A))
    // The products of the columns of L⁻¹ are A⁻¹.
    let columns = factor.inverseColumns, inverse = columns.timesTransposed(columns)
    var identity = Matrix(rows: n, columns: n)
    for i in 0..<n { identity[i, i] = 1 }
    #expect(difference(inverse.timesTransposed(A), identity) < 1e-9)
    // Rows x become L⁻¹ x: their products are x A⁻¹ x.
    let x = matrix(3, n, seed: 4), solved = factor.solved(x)
    let direct = x.timesTransposed(inverse).timesTransposed(x)
    #expect(difference(solved.timesTransposed(solved), direct) < 1e-9)
  }

  @Test("a matrix that is not positive definite has no factor")
  func indefinite() {
    #expect(CholeskyFactor(Matrix([1, 2, 2, 1], rows: 2, columns: 2)) == nil)
    #expect(CholeskyFactor(Matrix([.nan], rows: 1, columns: 1)) == nil)
  }
}

@Suite("Finding where a function is least within bounds")
struct BoundedMinimizerTests {
  /// Rosenbrock's valley, whose least value is 0 where all are 1.
  private func valley(_ x: [Double]) -> (value: Double, gradient: [Double]) {
    var value = 0.0, gradient = [Double](repeating: 0, count: x.count)
    for i in 0..<x.count - 1 {
      let bend = x[i + 1] - x[i] * x[i], rest = 1 - x[i]
      value += 100 * bend * bend + rest * rest
      gradient[i] += -400 * bend * x[i] - 2 * rest
      gradient[i + 1] += 200 * bend
    }
    return (value, gradient)
  }

  @Test("follows a curved valley to its end")
  func free() {
    let found = BoundedMinimizer(bounds: Array(repeating: -5.0...5.0, count: 6)).minimum(
      from: [-1.2, 1, -1.2, 1, -1.2, 1], of: valley)
    #expect(found.place.allSatisfy { abs($0 - 1) < 1e-6 })
    #expect(found.value < 1e-11)
  }

  @Test("stops at a bound that the function leads across, and goes on along it")
  func bounded() {
    // Along x = 0.5 the valley's floor is y = 0.25.
    let found = BoundedMinimizer(bounds: [-5...0.5, -5...5]).minimum(from: [-1.2, 1], of: valley)
    #expect(found.place[0] == 0.5)
    #expect(abs(found.place[1] - 0.25) < 1e-7)
    // A start outside is brought inside.
    let corner = BoundedMinimizer(bounds: [2...3]).minimum(from: [9]) { ($0[0] * $0[0], [2 * $0[0]]) }
    #expect(corner.place == [2])
  }
}
