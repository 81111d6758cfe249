import Compute
import Datasets
import Failures
import FileFormats
import Losses
import Methods
import Networks
import Sessions

/// How fast a device trains: whole steps, and each operation alone.
public struct Benchmark: Sendable {
  /// What to measure.
  public struct Settings: Sendable {
    /// The network.
    public var network: Network
    /// The loss with its parameters.
    public var loss: Loss
    /// The training method; nil for plain training.
    public var method: MethodChoice?
    /// Images per step.
    public var batchSize = 128
    /// How activations are stored.
    public var precision = Precision.fp32
    /// Steps of one block, and the number of blocks.
    public var steps = 4, repeats = 7
    /// Steps before measuring begins.
    public var warmUp = 3
    /// Whether operations are timed one by one, too.
    public var timesOperations = true
    /// Whether the kernel of every loss of the catalogue is timed.
    public var timesLosses = false
    /// What operations are judged by; nil for no judgement.
    public var peaks: DevicePeaks?

    /// The defaults for a network and a loss.
    public init(network: Network, loss: Loss) {
      self.network = network
      self.loss = loss
    }
  }

  /// Images per second of each block, in the order of measuring.
  public let imagesPerSecond: [Double]
  /// Milliseconds of a step, the median.
  public let stepMilliseconds: Double
  /// The launches of one step.
  public let launches: Int
  /// Bytes of device memory for activations, gradients of them and workspace.
  public let byteCount: Int
  /// The operations, the most expensive first.
  public let rows: [Row]
  /// Every loss of the catalogue, in its order; empty unless asked for.
  public let losses: [LossTime]

  /// Median, least and most of the blocks.
  public var rate: (median: Double, min: Double, max: Double) {
    let sorted = imagesPerSecond.sorted()
    return (Self.median(sorted), sorted.first ?? 0, sorted.last ?? 0)
  }

  /// Measures.
  ///
  /// The whole step counts: gathering, augmentation, forward, backward, update.
  public init<D: Device>(_ settings: Settings, on device: D) throws {
    let batch = settings.batchSize, steps = settings.steps
    let method = try Self.method(settings, loss: settings.loss, steps: steps, on: device)
    let session = method.members[0], clock = session.clock
    for _ in 0..<max(1, (settings.warmUp + steps - 1) / steps) {
      try Self.begin(method)
      for step in 0..<min(steps, max(settings.warmUp, 1)) { try method.step(step) }
      try session.wait()
    }
    var rates: [Double] = []
    for _ in 0..<settings.repeats {
      try Self.begin(method)
      let time = try clock.seconds { for step in 0..<steps { try method.step(step) } }
      rates.append(Double(batch * steps) / time)
    }
    imagesPerSecond = rates
    stepMilliseconds = 1000 * Double(batch) / Self.median(rates.sorted())
    let plans = method.members.compactMap(\.wholeBatches)
    launches = plans.reduce(0) { sum, plan in sum + plan.prepared.reduce(0) { $0 + $1.count } }
    byteCount = plans.reduce(0) { $0 + $1.byteCount }
    rows = settings.timesOperations ? try Self.rows(of: method, peaks: settings.peaks) : []
    losses = settings.timesLosses ? try Self.lossTimes(settings, step: stepMilliseconds, on: device) : []
  }

  /// A method with its networks over just as many images as `steps` steps take; what they show does not matter to the
  /// speed.
  static func method<D: Device>(
    _ settings: Settings, loss: Loss, steps: Int, on device: D
  ) throws -> any Method<D> {
    let count = settings.batchSize * steps
    let data = Shapes.samples(seed: 1, count: min(count, 512), isTest: false)
    let size = data.images.imageSize
    try MemoryLimit.require(
      2 * count * size, for: "a benchmark of \(count) images", fix: "use a smaller --batch-size, or fewer --steps.")
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * size)
    while pixels.count < count * size {
      pixels += data.images.pixels.prefix(count * size - pixels.count)
    }
    let images = ImageSet(
      count: count, height: Shapes.side, width: Shapes.side, channels: 3, pixels: pixels)
    var session = TrainingSession<D>.Settings(
      network: settings.network, loss: loss, batchSize: settings.batchSize,
      augmentation: Augmentation(crop: 4, flip: true))
    session.precision = settings.precision
    let train = LabelledSet(images: images, labels: (0..<count).map { data.labels[$0 % data.count] })
    let setup = MethodSetup(
      session: session, train: try DeviceData(train, on: device), test: nil, heldOut: nil, classes: 10, weights: nil,
      normalization: Normalization(of: images, ids: train.labelledIDs), transition: nil, recordsMargins: true,
      stage: Stage("bench", epochs: 2, rate: LearningRate(0, .constant, epochs: 2)),
      // Any samples take as long as others.
      trusted: TrustedSamples(ids: train.labelledIDs, labels: train.labels, given: train.labels),
      // And any teacher as long as another of its kind.
      teachers: settings.method?.entry.needsTeachers == true ? [try Teacher(untrained: settings.network)] : [])
    let choice = try settings.method ?? MethodChoice("plain")
    guard choice.entry.name != MethodEntry.coTraining else {
      throw Failure(
        .configuration, "--method \(choice.entry.name) has no step of its own to time.",
        why: "its rounds are plain training of two networks.", fix: "time --method plain, and count two networks.")
    }
    return try choice.make(setup)
  }

  /// Begins an epoch, with rate 0: a benchmark must not diverge.
  static func begin<D: Device>(_ method: any Method<D>) throws {
    _ = try method.begin(EpochStart(epoch: 1, step: 0, learningRate: 0))
  }

  private static func median(_ sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}

extension TrainingSession {
  /// Takes the time of what is enqueued on the session's device.
  var clock: DeviceClock<D> {
    DeviceClock(device, waitingOn: buffer(.counters))
  }
}

extension Teacher {
  /// A network of the benchmark's images with random weights.
  fileprivate init(untrained network: Network) throws {
    let graph = try network.graph(batch: 1, height: Shapes.side, width: Shapes.side, channels: 3, classes: 10)
    func tensors(_ table: ParameterTable) -> [SessionState.Tensor] {
      zip(table.entries, table.unpack(table.initialValues(seed: 1))).map {
        SessionState.Tensor(name: $0.name, shape: $0.shape, values: $1)
      }
    }
    self.init(
      network: network, parameters: tensors(graph.parameters), running: tensors(graph.running),
      normalization: Normalization(mean: [0.5, 0.5, 0.5], standardDeviation: [0.25, 0.25, 0.25]))
  }
}
