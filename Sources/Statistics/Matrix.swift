import CMatrix
import Dispatch

/// A matrix in double precision, row by row.
public struct Matrix: Sendable, Equatable {
  /// Its size.
  public let rows: Int, columns: Int
  /// The elements [rows, columns].
  public var values: [Double]

  /// A matrix of these values [rows, columns].
  public init(_ values: [Double], rows: Int, columns: Int) {
    precondition(values.count == rows * columns, "\(values.count) values for \(rows) × \(columns)")
    (self.values, self.rows, self.columns) = (values, rows, columns)
  }

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    self.init([Double](repeating: 0, count: rows * columns), rows: rows, columns: columns)
  }

  /// The element at a row and a column.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// A row's elements.
  public func row(_ index: Int) -> ArraySlice<Double> { values[index * columns..<(index + 1) * columns] }

  /// The product of two rows.
  public func product(_ i: Int, _ j: Int) -> Double {
    values.withUnsafeBufferPointer { values in
      let a = values.baseAddress! + i * columns, b = values.baseAddress! + j * columns
      // Eight sums, so that they need not wait for each other.
      var sums = SIMD8<Double>(repeating: 0), at = 0
      while at + 8 <= columns {
        for lane in 0..<8 { sums[lane] += a[at + lane] * b[at + lane] }
        at += 8
      }
      var sum = sums.sum()
      while at < columns {
        sum += a[at] * b[at]
        at += 1
      }
      return sum
    }
  }

  /// Rows and columns exchanged.
  public var transposed: Matrix {
    // Square pieces, so that neither side jumps through memory for every element.
    let piece = 32
    return Matrix(
      [Double](unsafeUninitializedCapacity: values.count) { to, count in
        values.withUnsafeBufferPointer { from in
          for top in stride(from: 0, to: rows, by: piece) {
            for left in stride(from: 0, to: columns, by: piece) {
              for i in top..<min(top + piece, rows) {
                for j in left..<min(left + piece, columns) { to[j * rows + i] = from[i * columns + j] }
              }
            }
          }
        }
        count = values.count
      }, rows: columns, columns: rows)
  }

  /// self · otherᵀ, for matrices of equally long rows: the products of all rows with each other.
  public func timesTransposed(_ other: Matrix) -> Matrix {
    precondition(columns == other.columns, "rows of \(columns) and of \(other.columns) elements")
    var result = Matrix(rows: rows, columns: other.rows)
    let (depth, width) = (columns, other.rows)
    result.inRowBlocks { block, to in
      values.withUnsafeBufferPointer { a in
        other.values.withUnsafeBufferPointer { b in
          Product.add(
            1, a.baseAddress! + block.lowerBound * depth, depth, b.baseAddress!, depth, to: to, width,
            rows: block.count, columns: width, depth: depth)
        }
      }
    }
    return result
  }

  /// self · otherᵀ on this thread alone, for callers that are parallel themselves.
  public func timesTransposedHere(_ other: Matrix) -> Matrix {
    precondition(columns == other.columns, "rows of \(columns) and of \(other.columns) elements")
    var result = Matrix(rows: rows, columns: other.rows)
    result.values.withUnsafeMutableBufferPointer { to in
      values.withUnsafeBufferPointer { a in
        other.values.withUnsafeBufferPointer { b in
          Product.add(
            1, a.baseAddress!, columns, b.baseAddress!, columns, to: to.baseAddress!, other.rows, rows: rows,
            columns: other.rows, depth: columns)
        }
      }
    }
    return result
  }

  /// self · selfᵀ; only half of the products are computed.
  public var timesOwnTranspose: Matrix {
    var result = Matrix(rows: rows, columns: rows)
    let (depth, width) = (columns, rows)
    guard depth > 0 else { return result }
    result.inRowBlocks { block, to in
      values.withUnsafeBufferPointer { a in
        Product.add(
          1, a.baseAddress! + block.lowerBound * depth, depth, a.baseAddress!, depth, to: to, width,
          rows: block.count, columns: block.upperBound, depth: depth)
      }
    }
    for i in 0..<rows { for j in 0..<i { result.values[j * rows + i] = result.values[i * rows + j] } }
    return result
  }

  /// Calls `body` for blocks of rows, on all processors; it may write to its rows, which begin at the pointer.
  ///
  /// Blocks depend on the number of rows alone, so that sums keep their order whatever the number of threads.
  mutating func inRowBlocks(_ body: @Sendable (Range<Int>, UnsafeMutablePointer<Double>) -> Void) {
    let (height, width) = (rows, columns), blocks = (height + Product.block - 1) / Product.block
    guard width > 0 else { return }
    values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let start = buffer.baseAddress!
      // The last blocks may have the most to do.
      DispatchQueue.concurrentPerform(iterations: blocks) { index in
        let first = (blocks - 1 - index) * Product.block
        body(first..<min(first + Product.block, height), start + first * width)
      }
    }
  }
}

/// The product that everything here is made of (`Sources/CMatrix`).
enum Product {
  /// Rows that a thread takes at a time.
  static let block = 128

  /// to += scale · a · bᵀ for `rows` rows of a and `columns` rows of b; each comes with the distance of its rows.
  static func add(
    _ scale: Double, _ a: UnsafePointer<Double>, _ aRow: Int, _ b: UnsafePointer<Double>, _ bRow: Int,
    to c: UnsafeMutablePointer<Double>, _ cRow: Int, rows: Int, columns: Int, depth: Int
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: gpunoisy_product_scratch(columns)) { scratch in
      gpunoisy_product(rows, columns, depth, scale, a, aRow, b, bRow, c, cRow, scratch.baseAddress!)
    }
  }
}
