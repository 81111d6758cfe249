import Statistics

/// Wrong labels made up on purpose, which cost nothing: a left-out output does not depend on its own label, so that every
/// sample can be judged with every other label.
public enum MadeUpLabels {
  /// κ: the most wrong labels that there can be, as a share, by comparing margins of given labels with those of made-up
  /// ones.
  ///
  /// s_i is the margin of the given label, its output minus the largest other one; v the margin of every other label,
  /// weighted by p(that label) + 0.001 within its sample. With G(t) the share of given labels with s ≤ t and H(t) that of
  /// made-up ones with v ≤ t, κ is the least G(t) / H(t) where H(t) ≥ 0.3: where right labels hardly reach, wrong ones
  /// make up all of G. Then κ / (1 + κ / (K − 1)), since a sample with a wrong label has one right label among the made-up.
  ///
  /// - Parameters:
  ///   - outputs: left-out outputs [N, K].
  ///   - weights: p [N, K].
  public static func mostWrong(_ outputs: Matrix, labels: [Int], weights p: Matrix) -> Double {
    let N = outputs.rows, K = outputs.columns
    var given: [Double] = [], made: [(margin: Double, weight: Double)] = []
    made.reserveCapacity(N * (K - 1))
    for i in 0..<N {
      let row = Array(outputs.row(i)), g = labels[i]
      var best = 0, second = -Double.infinity
      for k in 1..<K where row[k] > row[best] { best = k }
      for k in 0..<K where k != best { second = max(second, row[k]) }
      func margin(_ k: Int) -> Double { row[k] - (row[k] >= row[best] ? second : row[best]) }
      given.append(margin(g))
      var sum = 0.0
      for k in 0..<K where k != g { sum += p[i, k] + leastWeight }
      for k in 0..<K where k != g { made.append((margin(k), (p[i, k] + leastWeight) / sum / Double(N))) }
    }
    given.sort()
    made.sort { $0.margin < $1.margin }
    // G changes at given margins alone; between them H grows, so that quantiles of made-up margins are looked at, too.
    let quantiles = (0..<200).map { index -> Double in
      let place = (0.001 + 0.998 * Double(index) / 199) * Double(made.count - 1), below = Int(place)
      let above = min(below + 1, made.count - 1), part = place - Double(below)
      return made[below].margin + part * (made[above].margin - made[below].margin)
    }
    var least = Double.infinity, reachedGiven = 0, reachedMade = 0, weight = 0.0
    for t in (given + quantiles).sorted() {
      while reachedGiven < N, given[reachedGiven] <= t { reachedGiven += 1 }
      while reachedMade < made.count, made[reachedMade].margin <= t {
        weight += made[reachedMade].weight
        reachedMade += 1
      }
      if weight >= leastShare { least = min(least, Double(reachedGiven) / Double(N) / weight) }
    }
    guard least.isFinite else { return 0 }
    return least / (1 + least / Double(K - 1))
  }

  /// Added to every weight, so that no label is impossible.
  private static let leastWeight = 1e-3
  /// H(t) is at least this.
  private static let leastShare = 0.3

  /// For each sample a label other than the given one, every one equally likely [N].
  static func random(_ labels: [Int], classes: Int) -> [Int] {
    let random = CounterRandom(seed: 0)
    return labels.enumerated().map { i, g in
      (g + 1 + random.integer(below: classes - 1, .madeUpLabel, UInt32(i), 0)) % classes
    }
  }
}
