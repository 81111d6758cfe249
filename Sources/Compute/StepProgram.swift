/// The ordered operations of one step, and the shapes of all values that they pass on: what a plan is made from.
public struct StepProgram: Sendable {
  /// The operations in order.
  public internal(set) var operations: [TensorOperation] = []
  /// Numbers of each value, by its index.
  public private(set) var counts: [Int]
  /// How each value is stored, by its index.
  public private(set) var formats: [NumberFormat]
  /// The network's result, `[B, K]`.
  public let logits: Value
  /// B and K.
  public let batch: Int, classes: Int
  let graph: Graph

  init(_ graph: Graph, _ precision: Precision) {
    self.graph = graph
    counts = graph.shapes.map { $0.reduce(1, *) }
    formats = graph.shapes.map { $0.count == 4 ? precision.activations : .float32 }
    logits = graph.logits
    batch = graph.batch
    classes = graph[graph.logits][1]
  }

  mutating func value(count: Int, _ format: NumberFormat = .float32) -> Value {
    counts.append(count)
    formats.append(format)
    return Value(index: counts.count - 1)
  }

  /// Forgets values that no operation has come to use.
  mutating func forgetValues(from index: Int) {
    counts.removeSubrange(index...)
    formats.removeSubrange(index...)
  }

  /// A value of the same size and format, such as another's gradient.
  mutating func value(like other: Value) -> Value { value(count: counts[other.index], formats[other.index]) }

  /// How the activations of an operation are stored: all its values of four dimensions alike.
  func format(of operation: TensorOperation) -> NumberFormat {
    operation.activations.first.map { formats[$0.index] } ?? .float32
  }

  func offset(_ parameter: Int) -> Int { graph.parameters.entries[parameter].offset }
}

extension StepProgram {
  /// One training step: gather, forward, loss, backward, update.
  ///
  /// - Parameters:
  ///   - peer: adds a second pass over the peer samples of peer loss, whose gradients are added to the first's.
  ///   - weighted: samples count by `Store.sampleWeights`, not alike; not with peer samples.
  ///   - clip: scales gradients down to the norm that the step's numbers give.
  public static func training(
    _ graph: Graph, forms: Set<FusedForm>, precision: Precision = .fp32, augmentation: Augmentation, loss: RowFunction,
    peer: Bool, weighted: Bool = false, clip: Bool
  ) -> StepProgram {
    precondition(!peer || !weighted, "the peer pass has other samples than the weights are for")
    var program = StepProgram(graph.fused(for: forms), precision)
    var builder = PassBuilder(program: program, forms: forms)
    for pass in peer ? [false, true] : [false] {
      builder.program.operations.append(
        .augment(
          output: graph.images, shape: graph[graph.images], augmentation: augmentation, peer: pass))
      builder.forward(training: true, peer: pass)
      builder.backward(loss: loss, peer: pass, weighted: weighted)
    }
    program = builder.program
    program.operations.append(.update(count: graph.parameters.packedCount, clip: clip))
    program.operations.append(.advance(B: graph.batch))
    return program
  }

  /// One batch of evaluation with running statistics: gather without augmentation, forward, per-sample results.
  public static func evaluation(
    _ graph: Graph, forms: Set<FusedForm>, precision: Precision = .fp32
  ) -> StepProgram {
    let program = StepProgram(graph.withoutDropout().fused(for: forms), precision)
    var builder = PassBuilder(program: program, forms: forms)
    builder.program.operations.append(
      .augment(
        output: graph.images, shape: graph[graph.images], augmentation: Augmentation(crop: 0, flip: false), peer: false)
    )
    builder.forward(training: false, peer: false)
    let scratch = builder.program.value(count: program.batch * program.classes)
    builder.program.operations += [
      .evaluate(logits: program.logits, scratch: scratch, B: program.batch, K: program.classes),
      .advance(B: program.batch),
    ]
    return builder.program
  }
}

/// Writes the operations of one pass, forward and then backward, into a program.
private struct PassBuilder {
  var program: StepProgram
  let forms: Set<FusedForm>
  /// The batch statistics by the batch norm that they belong to.
  private var statistics: [BatchNorm: BatchStatistics] = [:]
  /// The gradient of each value, once something has contributed to it.
  private var gradients: [Value: Value] = [:]
  /// Gradients that stand for several values, and therefore must not be changed in place.
  private var shared: Set<Value> = []

  /// The values that depend on parameters; the others need no gradient.
  private var learned: Set<Value> = []

  init(program: StepProgram, forms: Set<FusedForm>) {
    self.program = program
    self.forms = forms
    for layer in graph.layers where layer.hasParameters || !learned.isDisjoint(with: layer.inputs) {
      learned.insert(layer.output)
    }
  }

  private var graph: Graph { program.graph }

  private func rows(_ value: Value) -> (M: Int, C: Int) {
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

  // MARK: Forward

  mutating func forward(training: Bool, peer: Bool) {
    for layer in graph.layers { forward(layer, training: training, peer: peer) }
  }

  private mutating func forward(_ layer: Graph.Layer, training: Bool, peer: Bool) {
    switch layer {
    case .convolve(let input, let weights, let window, let output):
      program.operations.append(
        .convolve(
          window: window, input: input, weightsAt: program.offset(weights), output: output, statistics: nil))
    case .normalize(let input, let batchNorm, let residual, let rectify, let output):
      let (M, C) = rows(input)
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
      let (M, C) = rows(input)
      program.operations.append(.bias(input: input, biasAt: program.offset(bias), output: output, M: M, C: C))
    case .dropout(let input, let dropout, let output):
      let (M, C) = rows(input)
      program.operations.append(
        .dropout(
          input: input, dropout: dropout, output: output, B: graph.batch, M: M / graph.batch, C: C, peer: peer))
    case .flatten(let input, let output):
      let (M, C) = rows(input)
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

  // MARK: Backward

  mutating func backward(loss: RowFunction, peer: Bool, weighted: Bool) {
    gradients = [:]
    shared = []
    let dlogits = program.value(like: program.logits)
    program.operations.append(
      .loss(
        loss, logits: program.logits, dlogits: dlogits, B: program.batch, K: program.classes, peer: peer))
    if weighted { program.operations.append(.weigh(dlogits: dlogits, B: program.batch, K: program.classes)) }
    gradients[program.logits] = dlogits
    // The peer pass comes second: it adds to the gradients that the first pass has written.
    for layer in graph.layers.reversed() { backward(layer, accumulate: peer, peer: peer) }
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
      let (M, C) = rows(input)
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
      let (M, C) = rows(output)
      program.operations.append(
        .biasBackward(doutput: doutput, biasAt: program.offset(bias), M: M, C: C, accumulate: accumulate))
      contribute(doutput, to: input)
    case .dropout(let input, let dropout, _):
      let (M, C) = rows(input), dinput = program.value(like: input)
      program.operations.append(
        .dropout(
          input: doutput, dropout: dropout, output: dinput, B: graph.batch, M: M / graph.batch, C: C, peer: peer))
      contribute(dinput, to: input)
    case .flatten(let input, _):
      let (M, C) = rows(input), dinput = program.value(like: input)
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
