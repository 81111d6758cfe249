import Compute
import Statistics

/// The layers of plain convolutional networks.
extension ReferenceMath {
  /// input `[M, C]` + bias `[C]`.
  public static func bias(_ input: [ReferenceNumber], _ bias: [ReferenceNumber]) -> [ReferenceNumber] {
    input.enumerated().map { $1 + bias[$0 % bias.count] }
  }

  /// The gradient of `bias` for the bias: sums over the rows of doutput `[M, C]`.
  public static func biasBackward(_ doutput: [ReferenceNumber], C: Int) -> [ReferenceNumber] {
    var dbias = [ReferenceNumber].zeros(C)
    for (i, gradient) in doutput.enumerated() { dbias[i % C].add(gradient) }
    return dbias
  }

  /// `[B, M, C]` → `[B, C · M]`: `x.permute(0, 2, 1).flatten(1)`.
  public static func flatten(_ input: [ReferenceNumber], M: Int, C: Int) -> [ReferenceNumber] {
    input.indices.map { i in
      let (image, place) = i.quotientAndRemainder(dividingBy: M * C)
      return input[image * M * C + place % M * C + place / M]
    }
  }

  /// The gradient of `flatten`: `[B, C · M]` → `[B, M, C]`.
  public static func flattenBackward(_ doutput: [ReferenceNumber], M: Int, C: Int) -> [ReferenceNumber] {
    flatten(doutput, M: C, C: M)
  }

  /// Where a step's random numbers are drawn from.
  public struct DropoutDraw: Sendable {
    let seed: UInt64, epoch: Int, first: Int, peer: Bool, member: Int

    /// The epoch, the first position of the step in it, whether it is the peer pass, and the number of the network.
    public init(seed: UInt64, epoch: Int, first: Int, peer: Bool, member: Int = 0) {
      (self.seed, self.epoch, self.first, self.peer, self.member) = (seed, epoch, first, peer, member)
    }
  }

  /// Dropout of `[B, M, C]`, and its gradient: 0, or x / (1 − rate) where the number that is drawn for seed, epoch,
  /// position in the epoch, layer and place in the image, or channel, is at least the rate.
  public static func dropout(
    _ input: [ReferenceNumber], _ dropout: Dropout, M: Int, C: Int, _ draw: DropoutDraw
  ) -> [ReferenceNumber] {
    let purpose = (draw.peer ? CounterRandom.Purpose.peerDropout : .dropout).rawValue | UInt32(draw.member) << 8
    let key = SIMD2(UInt32(truncatingIfNeeded: draw.seed), UInt32(draw.seed >> 32)), kept = 1 / (1 - ReferenceNumber(dropout.rate))
    return input.enumerated().map { i, x in
      let (image, rest) = i.quotientAndRemainder(dividingBy: M * C)
      let place = dropout.dropsChannels ? rest % C : rest
      let words = CounterRandom.philox(
        counter: SIMD4(
          purpose, UInt32(draw.epoch), UInt32(draw.first + image), UInt32(dropout.layer << 24 + place / 4)), key: key)
      return CounterRandom.uniform(words[place % 4]) >= Double(dropout.rate) ? x * kept : 0
    }
  }
}
