import Dispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Jaccard distances of points by their k-reciprocal neighbours: 1 for nearly all pairs, which are not kept.
///
/// Two points are k-reciprocal where each is among the k nearest of the other, itself included. The set of a point is its
/// k₁-reciprocal neighbours, and those of each of them for k₁/2 that share more than two thirds with it. Its row of weights V
/// has exp(−d) for the points of the set, d the squared distance divided by the largest of the row, and sums to 1; then it
/// becomes the mean of the rows of the k₂ nearest. The distance of two points is 1 − m / (2 − m), m = Σ min(V_i, V_j).
/// - Source: Zhong, Zheng, Cao and Li, "Re-ranking person re-identification with k-reciprocal encoding", CVPR 2017, and
///   FlyingRoastDuck/ACT_AAAI20, whose arithmetic has half precision.
public struct ReciprocalDistances: Sendable {
  /// Points, N.
  public let count: Int
  private let rows: SparseRows

  /// Computes them; time grows with N and the sizes of the sets.
  ///
  /// - Parameters:
  ///   - points: rows of length 1 [N, F].
  ///   - neighbours: their nearest neighbours, at least k₁ of each where there are so many.
  ///   - near: k₁.
  ///   - mean: k₂, at least 1; 1 leaves V as it is.
  ///   - require: told the bytes that are about to be allocated; it may throw.
  public init(
    _ points: Matrix, _ neighbours: NearestNeighbours, near k1: Int = 20, mean k2: Int = 6,
    require: (Int) throws -> Void
  ) rethrows {
    precondition(k1 > 0 && k2 > 0 && k2 <= k1 + 1 && neighbours.width >= k1, "k1 = \(k1), k2 = \(k2)")
    // Squared distances count at least that much, as in the authors' code.
    let N = points.rows, least = 1e-5
    count = N
    let ranks = Ranks(neighbours), half = Int((Double(k1) / 2).rounded(.toNearestOrEven))
    let single = SparseRows(count: N, columns: N) { i, scratch in
      let set = ranks.expanded(i, k1, half), largest = neighbours.farthest[i]
      for j in set {
        let square = j == i ? 0 : NearestNeighbours.squaredDistance(points.product(i, j))
        scratch.add(exp(-max(square, least) / max(largest, least)), at: j)
      }
      scratch.divide(by: scratch.sum)
    }
    let weights =
      k2 == 1
      ? single
      : SparseRows(count: N, columns: N) { i, scratch in
        let some = ranks.first(k2, of: i)
        for j in some { for (column, value) in single.row(j) { scratch.add(value, at: column) } }
        scratch.divide(by: Double(some.count))
      }
    let byColumn = weights.transposed
    // No pair comes twice, and a row has at most N.
    let entries = (0..<N).reduce(0) { sum, i in
      sum + min(N, weights.row(i).reduce(0) { $0 + byColumn.length($1.0) })
    }
    try require(2 * SparseRows.byteCount(entries))
    rows = SparseRows(count: N, columns: N) { i, scratch in
      for (column, own) in weights.row(i) {
        for (j, other) in byColumn.row(column) { scratch.add(min(own, other), at: j) }
      }
      // Equal sets have the distance 0, whatever rounding makes of it.
      scratch.replace {
        let distance = 1 - $0 / (2 - $0)
        return distance < 1e-12 ? 0 : distance
      }
    }
  }

  /// Computes them, however much memory they need.
  public init(_ points: Matrix, _ neighbours: NearestNeighbours, near k1: Int = 20, mean k2: Int = 6) {
    self.init(points, neighbours, near: k1, mean: k2) { _ in }
  }

  /// The points nearer than 1 to a point, itself included, by number, with their distances.
  public func row(_ point: Int) -> some Sequence<(Int, Double)> { rows.row(point) }

  /// The distance of two points.
  public subscript(i: Int, j: Int) -> Double { rows.row(i).first { $0.0 == j }?.1 ?? 1 }

  /// The points at most `distance` away, itself included.
  public func within(_ distance: Double, of point: Int) -> [Int32] {
    distance >= 1
      ? [Int32](0..<Int32(count)) : rows.row(point).compactMap { $0.1 <= distance ? Int32($0.0) : nil }
  }

  /// The mean of the smallest `share` of the distances of all pairs that are not 0: the radius of ACT's clusters.
  ///
  /// At least one distance counts; nil where all are 0.
  public func meanOfSmallest(share: Double) -> Double? {
    var values: [Double] = [], zeros = 0
    for i in 0..<count {
      for (j, distance) in rows.row(i) where j > i {
        if distance == 0 { zeros += 1 } else { values.append(distance) }
      }
    }
    let pairs = count * (count - 1) / 2 - zeros
    guard pairs > 0 else { return nil }
    let counted = min(pairs, max(1, Int((share * Double(pairs)).rounded(.toNearestOrEven))))
    let near = values.sorted().prefix(counted)
    return (near.reduce(0, +) + Double(counted - near.count)) / Double(counted)
  }
}

/// Points in the order of their distance from a point, which comes first itself.
private struct Ranks: Sendable {
  private let neighbours: NearestNeighbours

  init(_ neighbours: NearestNeighbours) { self.neighbours = neighbours }

  /// The first `k` of a point's ranks.
  func first(_ k: Int, of i: Int) -> [Int] { [i] + neighbours.neighbours(of: i).prefix(k - 1).map { Int($0) } }

  /// Those of the k nearest that have the point among their k nearest, itself included.
  func reciprocal(_ i: Int, _ k: Int) -> [Int] {
    first(k + 1, of: i).filter { j in j == i || neighbours.neighbours(of: j).prefix(k).contains(Int32(i)) }
  }

  /// The k₁-reciprocal neighbours with those of each of them for `half` that share more than two thirds with them; sorted.
  func expanded(_ i: Int, _ k1: Int, _ half: Int) -> [Int] {
    let own = reciprocal(i, k1), known = Set(own)
    var all = known
    for j in own {
      let others = reciprocal(j, half)
      if 3 * others.count(where: known.contains) > 2 * others.count { all.formUnion(others) }
    }
    return all.sorted()
  }
}

/// Rows of a matrix that is nearly all zeros.
struct SparseRows: Sendable {
  /// A row that is being made: numbers by column, and which columns have one.
  struct Scratch {
    fileprivate var values: [Double], touched: [Int32] = []

    fileprivate init(columns: Int) { values = [Double](repeating: 0, count: columns) }

    /// The sum of the row, by column.
    var sum: Double { touched.sorted().reduce(0) { $0 + values[Int($1)] } }

    /// Adds a positive number.
    mutating func add(_ value: Double, at column: Int) {
      if values[column] == 0 { touched.append(Int32(column)) }
      values[column] += value
    }

    mutating func divide(by divisor: Double) { replace { $0 / divisor } }

    mutating func replace(_ change: (Double) -> Double) {
      for column in touched { values[Int(column)] = change(values[Int(column)]) }
    }
  }

  private var starts: [Int], columns: [Int32], values: [Double]

  /// Rows a thread makes one after the other.
  private static let block = 64

  /// Makes `count` rows, each on one thread.
  init(count: Int, columns width: Int, _ make: @Sendable (Int, inout Scratch) -> Void) {
    let blocks = (count + Self.block - 1) / Self.block
    var parts = [(lengths: [Int], columns: [Int32], values: [Double])](repeating: ([], [], []), count: blocks)
    parts.withUnsafeMutableBufferPointer { parts in
      nonisolated(unsafe) let parts = parts
      DispatchQueue.concurrentPerform(iterations: blocks) { index in
        var scratch = Scratch(columns: width)
        for row in index * Self.block..<min((index + 1) * Self.block, count) {
          make(row, &scratch)
          scratch.touched.sort()
          parts[index].lengths.append(scratch.touched.count)
          parts[index].columns += scratch.touched
          for column in scratch.touched {
            parts[index].values.append(scratch.values[Int(column)])
            scratch.values[Int(column)] = 0
          }
          scratch.touched.removeAll(keepingCapacity: true)
        }
      }
    }
    (starts, columns, values) = ([0], [], [])
    for part in parts {
      for length in part.lengths { starts.append(starts[starts.count - 1] + length) }
      columns += part.columns
      values += part.values
    }
  }

  private init(starts: [Int], columns: [Int32], values: [Double]) {
    (self.starts, self.columns, self.values) = (starts, columns, values)
  }

  /// Numbers of a row.
  func length(_ row: Int) -> Int { starts[row + 1] - starts[row] }

  /// The columns of a row with their numbers, ascending.
  func row(_ row: Int) -> some Sequence<(Int, Double)> {
    zip(columns[starts[row]..<starts[row + 1]].lazy.map { Int($0) }, values[starts[row]..<starts[row + 1]])
  }

  /// Rows and columns exchanged, of a square matrix.
  var transposed: SparseRows {
    var starts = [Int](repeating: 0, count: self.starts.count)
    for column in columns { starts[Int(column) + 1] += 1 }
    for row in 1..<starts.count { starts[row] += starts[row - 1] }
    var next = starts, columns = self.columns, values = self.values
    for row in 0..<starts.count - 1 {
      for at in self.starts[row]..<self.starts[row + 1] {
        let to = next[Int(self.columns[at])]
        (columns[to], values[to]) = (Int32(row), self.values[at])
        next[Int(self.columns[at])] += 1
      }
    }
    return SparseRows(starts: starts, columns: columns, values: values)
  }

  /// Bytes of so many numbers.
  static func byteCount(_ entries: Int) -> Int { 12 * entries }
}
