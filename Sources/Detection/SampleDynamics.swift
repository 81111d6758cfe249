#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the margins are taken from.
public enum MarginKind: String, Sendable, CaseIterable {
  /// The network's outputs, as in the paper's code and the `aum` package.
  case logits
  /// Their softmax: another ranking, which saturates once the network fits.
  case softmax
}

/// What one training run says of every sample: margins, losses, predictions, as they were in the training pass.
///
/// Sums are in double precision. In epochs that do not count (the first), only forgetting is watched.
public struct SampleDynamics: Sendable, Equatable {
  /// What margins are taken from.
  public let kind: MarginKind
  /// Outputs of the network, and how many of them are real classes: one fewer where threshold samples have their own.
  public let outputs: Int, classes: Int
  /// Sum and number of the margins [N].
  public var marginSum: [Double], marginCount: [Int32]
  /// Sum of the cross entropies of the label in training [N], over the epochs that count.
  public var lossSum: [Double]
  /// Sum of the lengths of softmax − one-hot [N], over the epochs that count.
  public var errorSum: [Double]
  /// Sum of the softmax over the real classes [N, classes], over the epochs that count.
  public var probabilitySum: [Float]
  /// How often a sample that was predicted as labelled no longer was, the next time it was seen [N].
  public var forgettings: [Int32]
  /// Whether the sample was predicted as labelled when it was last seen [N].
  public var wasRight: [UInt8]
  /// The margins of the epoch under way [N]; not a number for samples that were not seen.
  public var epochMargins: [Float]

  /// Nothing yet, of `count` samples.
  public init(count: Int, outputs: Int, classes: Int, kind: MarginKind) {
    precondition(classes >= 1 && classes <= outputs && outputs >= 2, "\(classes) classes of \(outputs) outputs")
    (self.kind, self.outputs, self.classes) = (kind, outputs, classes)
    marginSum = .init(repeating: 0, count: count)
    marginCount = .init(repeating: 0, count: count)
    lossSum = marginSum
    errorSum = marginSum
    probabilitySum = .init(repeating: 0, count: count * classes)
    forgettings = marginCount
    wasRight = .init(repeating: 0, count: count)
    epochMargins = .init(repeating: .nan, count: count)
  }

  /// Number of samples, N.
  public var count: Int { marginSum.count }

  /// Forgets the margins of the epoch before.
  public mutating func beginEpoch() { epochMargins = .init(repeating: .nan, count: count) }

  /// Takes in the logits [B, outputs] of one step before its update.
  ///
  /// The margin is z_y minus the largest other output, the extra class included (Pleiss et al.); the length of
  /// softmax − one-hot is EL2N (Paul et al., "Deep learning on a data diet", NeurIPS 2021); a forgetting event is one of
  /// Toneva et al., "An empirical study of example forgetting", ICLR 2019.
  ///
  /// - Parameters:
  ///   - labels: the labels that are trained on, by sample id.
  ///   - counts: whether this epoch counts towards the sums.
  /// - Returns: whether all logits are finite; if not, nothing is taken in.
  public mutating func add(logits: [Float], ids: some Collection<Int32>, labels: [Int32], counts: Bool) -> Bool {
    precondition(logits.count == ids.count * outputs, "\(logits.count) logits of \(ids.count) samples")
    guard logits.allSatisfy(\.isFinite) else { return false }
    for (row, id) in ids.enumerated() {
      let z = logits[row * outputs..<(row + 1) * outputs]
      add(z, Int(id), label: Int(labels[Int(id)]), counts: counts)
    }
    return true
  }

  private mutating func add(_ z: ArraySlice<Float>, _ id: Int, label: Int, counts: Bool) {
    let base = z.startIndex
    var top = 0, other = -Float.infinity
    for k in 0..<outputs {
      let value = z[base + k]
      if value > z[base + top] { top = k }
      if k != label { other = max(other, value) }
    }
    let isRight: UInt8 = top == label ? 1 : 0
    if wasRight[id] == 1, isRight == 0 { forgettings[id] += 1 }
    wasRight[id] = isRight

    var total = 0.0
    for value in z { total += exp(Double(value) - Double(z[base + top])) }
    func probability(_ k: Int) -> Double { exp(Double(z[base + k]) - Double(z[base + top])) / total }
    let own = probability(label)
    var margin = Double(z[base + label] - other)
    if kind == .softmax { margin = own - exp(Double(other) - Double(z[base + top])) / total }
    epochMargins[id] = Float(margin)
    guard counts else { return }
    marginSum[id] += margin
    marginCount[id] += 1
    lossSum[id] += log(total) - (Double(z[base + label]) - Double(z[base + top]))
    var square = 0.0
    for k in 0..<outputs {
      let p = probability(k)
      if k < classes { probabilitySum[id * classes + k] += Float(p) }
      square += k == label ? (1 - p) * (1 - p) : p * p
    }
    errorSum[id] += square.squareRoot()
  }

  // MARK: - Results

  /// The area under the margin: the plain mean of a sample's margins; nil for one that was not measured.
  public func area(_ id: Int) -> Double? { mean(marginSum, id) }

  /// The mean cross entropy of a sample's label.
  public func loss(_ id: Int) -> Double? { mean(lossSum, id) }

  /// The mean length of a sample's error vector, EL2N.
  public func error(_ id: Int) -> Double? { mean(errorSum, id) }

  /// The mean softmax of a sample's real classes [classes].
  public func probabilities(_ id: Int) -> [Double]? {
    guard marginCount[id] > 0 else { return nil }
    return probabilitySum[id * classes..<(id + 1) * classes].map { Double($0) / Double(marginCount[id]) }
  }

  private func mean(_ sums: [Double], _ id: Int) -> Double? {
    marginCount[id] > 0 ? sums[id] / Double(marginCount[id]) : nil
  }
}
