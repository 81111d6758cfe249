import Compute

extension ReferenceDevice {
  func bind(_ convolve: Convolve, _ memory: ReferenceMemory) -> [Prepared] {
    let window = convolve.window, (output, parameters) = (memory[convolve.output], memory[.parameters])
    let weights = PackedWeights(window, at: convolve.weightsAt)
    let read = input(convolve.input, convolve.normalized, window, memory)
    let finish = finish(convolve.finished, M: window.B * window.P * window.Q, C: window.O, memory)
    let forward = Prepared {
      output.write(finish(ReferenceMath.convolve(read(true), weights: parameters.weights(weights), window)))
    }
    guard let taken = convolve.statistics else { return [forward] }
    return [
      forward, statistics(taken, of: output, isComputed: true, M: window.B * window.P * window.Q, C: window.O, memory),
    ]
  }

  /// Reads a convolution's input, or computes it by the batch norm above, and keeps it, where it is kept, if asked to.
  private func input(
    _ input: Value, _ layer: NormalizedInput?, _ window: Window, _ memory: ReferenceMemory
  ) -> (_ keep: Bool) -> [ReferenceNumber] {
    if let layer { return normalizedInput(layer, window, memory) }
    let input = memory[input]
    return { _ in input.numbers(count: window.inputCount) }
  }

  func bind(_ depthwise: Depthwise, _ memory: ReferenceMemory) -> Prepared {
    let window = depthwise.window, weights = PackedWeights(depthwise: window, at: depthwise.weightsAt)
    let (input, output, parameters) = (memory[depthwise.input], memory[depthwise.output], memory[.parameters])
    let finish = finish(depthwise.finished, M: window.B * window.P * window.Q, C: window.C, memory)
    return Prepared {
      let sums = ReferenceMath.depthwise(
        input.numbers(count: window.inputCount), weights: parameters.weights(weights), window)
      output.write(finish(sums))
    }
  }

  func bind(_ backward: DepthwiseBackwardData, _ memory: ReferenceMemory) -> Prepared {
    let window = backward.window, weights = PackedWeights(depthwise: window, at: backward.weightsAt)
    let (doutput, dinput, parameters) = (memory[backward.doutput], memory[backward.dinput], memory[.parameters])
    return Prepared {
      dinput.write(
        ReferenceMath.depthwiseBackwardData(
          doutput.numbers(count: window.outputCount), weights: parameters.weights(weights), window))
    }
  }

  func bind(_ backward: DepthwiseBackwardWeights, _ memory: ReferenceMemory) -> Prepared {
    let window = backward.window, weights = PackedWeights(depthwise: window, at: backward.weightsAt)
    let (input, doutput, gradients) = (memory[backward.input], memory[backward.doutput], memory[.gradients])
    return Prepared {
      let gradient = ReferenceMath.depthwiseBackwardWeights(
        doutput.numbers(count: window.outputCount), input: input.numbers(count: window.inputCount), window)
      gradients.write(gradient: gradient, of: weights, accumulate: backward.accumulate)
    }
  }

  func bind(_ backward: ConvolveBackwardData, _ memory: ReferenceMemory) -> Prepared {
    let window = backward.window, M = window.B * window.P * window.Q
    let (doutput, dinput, parameters) = (memory[backward.doutput], memory[backward.dinput], memory[.parameters])
    let addend = memory[backward.addend], weights = PackedWeights(window, at: backward.weightsAt)
    let apply = backward.above.map { backwardApply($0, M: M, C: window.O, memory) }
    let take = backward.below.map { backwardSums($0, M: window.B * window.H * window.W, C: window.C, memory) }
    return Prepared {
      var result = ReferenceMath.convolveBackwardData(
        apply?() ?? doutput.numbers(count: M * window.O), weights: parameters.weights(weights), window)
      if let addend { result = ReferenceMath.add(result, addend.numbers(count: result.count)) }
      dinput.write(take?(result) ?? result)
    }
  }

  func bind(_ backward: ConvolveBackwardWeights, _ memory: ReferenceMemory) -> Prepared {
    let window = backward.window, (doutput, gradients) = (memory[backward.doutput], memory[.gradients])
    let read = input(backward.input, backward.normalized, window, memory)
    return Prepared {
      let gradient = ReferenceMath.convolveBackwardWeights(
        doutput.numbers(count: window.outputCount), input: read(false), window)
      gradients.write(
        gradient: gradient, of: PackedWeights(window, at: backward.weightsAt), accumulate: backward.accumulate)
    }
  }
}
