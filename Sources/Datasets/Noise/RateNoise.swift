import Failures
import Statistics

/// Noise by class: the label depends on the sample's class and on chance, by the rows of a matrix.
protocol ClassNoise: NoiseModel {
  /// The chances [K, K] for the classes of a data set; rows sum to 1.
  func transition(for dataset: Dataset, draws: NoiseDraws) throws -> TransitionMatrix
}

extension ClassNoise {
  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    let matrix = try transition(for: dataset, draws: draws)
    return NoisyLabels(labels: matrix.draw(dataset.train.labels, draws), expected: matrix)
  }
}

extension TransitionMatrix {
  /// A label for each label, drawn from its row: a function of seed, id and label only.
  func draw(_ labels: [Int32], _ draws: NoiseDraws) -> [Int32] {
    labels.enumerated().map { id, label in
      guard label >= 0 else { return label }
      let (flip, target) = draws.flipAndTarget(id)
      return Int32(draw(Int(label), flip: flip, target: target))
    }
  }
}

/// How many samples a noise of rate R chooses.
///
/// Published code differs: independent draws hit R only on average, which is a difference of 0.2 points (one standard
/// deviation) with 50,000 samples; counts hit it exactly. Ids whose draw is the largest are chosen, so that the same
/// seed chooses nearly the same samples in all four ways.
enum NoiseCount: String, Sendable, CaseIterable {
  /// Each sample with chance R, independently.
  case independent
  /// Exactly floor(R N) of all samples with a label.
  case all
  /// Exactly floor(R N_k) of each class.
  case perClass = "class"
  /// Exactly floor(floor(R N) / K) of each class, even where classes differ in size; published for symmetric noise only.
  case equal

  /// What follows the rate on the command line.
  var text: String {
    switch self {
    case .independent: ""
    case .all: ",exact"
    case .perClass, .equal: ",exact=\(rawValue)"
    }
  }

  /// Reads the option `exact`.
  ///
  /// - Parameter allowsEqual: whether some published noise of this kind has equal counts.
  init(_ arguments: NoiseArguments, _ options: [String: String], allowsEqual: Bool = false) throws {
    switch options["exact"] {
    case nil: self = .independent
    case "", "all": self = .all
    case "class": self = .perClass
    case "equal" where allowsEqual: self = .equal
    case "equal": throw arguments.wrong("exact=equal is for symmetric noise only; write exact or exact=class")
    case .some(let value):
      let ways = "exact, exact=all" + (allowsEqual ? ", exact=class or exact=equal" : " or exact=class")
      throw arguments.wrong("'exact=\(value)' is not \(ways)")
    }
  }
}

/// Noise that chooses a share R of the samples and gives each a label from its class's row of a matrix.
///
/// With C the rows for chosen samples, independent draws have the matrix T = (1 − R) I + R C.
protocol RateNoise: NoiseModel {
  var rate: Double { get }
  var count: NoiseCount { get }

  /// The chances [K, K] of a chosen sample's labels.
  func chosenRows(for dataset: Dataset, draws: NoiseDraws) throws -> TransitionMatrix
}

extension RateNoise {
  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    guard dataset.classCount > 1 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "it needs at least two classes.",
        fix: "use none.")
    }
    let rows = try chosenRows(for: dataset, draws: draws), labels = dataset.train.labels
    guard count != .independent else {
      let matrix = rows.mixed(rate: rate)
      return NoisyLabels(labels: matrix.draw(labels, draws), expected: matrix)
    }
    let choice = try chosenIDs(dataset, draws)
    var noisy = labels
    for id in choice.ids {
      noisy[id] = Int32(rows.drawRow(Int(labels[id]), draws.flipAndTarget(id).target))
    }
    return NoisyLabels(labels: noisy, expected: rows.mixed(rates: choice.rates))
  }

  /// The ids that exact counts choose, and each class's rate.
  private func chosenIDs(_ dataset: Dataset, _ draws: NoiseDraws) throws -> (ids: [Int], rates: [Double]) {
    let K = dataset.classCount, all = dataset.train.labelledIDs.map { Int($0) }
    let total = Int(rate * Double(all.count))
    guard count != .all else {
      return (draws.chosen(total, of: all), [Double](repeating: rate, count: K))
    }
    var groups = [[Int]](repeating: [], count: K)
    for id in all { groups[Int(dataset.train.labels[id])].append(id) }
    var ids: [Int] = [], rates: [Double] = []
    for (label, group) in groups.enumerated() {
      let size = count == .equal ? total / K : Int(rate * Double(group.count))
      guard size <= group.count else {
        throw Failure(
          .usage, "the noise '\(text)' does not fit '\(dataset.name)'.",
          why: "it changes \(size) samples of each class, but '\(dataset.classNames[label])' has \(group.count).",
          fix: "use exact=class, or a lower rate.")
      }
      ids += draws.chosen(size, of: group)
      rates.append(group.isEmpty ? 0 : Double(size) / Double(group.count))
    }
    return (ids, rates)
  }
}

extension TransitionMatrix {
  /// (1 − r) I + r times these rows.
  func mixed(rate: Double) -> TransitionMatrix { mixed(rates: [Double](repeating: rate, count: classCount)) }

  /// The same with a rate for each class [K].
  func mixed(rates: [Double]) -> TransitionMatrix {
    var mixed = self
    for row in 0..<classCount {
      for column in 0..<classCount { mixed[row, column] *= rates[row] }
      // An entry that is certain stays exactly 1.
      mixed[row, row] = self[row, row] == 1 ? 1 : mixed[row, row] + (1 - rates[row])
    }
    return mixed
  }

  /// The class in a row at which the sum of chances first exceeds `target` in [0, 1).
  func drawRow(_ row: Int, _ target: Double) -> Int {
    var sum = 0.0, last = row
    for column in 0..<classCount where self[row, column] > 0 {
      sum += self[row, column]
      last = column
      if target < sum { return column }
    }
    return last
  }

  /// The rows in which class k always turns into `targets[k]`.
  init(moving targets: [Int]) {
    self.init(classCount: targets.count, values: [Double](repeating: 0, count: targets.count * targets.count))
    for (k, target) in targets.enumerated() { self[k, target] = 1 }
  }

  /// The rows in which the classes of `others[k]` are equally likely; a class without others stays.
  init(equally others: [[Int]]) {
    self.init(classCount: others.count, values: [Double](repeating: 0, count: others.count * others.count))
    for (k, targets) in others.enumerated() {
      for target in targets { self[k, target] = 1 / Double(targets.count) }
      if targets.isEmpty { self[k, k] = 1 }
    }
  }
}
