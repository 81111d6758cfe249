import Failures
import Statistics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Part-dependent noise: which other class a sample gets depends on its pixels.
///
/// A sample's rate q is normal with mean R and deviation `std`, truncated to 0...1. With W a matrix [D, K] of standard
/// normal numbers for its class y, and x its D = H W C inputs, `P = q · softmax(x W with entry y = −∞)`, and
/// `P_y = 1 − q`. The label is drawn from P.
///
/// Two versions are published. The paper's has a W for each class and x normalised as for training. `shared`, of CORES
/// and CIFAR-N, has one W for all classes and x = bytes, so that the softmax is nearly always 0 or 1.
///
/// Matrices are made one at a time, so that memory is D K and not K D K.
///
/// - Source: Xia et al.: Part-dependent label noise, NeurIPS 2020, algorithm 2, and its code; shared: Cheng et al.
///   (CORES), ICLR 2021, code.
struct PartDependentNoise: NoiseModel {
  static let entry = NoiseEntry(
    name: "part-dependent", grammar: "part-dependent:R[,shared][,std=0.1]",
    summary: "At its own rate near R, each sample gets a class from its pixels and random weights.",
    source: "Xia et al., NeurIPS 2020; shared: Cheng et al. (CORES), ICLR 2021, code",
    brief: "shared (CORES, CIFAR-N) is not the paper's noise: an image's wrong label is nearly certain.",
    trap: """
      Two versions are published. The paper's (the default): weights for each class, normalised inputs. shared (CORES, \
      CIFAR-N): one matrix for all classes, raw bytes, so an image's wrong label is nearly certain. Known as PDN, \
      IDN and 'instance'. Rates are truncated to 0...1, so the mean differs from R where R is near 0 or 1. \
      --noise-seed sets weights and draws; NumPy's seeds give other labels.
      """)

  let rate: Double
  let isShared: Bool
  let deviation: Double

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    let options = try arguments.options(["shared", "std"])
    guard options["shared"] ?? "" == "" else { throw arguments.wrong("shared takes no value") }
    isShared = options["shared"] != nil
    deviation = try options["std"].map { try arguments.positive($0, "std") } ?? 0.1
    guard deviation <= 1 else { throw arguments.wrong("std must be at most 1") }
  }

  var text: String {
    "part-dependent:\(rate)" + (isShared ? ",shared" : "") + (deviation == 0.1 ? "" : ",std=\(deviation)")
  }

  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    let K = dataset.classCount, train = dataset.train
    guard K > 1, !train.labelledIDs.isEmpty else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.",
        why: "it needs samples of at least two classes.", fix: "use none.")
    }
    let inputs = PixelInputs(train.images, isShared ? nil : dataset.normalization)
    var labels = train.labels, expected = TransitionMatrix(identity: K)
    var weights = isShared ? Self.weights(inputs.count, K, 0, draws) : []
    for label in 0..<K {
      let ids = labels.indices.filter { train.labels[$0] == Int32(label) }
      guard !ids.isEmpty else { continue }
      if !isShared { weights = Self.weights(inputs.count, K, label, draws) }
      var sums = [Double](repeating: 0, count: K)
      for id in ids {
        let rate = sampleRate(id, draws)
        var chances = inputs.products(id, weights, K)
        Self.softmax(&chances, without: label, scale: rate)
        chances[label] = 1 - rate
        for k in 0..<K { sums[k] += chances[k] }
        let (flip, target) = draws.flipAndTarget(id)
        if flip >= 1 - rate { labels[id] = Int32(Self.other(chances, label, target * rate)) }
      }
      for k in 0..<K { expected[label, k] = sums[k] / Double(ids.count) }
    }
    return NoisyLabels(labels: labels, expected: expected)
  }

  /// A normal number about the rate, drawn again until it lies in 0...1.
  private func sampleRate(_ id: Int, _ draws: NoiseDraws) -> Double {
    var attempt = 0
    while true {
      let value = rate + deviation * draws.normal(.rate, id, attempt)
      if value >= 0, value <= 1 { return value }
      attempt += 1
    }
  }

  /// The standard normal weights [D, K] of a class.
  private static func weights(_ D: Int, _ K: Int, _ label: Int, _ draws: NoiseDraws) -> [Double] {
    (0..<D * K).map { draws.normal(.weight, $0, label) }
  }

  /// scale · softmax in place, entry `label` being −∞.
  private static func softmax(_ values: inout [Double], without label: Int, scale: Double) {
    values[label] = -.infinity
    let largest = values.max() ?? 0
    for k in values.indices { values[k] = exp(values[k] - largest) }
    let sum = values.reduce(0, +)
    for k in values.indices { values[k] *= scale / sum }
  }

  /// The class other than `label` at which the sum of chances first exceeds `target`.
  private static func other(_ chances: [Double], _ label: Int, _ target: Double) -> Int {
    var sum = 0.0, last = label
    for k in chances.indices where k != label && chances[k] > 0 {
      sum += chances[k]
      last = k
      if target < sum { return k }
    }
    return last
  }
}

/// The pixels of images as numbers, in the order of rows, columns and channels.
private struct PixelInputs {
  let images: ImageSet
  /// The number of a byte in each channel [C, 256].
  let table: [Double]

  /// D = H W C.
  var count: Int { images.imageSize }

  /// Inputs normalised as for training, or the bytes themselves.
  init(_ images: ImageSet, _ normalization: Normalization?) {
    self.images = images
    table = (0..<images.channels).flatMap { channel in
      (0..<256).map { byte in
        guard let normalization else { return Double(byte) }
        return (Double(byte) / 255 - Double(normalization.mean[channel]))
          / Double(normalization.standardDeviation[channel])
      }
    }
  }

  /// The products [K] of an image's inputs with weights [D, K].
  func products(_ id: Int, _ weights: [Double], _ K: Int) -> [Double] {
    var products = [Double](repeating: 0, count: K)
    let start = id * images.imageSize, C = images.channels
    images.pixels.withUnsafeBufferPointer { pixels in
      weights.withUnsafeBufferPointer { weights in
        products.withUnsafeMutableBufferPointer { products in
          for index in 0..<images.imageSize {
            let x = table[index % C * 256 + Int(pixels[start + index])]
            for k in 0..<K { products[k] += x * weights[index * K + k] }
          }
        }
      }
    }
    return products
  }
}
