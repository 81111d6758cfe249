import CLayout
import Compute

/// The formulas of Kernels/shared/rows_triplet.cl.
extension ReferenceDevice {
  static var tripletFormulas: [String: RowFormula] {
    [
      "rows_triplet": RowFormula(triplet, ["labels", "numbers", "sample_loss"]),
      "rows_triplet_backward": RowFormula(tripletBackward, []),
    ]
  }

  private static func rows(_ bound: RowBinding) -> [[ReferenceNumber]] {
    let D = bound.integer("D"), features = bound.buffer("features")
    return (0..<bound.count).map { features.numbers(at: $0 * D, count: D) }
  }

  private static func triplet(_ bound: RowBinding) {
    let samples = bound.samples, labels = bound.buffer("labels"), chosen = bound.buffer("chosen")
    let margin = bound.buffer("numbers").number(at: NUMBER_METHOD + bound.integer("slot"))
    let found = ReferenceMath.batchHardTriplets(
      rows(bound), labels: samples.map { labels.integer(at: $0) },
      chosen: samples.map { chosen.number(at: $0).value != 0 }, margin: margin)
    for (b, triplet) in found.enumerated() {
      bound.buffer("farthest").write(ReferenceNumber(Double(triplet?.farthest ?? -1)), at: b)
      bound.buffer("nearest").write(ReferenceNumber(Double(triplet?.nearest ?? -1)), at: b)
      bound.buffer("sample_loss").write(triplet?.loss ?? 0, at: samples[b])
    }
  }

  private static func tripletBackward(_ bound: RowBinding) {
    let x = rows(bound), D = bound.integer("D"), chosen = bound.buffer("chosen")
    let count = bound.samples.count { chosen.number(at: $0).value != 0 }
    var gradient = [[ReferenceNumber]](repeating: .zeros(D), count: x.count)
    for i in x.indices {
      let p = Int(bound.buffer("farthest").number(at: i).value), n = Int(bound.buffer("nearest").number(at: i).value)
      guard n >= 0, count > 0 else { continue }
      for (other, sign) in [(p, 1.0), (n, -1)] where other != i {
        let slope = ReferenceMath.distanceSlope(x[i], x[other]).map {
          ReferenceNumber(sign) / ReferenceNumber(Double(count)) * $0
        }
        for k in 0..<D {
          gradient[i][k].add(slope[k])
          gradient[other][k].add(-slope[k])
        }
      }
    }
    for b in x.indices { bound.buffer("dfeatures").write(gradient[b], at: b * D) }
  }
}

extension ReferenceMath {
  /// A row's hardest pair, and its loss.
  public struct Triplet: Sendable {
    /// Positions of the farthest row with the same label, and of the nearest with another.
    public let farthest: Int, nearest: Int
    /// d(farthest) − d(nearest) + margin, which is positive.
    public let loss: ReferenceNumber
  }

  /// Batch-hard triplets of rows; nil for those without a loss.
  public static func batchHardTriplets(
    _ x: [[ReferenceNumber]], labels: [Int], chosen: [Bool], margin: ReferenceNumber
  ) -> [Triplet?] {
    x.indices.map { b in
      let squares = x.map { squaredDistance(x[b], $0) }, rows = x.indices.filter { chosen[$0] }
      func first(_ rows: [Int], _ isBetter: (Double, Double) -> Bool) -> Int? {
        rows.reduce(nil) { best, i in
          best.map { isBetter(squares[i].value, squares[$0].value) ? i : $0 } ?? i
        }
      }
      guard chosen[b], let p = first(rows.filter { labels[$0] == labels[b] }, >),
        let n = first(rows.filter { labels[$0] != labels[b] }, <)
      else { return nil }
      let loss = distance(squares[p]) - distance(squares[n]) + margin
      return loss.value > 0 ? Triplet(farthest: p, nearest: n, loss: loss) : nil
    }
  }

  private static func squaredDistance(_ a: [ReferenceNumber], _ b: [ReferenceNumber]) -> ReferenceNumber {
    zip(a, b).map { ($0 - $1) * ($0 - $1) }.sum
  }

  private static func distance(_ square: ReferenceNumber) -> ReferenceNumber {
    square.value < 1e-12 ? 1e-6 : square.squareRoot
  }

  /// The derivative of the distance of two rows by the first one; 0 where they are nearly equal.
  public static func distanceSlope(_ a: [ReferenceNumber], _ b: [ReferenceNumber]) -> [ReferenceNumber] {
    let square = squaredDistance(a, b)
    guard square.value > 1e-12 else { return .zeros(a.count) }
    return zip(a, b).map { ($0 - $1) / square.squareRoot }
  }
}
