/// The small numbers that a plan reads from buffers instead of kernel arguments, so that it is replayed unchanged.
///
/// The positions are those of the `COUNTER_…` and `NUMBER_…` constants in Kernels/common.cl.
public struct StepState: Sendable, Equatable {
  /// Position of the next step's first sample in the epoch's order; every step moves it on by its batch size.
  public var offset = 0
  /// Epoch, from 0: keys the augmentation.
  public var epoch = 0
  /// Seed of all random numbers on the device.
  public var seed: UInt64 = 0
  /// Whether margins of this epoch count towards the AUM statistics.
  public var recordsMargins = false

  /// Learning rate per step.
  public var learningRate: Float = 0
  /// Momentum, 0 ..< 1.
  public var momentum: Float = 0
  /// Weight decay, added to the gradient as `weightDecay · w`.
  public var weightDecay: Float = 0
  /// Nesterov's look-ahead.
  public var nesterov = true
  /// Largest norm of the gradient; 0 for no limit.
  public var clipNorm: Float = 0
  /// Factor of the peer pass's gradient, −α in peer loss.
  public var peerWeight: Float = 0
  /// Factor of the sum of absolute values of all parameters, added to the gradient as `l1 · sign(w)`.
  public var l1: Float = 0
  /// The loss's own parameters in the order of its catalogue entry; at most 16.
  public var lossParameters: [Float] = []

  /// Everything zero but `nesterov`.
  public init() {}

  /// The content of `Store.counters`.
  public var counters: [Int32] {
    [
      Int32(offset), Int32(epoch), Int32(bitPattern: UInt32(truncatingIfNeeded: seed)),
      Int32(bitPattern: UInt32(truncatingIfNeeded: seed >> 32)), recordsMargins ? 1 : 0, 0, 0, 0,
    ]
  }

  /// The content of `Store.numbers`.
  public var numbers: [Float] {
    precondition(lossParameters.count <= 16, "a loss has at most 16 parameters")
    let own = [learningRate, momentum, weightDecay, nesterov ? 1 : 0, clipNorm, peerWeight, l1, 0]
    return own + lossParameters + [Float](repeating: 0, count: 16 - lossParameters.count)
  }
}
