import Compute
import ComputeReference
import Statistics
import TestSupport
import Testing

/// Central differences of fourth order in double precision.
@Suite("Batch-hard triplets")
struct TripletGradientTests {
  private static let step = 1e-4, tolerance = 1e-8

  private func rows(_ B: Int, _ D: Int) -> [[Double]] {
    let random = CounterRandom(seed: 4)
    return (0..<B).map { b in (0..<D).map { random.normal(.initialization, UInt32(b), UInt32($0)) } }
  }

  private func triplets(
    _ x: [[Double]], _ labels: [Int], _ chosen: [Bool], margin: Double
  ) -> [ReferenceMath.Triplet?] {
    ReferenceMath.batchHardTriplets(
      x.map { .init($0) }, labels: labels, chosen: chosen, margin: ReferenceNumber(margin))
  }

  @Test("find the farthest of the same label and the nearest of another")
  func closedForm() {
    // Points on a line: 0, 1 and 4 of one label, 3 and 10 of another.
    let x: [[Double]] = [[0], [1], [4], [3], [10]], labels = [0, 0, 0, 1, 1]
    let all = triplets(x, labels, [true, true, true, true, true], margin: 0.5)
    #expect(all.map { $0?.farthest } == [2, 2, 0, 4, 3] && all.map { $0?.nearest } == [3, 3, 3, 2, 2])
    let losses = all.compactMap { $0?.loss.value }
    let expected: [Double] = [1.5, 1.5, 3.5, 6.5, 1.5]
    #expect(zip(losses, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    // Without the points in between, all are nearer to their own.
    let some = triplets(x, labels, [true, true, false, false, true], margin: 0.5)
    #expect(some.allSatisfy { $0 == nil })
    let wide = triplets(x, labels, [true, true, false, false, true], margin: 9.5)
    let farthest: [Int?] = [1, 0, nil, nil, 4]
    #expect(wide.map { $0?.farthest } == farthest)
    #expect(triplets(x, [0, 0, 0, 0, 0], [true, true, true, true, true], margin: 5).allSatisfy { $0 == nil })
  }

  @Test("have the gradient that is their derivative", arguments: [(6, 2, 2), (12, 5, 3), (20, 16, 5)])
  func gradient(B: Int, D: Int, labels count: Int) {
    let x = rows(B, D), labels = (0..<B).map { $0 % count }, chosen = (0..<B).map { $0 % 7 != 6 }, margin = 0.7
    func mean(_ x: [[Double]]) -> Double {
      triplets(x, labels, chosen, margin: margin).reduce(0) { $0 + ($1?.loss.value ?? 0) }
        / Double(chosen.count { $0 })
    }
    let found = triplets(x, labels, chosen, margin: margin), scale = 1 / Double(chosen.count { $0 })
    var gradient = [[Double]](repeating: [Double](repeating: 0, count: D), count: B)
    for (i, triplet) in found.enumerated() {
      guard let triplet else { continue }
      for (other, sign) in [(triplet.farthest, 1.0), (triplet.nearest, -1)] where other != i {
        let slope = ReferenceMath.distanceSlope(.init(x[i]), .init(x[other]))
        for k in 0..<D {
          gradient[i][k] += sign * scale * slope[k].value
          gradient[other][k] -= sign * scale * slope[k].value
        }
      }
    }
    #expect(found.contains { $0 != nil })
    for b in 0..<B {
      let differences = (0..<D).map { k in
        func moved(_ steps: Double) -> Double {
          var moved = x
          moved[b][k] += steps * Self.step
          return mean(moved)
        }
        return (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * Self.step)
      }
      let comparison = Comparison("row \(b)", gradient[b], differences, tolerance: Self.tolerance, scale: 1e-2)
      #expect(comparison.passes, "\(comparison)")
    }
  }
}
