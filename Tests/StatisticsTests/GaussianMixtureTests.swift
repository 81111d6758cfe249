import Statistics
import Testing

@Suite("A mixture of two normal distributions")
struct GaussianMixtureTests {
  /// 60 small numbers and 40 larger ones, brought to 0 to 1.
  static let values: [Double] = {
    let small: [Double] = (0..<60).map { 0.02 + 0.003 * Double($0) }
    let given: [Double] = small + (0..<40).map { 0.30 + 0.02 * Double($0) }
    let least = given.min()!, most = given.max()!
    return given.map { ($0 - least) / (most - least) }
  }()

  @Test("is what scikit-learn finds with DivideMix's settings")
  func fixture() {
    // Its k-means begins at random, and so ends a little elsewhere (procedures, GaussianMixture 1.9).
    let near = 1e-3, mixture = GaussianMixture(fitting: Self.values)
    #expect(abs(mixture.low.mean - 0.08337156) < near && abs(mixture.high.mean - 0.61999512) < near)
    #expect(abs(mixture.low.variance - 0.00295496) < near && abs(mixture.high.variance - 0.05324185) < near)
    #expect(abs(mixture.low.weight - 0.59086223) < near && abs(mixture.low.weight + mixture.high.weight - 1) < 1e-15)
    #expect(mixture.isConverged && mixture.rounds <= 10)
    let chances = Self.values.map(mixture.chanceOfLow)
    #expect(chances.count { $0 > 0.5 } == 60)
    for (place, chance) in [(0, 0.985894), (30, 0.989031), (59, 0.928084), (60, 0.073950), (99, 0)] {
      #expect(abs(chances[place] - chance) < 5 * near, "\(place)")
    }
    // The wider distribution takes what is far to the left of the narrow one.
    #expect(chances[0] < chances[30])
  }

  @Test("begins with the best two clusters, and keeps equal numbers together")
  func clusters() {
    // Without a round, weights are shares of the clusters.
    let mixture = GaussianMixture(fitting: [0, 0, 0, 1, 1, 0.9, 0, 0.1], rounds: 0, floor: 0)
    #expect(abs(mixture.low.weight - 5.0 / 8) < 1e-14 && abs(mixture.high.weight - 3.0 / 8) < 1e-14)
    #expect(abs(mixture.low.mean - 0.02) < 1e-14 && abs(mixture.high.mean - 2.9 / 3) < 1e-14)
    #expect(mixture.rounds == 0 && !mixture.isConverged)
  }

  @Test("does not depend on the order of the numbers more than sums do, and is symmetric")
  func order() {
    let forwards = GaussianMixture(fitting: Self.values), backwards = GaussianMixture(fitting: Self.values.reversed())
    #expect(abs(forwards.low.mean - backwards.low.mean) < 1e-12)
    let mirrored = GaussianMixture(fitting: Self.values.map { 1 - $0 })
    #expect(abs(mirrored.high.mean - (1 - forwards.low.mean)) < 1e-9)
    #expect(abs(mirrored.chanceOfLow(0.3) - (1 - forwards.chanceOfLow(0.7))) < 1e-6)
  }
}
