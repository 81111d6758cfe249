import Statistics
import Testing

@Suite("A symmetric matrix")
struct SymmetricMatrixTests {
  /// Some hundred rotations of numbers near 1, each of which rounds.
  private static let tolerance = 1e-12

  @Test("made diagonal is its eigenvectors' work: A V = V Λ, and V is orthogonal", arguments: [1, 2, 7, 20])
  func diagonal(width: Int) {
    let random = CounterRandom(seed: 8)
    var matrix = SymmetricMatrix(width)
    for i in 0..<width {
      for j in 0...i {
        let value = random.normal(.shapes, UInt32(i), UInt32(j), 0)
        (matrix.values[i * width + j], matrix.values[j * width + i]) = (value, value)
      }
    }
    let given = matrix.values, vectors = matrix.diagonalize()
    for i in 0..<width {
      for j in 0..<width {
        let image = (0..<width).reduce(0) { $0 + given[i * width + $1] * vectors[$1 * width + j] }
        let expected = vectors[i * width + j] * matrix.values[j * width + j]
        #expect(abs(image - expected) < Self.tolerance, "\(i), \(j)")
        let angle = (0..<width).reduce(0) { $0 + vectors[$1 * width + i] * vectors[$1 * width + j] }
        #expect(abs(angle - (i == j ? 1 : 0)) < Self.tolerance, "\(i), \(j)")
      }
    }
  }
}
