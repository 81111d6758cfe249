import Dispatch

/// The nearest neighbours of points by the angle between their rows, without themselves.
///
/// Rows have length 1, so that the squared distance of two is 2 − 2 cos, between 0 and 4. Products are computed in tiles,
/// in double precision and on all processors; every row is one thread's, so that the result is the same for any number of
/// them. Of equally near points the one with the smaller number comes first. Time grows with N² F, memory with N.
public struct NearestNeighbours: Sendable {
  /// Points, N, and neighbours of each, k.
  public let count: Int, width: Int
  /// The neighbours' numbers [N, k], the nearest first; −1 where there are fewer.
  public let ids: [Int32]
  /// Their squared distances [N, k], ascending; infinite where there are fewer.
  public let distances: [Double]
  /// The largest squared distance of each point from another [N]; 0 where there is none.
  public let farthest: [Double]

  /// Rows, and columns, that are looked at together: a tile of their products is 1 MB.
  private static let rowBlock = 128, tile = 1024

  /// Finds neighbours.
  ///
  /// - Parameters:
  ///   - points: rows of length 1 [N, F] (`Matrix(directionsOf:width:)`).
  ///   - k: neighbours of each, at least 1.
  ///   - candidates: whether a point can be a neighbour [N]; nil where all can.
  public init(of points: Matrix, _ k: Int, among candidates: [Bool]? = nil) {
    precondition(k > 0 && (candidates?.count ?? points.rows) == points.rows, "\(k) neighbours of \(points.rows) points")
    let N = points.rows, F = points.columns
    var ids = [Int32](repeating: -1, count: N * k), far = [Double](repeating: 0, count: N)
    // Similarities first: they are distances at the end.
    var nearness = [Double](repeating: -.infinity, count: N * k)
    let blocks = (N + Self.rowBlock - 1) / Self.rowBlock
    ids.withUnsafeMutableBufferPointer { ids in
      nearness.withUnsafeMutableBufferPointer { nearness in
        far.withUnsafeMutableBufferPointer { far in
          nonisolated(unsafe) let (ids, nearness, far) = (ids, nearness, far)
          DispatchQueue.concurrentPerform(iterations: blocks) { block in
            let rows = block * Self.rowBlock..<min((block + 1) * Self.rowBlock, N)
            var products = [Double](repeating: 0, count: rows.count * min(Self.tile, N))
            for first in stride(from: 0, to: N, by: Self.tile) {
              let columns = first..<min(first + Self.tile, N)
              products.withUnsafeMutableBufferPointer { products in
                products.update(repeating: 0)
                points.values.withUnsafeBufferPointer { values in
                  guard F > 0, let start = values.baseAddress else { return }
                  Product.add(
                    1, start + rows.lowerBound * F, F, start + first * F, F, to: products.baseAddress!, columns.count,
                    rows: rows.count, columns: columns.count, depth: F)
                }
                for row in rows {
                  let here = row * k..<(row + 1) * k
                  Self.take(
                    products[(row - rows.lowerBound) * columns.count..<(row - rows.lowerBound + 1) * columns.count],
                    columns, of: row, candidates, into: UnsafeMutableBufferPointer(rebasing: ids[here]),
                    UnsafeMutableBufferPointer(rebasing: nearness[here]), &far[row])
                }
              }
            }
          }
        }
      }
    }
    (count, width, self.ids, farthest) = (N, k, ids, far)
    distances = nearness.map { Self.squaredDistance($0) }
  }

  /// Puts a tile's candidates into the list of a row, which is sorted.
  private static func take(
    _ products: Slice<UnsafeMutableBufferPointer<Double>>, _ columns: Range<Int>, of row: Int, _ candidates: [Bool]?,
    into ids: UnsafeMutableBufferPointer<Int32>, _ nearness: UnsafeMutableBufferPointer<Double>, _ far: inout Double
  ) {
    let last = ids.count - 1
    for (place, column) in zip(products.indices, columns) where column != row {
      let product = products[place]
      far = max(far, squaredDistance(product))
      guard product > nearness[last], candidates?[column] ?? true else { continue }
      var at = last
      while at > 0, nearness[at - 1] < product {
        (nearness[at], ids[at]) = (nearness[at - 1], ids[at - 1])
        at -= 1
      }
      (nearness[at], ids[at]) = (product, Int32(column))
    }
  }

  /// 2 − 2 cos, without what rounding may leave below 0.
  static func squaredDistance(_ cosine: Double) -> Double { max(0, 2 - 2 * cosine) }

  /// The neighbours of a point, the nearest first.
  public func neighbours(of point: Int) -> ArraySlice<Int32> {
    let row = ids[point * width..<(point + 1) * width]
    return row.prefix { $0 >= 0 }
  }

  /// Bytes that finding neighbours takes beside the points, and the points themselves as a matrix.
  public static func byteCount(points N: Int, features F: Int, _ k: Int) -> Int { N * (8 * F + 20 * k + 16) }
}

extension Matrix {
  /// Rows of floats, each divided by its length; a row of zeros stays.
  public init(directionsOf features: [Float], width: Int) {
    precondition(width > 0 && features.count % width == 0, "\(features.count) values in rows of \(width)")
    var values = features.map(Double.init)
    for start in stride(from: 0, to: values.count, by: width) {
      let length = values[start..<start + width].reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 0 else { continue }
      for place in start..<start + width { values[place] /= length }
    }
    self.init(values, rows: features.count / width, columns: width)
  }
}
