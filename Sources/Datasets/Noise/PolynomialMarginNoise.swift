import Failures
import Statistics

/// Polynomial-margin-diminishing noise: the less sure a network is, the more often its second choice is the label.
///
/// With u and s the first and second class of η, and Δ = η_u − η_s, a label becomes u with chance
///
/// - type 1: `max(1 − f, ½) / factor`, f = ½ − ½ Δ²;
/// - type 2: `(1 − f) / factor`, f = 1 − Δ³;
/// - type 3: `(1 − f) / factor`, f = 1 − (Δ³ + Δ² + Δ) / 3;
///
/// at most 1, and s otherwise. The given label has no part in it: u is meant to be the true class.
///
/// - Source: Zhang, Zheng, Wu, Goswami, Chen: Learning with feature-dependent label noise: a progressive approach (PLC),
///   ICLR 2021, and the factors of its code.
struct PolynomialMarginNoise: NoiseModel {
  static let entry = NoiseEntry(
    name: "pmd", grammar: "pmd:FILE[,type=1|2|3][,rate=0.35|0.7][,factor=F]",
    summary: "A network's first or second class, by the margin between them; FILE has probabilities [N, K].",
    source: "Zhang et al. (PLC), ICLR 2021",
    brief: "the published factors are valid only for the published probabilities.",
    trap: """
      factor sets the rate, and even confident samples change when it is above 1: on CIFAR-10 1.43, 1.32, 1.35 for \
      types 1 to 3 at 35 % and 3.4, 3.1, 3.2 at 70 %; on CIFAR-100 1.08, 1.02, 1.12 and 1.8, 2.58, 1.2 (the default takes \
      these). They are valid only for the published probabilities: PreAct ResNet-34, true labels, learning rate 0.001, 25 \
      epochs (10 for CIFAR-100's types 1 and 3 at 70 %), the last epoch's outputs in training mode; with others look \
      at the realised rate. Published label files cover the first 45,000 images. PLC's hybrids: \
      pmd:FILE+symmetric:0.3 and pmd:FILE+asymmetric:0.3.
      """)

  /// The factors of types 1 to 3.
  static let factors: [Dataset.Kind: (low: [Double], high: [Double])] = [
    .cifar10: ([1.43, 1.32, 1.35], [3.4, 3.1, 3.2]), .cifar100: ([1.08, 1.02, 1.12], [1.8, 2.58, 1.2]),
  ]

  var path: String
  var files: [String] { [path] }
  let type: Int
  let isHigh: Bool
  let factor: Double?

  init(arguments: NoiseArguments) throws {
    let (file, options) = try arguments.fileAndOptions(["type", "rate", "factor"])
    path = file
    guard let type = Int(options["type"] ?? "1"), (1...3).contains(type) else {
      throw arguments.wrong("the types are 1, 2 and 3")
    }
    self.type = type
    switch options["rate"] {
    case nil, "0.35": isHigh = false
    case "0.7", "0.70": isHigh = true
    case .some: throw arguments.wrong("factors are published for rate=0.35 and rate=0.7")
    }
    factor = try options["factor"].map { try arguments.positive($0, "factor") }
    guard factor == nil || options["rate"] == nil else { throw arguments.wrong("factor and rate exclude each other") }
  }

  var text: String {
    "pmd:\(path),type=\(type)" + (factor.map { ",factor=\($0)" } ?? (isHigh ? ",rate=0.7" : ",rate=0.35"))
  }

  mutating func changeFiles(_ change: (String) -> String) { path = change(path) }

  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    guard let factor = factor ?? Self.factors[dataset.kind].map({ (isHigh ? $0.high : $0.low)[type - 1] }) else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.",
        why: "factors are published for CIFAR-10 and CIFAR-100.", fix: "set one, as in pmd:\(path),factor=1.4.")
    }
    let K = dataset.classCount
    let probabilities = try GivenProbabilities(path, for: dataset)
    guard K > 1 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "it needs at least two classes.",
        fix: "use none.")
    }
    var labels = dataset.train.labels
    var sums = [Double](repeating: 0, count: K * K)
    for id in labels.indices where labels[id] >= 0 {
      let (first, second) = probabilities.firstAndSecond(id), row = probabilities.row(id)
      let keep = chanceOfFirst(row[row.startIndex + first] - row[row.startIndex + second], factor)
      let place = Int(labels[id]) * K
      sums[place + first] += keep
      sums[place + second] += 1 - keep
      labels[id] = Int32(draws.flipAndTarget(id).flip < keep ? first : second)
    }
    return NoisyLabels(
      labels: labels, expected: TransitionMatrix(sums: sums, counts: dataset.train.classCounts(K)),
      notes: probabilities.notes)
  }

  /// The chance of the first class, from the margin between the first two.
  private func chanceOfFirst(_ margin: Double, _ factor: Double) -> Double {
    let (square, cube) = (margin * margin, margin * margin * margin)
    let chance =
      switch type {
      case 1: max(0.5 + 0.5 * square, 0.5)
      case 2: cube
      default: (cube + square + margin) / 3
      }
    return min(1, chance / factor)
  }
}

extension TransitionMatrix {
  /// Sums of chances [K, K] divided by each class's number of samples; the identity for a class without any.
  init(sums: [Double], counts: [Int]) {
    self.init(identity: counts.count)
    for (row, count) in counts.enumerated() where count > 0 {
      for column in counts.indices { self[row, column] = sums[row * counts.count + column] / Double(count) }
    }
  }
}
