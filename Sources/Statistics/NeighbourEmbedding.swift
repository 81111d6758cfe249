#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Points in a plane such that neighbours stay neighbours: t-SNE, exact, for a few thousand points.
///
/// `p_ij = (p_j|i + p_i|j) / 2N` with Gaussian `p_j|i` of the wanted perplexity, `q_ij ∝ 1 / (1 + |y_i - y_j|²)`; the places
/// y minimise `Σ p_ij log(p_ij / q_ij)`. Time and memory grow with N².
///
/// - Source: van der Maaten & Hinton, Visualizing data using t-SNE, JMLR 9, 2008; momentum, gains and exaggeration as
///   there, first places by principal components and the learning rate `max(N / 48, 50)` as in scikit-learn.
public struct NeighbourEmbedding: Sendable {
  /// Points, N.
  public let count: Int
  /// The perplexity in force: as asked for, at most (N - 1) / 3 and at least 1.
  public let perplexity: Double
  /// p_ij [N, N / 8 rounded up], rows filled up with zeros.
  private let affinities: [SIMD8<Float>]
  private var vectors: Int { (count + 7) / 8 }

  /// How far off the points are that fill up the last vector: they attract and repel nothing.
  private static let far: Float = 1e18

  /// Measures who neighbours whom.
  ///
  /// - Parameters:
  ///   - points: the points, row by row [N, F].
  ///   - width: F, at least 1.
  ///   - perplexity: about how many neighbours count.
  public init(_ points: [Float], width: Int, perplexity wanted: Double = 30) {
    precondition(width > 0 && !points.isEmpty && points.count % width == 0, "\(points.count) values, \(width) in a row")
    count = points.count / width
    perplexity = max(1, min(wanted, Double(count - 1) / 3))
    let N = count, vectors = (N + 7) / 8
    var conditional = [Float](repeating: 0, count: N * N), distances = [Double](repeating: 0, count: N)
    for row in 0..<N {
      for other in 0..<N {
        var sum: Float = 0
        for place in 0..<width {
          let difference = points[row * width + place] - points[other * width + place]
          sum += difference * difference
        }
        distances[other] = Double(sum)
      }
      let shares = Self.neighbours(of: row, at: distances, perplexity: perplexity)
      for other in 0..<N { conditional[row * N + other] = Float(shares[other]) }
    }
    var affinities = [SIMD8<Float>](repeating: .zero, count: N * vectors)
    for row in 0..<N {
      for other in 0..<N {
        let sum = conditional[row * N + other] + conditional[other * N + row]
        affinities[row * vectors + other / 8][other % 8] = sum / Float(2 * N)
      }
    }
    self.affinities = affinities
  }

  /// p_ij.
  public func affinity(_ i: Int, _ j: Int) -> Float { affinities[i * vectors + j / 8][j % 8] }

  /// p_j|i [N] for one i: the width of its Gaussian is found by bisection.
  private static func neighbours(of row: Int, at distances: [Double], perplexity: Double) -> [Double] {
    let least = distances.indices.filter { $0 != row }.map { distances[$0] }.min() ?? 0
    var shares = [Double](repeating: 0, count: distances.count)
    var precision = 1.0, low = 0.0, high = Double.infinity
    for _ in 0..<100 {
      var sum = 0.0, mean = 0.0
      for other in shares.indices where other != row {
        let distance = distances[other] - least
        shares[other] = exp(-distance * precision)
        sum += shares[other]
        mean += shares[other] * distance
      }
      guard sum > 0 else { break }
      for other in shares.indices { shares[other] /= sum }
      let excess = log(sum) + precision * mean / sum - log(perplexity)
      if excess.magnitude < 1e-4 { break }
      // Too many neighbours: a narrower Gaussian.
      if excess > 0 { low = precision } else { high = precision }
      precision = high.isFinite ? (low + high) / 2 : precision * 2
      if precision > 1e30 || precision < 1e-30 { break }
    }
    return shares
  }

  /// The places after some steps, centred.
  ///
  /// - Parameter first: where to start from [N]; scaled to a standard deviation of 1e-4 along x.
  public func points(from first: [(x: Double, y: Double)], steps: Int = 600) -> [(x: Double, y: Double)] {
    precondition(first.count == count, "\(first.count) first points for \(count) samples")
    let spread = (first.reduce(0) { $0 + $1.x * $1.x } / Double(count)).squareRoot()
    let scale = spread > 0 ? 1e-4 / spread : 1
    var x = first.map { Float($0.x * scale) }, y = first.map { Float($0.y * scale) }
    let rate = max(Float(count) / 48, 50)
    var speedX = [Float](repeating: 0, count: count), speedY = speedX
    var gainX = [Float](repeating: 1, count: count), gainY = gainX
    func move(_ place: inout Float, _ speed: inout Float, _ gain: inout Float, _ slope: Float, _ momentum: Float) {
      gain = slope * speed < 0 ? gain + 0.2 : max(gain * 0.8, 0.01)
      speed = momentum * speed - rate * gain * slope
      place += speed
    }
    for step in 0..<steps {
      let isEarly = step < steps / 4
      let (slopeX, slopeY) = gradient(x, y, exaggeration: isEarly ? 12 : 1)
      for point in 0..<count {
        let momentum: Float = isEarly ? 0.5 : 0.8
        move(&x[point], &speedX[point], &gainX[point], slopeX[point], momentum)
        move(&y[point], &speedY[point], &gainY[point], slopeY[point], momentum)
      }
      let middleX = x.reduce(0, +) / Float(count), middleY = y.reduce(0, +) / Float(count)
      for point in 0..<count { (x[point], y[point]) = (x[point] - middleX, y[point] - middleY) }
    }
    return zip(x, y).map { (Double($0), Double($1)) }
  }

  /// The derivative of `Σ p_ij log(p_ij / q_ij)` by the places [N], p multiplied by a factor in its attraction:
  /// `4 Σ_j (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|²)`.
  public func gradient(_ x: [Float], _ y: [Float], exaggeration: Float = 1) -> (x: [Float], y: [Float]) {
    let packedX = packed(x), packedY = packed(y), vectors = vectors
    var pull = [SIMD4<Float>](repeating: .zero, count: count), total = 0.0
    for i in 0..<count {
      var pullX = SIMD8<Float>.zero, pullY = pullX, pushX = pullX, pushY = pullX, sum = pullX
      let ownX = SIMD8(repeating: x[i]), ownY = SIMD8(repeating: y[i])
      for v in 0..<vectors {
        let dx = ownX - packedX[v], dy = ownY - packedY[v]
        let q = 1 / (1 + dx * dx + dy * dy), pq = affinities[i * vectors + v] * q, square = q * q
        sum += q
        pullX += pq * dx
        pullY += pq * dy
        pushX += square * dx
        pushY += square * dy
      }
      // A point is no neighbour of itself.
      total += Double(sum.sum()) - 1
      pull[i] = SIMD4(pullX.sum(), pullY.sum(), pushX.sum(), pushY.sum())
    }
    let share = Float(1 / max(total, 1e-30))
    return (
      pull.map { 4 * (exaggeration * $0.x - share * $0.z) }, pull.map { 4 * (exaggeration * $0.y - share * $0.w) }
    )
  }

  private func packed(_ values: [Float]) -> [SIMD8<Float>] {
    (0..<vectors).map { v in
      var vector = SIMD8(repeating: Self.far)
      for lane in 0..<8 where v * 8 + lane < count { vector[lane] = values[v * 8 + lane] }
      return vector
    }
  }
}
