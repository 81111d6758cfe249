/// Writes the operations of a step one after the other: what a training method says of a step.
///
/// A plain step is `images`, `forward`, `loss`, `backward`, `update`. Row kernels go between `loss` and `backward`;
/// `cut()` ends a segment, so that another network can look at what this one has computed, and the other way round.
public struct StepBuilder {
  /// Which statistics batch norm uses.
  public enum Statistics: Sendable {
    /// Those of the batch, which also move the running ones.
    case batch
    /// The running ones.
    case running
  }

  /// What has been written so far.
  public internal(set) var program: StepProgram
  let forms: Set<FusedForm>
  /// Whether batch norm keeps its running statistics and normalises by them, in training, too.
  let keepsStatistics: Bool
  /// The gradient of the logits, once `loss` has written it.
  public private(set) var dlogits: Value?
  /// The batch statistics by the batch norm that they belong to.
  var statistics: [BatchNorm: BatchStatistics] = [:]
  /// The gradient of each value, once something has contributed to it.
  var gradients: [Value: Value] = [:]
  /// Gradients that stand for several values, and therefore must not be changed in place.
  var shared: Set<Value> = []

  /// The values that depend on parameters; the others need no gradient.
  private(set) var learned: Set<Value> = []

  /// A step of a network that has no operations yet.
  ///
  /// - Parameters:
  ///   - forms: the fused forms that the device has.
  ///   - precision: how activations are stored.
  ///   - keepsStatistics: whether batch norm goes by its running statistics in training, too, and keeps them.
  public init(
    _ graph: Graph, forms: Set<FusedForm>, precision: Precision = .fp32, keepsStatistics: Bool = false
  ) {
    program = StepProgram(graph.fused(for: forms), precision)
    (self.forms, self.keepsStatistics) = (forms, keepsStatistics)
    for layer in self.graph.layers where layer.hasParameters || !learned.isDisjoint(with: layer.inputs) {
      learned.insert(layer.output)
    }
  }

  var graph: Graph { program.graph }

  // MARK: The verbs

  /// Gathers the batch's images: the next of the epoch's order, those of the peer pass, or one of both mixed with their
  /// partners.
  public mutating func images(_ augmentation: Augmentation, peer: Bool = false, mixed: Bool = false) {
    append(
      .augment(
        Augment(
          output: graph.images, shape: graph[graph.images],
          augmentation: graph.readsFloats ? Augmentation(crop: 0, flip: false) : augmentation, peer: peer,
          mixed: mixed, isFloat: graph.readsFloats)))
  }

  /// Computes the logits.
  public mutating func forward(_ statistics: Statistics, peer: Bool = false) {
    for layer in graph.layers { forward(layer, training: statistics == .batch && !keepsStatistics, peer: peer) }
  }

  /// Computes each row's loss, the gradient of their mean, and the per-sample columns.
  ///
  /// - Parameter logits: what the loss is of, [B, K]; nil for the network's logits. The gradient counts for these.
  /// - Returns: the gradient of the logits [B, K].
  @discardableResult
  public mutating func loss(_ loss: RowFunction, of logits: Value? = nil, peer: Bool = false) -> Value {
    let gradient = gradient()
    append(
      .loss(
        LossRows(
          loss, B: program.batch, K: program.classes, logits: logits ?? program.logits, dlogits: gradient, peer: peer)))
    return gradient
  }

  /// The gradient of the logits [B, K], for a kernel to write that takes the place of a loss by labels.
  public mutating func gradient() -> Value {
    let gradient = program.value(like: program.logits)
    dlogits = gradient
    return gradient
  }

  /// A number for each row of the batch, for a kernel to write into.
  public mutating func rowNumbers() -> Value { program.value(count: program.batch) }

  /// A value of the size of the logits, for a kernel to write into.
  public mutating func scratch() -> Value { program.value(count: program.batch * program.classes) }

  /// Does a kernel's arithmetic on each row of the batch.
  public mutating func rows(_ kernel: RowKernel) { append(.rows(ComputeRows(kernel, count: program.batch))) }

  /// Makes the gradient of the batch's mean loss that of the mean weighted by a column [N] of the per-sample table.
  public mutating func scaleRows(by weights: Store) {
    guard let dlogits else { preconditionFailure("the loss comes first") }
    rows(.scale(dlogits, by: weights, K: program.classes))
  }

  /// Keeps a value in a store of its own, which other networks may be lent, to be read once this segment is done.
  public mutating func keep(_ value: Value, in store: Store) { program.kept[value] = store }

  /// Ends a segment (`Plan.run(segment:)`).
  public mutating func cut() { append(.cut) }

  /// Computes the gradients of all parameters from that of the logits; the peer pass, which comes second, adds its own.
  ///
  /// - Parameter dindicator: the gradient of the second result, where the graph has one.
  public mutating func backward(peer: Bool = false, dindicator: Value? = nil) {
    guard let dlogits else { preconditionFailure("the loss comes first") }
    shared = []
    gradients = [program.logits: dlogits]
    if let indicator = graph.indicator, let dindicator { gradients[indicator] = dindicator }
    for layer in graph.layers.reversed() { backward(layer, accumulate: peer, peer: peer) }
  }

  /// What the last layer takes, [B, F]; nil where it is not linear.
  public var features: Value? {
    if case .linear(let input, _, _, _)? = graph.layers.last { input } else { nil }
  }

  /// A value of the size of the features, for a kernel to write their gradient into.
  public mutating func featureGradient() -> Value {
    guard let features else { preconditionFailure("the network has no features") }
    return program.value(like: features)
  }

  /// Computes the gradients of all parameters but the last layer's from that of the features.
  public mutating func backward(features dfeatures: Value) {
    guard let features else { preconditionFailure("the network has no features") }
    shared = []
    gradients = [features: dfeatures]
    for layer in graph.layers.dropLast().reversed() { backward(layer, accumulate: false, peer: false) }
  }

  /// The gradients of plain training: images, forward, loss, backward.
  ///
  /// - Parameters:
  ///   - peer: adds a second pass over the peer samples of peer loss, whose gradients are added to the first's.
  ///   - weighted: samples count by `Store.sampleWeights`, not alike; not with peer samples.
  ///   - teach: writes what is added to the gradient of the logits, before samples are weighted; not with peer samples.
  public mutating func gradients(
    _ augmentation: Augmentation, _ loss: RowFunction, peer: Bool, weighted: Bool,
    teaching teach: ((inout StepBuilder, _ dlogits: Value) -> Void)? = nil
  ) {
    precondition(!peer || teach == nil, "teachers do not see the peer pass's samples")
    precondition(!peer || !weighted, "the peer pass has samples that the weights are not for")
    for pass in peer ? [false, true] : [false] {
      images(augmentation, peer: pass)
      forward(.batch, peer: pass)
      let dlogits = self.loss(loss, peer: pass)
      teach?(&self, dlogits)
      if weighted { scaleRows(by: .sampleWeights) }
      backward(peer: pass)
    }
  }

  /// Does a kernel's arithmetic on all parameters; between backward pass and update, or after it.
  public mutating func flat(_ kernel: FlatKernel) {
    append(.flat(ComputeFlat(kernel, count: graph.parameters.packedCount)))
  }

  /// Lets an optimiser move all parameters, and moves on to the next batch.
  public mutating func update(_ optimizer: FlatKernel, clip: Bool) {
    append(.update(Update(optimizer, count: graph.parameters.packedCount, clip: clip)))
    advance()
  }

  /// Moves on to the next batch, or to the next images of the same number.
  public mutating func advance() { append(.advance(Advance(B: program.batch))) }

  /// Leaves each sample's cross entropy, prediction and confidence in its columns, and moves on to the next batch.
  public mutating func evaluate() {
    append(
      .evaluate(EvaluateRows(B: program.batch, K: program.classes, logits: program.logits, scratch: scratch())))
    advance()
  }

  mutating func append(_ operation: TensorOperation) { program.operations.append(operation) }
}
