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
  /// Whether this epoch counts towards the sums of `rows_dynamics`, or as a method takes it.
  public var countsDynamics = false
  /// Updates so far: Adam's time.
  public var updates = 0
  /// The number of the network among those of its method: dropout draws by it.
  public var member = 0

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
  /// Adam's decay of the mean of squares, and what is added to its root; its other decay is `momentum`.
  public var secondDecay: Float = 0.999, epsilon: Float = 1e-8
  /// The loss's own parameters in the order of its catalogue entry; at most 16.
  public var lossParameters: [Float] = []
  /// A training method's own numbers, in an order of its own; at most `methodNumberCount`.
  public var methodNumbers: [Float] = []

  /// Numbers that a training method may use.
  public static let methodNumberCount = 12
  /// Numbers in `Store.numbers`, and in `Store.counters`.
  public static let numberCount = 40, counterCount = 8

  /// Everything zero but `nesterov`.
  public init() {}

  /// The content of `Store.counters`.
  public var counters: [Int32] {
    [
      Int32(offset), Int32(epoch), Int32(bitPattern: UInt32(truncatingIfNeeded: seed)),
      Int32(bitPattern: UInt32(truncatingIfNeeded: seed >> 32)), recordsMargins ? 1 : 0,
      countsDynamics ? 1 : 0, Int32(truncatingIfNeeded: updates), Int32(member),
    ]
  }

  /// The content of `Store.numbers`.
  public var numbers: [Float] {
    precondition(lossParameters.count <= 16, "a loss has at most 16 parameters")
    precondition(methodNumbers.count <= Self.methodNumberCount, "a method has at most 12 numbers")
    var numbers = [learningRate, momentum, weightDecay, nesterov ? 1 : 0, clipNorm, peerWeight, l1, 0] + lossParameters
    numbers += [Float](repeating: 0, count: 24 - numbers.count) + [secondDecay, epsilon, 0, 0] + methodNumbers
    return numbers + [Float](repeating: 0, count: Self.numberCount - numbers.count)
  }
}
