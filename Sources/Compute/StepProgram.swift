/// The ordered operations of one step, and the shapes of all values that they pass on: what a plan is made from.
public struct StepProgram: Sendable {
  /// The operations in order.
  public internal(set) var operations: [TensorOperation] = []
  /// Numbers of each value, by its index.
  public private(set) var counts: [Int]
  /// How each value is stored, by its index.
  public private(set) var elementTypes: [ElementType]
  /// The network's result, `[B, K]`.
  public let logits: Value
  /// The second result, [B]; see `Graph.indicator`.
  public var indicator: Value? { graph.indicator }
  /// Where values lie that another network's steps may read: in stores of their own, whose memory no other value takes
  /// over (`StepBuilder.keep`).
  public internal(set) var kept: [Value: Store] = [:]
  /// B and K.
  public let batch: Int, classes: Int
  let graph: Graph

  init(_ graph: Graph, _ precision: Precision) {
    self.graph = graph
    counts = graph.shapes.map { $0.reduce(1, *) }
    elementTypes = graph.shapes.map { $0.count == 4 ? precision.activations : .float32 }
    logits = graph.logits
    batch = graph.batch
    classes = graph[graph.logits][1]
  }

  mutating func value(count: Int, _ type: ElementType = .float32) -> Value {
    counts.append(count)
    elementTypes.append(type)
    return Value(index: counts.count - 1)
  }

  /// Forgets values that no operation has come to use.
  mutating func forgetValues(from index: Int) {
    counts.removeSubrange(index...)
    elementTypes.removeSubrange(index...)
  }

  /// A value of the same size and type, such as another's gradient.
  mutating func value(like other: Value) -> Value { value(count: counts[other.index], elementTypes[other.index]) }

  /// How the activations of an operation are stored: all its values of four dimensions alike.
  func elementType(of operation: TensorOperation) -> ElementType {
    operation.activations.first.map { elementTypes[$0.index] } ?? .float32
  }

  func offset(_ parameter: Int) -> Int { graph.parameters.entries[parameter].offset }
}

/// What a plain training step does besides the network.
public struct TrainingStep: Sendable {
  let augmentation: Augmentation, loss: RowFunction, peer: Bool, weighted: Bool, clip: Bool

  /// A step.
  ///
  /// - Parameters:
  ///   - peer: adds a second pass over the peer samples of peer loss, whose gradients are added to the first's.
  ///   - weighted: samples count by `Store.sampleWeights`, not alike; not with peer samples.
  ///   - clip: scales gradients down to the norm that the step's numbers give.
  public init(
    augmentation: Augmentation, loss: RowFunction, peer: Bool = false, weighted: Bool = false, clip: Bool = false
  ) {
    (self.augmentation, self.loss, self.peer) = (augmentation, loss, peer)
    (self.weighted, self.clip) = (weighted, clip)
  }
}

extension StepProgram {
  /// Numbers of an image in a value of the whole batch.
  public func width(of value: Value) -> Int { counts[value.index] / batch }
}

extension StepProgram {
  /// One training step: gather, forward, loss, backward, update.
  public static func training(
    _ graph: Graph, forms: Set<FusedForm>, precision: Precision = .fp32, _ plain: TrainingStep
  ) -> StepProgram {
    var step = StepBuilder(graph, forms: forms, precision: precision)
    step.gradients(plain.augmentation, plain.loss, peer: plain.peer, weighted: plain.weighted)
    step.update(.sgd, clip: plain.clip)
    return step.program
  }

  /// The features of one batch, with running statistics: gather without augmentation, forward; `logits` are features.
  ///
  /// - Parameters:
  ///   - graph: without the network's last layer (`Graph.features`).
  ///   - advances: whether it moves on to the next batch.
  public static func features(_ graph: Graph, forms: Set<FusedForm>, advances: Bool = false) -> StepProgram {
    var step = StepBuilder(graph, forms: forms)
    step.images(Augmentation(crop: 0, flip: false))
    step.forward(.running)
    if advances { step.advance() }
    return step.program
  }

  /// One batch of evaluation with running statistics: gather without augmentation, forward, per-sample results.
  public static func evaluation(
    _ graph: Graph, forms: Set<FusedForm>, precision: Precision = .fp32
  ) -> StepProgram {
    var step = StepBuilder(graph.withoutDropout(), forms: forms, precision: precision)
    step.images(Augmentation(crop: 0, flip: false))
    step.forward(.running)
    step.evaluate()
    return step.program
  }
}
