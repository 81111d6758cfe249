import Compute

extension ReferenceDevice {
  func bind(_ convolve: Convolve, _ memory: ReferenceMemory) -> [Prepared] {
    let window = convolve.window, (output, parameters) = (memory[convolve.output], memory[.parameters])
    let weights = PackedWeights(window, at: convolve.weightsAt)
    let read = input(convolve.input, convolve.normalized, window, memory)
    let forward = Prepared {
      output.write(ReferenceMath.convolve(read(true), weights: parameters.weights(weights), window))
    }
    guard let taken = convolve.statistics else { return [forward] }
    return [forward, statistics(taken, of: output, M: window.B * window.P * window.Q, C: window.O, memory)]
  }

  /// Reads a convolution's input, or computes it by the batch norm above, and keeps it, where it is kept, if asked to.
  private func input(
    _ input: Value, _ layer: NormalizedInput?, _ window: Window, _ memory: ReferenceMemory
  ) -> (_ keep: Bool) -> [ReferenceNumber] {
    if let layer { return normalizedInput(layer, window, memory) }
    let input = memory[input]
    return { _ in input.numbers(count: window.inputCount) }
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
