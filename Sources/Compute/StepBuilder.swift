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
  public private(set) var program: StepProgram
  private let forms: Set<FusedForm>
  /// The gradient of the logits, once `loss` has written it.
  public private(set) var dlogits: Value?
  /// The batch statistics by the batch norm that they belong to.
  private var statistics: [BatchNorm: BatchStatistics] = [:]
  /// The gradient of each value, once something has contributed to it.
  private var gradients: [Value: Value] = [:]
  /// Gradients that stand for several values, and therefore must not be changed in place.
  private var shared: Set<Value> = []

  /// The values that depend on parameters; the others need no gradient.
  private var learned: Set<Value> = []

  /// A step of a network that has no operations yet.
  ///
  /// - Parameters:
  ///   - forms: the fused forms that the device has.
  ///   - precision: how activations are stored.
  public init(_ graph: Graph, forms: Set<FusedForm>, precision: Precision = .fp32) {
    program = StepProgram(graph.fused(for: forms), precision)
    self.forms = forms
    for layer in self.graph.layers where layer.hasParameters || !learned.isDisjoint(with: layer.inputs) {
      learned.insert(layer.output)
    }
  }

  private var graph: Graph { program.graph }

  // MARK: The verbs

  /// Gathers the batch's images: the next of the epoch's order, or those of the peer pass.
  public mutating func images(_ augmentation: Augmentation, peer: Bool = false) {
    append(.augment(output: graph.images, shape: graph[graph.images], augmentation: augmentation, peer: peer))
  }

  /// Computes the logits.
  public mutating func forward(_ statistics: Statistics, peer: Bool = false) {
    for layer in graph.layers { forward(layer, training: statistics == .batch, peer: peer) }
  }

  /// Computes each row's loss, the gradient of their mean, and the per-sample columns.
  public mutating func loss(_ loss: RowFunction, peer: Bool = false) {
    let gradient = program.value(like: program.logits)
    dlogits = gradient
    append(.loss(loss, logits: program.logits, dlogits: gradient, B: program.batch, K: program.classes, peer: peer))
  }

  /// A value of the size of the logits, for a kernel to write into.
  public mutating func scratch() -> Value { program.value(count: program.batch * program.classes) }

  /// Does a kernel's arithmetic on each row of the batch.
  public mutating func rows(_ kernel: RowKernel) { append(.rows(kernel, count: program.batch)) }

  /// Makes the gradient of the batch's mean loss that of the mean weighted by a column [N] of the per-sample table.
  public mutating func scaleRows(by weights: Store) {
    guard let dlogits else { preconditionFailure("the loss comes first") }
    rows(.scale(dlogits, by: weights, B: program.batch, K: program.classes))
  }

  /// Ends a segment (`Plan.run(segment:)`).
  public mutating func cut() { append(.cut) }

  /// Computes the gradients of all parameters from that of the logits; the peer pass, which comes second, adds its own.
  public mutating func backward(peer: Bool = false) {
    guard let dlogits else { preconditionFailure("the loss comes first") }
    shared = []
    gradients = [program.logits: dlogits]
    for layer in graph.layers.reversed() { backward(layer, accumulate: peer, peer: peer) }
  }

  /// The gradients of plain training: images, forward, loss, backward.
  ///
  /// - Parameters:
  ///   - peer: adds a second pass over the peer samples of peer loss, whose gradients are added to the first's.
  ///   - weighted: samples count by `Store.sampleWeights`, not alike; not with peer samples.
  public mutating func gradients(_ augmentation: Augmentation, _ loss: RowFunction, peer: Bool, weighted: Bool) {
    precondition(!peer || !weighted, "the peer pass has other samples than the weights are for")
    for pass in peer ? [false, true] : [false] {
      images(augmentation, peer: pass)
      forward(.batch, peer: pass)
      self.loss(loss, peer: pass)
      if weighted { scaleRows(by: .sampleWeights) }
      backward(peer: pass)
    }
  }

  /// Lets an optimiser move all parameters, and moves on to the next batch.
  public mutating func update(_ optimizer: FlatKernel, clip: Bool) {
    append(.update(optimizer, count: graph.parameters.packedCount, clip: clip))
    append(.advance(B: program.batch))
  }

  /// Leaves each sample's cross entropy, prediction and confidence in its columns, and moves on to the next batch.
  public mutating func evaluate() {
    append(.evaluate(logits: program.logits, scratch: scratch(), B: program.batch, K: program.classes))
    append(.advance(B: program.batch))
  }

  private mutating func append(_ operation: TensorOperation) { program.operations.append(operation) }
}

// MARK: - Forward and backward, layer by layer

extension StepBuilder {
  private func size(_ value: Value) -> (M: Int, C: Int) {
    let shape = graph[value]
    return (shape.dropLast().reduce(1, *), shape[shape.count - 1])
  }

  private mutating func statistics(of batchNorm: BatchNorm, C: Int) -> BatchStatistics {
    if let known = statistics[batchNorm] { return known }
    let running = graph.running.entries
    let made = BatchStatistics(
      mean: program.value(count: Parameter.padded(C)), inverse: program.value(count: Parameter.padded(C)),
      runningMean: running[batchNorm.runningMean].offset, runningVariance: running[batchNorm.runningVariance].offset)
    statistics[batchNorm] = made
    return made
  }

  private mutating func forward(_ layer: Graph.Layer, training: Bool, peer: Bool) {
    switch layer {
    case .convolve(let input, let weights, let window, let output):
      program.operations.append(
        .convolve(
          window: window, input: input, weightsAt: program.offset(weights), output: output, statistics: nil))
    case .normalize(let input, let batchNorm, let residual, let rectify, let output):
      let (M, C) = size(input)
      let statistics = statistics(of: batchNorm, C: C)
      if training {
        appendStatistics(of: input, M: M, C: C, statistics)
      } else {
        program.operations.append(.inferenceStatistics(C: C, statistics: statistics))
      }
      program.operations.append(
        .normalize(
          input: input, statistics: statistics, gammaAt: program.offset(batchNorm.gamma),
          betaAt: program.offset(batchNorm.beta), residual: residual, rectify: rectify, output: output, M: M, C: C))
    case .rectify(let input, let slope, let output):
      program.operations.append(
        .rectify(input: input, slope: slope, output: output, count: program.counts[input.index]))
    case .bias(let input, let bias, let output):
      let (M, C) = size(input)
      program.operations.append(.bias(input: input, biasAt: program.offset(bias), output: output, M: M, C: C))
    case .dropout(let input, let dropout, let output):
      let (M, C) = size(input)
      program.operations.append(
        .dropout(
          input: input, dropout: dropout, output: output, B: graph.batch, M: M / graph.batch, C: C, peer: peer))
    case .flatten(let input, let output):
      let (M, C) = size(input)
      program.operations.append(.flatten(input: input, output: output, B: graph.batch, M: M / graph.batch, C: C))
    case .add(let a, let b, let output):
      program.operations.append(.add(a, b, output: output, count: program.counts[a.index]))
    case .shortcut(let input, let kind, let output):
      program.operations.append(
        .shortcut(
          input: input, output: output, shape: graph[input], outputShape: graph[output], kind: kind))
    case .pool(let input, let window, let maximum, let output):
      program.operations.append(.pool(window: window, input: input, output: output, maximum: maximum))
    case .globalAverage(let input, let output):
      let shape = graph[input]
      program.operations.append(
        .globalAverage(
          input: input, output: output, B: shape[0], M: shape[1] * shape[2], C: shape[3]))
    case .linear(let input, let weights, let bias, let output):
      program.operations.append(
        .linear(
          input: input, weightsAt: program.offset(weights), biasAt: program.offset(bias), output: output,
          M: graph[output][0], N: graph[output][1], K: graph[input][1]))
    }
  }

  /// The statistics of `input`: in the convolution that has just written it, where the device can.
  private mutating func appendStatistics(of input: Value, M: Int, C: Int, _ statistics: BatchStatistics) {
    if forms.contains(.convolveWithStatistics),
      let index = program.operations.lastIndex(where: { $0.values.writes.contains(input) }),
      case .convolve(let window, let from, let weightsAt, let output, nil) = program.operations[index]
    {
      program.operations[index] = .convolve(
        window: window, input: from, weightsAt: weightsAt, output: output, statistics: statistics)
    } else {
      program.operations.append(.batchStatistics(input: input, M: M, C: C, statistics: statistics))
    }
  }

  private mutating func backward(_ layer: Graph.Layer, accumulate: Bool, peer: Bool) {
    guard let doutput = gradients[layer.output] else { return }  // nothing depends on this layer
    switch layer {
    case .convolve(let input, let weights, let window, _):
      let at = program.offset(weights)
      program.operations.append(
        .convolveBackwardWeights(
          window: window, input: input, doutput: doutput, weightsAt: at, accumulate: accumulate))
      guard learned.contains(input) else { return }
      // What other layers contributed is added in the same pass; into a new value, since theirs may have other readers.
      let addend = gradients[input]
      let dinput = program.value(like: input)
      program.operations.append(
        .convolveBackwardData(
          window: window, doutput: doutput, weightsAt: at, addend: addend, dinput: dinput))
      gradients[input] = dinput
    case .normalize(let input, let batchNorm, let residual, let rectify, let output):
      let (M, C) = size(input)
      let dinput = program.value(like: input)
      var dresidual: Value?
      if residual != nil {
        dresidual = shared.contains(doutput) ? program.value(like: doutput) : doutput
      }
      program.operations.append(
        .normalizeBackward(
          doutput: doutput, output: output, input: input, statistics: statistics(of: batchNorm, C: C),
          gammaAt: program.offset(batchNorm.gamma), betaAt: program.offset(batchNorm.beta), dresidual: dresidual,
          rectify: rectify, dinput: dinput, M: M, C: C, accumulate: accumulate))
      contribute(dinput, to: input)
      if let residual, let dresidual { contribute(dresidual, to: residual) }
    case .rectify(let input, let slope, let output):
      let dinput = program.value(like: input)
      program.operations.append(
        .rectifyBackward(
          doutput: doutput, output: output, slope: slope, dinput: dinput, count: program.counts[input.index]))
      contribute(dinput, to: input)
    case .bias(let input, let bias, let output):
      let (M, C) = size(output)
      program.operations.append(
        .biasBackward(doutput: doutput, biasAt: program.offset(bias), M: M, C: C, accumulate: accumulate))
      contribute(doutput, to: input)
    case .dropout(let input, let dropout, _):
      let (M, C) = size(input), dinput = program.value(like: input)
      program.operations.append(
        .dropout(
          input: doutput, dropout: dropout, output: dinput, B: graph.batch, M: M / graph.batch, C: C, peer: peer))
      contribute(dinput, to: input)
    case .flatten(let input, _):
      let (M, C) = size(input), dinput = program.value(like: input)
      program.operations.append(
        .flattenBackward(doutput: doutput, dinput: dinput, B: graph.batch, M: M / graph.batch, C: C))
      contribute(dinput, to: input)
    case .add(let a, let b, _):
      shared.insert(doutput)
      contribute(doutput, to: a)
      contribute(doutput, to: b)
    case .shortcut(let input, let kind, let output):
      let dinput = program.value(like: input)
      program.operations.append(
        .shortcutBackward(
          doutput: doutput, dinput: dinput, shape: graph[input], outputShape: graph[output], kind: kind))
      contribute(dinput, to: input)
    case .pool(let input, let window, let maximum, _):
      let dinput = program.value(like: input)
      program.operations.append(
        .poolBackward(
          window: window, doutput: doutput, input: input, dinput: dinput, maximum: maximum))
      contribute(dinput, to: input)
    case .globalAverage(let input, _):
      let shape = graph[input], dinput = program.value(like: input)
      program.operations.append(
        .globalAverageBackward(
          doutput: doutput, dinput: dinput, B: shape[0], M: shape[1] * shape[2], C: shape[3]))
      contribute(dinput, to: input)
    case .linear(let input, let weights, let bias, let output):
      let (M, N, K) = (graph[output][0], graph[output][1], graph[input][1])
      program.operations.append(
        .linearBackwardWeights(
          input: input, doutput: doutput, weightsAt: program.offset(weights), biasAt: program.offset(bias), M: M, N: N,
          K: K, accumulate: accumulate))
      guard learned.contains(input) else { return }
      let dinput = program.value(like: input)
      program.operations.append(
        .linearBackwardData(
          doutput: doutput, weightsAt: program.offset(weights), dinput: dinput, M: M, N: N, K: K))
      contribute(dinput, to: input)
    }
  }

  /// Adds `gradient` to what `value` has received so far.
  private mutating func contribute(_ gradient: Value, to value: Value) {
    guard learned.contains(value) else { return }
    guard let before = gradients[value] else {
      gradients[value] = gradient
      return
    }
    let sum = program.value(like: value)
    program.operations.append(.add(before, gradient, output: sum, count: program.counts[value.index]))
    gradients[value] = sum
  }
}
