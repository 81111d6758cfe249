import FileFormats
import Statistics
import Testing

@Suite("Clusters of points")
struct DensityClustersTests {
  /// What NumPy and scikit-learn made of 120 points once, by `clusters.py frozen` beside the oracle tests.
  private static let frozen: SafetensorsFile? = {
    let folder = String((#filePath as String).dropLast("DensityClustersTests.swift".count)) + "Frozen/"
    return try? SafetensorsFile.read(folder + "clusters.safetensors")
  }()
  /// Distances are written down as floats.
  private static let tolerance = 1e-7

  private func reciprocal(_ points: Matrix, _ k1: Int, _ k2: Int) -> ReciprocalDistances {
    ReciprocalDistances(points, NearestNeighbours(of: points, k1), near: k1, mean: k2)
  }

  @Test("have the distances, the radius, the labels and the pairs that NumPy and scikit-learn found")
  func againstFrozen() throws {
    let file = try #require(Self.frozen), N = 120
    let points = Matrix(directionsOf: try file.floats("points", shape: [N, 6]), width: 6)
    let found = reciprocal(points, 12, 4), wanted = try file.floats("distances", shape: [N, N])
    var near = 0
    for i in 0..<N {
      var row = [Double](repeating: 1, count: N)
      for (j, distance) in found.row(i) { row[j] = distance }
      for j in 0..<N {
        #expect(abs(row[j] - Double(wanted[i * N + j])) <= Self.tolerance, "\(i), \(j)")
        near += row[j] < 1 ? 1 : 0
      }
      #expect(found[i, (i + 7) % N] == row[(i + 7) % N])
    }
    #expect(near > N * 10 && near < N * N)
    let radius = try #require(found.meanOfSmallest(share: 0.02))
    #expect(abs(radius - (try file.doubles("radius", shape: [1])[0])) <= Self.tolerance)
    let classes = (0..<Int32(N)).map { $0 % 5 }
    for (index, factor) in [0.5, 1, 1.5].enumerated() {
      let clusters = DensityClusters(found, radius: factor * radius, minimum: 4)
      #expect(clusters.labels.map { Int64($0) } == (try file.integers("labels\(index)", shape: [N])))
      #expect(clusters.count == Int(clusters.labels.max() ?? -1) + 1)
      let pairs = try file.doubles("pairs\(index)", shape: [3])
      let score = PairScore(clusters: clusters.labels, classes: classes)
      #expect(score.precision == pairs[0] / (pairs[0] + pairs[1]) && score.recall == pairs[0] / (pairs[0] + pairs[2]))
      let harmonic = 2 * pairs[0] / (2 * pairs[0] + pairs[1] + pairs[2])
      #expect(abs(try #require(score.fScore) - harmonic) < 1e-15)
    }
  }

  @Test("grow from cores in the order of points, and leave others out")
  func line() {
    // Two runs of four on a line, a point at the border of both, and one alone.
    let places = [0.0, 1, 2, 3, 5, 7, 8, 9, 10, 20]
    func clusters(_ minimum: Int, _ radius: Double) -> [Int32] {
      DensityClusters(points: places.count, minimum: minimum) { i in
        places.indices.filter { abs(places[$0] - places[i]) <= radius }.map { Int32($0) }
      }.labels
    }
    // 5 is within 2 of 3 and of 7, which are cores of three; it is one itself, and joins them.
    #expect(clusters(3, 2) == [0, 0, 0, 0, 0, 0, 0, 0, 0, -1])
    #expect(clusters(4, 2) == [0, 0, 0, 0, 1, 1, 1, 1, 1, -1] || clusters(4, 2) == [0, 0, 0, 0, 0, 1, 1, 1, 1, -1])
    #expect(clusters(2, 1) == [0, 0, 0, 0, -1, 1, 1, 1, 1, -1])
    #expect(clusters(1, 0.5) == (0..<10).map { Int32($0) })
    #expect(clusters(11, 100).allSatisfy { $0 == -1 })
    #expect(DensityClusters(points: 0, minimum: 4) { _ in [] }.count == 0)
  }

  @Test("are scored pair by pair")
  func pairs() {
    // Pairs found: 3 and 1, of which 1 and 1 true; true pairs: 3 of class 0 and 3 of class 1.
    let score = PairScore(clusters: [0, 0, 0, 1, 1, -1, 2], classes: [0, 0, 1, 1, 1, 0, -1])
    #expect(score.precision == 0.5 && score.recall == 2.0 / 6 && abs((score.fScore ?? 0) - 0.4) < 1e-15)
    #expect(PairScore(clusters: [-1, -1], classes: [0, 0]).fScore == nil)
    #expect(PairScore(clusters: [0, 0], classes: [0, 1]).precision == 0)
    #expect(PairScore(clusters: [0, 0, 1, 1], classes: [0, 1, 0, 1]).fScore == 0)
  }

  @Test("of points that are few, equal or zero")
  func degenerate() {
    for rows in 1...4 {
      let points = Matrix(directionsOf: [Float](repeating: 2, count: rows * 3), width: 3)
      let found = reciprocal(points, 20, 6)
      #expect((0..<rows).allSatisfy { i in (0..<rows).allSatisfy { abs(found[i, $0]) < 1e-12 } })
      #expect(DensityClusters(found, radius: 0.1, minimum: 4).count == (rows == 4 ? 1 : 0))
    }
    let zeros = Matrix(directionsOf: [0, 0, 0, 0], width: 2)
    #expect(zeros.values.allSatisfy { $0 == 0 } && NearestNeighbours(of: zeros, 1).distances == [2, 2])
    // All distances of equal points are 0, or what rounding makes of it.
    let odd = Matrix(directionsOf: [Float](repeating: .nan, count: 6), width: 2)
    #expect(NearestNeighbours(of: odd, 2).ids.allSatisfy { $0 == -1 })
  }

  @Test("need memory that is said before")
  func memory() {
    struct Refused: Error {}
    let points = Matrix(directionsOf: (0..<300).map { Float(($0 * 37) % 101) - 50 }, width: 3)
    let neighbours = NearestNeighbours(of: points, 20)
    var told = 0
    #expect(throws: Refused.self) {
      try ReciprocalDistances(points, neighbours) {
        told = $0
        throw Refused()
      }
    }
    let found = ReciprocalDistances(points, neighbours)
    let entries = (0..<100).reduce(0) { sum, i in sum + found.row(i).reduce(0) { count, _ in count + 1 } }
    #expect(told >= 24 * entries && told <= 24 * 100 * 100)
  }
}

@Suite("The nearest neighbours of points")
struct NearestNeighboursTests {
  @Test("are those of all pairs, over more than a tile and a block", arguments: [(1, 1), (3, 2), (130, 5), (1100, 21)])
  func allPairs(N: Int, k: Int) {
    let random = CounterRandom(seed: 3), F = 5
    let features = (0..<N * F).map { Float(random.normal(.noise, UInt32($0), 0)) }
    let points = Matrix(directionsOf: features, width: F), found = NearestNeighbours(of: points, k)
    #expect(found.count == N && found.ids.count == N * k)
    for i in stride(from: 0, to: N, by: max(1, N / 40)) {
      let squares = (0..<N).map { j in
        zip(points.row(i), points.row(j)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      let order = (0..<N).filter { $0 != i }.sorted { (squares[$0], $0) < (squares[$1], $1) }
      #expect(found.neighbours(of: i).map { Int($0) } == Array(order.prefix(k)))
      for (place, j) in order.prefix(k).enumerated() {
        #expect(abs(found.distances[i * k + place] - squares[j]) < 1e-12)
      }
      #expect(abs(found.farthest[i] - (order.last.map { squares[$0] } ?? 0)) < 1e-12)
    }
  }

  @Test("can be among some points alone, and the earlier of equal ones comes first")
  func candidates() {
    let points = Matrix(directionsOf: [1, 0, 0, 1, 0, 2, 3, 0, 1, 1], width: 2)
    #expect(NearestNeighbours(of: points, 4).neighbours(of: 4).elementsEqual([0, 1, 2, 3]))
    let some = NearestNeighbours(of: points, 3, among: [true, true, false, false, true])
    #expect(some.neighbours(of: 2).elementsEqual([1, 4, 0]) && some.neighbours(of: 0).elementsEqual([4, 1]))
    #expect(some.ids[2] == -1 && some.distances[2] == .infinity)
  }
}
