import Compute

/// A batch norm bound to its buffers.
private struct BoundNormalization {
  let input: ReferenceDevice.Buffer, mean: ReferenceDevice.Buffer, inverse: ReferenceDevice.Buffer
  let parameters: ReferenceDevice.Buffer
  let gammaAt: Int, betaAt: Int?, isConstant: Bool
  let M: Int, C: Int

  /// - Parameter betaAt: nil where only the gradient of the input is asked for.
  init(
    _ input: Value, _ statistics: BatchStatistics, gammaAt: Int, betaAt: Int?, M: Int, C: Int,
    _ memory: ReferenceMemory
  ) {
    (self.input, parameters) = (memory[input], memory[.parameters])
    (mean, inverse) = (memory[statistics.mean], memory[statistics.inverse])
    (self.gammaAt, self.betaAt, self.M, self.C) = (gammaAt, betaAt, M, C)
    isConstant = statistics.isConstant
  }

  init(_ layer: NormalizedInput, M: Int, C: Int, _ memory: ReferenceMemory) {
    self.init(layer.input, layer.statistics, gammaAt: layer.gammaAt, betaAt: layer.betaAt, M: M, C: C, memory)
  }

  var numbers: ReferenceMath.Normalization {
    ReferenceMath.Normalization(
      mean: mean.numbers(count: C), inverse: inverse.numbers(count: C),
      gamma: parameters.numbers(at: gammaAt, count: C),
      beta: betaAt.map { parameters.numbers(at: $0, count: C) } ?? [], isConstant: isConstant)
  }

  func normalized(
    residual: [ReferenceNumber]? = nil, rectify: Bool = false, limit: Float = .infinity
  ) -> [ReferenceNumber] {
    ReferenceMath.normalize(
      input.numbers(count: M * C), by: numbers, residual: residual, rectify: rectify, limit: limit)
  }
}

extension ReferenceDevice {
  /// - Parameter isComputed: whether the input is what the same operation has just computed. Where few pixels differ by
  ///   little, its own rounding is most of the error of their deviation.
  func statistics(
    _ statistics: BatchStatistics, of input: Buffer, isComputed: Bool = false, M: Int, C: Int,
    _ memory: ReferenceMemory
  ) -> Prepared {
    let (mean, inverse, running) = (memory[statistics.mean], memory[statistics.inverse], memory[.running])
    return Prepared {
      let numbers = isComputed ? input.computedNumbers(count: M * C) : input.numbers(count: M * C)
      let batch = ReferenceMath.batchStatistics(numbers, M: M, C: C)
      let moved = ReferenceMath.movedStatistics(
        runningMean: running.numbers(at: statistics.runningMean, count: C),
        runningVariance: running.numbers(at: statistics.runningVariance, count: C),
        mean: batch.mean, variance: batch.variance, M: M)
      mean.write(batch.mean)
      inverse.write(ReferenceMath.inverseDeviation(batch.variance, epsilon: statistics.epsilon))
      running.write(moved.mean, at: statistics.runningMean)
      running.write(moved.variance, at: statistics.runningVariance)
    }
  }

  func bind(_ take: TakeRunningStatistics, _ memory: ReferenceMemory) -> Prepared {
    let (statistics, C) = (take.statistics, take.C), running = memory[.running]
    let (mean, inverse) = (memory[statistics.mean], memory[statistics.inverse])
    return Prepared {
      mean.write(running.numbers(at: statistics.runningMean, count: C))
      inverse.write(
        ReferenceMath.inverseDeviation(
          running.numbers(at: statistics.runningVariance, count: C), epsilon: statistics.epsilon))
    }
  }

  func bind(_ normalize: Normalize, _ memory: ReferenceMemory) -> Prepared {
    let (M, C) = (normalize.M, normalize.C), residual = memory[normalize.residual], output = memory[normalize.output]
    let norm = BoundNormalization(
      normalize.input, normalize.statistics, gammaAt: normalize.gammaAt, betaAt: normalize.betaAt, M: M, C: C, memory)
    return Prepared {
      output.write(
        norm.normalized(
          residual: residual?.numbers(count: M * C), rectify: normalize.rectify, limit: normalize.limit))
    }
  }

  func bind(_ backward: NormalizeBackward, _ memory: ReferenceMemory) -> Prepared {
    let (M, C) = (backward.M, backward.C), gradients = memory[.gradients]
    let (doutput, output) = (memory[backward.doutput], memory[backward.output])
    let (dinput, dresidual) = (memory[backward.dinput], memory[backward.dresidual])
    let norm = BoundNormalization(
      backward.input, backward.statistics, gammaAt: backward.gammaAt, betaAt: nil, M: M, C: C, memory)
    return Prepared {
      let result = ReferenceMath.normalizeBackward(
        doutput.numbers(count: M * C), output: backward.rectify ? output.numbers(count: M * C) : [],
        input: norm.input.numbers(count: M * C), by: norm.numbers, rectify: backward.rectify,
        limit: backward.limit)
      dinput.write(result.dinput)
      dresidual?.write(result.dresidual)
      gradients.write(gradient: result.dgamma, at: backward.gammaAt, accumulate: backward.accumulate)
      gradients.write(gradient: result.dbeta, at: backward.betaAt, accumulate: backward.accumulate)
    }
  }

  // MARK: What convolutions compute of the batch norms beside them

  /// Puts a convolution's sums through the batch norm that follows, if there is one.
  func finish(
    _ layer: NormalizedOutput?, M: Int, C: Int, _ memory: ReferenceMemory
  ) -> ([ReferenceNumber]) -> [ReferenceNumber] {
    guard let layer else { return { $0 } }
    let (mean, inverse) = (memory[layer.statistics.mean], memory[layer.statistics.inverse])
    let parameters = memory[.parameters], residual = memory[layer.residual]
    return { sums in
      let norm = ReferenceMath.Normalization(
        mean: mean.numbers(count: C), inverse: inverse.numbers(count: C),
        gamma: parameters.numbers(at: layer.gammaAt, count: C), beta: parameters.numbers(at: layer.betaAt, count: C))
      return ReferenceMath.normalize(
        sums, by: norm, residual: residual?.numbers(count: M * C), rectify: layer.rectify, limit: layer.limit)
    }
  }

  func bind(_ sums: NormalizeBackwardSums, _ memory: ReferenceMemory) -> Prepared {
    let (doutput, gradient) = (memory[sums.doutput], memory[sums.gradient]), count = sums.M * sums.C
    let take = backwardSums(sums.below, M: sums.M, C: sums.C, memory)
    return Prepared { gradient.write(take(doutput.numbers(count: count))) }
  }

  func bind(_ apply: NormalizeBackwardApply, _ memory: ReferenceMemory) -> Prepared {
    let compute = backwardApply(apply.gradient, M: apply.M, C: apply.C, memory)
    return Prepared { _ = compute() }
  }

  /// Computes a convolution's input, and writes it, where it is kept, if it is asked to.
  func normalizedInput(
    _ input: NormalizedInput, _ window: Window, _ memory: ReferenceMemory
  ) -> (_ keep: Bool) -> [ReferenceNumber] {
    let norm = BoundNormalization(input, M: window.B * window.H * window.W, C: window.C, memory)
    let (residual, output) = (memory[input.residual], memory[input.output])
    return { keep in
      let result = norm.normalized(residual: residual?.numbers(count: norm.M * norm.C), rectify: input.rectify)
      if keep { output?.write(result) }
      return result
    }
  }

  /// Masks a gradient, takes its sums, and gives it back.
  func backwardSums(
    _ below: NormalizedBelow, M: Int, C: Int, _ memory: ReferenceMemory
  ) -> ([ReferenceNumber]) -> [ReferenceNumber] {
    let layer = below.layer, norm = BoundNormalization(layer, M: M, C: C, memory)
    let output = memory[layer.output], sums = memory[below.sums], gradients = memory[.gradients]
    return { doutput in
      // The mask is read from the output where there is one.
      let gradient =
        layer.rectify
        ? ReferenceMath.rectifyBackward(doutput, output: output?.numbers(count: M * C) ?? norm.normalized()) : doutput
      let result = ReferenceMath.normalizeBackwardSums(
        gradient, input: norm.input.numbers(count: M * C), by: norm.numbers)
      sums.write(result.means)
      sums.write(result.slopes, at: Parameter.padded(C))
      gradients.write(gradient: result.dgamma, at: layer.gammaAt, accumulate: below.accumulate)
      gradients.write(gradient: result.dbeta, at: layer.betaAt, accumulate: below.accumulate)
      return gradient
    }
  }

  /// Computes and writes the gradient of a batch norm's input.
  func backwardApply(
    _ gradient: NormalizedGradient, M: Int, C: Int, _ memory: ReferenceMemory
  ) -> () -> [ReferenceNumber] {
    let (passed, sums, output) = (memory[gradient.gradient], memory[gradient.sums], memory[gradient.output])
    let norm = BoundNormalization(
      gradient.input, gradient.statistics, gammaAt: gradient.gammaAt, betaAt: nil, M: M, C: C, memory)
    return {
      let result = ReferenceMath.normalizeBackwardApply(
        passed.numbers(count: M * C), input: norm.input.numbers(count: M * C), by: norm.numbers,
        means: sums.numbers(count: C), slopes: sums.numbers(at: Parameter.padded(C), count: C))
      output.write(result)
      return result
    }
  }
}
