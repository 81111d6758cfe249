import Statistics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A random matrix: each class keeps 1 − R, and its other entries are uniform random numbers scaled to sum to R.
///
/// - Source: Xiao, Xia, Yang, Huang, Wang: Learning from massive noisy labeled data for image classification, CVPR 2015,
///   whose code makes the matrices so.
struct RandomMatrixNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "random-matrix", grammar: "random-matrix:R[,exact[=class]]",
    summary: "With probability R another class, with random probabilities for each pair of classes.",
    source: "Xiao et al., CVPR 2015, code",
    brief: "the matrix depends on --noise-seed.",
    trap: "The matrix depends on --noise-seed: runs with other seeds also confuse other classes.")

  let rate: Double
  let count: NoiseCount

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    count = try NoiseCount(arguments, arguments.options(["exact"]))
  }

  var text: String { "random-matrix:\(rate)" + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) -> TransitionMatrix {
    // Never 0, so that no row is empty.
    TransitionMatrix(randomly: dataset.classCount) { draws.uniform(.matrix, $0, $1) + 0x1p-33 }
  }
}

/// A random matrix of which a share Z of the entries beside the diagonal is zero.
///
/// Each class keeps 1 − R. The zeros are spread at random, at least one entry of each row staying; what stays is split
/// uniformly at random (normalised exponential numbers). cleanlab's generator also varies the diagonal at random about
/// its mean, which this one does not: R is every class's rate.
///
/// - Source: Northcutt, Jiang, Chuang, JAIR 2021, section 5.1, with R in {0.2, 0.4, 0.7} and Z in {0, 0.2, 0.4, 0.6}.
struct SparseNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "sparse", grammar: "sparse:R[,zeros=0.4][,exact[=class]]",
    summary: "With probability R another class, by a random matrix with a share of zero entries.",
    source: "Northcutt et al. (Confident learning), JAIR 2021; 'sparsity' there",
    brief: "the matrix depends on --noise-seed; cleanlab also varies the diagonal.",
    trap: """
      The matrix depends on --noise-seed. Every class keeps 1 - R; cleanlab's generator also varies the diagonal at \
      random. Zeros are a share of the K (K - 1) entries off the diagonal.
      """)

  let rate: Double
  let zeros: Double
  let count: NoiseCount

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    let options = try arguments.options(["zeros", "exact"])
    zeros = try options["zeros"].map { try arguments.rate($0) } ?? 0.4
    count = try NoiseCount(arguments, options)
  }

  var text: String { "sparse:\(rate),zeros=\(zeros)" + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) -> TransitionMatrix {
    let K = dataset.classCount
    // In random order; the first of each row is spared, and as many of the others as there are zeros go.
    let order = draws.permutation(of: K * K, .matrix, K).filter { $0 / K != $0 % K }
    var spared = [Bool](repeating: false, count: K), isZero = [Bool](repeating: false, count: K * K)
    var left = Int((zeros * Double(K * (K - 1))).rounded())
    for place in order {
      if !spared[place / K] {
        spared[place / K] = true
      } else if left > 0 {
        isZero[place] = true
        left -= 1
      }
    }
    return TransitionMatrix(randomly: K) { row, column in
      isZero[row * K + column] ? 0 : -log(draws.uniform(.matrix, row, column) + 0x1p-33)
    }
  }
}

extension TransitionMatrix {
  /// Rows with a zero diagonal, the other entries in proportion to `weight(row, column)`.
  init(randomly K: Int, weight: (Int, Int) -> Double) {
    self.init(classCount: K, values: [Double](repeating: 0, count: K * K))
    for row in 0..<K {
      let weights = (0..<K).map { $0 == row ? 0 : weight(row, $0) }
      let sum = weights.reduce(0, +)
      for column in 0..<K { self[row, column] = weights[column] / sum }
    }
  }
}
