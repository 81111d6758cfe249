import Dispatch
import Statistics

/// Samples that vouch for each other's labels without being independent: copies, shots of one burst, frames of one video.
public struct NearDuplicates: Sendable {
  /// Two samples whose features point in nearly the same direction.
  public struct Pair: Sendable, Equatable {
    /// The samples by index, and the cosine of their features.
    public let first: Int, second: Int, cosine: Double
  }

  /// Pairs by index through which everything near is connected: not all of them, of which N copies have N (N − 1) / 2.
  public let links: [[Int]]
  /// Of each sample behind the first part of the set that has a near one there, the nearest.
  public let nearest: [Pair]

  /// - Parameters:
  ///   - bound: the least cosine of two samples that are near.
  ///   - count: how many samples, the first ones, are the first part.
  public init(_ features: FeatureTable, cosine bound: Double, firstPart count: Int = 0) {
    var rows = features.scaled
    let N = rows.rows, D = rows.columns
    for i in 0..<N {
      let length = rows.product(i, i).squareRoot()
      guard length > 0 else { continue }
      for d in 0..<D { rows.values[i * D + d] /= length }
    }
    // Each block of rows with those before them.
    let unit = rows, size = 256, blocks = (N + size - 1) / size
    var found = [(links: [[Int]], nearest: [Pair])](repeating: ([], []), count: blocks)
    found.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let found = buffer.baseAddress!
      DispatchQueue.concurrentPerform(iterations: blocks) { number in
        let first = number * size, own = min(size, N - first)
        let part = Matrix(Array(unit.values[first * D..<(first + own) * D]), rows: own, columns: D)
        let before = Matrix(Array(unit.values[..<((first + own) * D)]), rows: first + own, columns: D)
        let cosines = part.timesTransposedHere(before)
        var sets = DisjointSets(count: first + own)
        for row in 0..<own {
          var nearest: Pair?
          for other in 0..<first + row where cosines[row, other] >= bound {
            if sets.join(other, first + row) { found[number].links.append([other, first + row]) }
            if first + row >= count, other < count, cosines[row, other] > nearest?.cosine ?? -1 {
              nearest = Pair(first: other, second: first + row, cosine: cosines[row, other])
            }
          }
          if let nearest { found[number].nearest.append(nearest) }
        }
      }
    }
    (links, nearest) = (found.flatMap(\.links), found.flatMap(\.nearest))
  }

  /// Groups that share a sample become one; each in order, by their first sample.
  public static func joined(_ groups: [[Int]], count: Int) -> [[Int]] {
    var sets = DisjointSets(count: count)
    for group in groups {
      guard let first = group.first else { continue }
      for other in group.dropFirst() { _ = sets.join(first, other) }
    }
    var members: [Int: [Int]] = [:]
    for i in 0..<count { members[sets.root(i), default: []].append(i) }
    return members.filter { $1.count > 1 }.sorted { $0.key < $1.key }.map(\.value)
  }
}

/// Sets without a common element, each known by its least one.
private struct DisjointSets {
  private var parent: [Int]

  init(count: Int) { parent = Array(0..<count) }

  mutating func root(_ i: Int) -> Int {
    var i = i
    while parent[i] != i {
      parent[i] = parent[parent[i]]
      i = parent[i]
    }
    return i
  }

  /// Makes one set of two; whether they were two.
  mutating func join(_ first: Int, _ second: Int) -> Bool {
    let (a, b) = (root(first), root(second))
    parent[max(a, b)] = min(a, b)
    return a != b
  }
}
