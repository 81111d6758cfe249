extension StepProgram {
  /// The same step with batch norms taken into the convolutions beside them, where the device has such operations.
  ///
  /// A rewrite of the list of operations: the networks know nothing of it, and what is not supported stays as it was.
  ///
  /// - Forward: `normalize` moves into the first convolution that reads its result. The result is kept only if
  ///   somebody else reads it; the convolution's weight gradient and the ReLU's mask compute it again where that is
  ///   cheaper (no residual).
  /// - Backward: `normalizeBackward` is split. Its sums move into the convolution that writes the gradient of batch
  ///   norm's result, the rest into the convolution that reads the gradient of batch norm's input.
  ///
  /// - Parameter supports: whether the device has a fused operation.
  public func fused(where supports: (TensorOperation) -> Bool) -> StepProgram {
    withoutActuallyEscaping(supports) { supports in
      var fusion = Fusion(program: self, supports: supports)
      fusion.run()
      return fusion.program
    }
  }
}

/// One rewrite of one program.
private struct Fusion {
  var program: StepProgram
  let supports: (TensorOperation) -> Bool

  /// The batch norms that moved into the convolution that reads them, by their result.
  private var moved: [Value: NormalizedInput] = [:]

  init(program: StepProgram, supports: @escaping (TensorOperation) -> Bool) {
    self.program = program
    self.supports = supports
  }

  mutating func run() {
    forward()
    weightGradients()
    backward()
    dropUnread()
  }

  private var operations: [TensorOperation] {
    get { program.operations }
    set { program.operations = newValue }
  }

  /// The operations that read what the operation at `index` wrote into `value`: until somebody writes it anew, which
  /// the second pass of peer loss does.
  private func readers(of value: Value, writtenAt index: Int) -> [Int] {
    var found: [Int] = []
    for later in operations.indices where later > index {
      let (reads, writes) = operations[later].values
      if reads.contains(value) { found.append(later) }
      if writes.contains(value) { break }
    }
    return found
  }

  private func writer(of value: Value, before index: Int) -> Int? {
    operations[..<index].lastIndex { $0.values.writes.contains(value) }
  }

  // MARK: Forward

  private mutating func forward() {
    var index = 0
    while index < operations.count {
      if !moveIntoConvolution(at: index) { index += 1 }
    }
  }

  private mutating func moveIntoConvolution(at index: Int) -> Bool {
    guard
      case .normalize(
        let input, let statistics, let gammaAt, let betaAt, let residual, let rectify, let output, _, _) =
        operations[index],
      let first = readers(of: output, writtenAt: index).first,
      case .convolve(let window, output, let weightsAt, let result, let measured) = operations[first]
    else { return false }
    let layer = NormalizedInput(
      input: input, statistics: statistics, gammaAt: gammaAt, betaAt: betaAt, residual: residual, rectify: rectify,
      output: output)
    let fused = TensorOperation.convolveNormalized(
      window: window, input: layer, weightsAt: weightsAt, output: result, statistics: measured)
    guard supports(fused) else { return false }
    operations[first] = fused
    operations.remove(at: index)
    moved[output] = layer
    return true
  }

  // MARK: Backward

  /// The batch norm whose result is `output`, in a form that computes the result again where it can.
  private func recomputed(_ layer: NormalizedInput) -> NormalizedInput {
    var layer = layer
    if layer.residual == nil { layer.output = nil }
    return layer
  }

  private mutating func weightGradients() {
    for index in operations.indices {
      guard
        case .convolveBackwardWeights(let window, let input, let doutput, let weightsAt, let accumulate) =
          operations[index], let layer = moved[input], layer.residual == nil
      else { continue }
      let fused = TensorOperation.convolveBackwardWeightsNormalized(
        window: window, input: recomputed(layer), doutput: doutput, weightsAt: weightsAt, accumulate: accumulate)
      if supports(fused) { operations[index] = fused }
    }
  }

  private mutating func backward() {
    var index = 0
    while index < operations.count {
      // After a split, another operation may stand in this place.
      if !split(at: index) { index += 1 }
    }
  }

  /// Splits the batch norm's backward pass at `index` where at least one half finds a convolution to move into.
  private mutating func split(at index: Int) -> Bool {
    guard
      case .normalizeBackward(
        let doutput, let output, let input, let statistics, let gammaAt, let betaAt, let dresidual, let rectify,
        let dinput, let M, let C, let accumulate) = operations[index]
    else { return false }
    let layer = recomputed(
      NormalizedInput(
        input: input, statistics: statistics, gammaAt: gammaAt, betaAt: betaAt,
        // Only whether there was a residual matters here: where there was, the mask is read.
        residual: dresidual, rectify: rectify, output: output))
    let known = program.counts.count
    let sums = program.value(count: 2 * Parameter.padded(C))
    // The gradient behind the ReLU takes the place of doutput, unless that has other readers who want it unmasked.
    let inPlace = dresidual.map { $0 == doutput } ?? (!rectify || readers(of: doutput, writtenAt: index).isEmpty)
    let gradient = inPlace ? doutput : dresidual ?? program.value(like: doutput)

    // The second half, with the convolution that reads dinput. Who reads it before must come after, which only those
    // can who leave no value: gradients of weights. And nobody may change in between what the half reads.
    let normalized = NormalizedGradient(
      gradient: gradient, input: input, statistics: statistics, gammaAt: gammaAt, sums: sums, output: dinput)
    var upper: (index: Int, operation: TensorOperation)?
    let readers = readers(of: dinput, writtenAt: index)
    let early = readers.prefix { operations[$0].values.writes.isEmpty }
    if let reader = readers.dropFirst(early.count).first,
      case .convolveBackwardData(let window, dinput, let weightsAt, let addend, let result) = operations[reader],
      addend != dinput,
      operations[index + 1..<reader].allSatisfy({ Set($0.values.writes).isDisjoint(with: normalized.reads) })
    {
      let fused = TensorOperation.convolveBackwardDataNormalized(
        window: window, doutput: .normalized(normalized), weightsAt: weightsAt, addend: addend, dinput: result,
        below: nil)
      if supports(fused) { upper = (reader, fused) }
    }

    // The first half, with the convolution that writes doutput.
    var lower: (index: Int, operation: TensorOperation)?
    if inPlace, let writer = writer(of: doutput, before: index),
      self.readers(of: doutput, writtenAt: writer).first == index
    {
      let below = NormalizedBelow(layer: layer, sums: sums, accumulate: accumulate)
      let fused: TensorOperation? =
        switch operations[writer] {
        case .convolveBackwardData(let window, let from, let weightsAt, let addend, doutput):
          .convolveBackwardDataNormalized(
            window: window, doutput: .value(from), weightsAt: weightsAt, addend: addend, dinput: doutput, below: below)
        case .convolveBackwardDataNormalized(let window, let from, let weightsAt, let addend, doutput, nil):
          .convolveBackwardDataNormalized(
            window: window, doutput: from, weightsAt: weightsAt, addend: addend, dinput: doutput, below: below)
        default: nil
        }
      if let fused, supports(fused) { lower = (writer, fused) }
    }
    guard upper != nil || lower != nil else {
      program.forgetValues(from: known)
      return false
    }

    // From the back to the front, so that positions stay right.
    if let upper {
      operations[upper.index] = upper.operation
      // It writes dinput now: who reads it comes after.
      for reader in early.reversed() {
        operations.insert(operations.remove(at: reader), at: upper.index)
      }
    } else {
      operations.insert(.normalizeBackwardApply(normalized, M: M, C: C), at: index + 1)
    }
    if let lower {
      operations.remove(at: index)
      operations[lower.index] = lower.operation
    } else {
      operations[index] = .normalizeBackwardSums(
        doutput: doutput, layer: layer, gradient: gradient, sums: sums, M: M, C: C, accumulate: accumulate)
    }
    return true
  }

  // MARK: What nobody reads

  /// Results of batch norms that moved are not kept where nobody reads them any more.
  private mutating func dropUnread() {
    for index in operations.indices {
      guard
        case .convolveNormalized(let window, var input, let weightsAt, let output, let statistics) = operations[index],
        let kept = input.output, input.residual == nil, readers(of: kept, writtenAt: index).isEmpty
      else { continue }
      input.output = nil
      operations[index] = .convolveNormalized(
        window: window, input: input, weightsAt: weightsAt, output: output, statistics: statistics)
    }
  }
}
