import Datasets
import Statistics

/// Features without a pretrained network: how strongly whitened patches of the set itself respond in each quarter of an
/// image.
///
/// A patch p, minus its mean, is divided by √(variance + 0.001), and whitened with M = V (Λ + 0.01)^(−½) Vᵀ, where
/// V Λ Vᵀ is the covariance of 20,000 patches at random places. Some of these, whitened and of length 1, are the filters
/// c. The response at a place is r = cᵀ M (p − mean patch); β is such that 40 % of the magnitudes of a filter's responses
/// pass it. Features are the means of max(0, r − β) and max(0, −r − β) over the quarters of the image, 8 for each filter,
/// summed over the image and its mirror image. Labels play no part.
///
/// - Source: Coates, Ng, Lee, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011;
///   Thiry, Arbel, Belilovsky, Oyallon, "The unreasonable effectiveness of patches in deep convolutional kernels methods",
///   ICLR 2021.
public struct PatchFeatures: Sendable {
  /// The side of the square images that it takes, of the patches, and the distance of their places.
  public let side: Int, patch: Int, stride: Int
  /// How many filters there are.
  public let filters: Int
  /// Whether the mirror image is added.
  public let addsMirror: Bool

  /// Patches at random places, from which filters are made.
  private static let patches = 20_000
  /// Added to variances of patches, and to eigenvalues.
  private static let leastVariance = 1e-3, leastEigenvalue = 1e-2
  /// The share of a filter's responses whose magnitude passes its threshold.
  private static let share = 0.4
  /// Sets of at most this many images get the larger table.
  private static let fewImages = 3_000

  /// What suits a set of `count` images of which at least half have no side above `ImageSizing.smallSide`, or more.
  public init(count: Int, isSmall: Bool) {
    (side, patch, stride) = isSmall ? (32, 6, 1) : (48, 8, 2)
    filters = count <= Self.fewImages ? 512 : 256
    addsMirror = count <= Self.fewImages
  }

  /// Features of each image, D.
  public var width: Int { 8 * filters }

  /// Numbers of a patch.
  private var size: Int { patch * patch * 3 }
  /// Places of patches along a side.
  private var places: Int { (side - patch) / stride + 1 }

  /// The features [N, D] of images [N, side, side, 3].
  ///
  /// - Parameters:
  ///   - threads: how many threads.
  ///   - progress: told how many images are done of how many.
  /// - Throws: where the process was asked to stop.
  public func features(
    _ images: [UInt8], threads: Int, progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
  ) throws -> [Float] {
    let pixels = side * side * 3, count = images.count / pixels
    precondition(images.count == count * pixels, "\(images.count) bytes are not images of \(pixels)")
    guard count > 0 else { return [] }
    let bank = FilterBank(images, of: self, count: count)
    var features = [Float](repeating: 0, count: count * width)
    try features.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let to = buffer.baseAddress!
      try ParallelLoop(threads: threads, progress: progress).run(count) { index in
        add(index, images, bank, isMirrored: false, to: to + index * width)
        if addsMirror { add(index, images, bank, isMirrored: true, to: to + index * width) }
      }
    }
    return features
  }

  /// Adds the features of one image, or of its mirror image.
  private func add(
    _ index: Int, _ images: [UInt8], _ bank: FilterBank, isMirrored: Bool, to features: UnsafeMutablePointer<Float>
  ) {
    let places = self.places, size = self.size
    var rows = Matrix(rows: places * places, columns: size)
    for y in 0..<places {
      for x in 0..<places {
        fill(&rows.values, at: (y * places + x) * size, images, index, x * stride, y * stride, isMirrored)
      }
    }
    let responses = rows.timesTransposedHere(bank.filters)
    // Halves that share the middle place where their number is odd, as adaptive pooling has it.
    let halves = [0..<(places + 1) / 2, places / 2..<places]
    for (quarter, (down, across)) in halves.flatMap({ down in halves.map { (down, $0) } }).enumerated() {
      let scale = 1 / Double(down.count * across.count)
      for filter in 0..<filters {
        let offset = bank.offsets[filter], threshold = bank.thresholds[filter]
        var positive = 0.0, negative = 0.0
        for y in down {
          for x in across {
            let r = responses.values[(y * places + x) * filters + filter] - offset
            positive += max(0, r - threshold)
            negative += max(0, -r - threshold)
          }
        }
        features[filter * 8 + quarter] += Float(positive * scale)
        features[filter * 8 + 4 + quarter] += Float(negative * scale)
      }
    }
  }

  /// A patch, minus its mean and over its deviation.
  fileprivate func fill(
    _ values: inout [Double], at start: Int, _ images: [UInt8], _ index: Int, _ left: Int, _ top: Int,
    _ isMirrored: Bool = false
  ) {
    var at = start, sum = 0.0
    for y in top..<top + patch {
      for x in left..<left + patch {
        let pixel = ((index * side + y) * side + (isMirrored ? side - 1 - x : x)) * 3
        for channel in 0..<3 {
          let value = Double(images[pixel + channel]) / 255
          values[at] = value
          sum += value
          at += 1
        }
      }
    }
    let mean = sum / Double(size)
    var squares = 0.0
    for i in start..<at {
      values[i] -= mean
      squares += values[i] * values[i]
    }
    let scale = 1 / (squares / Double(size) + Self.leastVariance).squareRoot()
    for i in start..<at { values[i] *= scale }
  }

  /// Filters made of patches of the set.
  private struct FilterBank: Sendable {
    /// c M [filters, size], and what the mean patch adds to each response.
    let filters: Matrix, offsets: [Double]
    /// β.
    let thresholds: [Double]

    init(_ images: [UInt8], of kind: PatchFeatures, count: Int) {
      let random = CounterRandom(seed: 0), size = kind.size, most = kind.side - kind.patch + 1
      var patches = Matrix(rows: PatchFeatures.patches, columns: size)
      for row in 0..<patches.rows {
        let words = random.words(.patch, UInt32(row), 0)
        kind.fill(
          &patches.values, at: row * size, images, CounterRandom.integer(words.x, below: count),
          CounterRandom.integer(words.y, below: most), CounterRandom.integer(words.z, below: most))
      }
      var mean = [Double](repeating: 0, count: size)
      for row in 0..<patches.rows { for column in 0..<size { mean[column] += patches[row, column] } }
      for column in 0..<size { mean[column] /= Double(patches.rows) }
      for row in 0..<patches.rows { for column in 0..<size { patches[row, column] -= mean[column] } }
      let whitening = Self.whitening(patches)
      // M is symmetric, so that p M = (M p)ᵀ.
      let white = patches.timesTransposed(whitening)
      let chosen = random.permutation(of: patches.rows, .patch, 1).prefix(kind.filters)
      var unit = Matrix(rows: kind.filters, columns: size)
      for (filter, row) in chosen.enumerated() {
        let values = white.row(Int(row)), length = values.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-6
        for (column, value) in values.enumerated() { unit[filter, column] = value / length }
      }
      let made = unit.timesTransposed(whitening)
      filters = made
      offsets = (0..<kind.filters).map { filter in
        zip(made.row(filter), mean).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let responses = unit.timesTransposed(white)
      thresholds = (0..<kind.filters).map { filter in
        let sizes = responses.row(filter).map(abs).sorted()
        return sizes[Int(Double(sizes.count - 1) * (1 - PatchFeatures.share))]
      }
    }

    /// M = V (Λ + 0.01)^(−½) Vᵀ of patches around their mean.
    private static func whitening(_ patches: Matrix) -> Matrix {
      let products = patches.transposed.timesOwnTranspose, size = products.rows
      var covariance = SymmetricMatrix(size)
      covariance.values = products.values.map { $0 / Double(patches.rows - 1) }
      let vectors = Matrix(covariance.diagonalize(), rows: size, columns: size)
      var scaled = vectors
      for i in 0..<size {
        for j in 0..<size {
          scaled[i, j] /= (max(0, covariance.values[j * size + j]) + PatchFeatures.leastEigenvalue).squareRoot()
        }
      }
      return scaled.timesTransposed(vectors)
    }
  }
}
