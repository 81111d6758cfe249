import CLayout

/// The small numbers that a plan reads from buffers instead of kernel arguments, so that it is replayed unchanged.
///
/// Kernels find them by the same names (Kernels/layout/include/layout.h).
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
  /// Images in each of the data set's buffers (`Store.pixels` and those after it) but the last; at least 1.
  public var imagesPerPart = Int(Int32.max)
  /// Which view of the images: crops and flips are drawn by it.
  public var view = 0

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
  /// Of the flat parameters, the first so many have a learning rate of their own, with this factor; a multiple of `LANES`.
  public var slowedCount = 0, slowedRate: Float = 1
  /// The loss's own parameters in the order of its catalogue entry; at most `NUMBER_LOSS_COUNT`.
  public var lossParameters: [Float] = []
  /// A training method's own numbers, in an order of its own; at most `methodNumberCount`.
  public var methodNumbers: [Float] = []

  /// Numbers that a training method may use.
  public static let methodNumberCount = NUMBER_METHOD_COUNT
  /// Numbers in `Store.numbers`, and in `Store.counters`.
  public static let numberCount = NUMBER_COUNT, counterCount = COUNTER_COUNT

  /// Everything zero but `nesterov`, `secondDecay`, `epsilon` and `imagesPerPart`.
  public init() {}

  /// The content of `Store.counters`.
  public var counters: [Int32] {
    var counters = [Int32](repeating: 0, count: COUNTER_COUNT)
    counters[COUNTER_OFFSET] = Int32(offset)
    counters[COUNTER_EPOCH] = Int32(epoch)
    counters[COUNTER_SEED_LOW] = Int32(truncatingIfNeeded: seed)
    counters[COUNTER_SEED_HIGH] = Int32(truncatingIfNeeded: seed >> 32)
    counters[COUNTER_RECORD] = recordsMargins ? 1 : 0
    counters[COUNTER_DYNAMICS] = countsDynamics ? 1 : 0
    counters[COUNTER_UPDATES] = Int32(truncatingIfNeeded: updates)
    counters[COUNTER_MEMBER] = Int32(member)
    counters[COUNTER_PART_IMAGES] = Int32(imagesPerPart)
    counters[COUNTER_VIEW] = Int32(view)
    return counters
  }

  /// The content of `Store.numbers`.
  public var numbers: [Float] {
    precondition(lossParameters.count <= NUMBER_LOSS_COUNT, "a loss has at most \(NUMBER_LOSS_COUNT) parameters")
    precondition(methodNumbers.count <= NUMBER_METHOD_COUNT, "a method has at most \(NUMBER_METHOD_COUNT) numbers")
    var numbers = [Float](repeating: 0, count: NUMBER_COUNT)
    numbers[NUMBER_LEARNING_RATE] = learningRate
    numbers[NUMBER_MOMENTUM] = momentum
    numbers[NUMBER_WEIGHT_DECAY] = weightDecay
    numbers[NUMBER_NESTEROV] = nesterov ? 1 : 0
    numbers[NUMBER_CLIP_NORM] = clipNorm
    numbers[NUMBER_PEER_WEIGHT] = peerWeight
    numbers[NUMBER_L1] = l1
    numbers[NUMBER_SECOND_DECAY] = secondDecay
    numbers[NUMBER_EPSILON] = epsilon
    numbers[NUMBER_SLOWED] = Float(slowedCount / LANES)
    numbers[NUMBER_SLOWED_RATE] = slowedRate
    numbers.replaceSubrange(NUMBER_LOSS..<NUMBER_LOSS + lossParameters.count, with: lossParameters)
    numbers.replaceSubrange(NUMBER_METHOD..<NUMBER_METHOD + methodNumbers.count, with: methodNumbers)
    return numbers
  }
}
