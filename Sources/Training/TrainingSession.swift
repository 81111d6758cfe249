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
    /// Momentum, 0 ..< 1.
    public var momentum = 0.9
    /// Whether momentum is Nesterov's.
    public var nesterov = true
    /// Weight decay on every parameter.
    public var weightDecay = 1e-4
    /// Factor of the sum of absolute values of all parameters.
    public var l1 = 0.0
    /// 0: gradients are not clipped.
    public var clipNorm = 0.0
    /// Seed of everything that is drawn.
    public var seed: UInt64 = 1
    /// Whether the logits of the training set are wanted (`trainingLogits`).
    public var evaluatesTraining = false

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
  private let whole: Plan<D>?, rest: Plan<D>?
  private let evaluation: EvaluationPlans<D>?, validation: EvaluationPlans<D>?, anchors: EvaluationPlans<D>?
  /// The state that the next epoch's steps will read.
  private var state = StepState()
  private var order: [Int32] = []

  /// Allocates memory, uploads the data, prepares every plan, and sets the first weights.
  ///
  /// - Throws: what the device throws; `.configuration` if the network cannot take the images.
  public init(
    _ settings: Settings, train: LabelledSet, test: LabelledSet?, validation: LabelledSet? = nil, classes: Int,
    weights: [Float]? = nil, normalization: Normalization? = nil, on device: D
  ) throws {
    guard device.formats.contains(settings.precision.activations) else {
      throw Failure(
        .configuration, "--precision \(settings.precision.rawValue) does not work on \(device.name).",
        why: "its kernels store activations in float32 only.", fix: "use --precision fp32.")
    }
    self.settings = settings
    self.device = device
    self.classes = classes
    self.normalization = normalization ?? Normalization(of: train.images, ids: train.usableIDs)
    sampleIDs = train.usableIDs
    sampleCount = train.count
    let images = train.images, usable = sampleIDs.count
    let full = usable / settings.batchSize, tail = settings.dropsLast ? 0 : usable % settings.batchSize
    batchSizes = [Int](repeating: settings.batchSize, count: full) + (tail > 0 ? [tail] : [])
    func graph(_ batch: Int) throws -> Graph {
      try settings.network.graph(
        batch: batch, height: images.height, width: images.width, channels: images.channels, classes: classes)
    }
    let first = try graph(min(settings.batchSize, max(usable, 1)))
    parameters = first.parameters
    running = first.running

    // What outlives a step.
    var stores: [Store: D.Buffer] = [:]
    func store(_ name: Store, count: Int) throws { stores[name] = try device.allocate(byteCount: count * 4) }
    try store(.parameters, count: parameters.packedCount)
    try store(.gradients, count: parameters.packedCount)
    try store(.momenta, count: parameters.packedCount)
    try store(.running, count: max(running.packedCount, 1))
    try store(.numbers, count: StepState.numberCount)
    try store(.counters, count: StepState.counterCount)
    try store(.inputStatistics, count: 2 * images.channels)
    for column in [Store.labels, .order, .sampleLoss, .samplePrediction, .marginSum, .marginLost, .marginCount] {
      try store(column, count: max(train.count, 1))
    }
    if settings.loss.hasPeers {
      try store(.peerOrder, count: usable)
      try store(.peerLabelOrder, count: usable)
    }
    if settings.loss.correction != nil { try store(.transition, count: classes * classes) }
    if let weights {
      try store(.sampleWeights, count: max(train.count, 1))
      try device.write(weights, to: stores[.sampleWeights]!)
    }
    stores[.pixels] = try device.allocate(byteCount: images.pixels.count)
    self.stores = stores
    try device.write(images.pixels, to: stores[.pixels]!)
    try device.write(train.labels, to: stores[.labels]!)
    try device.write(
      self.normalization.mean + self.normalization.standardDeviation, to: stores[.inputStatistics]!)
    try device.write(parameters.initialValues(seed: settings.seed), to: stores[.parameters]!)
    try device.write(running.initialValues(seed: settings.seed), to: stores[.running]!)

    // The plans: whole batches, the last one, and evaluation share the activations' memory.
    let shared = SharedMemory<D>()
    func plan(_ batch: Int) throws -> Plan<D> {
      try Plan(
        .training(
          graph(batch), forms: device.forms, precision: settings.precision, augmentation: settings.augmentation,
          loss: settings.loss.function,
          peer: settings.loss.hasPeers, weighted: weights != nil, clip: settings.clipNorm > 0),
        on: device, stores: stores, shared: shared)
    }
    whole = full > 0 ? try plan(settings.batchSize) : nil
    rest = tail > 0 ? try plan(tail) : nil
    func evaluation(_ data: LabelledSet) throws -> EvaluationPlans<D> {
      try EvaluationPlans(data, graph: graph, stores: stores, shared: shared, on: device)
    }
    self.evaluation = try test.map(evaluation)
    self.validation = try validation.map(evaluation)
    anchors = settings.evaluatesTraining ? try evaluation(train) : nil
    try correct(by: TransitionMatrix(identity: classes))
  }

  // MARK: - Training

  /// The learning rate of the epoch that was begun, with the loss's own factor.
  public private(set) var rateInForce = 0.0

  /// Makes the device ready for epoch `epoch` (from 0), beginning at step `step`.
  ///
  /// The order of samples, the peer samples and all crops and flips are functions of the seed and the epoch.
  ///
  /// - Parameter learningRate: that of the schedule; the loss may multiply it (`Loss.rateFactor`).
  public func begin(epoch: Int, step: Int = 0, learningRate: Double, recordsMargins: Bool) throws {
    let random = CounterRandom(seed: settings.seed), count = sampleIDs.count
    order = sampleIDs
    if settings.shuffles {
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
    state.recordsMargins = recordsMargins
    rateInForce = settings.loss.rateFactor(epoch: epoch) * learningRate
    state.learningRate = Float(rateInForce)
    state.momentum = Float(settings.momentum)
    state.nesterov = settings.nesterov
    state.weightDecay = Float(settings.weightDecay)
    state.l1 = Float(settings.l1)
    state.clipNorm = Float(settings.clipNorm)
    state.peerWeight = settings.loss.peerWeight(epoch: epoch) ?? 0
    state.lossParameters = settings.loss.kernelParameters(epoch: epoch)
    try device.write(state.counters, to: stores[.counters]!)
    try device.write(state.numbers, to: stores[.numbers]!)
  }

  /// Enqueues step `step` of the epoch; steps must follow one another.
  public func run(step: Int) throws {
    try (batchSizes[step] == settings.batchSize ? whole : rest)?.run()
  }

  /// Waits for what was enqueued, and tells whether the logits of step `step`, the last one run, are finite.
  public func isFinite(afterStep step: Int) throws -> Bool {
    try logits(ofStep: step).allSatisfy(\.isFinite)
  }

  /// The logits `[B, K]` of step `step`, the last one run, as they were before its update.
  ///
  /// Waits.
  public func logits(ofStep step: Int) throws -> [Float] {
    try (batchSizes[step] == settings.batchSize ? whole : rest)?.readLogits() ?? []
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

  // MARK: - Evaluation

  /// The test set's results with running statistics, by sample id; nil where there is no test set.
  ///
  /// Waits.
  public func evaluate() throws -> EvaluationPlans<D>.Results? {
    guard let evaluation else { return nil }
    return try evaluation.run(on: device)
  }

  /// The same for what was held out besides a test set.
  ///
  /// Waits.
  public func validate() throws -> EvaluationPlans<D>.Results? { try validation?.run(on: device) }

  /// The test set's logits `[N, K]`, by sample id.
  ///
  /// Waits.
  public func testLogits() throws -> [Float]? { try evaluation?.logits(on: device) }

  /// The training set's logits `[N, K]`, of images as they are and with running statistics; nil if not asked for.
  ///
  /// Waits.
  public func trainingLogits() throws -> [Float]? { try anchors?.logits(on: device) }
}
