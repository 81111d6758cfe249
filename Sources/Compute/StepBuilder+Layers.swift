/// Forward and backward, layer by layer.
extension StepBuilder {
  private func size(_ value: Value) -> (M: Int, C: Int) {
    let shape = graph[value]
    return (shape.dropLast().reduce(1, *), shape[shape.count - 1])
  }

  /// Images, pixels of each, and channels.
  private func images(_ value: Value) -> (B: Int, M: Int, C: Int) {
    let (M, C) = size(value)
    return (graph.batch, M / graph.batch, C)
  }

  private mutating func statistics(of batchNorm: BatchNorm, C: Int) -> BatchStatistics {
    if let known = statistics[batchNorm] { return known }
    let running = graph.running.entries
    let made = BatchStatistics(
      mean: program.value(count: Parameter.padded(C)), inverse: program.value(count: Parameter.padded(C)),
      runningMean: running[batchNorm.runningMean].offset, runningVariance: running[batchNorm.runningVariance].offset,
      epsilon: batchNorm.epsilon, isConstant: keepsStatistics)
    statistics[batchNorm] = made
    return made
  }

  mutating func forward(_ layer: Graph.Layer, training: Bool, peer: Bool) {
    switch layer {
    case .convolve(let input, let weights, let window, let output):
      append(.convolve(Convolve(window: window, input: input, weightsAt: program.offset(weights), output: output)))
    case .depthwise(let input, let weights, let window, let output):
      append(.depthwise(Depthwise(window: window, input: input, weightsAt: program.offset(weights), output: output)))
    case .normalize(let input, let batchNorm, let residual, let rectify, let limit, let output):
      let (M, C) = size(input)
      let statistics = statistics(of: batchNorm, C: C)
      if training {
        takeStatistics(of: input, statistics)
      } else {
        append(.inferenceStatistics(TakeRunningStatistics(C: C, statistics: statistics)))
      }
      append(
        .normalize(
          Normalize(
            M: M, C: C, input: input, statistics: statistics, gammaAt: program.offset(batchNorm.gamma),
            betaAt: program.offset(batchNorm.beta), residual: residual, rectify: rectify, limit: limit,
            output: output)))
    case .rectify(let input, let slope, let limit, let output):
      append(
        .rectify(
          Rectify(count: program.counts[input.index], input: input, output: output, slope: slope, limit: limit)))
    case .bias(let input, let bias, let output):
      let (M, C) = size(input)
      append(.bias(AddBias(M: M, C: C, input: input, biasAt: program.offset(bias), output: output)))
    case .dropout(let input, let dropout, let output):
      let (B, M, C) = images(input)
      append(.dropout(ApplyDropout(B: B, M: M, C: C, input: input, output: output, dropout: dropout, peer: peer)))
    case .flatten(let input, let output):
      let (B, M, C) = images(input)
      append(.flatten(Flatten(B: B, M: M, C: C, input: input, output: output)))
    case .add(let a, let b, let output):
      append(.add(Add(count: program.counts[a.index], a: a, b: b, output: output)))
    case .shortcut(let input, let kind, let output):
      append(
        .shortcut(
          ApplyShortcut(shape: graph[input], outputShape: graph[output], kind: kind, input: input, output: output)))
    case .pool(let input, let window, let maximum, let output):
      append(.pool(Pool(window: window, input: input, output: output, maximum: maximum)))
    case .globalAverage(let input, let output):
      let (B, M, C) = images(input)
      append(.globalAverage(GlobalAverage(B: B, M: M, C: C, input: input, output: output)))
    case .linear(let input, let weights, let bias, let output):
      append(
        .linear(
          Linear(
            M: graph[output][0], N: graph[output][1], K: graph[input][1], input: input,
            weightsAt: program.offset(weights), biasAt: program.offset(bias), output: output)))
    }
  }

  /// The statistics of `input`: in the convolution that has just written it, where the device can.
  private mutating func takeStatistics(of input: Value, _ statistics: BatchStatistics) {
    if forms.contains(.convolveWithStatistics),
      let index = program.operations.lastIndex(where: { $0.values.writes.contains(input) }),
      case .convolve(var convolve) = program.operations[index], convolve.statistics == nil
    {
      convolve.statistics = statistics
      program.operations[index] = .convolve(convolve)
    } else {
      let (M, C) = size(input)
      append(.batchStatistics(TakeBatchStatistics(M: M, C: C, input: input, statistics: statistics)))
    }
  }

  mutating func backward(_ layer: Graph.Layer, accumulate: Bool, peer: Bool) {
    guard let doutput = gradients[layer.output] else { return }  // nothing depends on this layer
    switch layer {
    case .convolve(let input, let weights, let window, _):
      let at = program.offset(weights)
      append(
        .convolveBackwardWeights(
          ConvolveBackwardWeights(
            window: window, input: input, doutput: doutput, weightsAt: at, accumulate: accumulate)))
      guard learned.contains(input) else { return }
      // What other layers contributed is added in the same pass; into a new value, since theirs may have other readers.
      let addend = gradients[input]
      let dinput = program.value(like: input)
      append(
        .convolveBackwardData(
          ConvolveBackwardData(window: window, doutput: doutput, weightsAt: at, addend: addend, dinput: dinput)))
      gradients[input] = dinput
    case .depthwise(let input, let weights, let window, _):
      let at = program.offset(weights)
      append(
        .depthwiseBackwardWeights(
          DepthwiseBackwardWeights(
            window: window, input: input, doutput: doutput, weightsAt: at, accumulate: accumulate)))
      guard learned.contains(input) else { return }
      let dinput = program.value(like: input)
      append(
        .depthwiseBackwardData(
          DepthwiseBackwardData(window: window, doutput: doutput, weightsAt: at, dinput: dinput)))
      contribute(dinput, to: input)
    case .normalize(let input, let batchNorm, let residual, let rectify, let limit, let output):
      let (M, C) = size(input)
      let dinput = program.value(like: input)
      var dresidual: Value?
      if residual != nil {
        dresidual = shared.contains(doutput) ? program.value(like: doutput) : doutput
      }
      append(
        .normalizeBackward(
          NormalizeBackward(
            M: M, C: C, doutput: doutput, output: output, input: input, statistics: statistics(of: batchNorm, C: C),
            gammaAt: program.offset(batchNorm.gamma), betaAt: program.offset(batchNorm.beta), rectify: rectify,
            limit: limit, dinput: dinput, dresidual: dresidual, accumulate: accumulate)))
      contribute(dinput, to: input)
      if let residual, let dresidual { contribute(dresidual, to: residual) }
    case .rectify(let input, let slope, let limit, let output):
      let dinput = program.value(like: input), count = program.counts[input.index]
      append(
        .rectifyBackward(
          RectifyBackward(
            count: count, doutput: doutput, output: output, dinput: dinput, slope: slope, limit: limit)))
      contribute(dinput, to: input)
    case .bias(let input, let bias, let output):
      let (M, C) = size(output), at = program.offset(bias)
      append(.biasBackward(AddBiasBackward(M: M, C: C, doutput: doutput, biasAt: at, accumulate: accumulate)))
      contribute(doutput, to: input)
    case .dropout(let input, let dropout, _):
      let (B, M, C) = images(input), dinput = program.value(like: input)
      append(.dropout(ApplyDropout(B: B, M: M, C: C, input: doutput, output: dinput, dropout: dropout, peer: peer)))
      contribute(dinput, to: input)
    case .flatten(let input, _):
      let (B, M, C) = images(input), dinput = program.value(like: input)
      append(.flattenBackward(FlattenBackward(B: B, M: M, C: C, doutput: doutput, dinput: dinput)))
      contribute(dinput, to: input)
    case .add(let a, let b, _):
      shared.insert(doutput)
      contribute(doutput, to: a)
      contribute(doutput, to: b)
    case .shortcut(let input, let kind, let output):
      let dinput = program.value(like: input)
      append(
        .shortcutBackward(
          ApplyShortcutBackward(
            shape: graph[input], outputShape: graph[output], kind: kind, doutput: doutput, dinput: dinput)))
      contribute(dinput, to: input)
    case .pool(let input, let window, let maximum, _):
      let dinput = program.value(like: input)
      append(
        .poolBackward(PoolBackward(window: window, doutput: doutput, input: input, dinput: dinput, maximum: maximum)))
      contribute(dinput, to: input)
    case .globalAverage(let input, _):
      let (B, M, C) = images(input), dinput = program.value(like: input)
      append(.globalAverageBackward(GlobalAverageBackward(B: B, M: M, C: C, doutput: doutput, dinput: dinput)))
      contribute(dinput, to: input)
    case .linear(let input, let weights, let bias, let output):
      let (M, N, K) = (graph[output][0], graph[output][1], graph[input][1]), at = program.offset(weights)
      append(
        .linearBackwardWeights(
          LinearBackwardWeights(
            M: M, N: N, K: K, input: input, doutput: doutput, weightsAt: at, biasAt: program.offset(bias),
            accumulate: accumulate)))
      guard learned.contains(input) else { return }
      let dinput = program.value(like: input)
      append(
        .linearBackwardData(LinearBackwardData(M: M, N: N, K: K, doutput: doutput, weightsAt: at, dinput: dinput)))
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
    append(.add(Add(count: program.counts[value.index], a: before, b: gradient, output: sum)))
    gradients[value] = sum
  }
}
