/// The directions in which points vary most: the eigenvectors of their covariance with the largest eigenvalues.
///
/// `covariance = Σ_n (x_n - mean)(x_n - mean)ᵀ / N`, which is never written out: it is applied to a few vectors at a
/// time, by orthogonal iteration from a fixed start, in double precision, until these are eigenvectors. That takes
/// O(N F) for each iteration. Each axis has the sign that makes its largest component positive, so that equal points give
/// equal axes.
///
/// - Source: Pearson, 1901; Rutishauser, "Simultaneous iteration method for symmetric matrices", 1970.
public struct PrincipalComponents: Sendable {
  /// The mean of the points [F].
  public let mean: [Double]
  /// Unit vectors [F] at right angles, the one with the most variance first.
  public let axes: [[Double]]
  /// The share of the whole variance along each axis, 0…1; 0 where all points are equal.
  public let shares: [Double]

  /// An axis is done when `covariance · axis` is this near to a multiple of it, as a part of the largest eigenvalue.
  ///
  /// Far below what a drawing shows, and above what rounding leaves of some thousands of points.
  private static let tolerance = 1e-9
  /// Iterations after which axes are taken as they are.
  ///
  /// An iteration divides the error of an axis by the ratio of its eigenvalue to the largest one that the iterated
  /// vectors leave out. Where that ratio is so near 1 that these do not suffice, other axes have as much variance.
  private static let mostIterations = 300
  /// Vectors that are iterated besides those to keep: the more there are, the larger that ratio is.
  private static let spare = 8

  /// Analyses N points with F coordinates each.
  ///
  /// - Parameters:
  ///   - points: the points, row by row [N, F]; at least one.
  ///   - width: F, at least 1.
  ///   - count: how many axes to keep; no more than F are there.
  public init(_ points: [Float], width: Int, keeping count: Int = 2) {
    precondition(width > 0 && !points.isEmpty && points.count % width == 0, "\(points.count) values, \(width) in a row")
    let covariance = Covariance(points, width: width), kept = min(max(count, 0), width)
    let random = CounterRandom(seed: 1), size = min(width, kept + Self.spare)
    var basis = Self.orthonormal(
      (0..<size).map { column in
        (0..<width).map { random.normal(.initialization, UInt32($0), UInt32(column), 0) }
      })
    var variances = [Double](repeating: 0, count: size)
    for _ in 0..<Self.mostIterations {
      var images = covariance.applied(to: basis)
      // The best eigenvectors that the basis has in it (Rayleigh and Ritz).
      var projected = SymmetricMatrix(size)
      for i in 0..<size {
        for j in 0...i {
          let product = Self.product(basis[i], images[j])
          (projected.values[i * size + j], projected.values[j * size + i]) = (product, product)
        }
      }
      let turn = projected.diagonalize(), found = (0..<size).map { max(0, projected.values[$0 * size + $0]) }
      let order = (0..<size).sorted { (found[$1], $0) < (found[$0], $1) }
      func turned(_ vectors: [[Double]]) -> [[Double]] {
        order.map { column in
          var sum = [Double](repeating: 0, count: width)
          for row in 0..<size { Self.add(vectors[row], times: turn[row * size + column], to: &sum) }
          return sum
        }
      }
      (basis, images, variances) = (turned(basis), turned(images), order.map { found[$0] })
      let isDone = (0..<kept).allSatisfy { index in
        var rest = images[index]
        Self.add(basis[index], times: -variances[index], to: &rest)
        return Self.product(rest, rest).squareRoot() <= Self.tolerance * variances[0]
      }
      if isDone { break }
      basis = Self.orthonormal(images)
    }
    mean = covariance.mean
    axes = basis.prefix(kept).map { axis in
      let largest = axis.max { $0.magnitude < $1.magnitude } ?? 1
      return largest < 0 ? axis.map { -$0 } : axis
    }
    let total = covariance.trace
    shares = variances.prefix(kept).map { total > 0 ? min($0 / total, 1) : 0 }
  }

  /// Where points lie along the axes, the mean at the origin: one row [axes.count] for each point.
  ///
  /// - Parameter points: the points [N, F].
  public func coordinates(of points: [Float]) -> [[Double]] {
    let width = mean.count
    return stride(from: 0, to: points.count, by: width).map { start -> [Double] in
      axes.map { axis -> Double in
        var sum = 0.0
        for place in 0..<width { sum += (Double(points[start + place]) - mean[place]) * axis[place] }
        return sum
      }
    }
  }

  // MARK: - Vectors

  /// Unit vectors at right angles that span what the given ones span, and more where those depend on each other.
  private static func orthonormal(_ vectors: [[Double]]) -> [[Double]] {
    var result: [[Double]] = []
    for given in vectors {
      var vector = given, coordinate = 0
      while !normalize(&vector, besides: result) {
        // Nothing is left of it: the first coordinate that is not spanned yet.
        vector = [Double](repeating: 0, count: given.count)
        vector[coordinate] = 1
        coordinate += 1
      }
      result.append(vector)
    }
    return result
  }

  /// Takes away what a vector has of others, and gives it the length 1; false where only rounding would be left.
  private static func normalize(_ vector: inout [Double], besides others: [[Double]]) -> Bool {
    // What remains of the others after the first time is rounding, which is large where little is left.
    for _ in 0..<2 {
      let before = product(vector, vector).squareRoot()
      for other in others { add(other, times: -product(other, vector), to: &vector) }
      let length = product(vector, vector).squareRoot()
      guard length > 1e-12 * before else { return false }
      for place in vector.indices { vector[place] /= length }
    }
    return true
  }

  private static func product(_ left: [Double], _ right: [Double]) -> Double {
    var sum = 0.0
    for place in left.indices { sum += left[place] * right[place] }
    return sum
  }

  private static func add(_ addend: [Double], times factor: Double, to vector: inout [Double]) {
    for place in vector.indices { vector[place] += factor * addend[place] }
  }
}

/// The covariance of points [N, F], as what it does to vectors.
private struct Covariance {
  let points: [Float]
  let width: Int
  let mean: [Double]
  /// The sum of its diagonal: the whole variance.
  let trace: Double

  init(_ points: [Float], width: Int) {
    (self.points, self.width) = (points, width)
    let N = points.count / width
    // Differences from the first point, so that the mean of equal points is that point exactly.
    var sums = [Double](repeating: 0, count: width)
    for row in 0..<N {
      for place in 0..<width { sums[place] += Double(points[row * width + place]) - Double(points[place]) }
    }
    mean = (0..<width).map { Double(points[$0]) + sums[$0] / Double(N) }
    var squares = 0.0
    for row in 0..<N {
      for place in 0..<width {
        let difference = Double(points[row * width + place]) - mean[place]
        squares += difference * difference
      }
    }
    trace = squares / Double(N)
  }

  /// The products with vectors [F]: Σ_n (x_n - mean) ((x_n - mean) · vector) / N.
  func applied(to vectors: [[Double]]) -> [[Double]] {
    typealias Lanes = SIMD8<Double>
    let N = points.count / width
    var results: [[Double]] = []
    // Eight vectors at a time, component by component.
    for start in stride(from: 0, to: vectors.count, by: Lanes.scalarCount) {
      let group = vectors[start..<min(start + Lanes.scalarCount, vectors.count)]
      var given = [Lanes](repeating: .zero, count: width), sums = given
      for (lane, vector) in group.enumerated() {
        for place in 0..<width { given[place][lane] = vector[place] }
      }
      var centred = [Double](repeating: 0, count: width)
      for row in 0..<N {
        var along = Lanes.zero
        for place in 0..<width {
          centred[place] = Double(points[row * width + place]) - mean[place]
          along += given[place] * centred[place]
        }
        for place in 0..<width { sums[place] += along * centred[place] }
      }
      results += group.indices.map { index in sums.map { $0[index - start] / Double(N) } }
    }
    return results
  }
}
