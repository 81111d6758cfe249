import Compute
import Datasets
import Failures
import Losses
import Networks
import Statistics

/// One network in training on one device: its memory, its plans, and the few calls that the loop makes.
///
/// The data set lives on the device as bytes, and so does the per-sample table. A step is a plan that is run; nothing in
/// it waits for the host. Reading happens between steps, when the loop asks for it.
public final class TrainingSession<D: Device> {
  /// What does not change during a run.
  public struct Settings: Sendable {
    /// The network.
    public var network: Network
    /// The loss with its parameters.
    public var loss: Loss
    /// Images per step.
    public var batchSize: Int
    /// How activations are stored in training; evaluation is float32 throughout, so that it is the same everywhere.
    public var precision = Precision.fp32
    /// Crops and flips of the training images.
    public var augmentation: Augmentation
    /// Whether each epoch has an order of its own; otherwise it is that of the ids.
    public var shuffles = true
    /// Whether a smaller last batch is left out.
    public var dropsLast = false
    /// How weights move.
    public var optimizer = Optimizer()
    /// Whether batch norm goes by its running statistics in training, too, and keeps them.
    public var keepsStatistics = false
    /// Seed of everything that is drawn.
    public var seed: UInt64 = 1
    /// The number of the network among those of its method: those with the same seed differ in their first weights and
    /// in what dropout drops, and see the same batches.
    public var member = 0
    /// What the training method adds to the per-sample table.
    public var columns: [Column] = []
    /// Whether the network has a second head (`Graph.withIndicator`).
    public var hasIndicator = false

    /// The paper's settings for a network, a loss and a batch size.
    public init(network: Network, loss: Loss, batchSize: Int, augmentation: Augmentation) {
      self.network = network
      self.loss = loss
      self.batchSize = batchSize
      self.augmentation = augmentation
    }
  }

  /// The settings of the run.
  public let settings: Settings
  /// The device.
  public let device: D
  /// The parameters and running statistics, by name.
  public let parameters: ParameterTable, running: ParameterTable
  /// Mean and standard deviation of the inputs, per channel.
  public let normalization: Normalization
  /// Ids that can be drawn: those that have a label.
  public let sampleIDs: [Int32]
  /// Number of training samples, N, those without a label included.
  public let sampleCount: Int
  /// Number of classes, K.
  public let classes: Int
  /// Images per step: full batches and, at the epoch's end, the rest.
  public let batchSizes: [Int]

  let stores: [Store: D.Buffer]
  var whole: Plan<D>?, rest: Plan<D>?
  /// What stands in the place of `stores` when the network is evaluated.
  var answer: [Store: D.Buffer] = [:]
  var evaluation: EvaluationPlans<D>?, heldOut: EvaluationPlans<D>?, featurePlans: EvaluationPlans<D>?
  let evaluationData: (images: DeviceData<D>, ids: [Int32]?)?, heldOutData: DeviceData<D>?
  /// The activations' memory, which plans of one network share.
  let shared = SharedMemory<D>()
  let images: DeviceData<D>
  /// The state that the epoch's first step found, or will find; the device counts on from there.
  public private(set) var state = StepState()
  private var order: [Int32] = []

  /// Allocates memory and sets the first weights; `prepare` is what makes it train.
  ///
  /// - Parameters:
  ///   - train: the images to train on.
  ///   - labels: the labels [N] to train on; nil for those that the images were given.
  ///   - test: what `evaluate` looks at.
  ///   - evaluated: of `test`, the samples that count; nil for all.
  ///   - heldOut: what `validate` looks at.
  ///   - classes: outputs of the network, K.
  ///   - weights: how much each sample counts in the loss [N]; nil where all count alike.
  ///   - normalization: of the inputs; nil for that of the images with a label.
  /// - Throws: what the device throws; `.configuration` if the network cannot take the images.
  public init(
    _ settings: Settings, train: DeviceData<D>, labels: [Int32]? = nil, test: DeviceData<D>?,
    evaluated: [Int32]? = nil, heldOut: DeviceData<D>? = nil, classes: Int, weights: [Float]? = nil,
    normalization: Normalization? = nil
  ) throws {
    let device = train.device, given = labels ?? train.set.labels
    guard device.formats.contains(settings.precision.activations) else {
      throw Failure(
        .configuration, "--precision \(settings.precision.rawValue) does not work on \(device.name).",
        why: "its kernels store activations only in float32.", fix: "use --precision fp32.")
    }
    self.settings = settings
    self.device = device
    self.classes = classes
    self.images = train
    sampleIDs = given.indices.filter { given[$0] >= 0 }.map { Int32($0) }
    sampleCount = given.count
    let images = train.set.images, usable = sampleIDs.count
    self.normalization = normalization ?? Normalization(of: images, ids: sampleIDs)
    let full = usable / settings.batchSize, tail = settings.dropsLast ? 0 : usable % settings.batchSize
    batchSizes = [Int](repeating: settings.batchSize, count: full) + (tail > 0 ? [tail] : [])
    func graph(_ batch: Int) throws -> Graph { try settings.graph(batch, images, classes: classes) }
    let first = try graph(min(settings.batchSize, max(usable, 1)))
    parameters = first.parameters
    running = first.running

    // What outlives a step.
    var counts: [(store: Store, count: Int)] = [
      (.parameters, parameters.packedCount), (.gradients, parameters.packedCount), (.momenta, parameters.packedCount),
      (.running, max(running.packedCount, 1)), (.numbers, StepState.numberCount),
      (.counters, StepState.counterCount), (.inputStatistics, 2 * images.channels),
    ]
    if settings.optimizer.kind == .adam { counts.append((.secondMoments, parameters.packedCount)) }
    for column in [Store.labels, .order, .sampleLoss, .samplePrediction, .marginSum, .marginLost, .marginCount] {
      counts.append((column, max(sampleCount, 1)))
    }
    if settings.loss.hasPeers { counts += [(.peerOrder, usable), (.peerLabelOrder, usable)] }
    if settings.loss.correction != nil { counts.append((.transition, classes * classes)) }
    if weights != nil { counts.append((.sampleWeights, max(sampleCount, 1))) }
    counts += settings.columns.map { ($0.store, max(given.count * $0.width, 1)) }
    try device.requireRoom(
      for: counts.reduce(0) { $0 + 4 * $1.count }, of: "a network with its tables",
      "\(parameters.packedCount) weights with their optimizer, and the tables of \(sampleCount) samples,"
    ) { _ in "use a smaller --model, or fewer images with --limit-train." }
    var stores = train.stores
    for (store, count) in counts { stores[store] = try device.allocate(byteCount: count * 4) }
    if let weights { try device.write(weights, to: stores[.sampleWeights]!) }
    try Self.fill(settings.columns, count: sampleCount, in: stores, on: device)
    self.stores = stores
    try device.write(given, to: stores[.labels]!)
    try device.write(
      self.normalization.mean + self.normalization.standardDeviation, to: stores[.inputStatistics]!)
    let seed = settings.memberSeed
    try device.write(parameters.initialValues(seed: seed), to: stores[.parameters]!)
    try device.write(running.initialValues(seed: seed), to: stores[.running]!)

    (evaluationData, heldOutData) = (test.map { ($0, evaluated) }, heldOut)
    try correct(by: TransitionMatrix(identity: classes))
  }

  /// A network that trains by plain steps, with the data that it needs uploaded for it alone.
  ///
  /// - Throws: what the device throws; `.configuration` if the network cannot take the images.
  public convenience init(
    _ settings: Settings, train: LabelledSet, test: LabelledSet?, heldOut: LabelledSet? = nil, classes: Int,
    weights: [Float]? = nil, normalization: Normalization? = nil, on device: D
  ) throws {
    try self.init(
      settings, train: DeviceData(train, on: device), test: test.map { try DeviceData($0, on: device) },
      heldOut: heldOut.map { try DeviceData($0, on: device) }, classes: classes, weights: weights,
      normalization: normalization)
    try prepare { step, _ in plainStep(&step) }
  }

  // MARK: - Training

  /// The learning rate of the epoch that was begun, with the loss's own factor.
  public private(set) var effectiveRate = 0.0

  /// Makes the device ready for epoch `epoch` (from 0), beginning at step `step`.
  ///
  /// The order of samples, the peer samples and all crops and flips are functions of the seed and the epoch.
  ///
  /// - Parameters:
  ///   - learningRate: that of the schedule; the loss may multiply it (`Loss.rateFactor`).
  ///   - recordsMargins: whether margins of this epoch count towards the area under the margin.
  ///   - countsDynamics: whether the epoch counts for what the method's row kernels note.
  ///   - methodNumbers: what those kernels read (`StepState.methodNumbers`).
  ///   - chosen: the ids of the epoch's batches, in order, of which none occurs twice in a batch; nil for an order of all.
  public func begin(
    epoch: Int, step: Int = 0, learningRate: Double, recordsMargins: Bool, countsDynamics: Bool = false,
    methodNumbers: [Float] = [], order chosen: [Int32]? = nil
  ) throws {
    let random = CounterRandom(seed: settings.seed), count = sampleIDs.count
    precondition(chosen.map { $0.count >= batchSizes.reduce(0, +) && $0.count <= sampleCount } ?? true)
    order = chosen ?? sampleIDs
    if settings.shuffles, chosen == nil {
      order = random.permutation(of: count, .shuffle, UInt32(epoch)).map { sampleIDs[Int($0)] }
    }
    try device.write(order, to: stores[.order]!)
    if settings.loss.hasPeers {
      for (store, purpose) in [(Store.peerOrder, CounterRandom.Purpose.peerImage), (.peerLabelOrder, .peerLabel)] {
        let drawn = (0..<count).map { position in
          sampleIDs[random.integer(below: count, purpose, UInt32(epoch), UInt32(position))]
        }
        try device.write(drawn, to: stores[store]!)
      }
    }
    state.offset = batchSizes.prefix(step).reduce(0, +)
    state.epoch = epoch
    state.seed = settings.seed
    state.imagesPerPart = images.imagesPerPart
    (state.recordsMargins, state.countsDynamics) = (recordsMargins, countsDynamics)
    (state.updates, state.member) = (epoch * batchSizes.count + step, settings.member)
    state.methodNumbers = methodNumbers
    effectiveRate = settings.loss.rateFactor(epoch: epoch) * learningRate
    state.learningRate = Float(effectiveRate)
    settings.optimizer.write(into: &state)
    // All but the last layer, whose weights and biases are the last two parameters, and the second head before it.
    let last = parameters.entries.suffix(settings.hasIndicator ? 4 : 2).first
    state.slowedCount = settings.optimizer.pretrainedRate == 1 ? 0 : last?.offset ?? 0
    state.peerWeight = settings.loss.peerWeight(epoch: epoch) ?? 0
    state.lossParameters = settings.loss.kernelParameters(epoch: epoch)
    try device.write(state.counters, to: stores[.counters]!)
    try device.write(state.numbers, to: stores[.numbers]!)
  }

  /// Lets the steps that follow compute the loss with other parameters, in its kernel's order
  /// (`Loss.kernelParameters`).
  public func set(lossParameters: [Float]) throws {
    state.lossParameters = lossParameters
    try device.write(state.numbers, to: stores[.numbers]!)
  }

  /// Enqueues step `step` of the epoch; steps must follow one another.
  public func run(step: Int) throws { try plan(step)?.run() }

  /// Enqueues a segment of step `step`; see `StepBuilder.cut`.
  public func run(step: Int, segment: Int) throws { try plan(step)?.run(segment: segment) }

  private func plan(_ step: Int) -> Plan<D>? { batchSizes[step] == settings.batchSize ? whole : rest }

  /// Waits for what was enqueued, and tells whether the logits of step `step`, the last one run, are finite.
  public func isFinite(afterStep step: Int) throws -> Bool {
    try logits(ofStep: step).allSatisfy(\.isFinite)
  }

  /// The logits `[B, K]` of step `step`, the last one run, as they were before its update.
  ///
  /// Waits.
  public func logits(ofStep step: Int) throws -> [Float] {
    try plan(step)?.readLogits() ?? []
  }

  /// Waits for what was enqueued.
  public func wait() throws { _ = try device.read(Int32.self, count: 1, from: stores[.counters]!) }

  /// The plan of whole batches; nil if the data has fewer samples than a batch.
  public var wholeBatches: Plan<D>? { whole }

  /// Ids of the samples of the epoch's first `steps` steps, in order.
  public func ids(ofFirst steps: Int) -> ArraySlice<Int32> { order.prefix(batchSizes.prefix(steps).reduce(0, +)) }

  /// The last training loss and prediction of every sample, by id.
  ///
  /// Waits.
  public func sampleResults() throws -> (losses: [Float], predictions: [Int32]) {
    (
      try device.read(Float.self, count: sampleCount, from: stores[.sampleLoss]!),
      try device.read(Int32.self, count: sampleCount, from: stores[.samplePrediction]!)
    )
  }
}

extension TrainingSession {
  /// Replaces the last training loss and prediction of every sample, for a method whose steps do not leave them.
  public func write(sampleLosses losses: [Float], predictions: [Int32]) throws {
    try device.write(losses, to: stores[.sampleLoss]!)
    try device.write(predictions, to: stores[.samplePrediction]!)
  }
}

extension TrainingSession.Settings {
  /// A seed of the network's own among those of its method: the run's for the first.
  ///
  /// The golden ratio's digits keep them apart.
  public var memberSeed: UInt64 { seed &+ UInt64(member) &* 0x9E37_79B9_7F4A_7C15 }

  func graph(_ batch: Int, _ images: ImageSet, classes: Int) throws -> Graph {
    let graph = try network.graph(
      batch: batch, height: images.height, width: images.width, channels: images.channels, classes: classes,
      readsFloats: images.element == .float32)
    guard hasIndicator else { return graph }
    guard let both = graph.withIndicator() else {
      throw Failure(
        .configuration, "\(network) cannot have a second head.", why: "its last layer is not linear.",
        fix: "use another --model.")
    }
    return both
  }
}
