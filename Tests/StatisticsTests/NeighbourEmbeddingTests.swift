import Glibc
import Statistics
import Testing

@Suite("t-SNE")
struct NeighbourEmbeddingTests {
  /// Three groups of points about corners of a cube in twenty dimensions, far from each other.
  private func groups(of size: Int) -> [Float] {
    let random = CounterRandom(seed: 9)
    return (0..<3 * size * 20).map { index in
      let point = index / 20, place = index % 20
      return Float(random.normal(.shapes, UInt32(point), UInt32(place))) + (place % 3 == point % 3 ? 4 : 0)
    }
  }

  @Test("gives each point neighbours of the perplexity, and shares that are a distribution")
  func affinities() {
    // Equal distances: every other point is a neighbour alike, whatever the width.
    let simplex: [Float] = (0..<16).map { $0 / 4 == $0 % 4 ? 1 : 0 }
    let equal = NeighbourEmbedding(simplex, width: 4, perplexity: 30)
    #expect(equal.perplexity == 1)
    let points = groups(of: 21), found = NeighbourEmbedding(points, width: 20, perplexity: 10)
    var sum = 0.0
    for i in 0..<63 {
      #expect(found.affinity(i, i) == 0)
      for j in 0..<63 {
        sum += Double(found.affinity(i, j))
        #expect(found.affinity(i, j) == found.affinity(j, i))
      }
    }
    #expect(abs(sum - 1) < 1e-5 && found.perplexity == 10)
    // A regular polygon: all points see the same, so that rows are the conditional shares divided by N.
    let N = 40
    let polygon = (0..<N).flatMap { index -> [Float] in
      let angle = 2 * Double.pi * Double(index) / Double(N)
      return [Float(cos(angle)), Float(sin(angle))]
    }
    let ring = NeighbourEmbedding(polygon, width: 2, perplexity: 6)
    for i in [0, 17] {
      let shares = (0..<N).map { Double(ring.affinity(i, $0)) * Double(N) }
      let entropy = shares.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
      #expect(abs(exp(entropy) - 6) < 0.01, "\(exp(entropy))")
    }
  }

  @Test("has the gradient that finite differences give")
  func gradient() {
    let embedding = NeighbourEmbedding(groups(of: 7), width: 20, perplexity: 4), N = embedding.count
    let random = CounterRandom(seed: 2)
    let x = (0..<N).map { Float(random.normal(.split, UInt32($0), 0)) }
    let y = (0..<N).map { Float(random.normal(.split, UInt32($0), 1)) }
    func divergence(_ x: [Double], _ y: [Double]) -> Double {
      func closeness(_ i: Int, _ j: Int) -> Double {
        1 / (1 + (x[i] - x[j]) * (x[i] - x[j]) + (y[i] - y[j]) * (y[i] - y[j]))
      }
      var total = 0.0, sum = 0.0
      for i in 0..<N {
        for j in 0..<N where j != i { total += closeness(i, j) }
      }
      for i in 0..<N {
        for j in 0..<N where j != i {
          let p = Double(embedding.affinity(i, j))
          if p > 0 { sum += p * log(p / (closeness(i, j) / total)) }
        }
      }
      return sum
    }
    let (slopeX, slopeY) = embedding.gradient(x, y)
    let (wideX, wideY) = (x.map { Double($0) }, y.map { Double($0) })
    for point in [0, 5, N - 1] {
      func difference(_ step: Double, alongX: Bool) -> Double {
        var (movedX, movedY) = (wideX, wideY)
        if alongX { movedX[point] += step } else { movedY[point] += step }
        return divergence(movedX, movedY)
      }
      for (alongX, slope) in [(true, slopeX[point]), (false, slopeY[point])] {
        let expected = (difference(1e-4, alongX: alongX) - difference(-1e-4, alongX: alongX)) / 2e-4
        #expect(abs(Double(slope) - expected) < 1e-5, "\(slope) \(expected)")
      }
    }
  }

  @Test("keeps groups together and apart from each other, in the same places each time")
  func groupsStay() {
    let points = groups(of: 30), embedding = NeighbourEmbedding(points, width: 20)
    let first = PrincipalComponents(points, width: 20).coordinates(of: points).map { (x: $0[0], y: $0[1]) }
    let places = embedding.points(from: first, steps: 300), again = embedding.points(from: first, steps: 300)
    #expect(zip(places, again).allSatisfy { $0 == $1 })
    for i in places.indices {
      func distance(_ j: Int) -> Double { hypot(places[i].x - places[j].x, places[i].y - places[j].y) }
      let order = places.indices.filter { $0 != i }.sorted { distance($0) < distance($1) }
      // Every one of the other 29 of a group is nearer than any of another group.
      #expect(order.prefix(29).allSatisfy { $0 % 3 == i % 3 }, "\(i)")
      #expect(places[i].x.isFinite && places[i].y.isFinite)
    }
  }

  @Test("of equal points, or of two, is finite")
  func degenerate() {
    for points: [Float] in [[1, 1, 1, 1, 1], [0, 5]] {
      let first = points.map { (x: Double($0), y: 0.0) }
      let places = NeighbourEmbedding(points, width: 1).points(from: first, steps: 50)
      #expect(places.allSatisfy { $0.x.isFinite && $0.y.isFinite })
    }
  }
}
