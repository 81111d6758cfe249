import Glibc
import Statistics
import Testing

@Suite struct `The inverse of a matrix` {
  @Test func `has closed forms`() throws {
    // Rows change places, since the first pivot is 0.
    let three = try #require(MatrixInverse(of: [0, 2, 0, 4, 0, 0, 1, 0, -0.5], size: 3, minimum: 1e-9))
    #expect(three.values == [0, 0.25, 0, 0.5, 0, 0, 0, 0.5, -2])
    #expect(abs(three.logDeterminant - log(4)) < 1e-12)
    // a I + b J has the inverse (I - b / (a + K b) J) / a and the determinant a^(K - 1) (a + K b).
    let K = 50, a = 0.5, b = 0.01
    let matrix = (0..<K * K).map { $0 / K == $0 % K ? a + b : b }
    let inverse = try #require(MatrixInverse(of: matrix, size: K, minimum: 1e-9))
    for index in 0..<K * K {
      let expected = ((index / K == index % K ? 1 : 0) - b / (a + Double(K) * b)) / a
      #expect(abs(inverse.values[index] - expected) < 1e-12)
    }
    #expect(abs(inverse.logDeterminant - (49 * log(a) + log(a + Double(K) * b))) < 1e-12)
  }

  @Test func `is not there for a singular one`() {
    #expect(MatrixInverse(of: [1, 2, 2, 4], size: 2, minimum: 1e-9) == nil)
    #expect(MatrixInverse(of: [1e-10], size: 1, minimum: 1e-9) == nil)
    #expect(MatrixInverse(of: [1e-10], size: 1, minimum: 1e-15) != nil)
  }
}
