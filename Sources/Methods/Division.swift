import Statistics

/// An epoch of DivideMix of one network: of which samples labels are believed, and which images meet in its steps.
///
/// A step has rows for b samples without a label, once more the same, and so for b samples with one. All samples with a
/// label come in an epoch, in an order of its own; the others come as often as it takes, in another order each time. What
/// is missing in the last step is taken from the beginning. A function of its arguments.
public struct Division: Sendable, Equatable {
  /// The ids of the samples whose labels are believed, and of the others, in ascending order.
  public let labelled: [Int32], unlabelled: [Int32]
  /// The sample id of each row, step by step.
  public let order: [Int32]
  /// With which row each is mixed, and how.
  public let mixtures: Mixtures

  /// Rows of a step for each sample that takes part in it.
  static let views = 2

  /// Divides samples.
  ///
  /// Labels are believed whose chance is above the threshold; where these or the others are fewer than a batch, as many as
  /// are missing, those with the largest or the smallest chances.
  ///
  /// - Parameters:
  ///   - clean: the chance that a sample's label is right [N].
  ///   - ids: the samples, at least two batches, in ascending order.
  ///   - batch: b, at least 1.
  ///   - alpha: the shape of the beta distribution by which rows are mixed; 0 mixes nothing.
  public init(
    clean: [Float], ids: [Int32], threshold: Double, batch b: Int, alpha: Double, seed: UInt64, epoch: Int
  ) {
    precondition(b > 0 && ids.count >= 2 * b, "\(ids.count) samples are less than two batches of \(b)")
    let ranked = ids.sorted { (clean[Int($0)], $1) > (clean[Int($1)], $0) }
    let above = ids.count { Double(clean[Int($0)]) > threshold }
    let count = min(max(above, b), ids.count - b)
    (labelled, unlabelled) = (ranked[..<count].sorted(), ranked[count...].sorted())
    let random = CounterRandom(seed: seed)
    func key(_ round: Int) -> UInt32 { UInt32(truncatingIfNeeded: epoch << 12 + round) }
    func ordered(_ ids: [Int32], _ purpose: CounterRandom.Purpose, _ round: Int) -> [Int32] {
      random.permutation(of: ids.count, purpose, key(round)).map { ids[Int($0)] }
    }
    let steps = (count + b - 1) / b, first = ordered(labelled, .labelledOrder, 0)
    var rest = [Int32](), round = 0
    while rest.count < steps * b {
      rest += ordered(unlabelled, .unlabelledOrder, round)
      round += 1
    }
    order = (0..<steps).flatMap { step -> [Int32] in
      let own = (step * b..<(step + 1) * b).map { first[$0 % count] }, other = rest[step * b..<(step + 1) * b]
      return other + other + own + own
    }
    mixtures = Mixtures(
      alpha: alpha, seed: seed, epoch: epoch, batchSizes: [Int](repeating: 2 * Self.views * b, count: steps),
      keepsLarger: true)
  }

  /// Steps of the epoch.
  var steps: Int { mixtures.steps }

  /// The most steps that `samples` have in batches of b of them with a label, and as many without.
  static func stepLimit(samples: Int, batch b: Int) -> Int { max(0, samples - 1) / b }
}
