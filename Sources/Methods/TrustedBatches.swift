import Statistics

/// Batches of trusted samples, one for each turn: whole batches of an order that is another in each round, without an end.
///
/// A function of seed and turn, so that a resumed run goes on with the same ones.
public struct TrustedBatches: Sendable {
  /// Trusted samples, and how many of them a batch has.
  public let count: Int, batch: Int
  private let seed: UInt64

  /// Batches of so many of `count` samples.
  ///
  /// - Parameter batch: at most `count`; what is left over at a round's end does not come in it.
  public init(count: Int, batch: Int, seed: UInt64) {
    precondition((1...max(count, 1)).contains(batch), "batches of \(batch) of \(count) samples")
    (self.count, self.batch, self.seed) = (count, batch, seed)
  }

  /// How often all samples have come before a turn, from 0.
  public func round(_ turn: Int) -> Int { turn / (count / batch) }

  /// The places of the turn's samples among all.
  public func places(_ turn: Int) -> ArraySlice<Int32> {
    let order = CounterRandom(seed: seed).permutation(of: count, .trustedOrder, UInt32(truncatingIfNeeded: round(turn)))
    return order[turn % (count / batch) * batch..<(turn % (count / batch) + 1) * batch]
  }
}
