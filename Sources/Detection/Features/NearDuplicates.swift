import Dispatch
import Statistics

/// Samples that vouch for each other's labels without being independent: copies, shots of one burst, frames of one video.
public enum NearDuplicates {
  /// Two samples whose features point in nearly the same direction.
  public struct Pair: Sendable, Equatable {
    /// The samples by index, and the cosine of their features.
    public let first: Int, second: Int, cosine: Double
  }

  /// Groups of samples whose features point in nearly the same direction, directly or through others; each in order.
  ///
  /// - Parameter bound: the least cosine of two rows of one group.
  public static func groups(_ features: FeatureTable, cosine bound: Double) -> [[Int]] {
    joined(pairs(features, cosine: bound).map { [$0.first, $0.second] }, count: features.scaled.rows)
  }

  /// All pairs of samples with at least this cosine, by the second one, then by the first.
  public static func pairs(_ features: FeatureTable, cosine bound: Double) -> [Pair] {
    var rows = features.scaled
    let N = rows.rows, D = rows.columns
    for i in 0..<N {
      let length = rows.product(i, i).squareRoot()
      guard length > 0 else { continue }
      for d in 0..<D { rows.values[i * D + d] /= length }
    }
    // The pairs of each block of rows with those before them.
    let unit = rows, block = 256, blocks = (N + block - 1) / block
    var found = [[Pair]](repeating: [], count: blocks)
    found.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let found = buffer.baseAddress!
      DispatchQueue.concurrentPerform(iterations: blocks) { number in
        let first = number * block, count = min(block, N - first)
        let part = Matrix(Array(unit.values[first * D..<(first + count) * D]), rows: count, columns: D)
        let before = Matrix(Array(unit.values[..<((first + count) * D)]), rows: first + count, columns: D)
        let cosines = part.timesTransposedHere(before)
        for row in 0..<count {
          for other in 0..<first + row where cosines[row, other] >= bound {
            found[number].append(Pair(first: other, second: first + row, cosine: cosines[row, other]))
          }
        }
      }
    }
    return found.flatMap { $0 }
  }

  /// Groups that share a sample become one; each in order, by their first sample.
  public static func joined(_ groups: [[Int]], count: Int) -> [[Int]] {
    var parent = Array(0..<count)
    func root(_ i: Int) -> Int {
      var i = i
      while parent[i] != i {
        parent[i] = parent[parent[i]]
        i = parent[i]
      }
      return i
    }
    for group in groups {
      guard let first = group.first else { continue }
      for other in group.dropFirst() {
        let (a, b) = (root(first), root(other))
        parent[max(a, b)] = min(a, b)
      }
    }
    var members: [Int: [Int]] = [:]
    for i in 0..<count { members[root(i), default: []].append(i) }
    return members.filter { $1.count > 1 }.sorted { $0.key < $1.key }.map(\.value)
  }
}
