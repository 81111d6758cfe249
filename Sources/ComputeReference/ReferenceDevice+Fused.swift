import Compute

/// A batch norm bound to its buffers, for the operations that compute it again.
private struct BoundLayer {
  let layer: NormalizedInput
  let input: ReferenceDevice.Buffer, mean: ReferenceDevice.Buffer, inverse: ReferenceDevice.Buffer
  let parameters: ReferenceDevice.Buffer
  let M: Int, C: Int

  init(_ layer: NormalizedInput, M: Int, C: Int, _ buffer: (Operand) -> ReferenceDevice.Buffer) {
    (self.layer, self.M, self.C) = (layer, M, C)
    (input, parameters) = (buffer(.value(layer.input)), buffer(.store(.parameters)))
    (mean, inverse) = (buffer(.value(layer.statistics.mean)), buffer(.value(layer.statistics.inverse)))
  }

  func normalized(residual: [ReferenceNumber]?, rectify: Bool) -> [ReferenceNumber] {
    ReferenceMath.normalize(
      input.numbers(count: M * C), mean: mean.numbers(count: C), inverse: inverse.numbers(count: C),
      gamma: parameters.numbers(at: layer.gammaAt, count: C), beta: parameters.numbers(at: layer.betaAt, count: C),
      residual: residual, rectify: rectify, M: M, C: C)
  }

  /// The gradient behind the ReLU, whose mask is read from the output where there is one.
  func masked(_ gradient: [ReferenceNumber], output: [ReferenceNumber]?) -> [ReferenceNumber] {
    guard layer.rectify else { return gradient }
    return ReferenceMath.rectifyBackward(gradient, output: output ?? normalized(residual: nil, rectify: false))
  }
}

// MARK: - The operations that `StepProgram.fused` makes of others

extension ReferenceDevice {
  func fused(_ operation: TensorOperation, _ buffer: (Operand) -> Buffer) -> [Prepared] {
    func value(_ value: Value) -> Buffer { buffer(.value(value)) }
    switch operation {
    case .normalizeBackwardSums(let doutput, let layer, let gradient, let sums, let M, let C, let accumulate):
      let (doutput, gradient) = (value(doutput), value(gradient))
      let take = backwardSums(
        NormalizedBelow(layer: layer, sums: sums, accumulate: accumulate), M: M, C: C, buffer)
      return [Prepared { gradient.write(take(doutput.numbers(count: M * C))) }]
    case .normalizeBackwardApply(let gradient, let M, let C):
      let compute = backwardApply(gradient, M: M, C: C, buffer)
      return [Prepared { _ = compute() }]
    case .convolveNormalized(let window, let input, let weightsAt, let output, let statistics):
      let (output, parameters) = (value(output), buffer(.store(.parameters)))
      let compute = normalizedInput(input, window, buffer)
      let convolve = Prepared {
        output.write(
          ReferenceMath.convolve(
            compute(true), weights: parameters.weights(PackedWeights(window, at: weightsAt)), window))
      }
      guard let statistics else { return [convolve] }
      let M = window.B * window.P * window.Q
      return [convolve, batchStatistics(output, M: M, C: window.O, statistics, buffer)]
    case .convolveBackwardDataNormalized(let window, let doutput, let weightsAt, let addend, let dinput, let below):
      let (dinput, parameters, addend) = (value(dinput), buffer(.store(.parameters)), addend.map(value))
      let gradient: () -> [ReferenceNumber]
      let count = window.B * window.P * window.Q
      switch doutput {
      case .value(let doutput):
        let doutput = value(doutput)
        gradient = { doutput.numbers(count: count * window.O) }
      case .normalized(let normalized): gradient = backwardApply(normalized, M: count, C: window.O, buffer)
      }
      let take = below.map { backwardSums($0, M: window.B * window.H * window.W, C: window.C, buffer) }
      return [
        Prepared {
          var result = ReferenceMath.convolveBackwardData(
            gradient(), weights: parameters.weights(PackedWeights(window, at: weightsAt)), window)
          if let addend { result = ReferenceMath.add(result, addend.numbers(count: result.count)) }
          dinput.write(take?(result) ?? result)
        }
      ]
    case .convolveBackwardWeightsNormalized(let window, let input, let doutput, let weightsAt, let accumulate):
      let (doutput, gradients) = (value(doutput), buffer(.store(.gradients)))
      let compute = normalizedInput(input, window, buffer)
      return [
        Prepared {
          let gradient = ReferenceMath.convolveBackwardWeights(
            doutput.numbers(count: window.B * window.P * window.Q * window.O), input: compute(false), window)
          gradients.write(gradient: gradient, of: PackedWeights(window, at: weightsAt), accumulate: accumulate)
        }
      ]
    default: preconditionFailure("\(operation.name) is not fused")
    }
  }

  /// Computes a convolution's input, and writes it, where it is kept, if it is asked to.
  private func normalizedInput(
    _ input: NormalizedInput, _ window: Window, _ buffer: (Operand) -> Buffer
  ) -> (_ keep: Bool) -> [ReferenceNumber] {
    let bound = BoundLayer(input, M: window.B * window.H * window.W, C: window.C, buffer)
    let residual = input.residual.map { buffer(.value($0)) }, output = input.output.map { buffer(.value($0)) }
    return { keep in
      let result = bound.normalized(
        residual: residual?.numbers(count: bound.M * bound.C), rectify: input.rectify)
      if keep { output?.write(result) }
      return result
    }
  }

  /// Masks a gradient, takes its sums, and gives it back.
  private func backwardSums(
    _ below: NormalizedBelow, M: Int, C: Int, _ buffer: (Operand) -> Buffer
  ) -> ([ReferenceNumber]) -> [ReferenceNumber] {
    let bound = BoundLayer(below.layer, M: M, C: C, buffer)
    let output = below.layer.output.map { buffer(.value($0)) }
    let sums = buffer(.value(below.sums)), gradients = buffer(.store(.gradients))
    return { doutput in
      let gradient = bound.masked(doutput, output: output?.numbers(count: M * C))
      let result = ReferenceMath.normalizeBackwardSums(
        gradient, input: bound.input.numbers(count: M * C), mean: bound.mean.numbers(count: C),
        inverse: bound.inverse.numbers(count: C), M: M, C: C)
      sums.write(result.means)
      sums.write(result.slopes, at: Parameter.padded(C))
      gradients.write(gradient: result.dgamma, at: below.layer.gammaAt, accumulate: below.accumulate)
      gradients.write(gradient: result.dbeta, at: below.layer.betaAt, accumulate: below.accumulate)
      return gradient
    }
  }

  /// Computes and writes the gradient of a batch norm's input.
  private func backwardApply(
    _ gradient: NormalizedGradient, M: Int, C: Int, _ buffer: (Operand) -> Buffer
  ) -> () -> [ReferenceNumber] {
    let (passed, input) = (buffer(.value(gradient.gradient)), buffer(.value(gradient.input)))
    let mean = buffer(.value(gradient.statistics.mean)), inverse = buffer(.value(gradient.statistics.inverse))
    let (sums, output) = (buffer(.value(gradient.sums)), buffer(.value(gradient.output)))
    let parameters = buffer(.store(.parameters))
    return {
      let result = ReferenceMath.normalizeBackwardApply(
        passed.numbers(count: M * C), input: input.numbers(count: M * C), mean: mean.numbers(count: C),
        inverse: inverse.numbers(count: C), gamma: parameters.numbers(at: gradient.gammaAt, count: C),
        means: sums.numbers(count: C), slopes: sums.numbers(at: Parameter.padded(C), count: C), M: M, C: C)
      output.write(result)
      return result
    }
  }
}
