import Compute
import Failures
import Networks

// MARK: - Steps

extension TrainingSession {
  /// Prepares the plans of training, of whole batches and of the last one where it is smaller, and then those of
  /// evaluation, which find room in the memory of the former.
  ///
  /// - Parameters:
  ///   - lent: another network's buffers under names of this one's steps.
  ///   - answer: buffers that stand in the place of this network's own when it is evaluated.
  ///   - write: writes a step; its second argument is 0 for whole batches, 1 for the last one.
  public func prepare(
    lent: [Store: D.Buffer] = [:], evaluating answer: [Store: D.Buffer] = [:],
    _ write: (inout StepBuilder, Int) throws -> Void
  ) throws {
    (whole, rest) = try plans(lent: lent, write)
    self.answer = answer
    evaluation = try evaluationData.map { try evaluationPlans($0.images, ids: $0.ids) }
    heldOut = try heldOutData.map { try evaluationPlans($0) }
  }

  /// Plans of steps, of whole batches and of the last one where it is smaller.
  func plans(
    lent: [Store: D.Buffer], _ write: (inout StepBuilder, Int) throws -> Void
  ) throws -> (whole: Plan<D>?, rest: Plan<D>?) {
    func plan(_ batch: Int, _ slot: Int) throws -> Plan<D> {
      try self.plan(of: batch, precision: settings.precision, lent: lent) { try write(&$0, slot) }
    }
    return (
      batchSizes.contains(settings.batchSize) ? try plan(settings.batchSize, 0) : nil,
      try batchSizes.last.flatMap { $0 < settings.batchSize ? try plan($0, 1) : nil }
    )
  }

  /// A plan of the network's operations beside those of training, whose activations' memory it uses: what it leaves there
  /// holds until another plan runs.
  ///
  /// - Parameters:
  ///   - batch: images.
  ///   - network: another network, whose buffers are lent; nil for the session's own.
  ///   - precision: how activations are stored.
  ///   - drops: whether dropout drops channels.
  ///   - lent: buffers under names of this session's, or of the plan's own.
  public func plan(
    of batch: Int, network: Network? = nil, precision: Precision, drops: Bool = true, lent: [Store: D.Buffer],
    _ write: (inout StepBuilder) throws -> Void
  ) throws -> Plan<D> {
    var own = settings
    if let network { (own.network, own.hasIndicator) = (network, false) }
    let graph = try own.graph(batch, images.set.images, classes: classes)
    var step = StepBuilder(
      drops ? graph : graph.withoutDropout(), forms: device.forms, precision: precision,
      keepsStatistics: settings.keepsStatistics)
    try write(&step)
    return try Plan(step.program, on: device, stores: stores.merging(lent) { $1 }, shared: shared)
  }

  /// Writes the step of plain training, with peers and weights where there are some.
  public func plainStep(_ step: inout StepBuilder) {
    plainGradients(&step)
    update(&step)
  }

  /// Writes the step of plain training up to its gradients.
  ///
  /// - Parameter teach: what is added to the gradient of the logits (`StepBuilder.gradients`).
  public func plainGradients(
    _ step: inout StepBuilder, teaching teach: ((inout StepBuilder, _ dlogits: Value) -> Void)? = nil
  ) {
    step.gradients(
      settings.augmentation, settings.loss.function, peer: settings.loss.hasPeers,
      weighted: stores[.sampleWeights] != nil, teaching: teach)
  }

  /// Writes the end of a step: the settings' optimiser moves the weights.
  public func update(_ step: inout StepBuilder) {
    step.update(settings.optimizer.kernel, clip: settings.optimizer.clipNorm > 0)
  }

  /// The buffer behind a name, to be lent to another network.
  public func buffer(_ store: Store) -> D.Buffer {
    guard let buffer = stores[store] else { preconditionFailure("the session has no \(store)") }
    return buffer
  }
}

// MARK: - Evaluation

extension TrainingSession {
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
  public func validate() throws -> EvaluationPlans<D>.Results? { try heldOut?.run(on: device) }

  /// The test set's logits `[N, K]`, by sample id.
  ///
  /// Waits.
  public func testLogits() throws -> [Float]? { try evaluation?.logits(on: device) }

  /// The training set's logits `[N, K]`, of images as they are and with running statistics.
  ///
  /// Waits.
  ///
  /// - Parameter ids: the samples whose logits are wanted, in this order; nil for all.
  public func trainingLogits(of ids: [Int32]? = nil) throws -> [Float] {
    try evaluationPlans(images, ids: ids).logits(on: device)
  }

  /// Plans that evaluate the network over its training images as they are, with running statistics.
  public func trainingEvaluation() throws -> EvaluationPlans<D> { try evaluationPlans(images) }

  /// The test set's results of the mean of several networks' logits; nil where there is no test set.
  ///
  /// Waits.
  public static func evaluate(meanOf sessions: [TrainingSession<D>]) throws -> EvaluationPlans<D>.Results? {
    try results(of: sessions.compactMap(\.evaluation), sessions)
  }

  /// The same for what was held out besides a test set.
  ///
  /// Waits.
  public static func validate(meanOf sessions: [TrainingSession<D>]) throws -> EvaluationPlans<D>.Results? {
    try results(of: sessions.compactMap(\.heldOut), sessions)
  }

  private static func results(
    of plans: [EvaluationPlans<D>], _ sessions: [TrainingSession<D>]
  ) throws -> EvaluationPlans<D>.Results? {
    plans.isEmpty ? nil : try EvaluationPlans.results(ofMean: plans, on: sessions[0].device)
  }

  /// Makes `features` possible, before the first step, and tells how many there are of an image.
  ///
  /// - Throws: `.configuration` where the network does not end with a linear layer; what the device throws.
  @discardableResult
  public func prepareFeatures() throws -> Int {
    let plans = try EvaluationPlans(
      images, ids: sampleIDs,
      graph: {
        guard let graph = try settings.graph($0, images.set.images, classes: classes).features() else {
          throw noFeatures
        }
        return graph
      }, isOfFeatures: true, stores: stores.merging(answer) { $1 }, shared: shared)
    featurePlans = plans
    return plans.width
  }

  /// What is wrong with a network that does not end with a linear layer, where features are needed.
  public var noFeatures: Failure {
    Failure(
      .configuration, "\(settings.network) has no features.", why: "its last layer is not linear.",
      fix: "use another --model.")
  }

  /// What the last layer takes of each sample that has a label, `[sampleIDs.count, F]`, of images as they are and with
  /// running statistics.
  ///
  /// Waits.
  ///
  /// - Throws: also where the process was asked to stop (`Failure.isStop`).
  public func features() throws -> [Float] {
    guard let featurePlans else { preconditionFailure("prepareFeatures comes first") }
    return try featurePlans.logits(on: device)
  }

  private func evaluationPlans(_ data: DeviceData<D>, ids: [Int32]? = nil) throws -> EvaluationPlans<D> {
    try EvaluationPlans(
      data, ids: ids, graph: { try settings.graph($0, images.set.images, classes: classes) },
      stores: stores.merging(answer) { $1 }, shared: shared)
  }
}
