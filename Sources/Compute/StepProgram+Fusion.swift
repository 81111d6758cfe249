extension StepProgram {
  /// The same step with batch norms taken into the convolutions beside them, where the device has such operations.
  ///
  /// A rewrite of the list of operations: the networks know nothing of it, and what is not supported stays as it was.
  ///
  /// - Evaluation: `normalize` with running statistics moves into the convolution that writes its input.
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
    evaluation()
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

  // MARK: Evaluation

  /// Moves batch norms with running statistics into the convolutions before them.
  private mutating func evaluation() {
    let running = Set(
      operations.compactMap { operation -> Value? in
        guard case .inferenceStatistics(let take) = operation else { return nil }
        return take.statistics.mean
      })
    guard !running.isEmpty else { return }
    var index = 0
    while index < operations.count {
      if case .normalize(let normalize) = operations[index], running.contains(normalize.statistics.mean),
        let writer = writer(of: normalize.input, before: index),
        readers(of: normalize.input, writtenAt: writer) == [index],
        let fused = finishing(operations[writer], normalize), supports(fused)
      {
        // Here, where its statistics and residual are there; nobody has read what it wrote before.
        operations[index] = fused
        operations.remove(at: writer)
      } else {
        index += 1
      }
    }
  }

  private func finishing(_ operation: TensorOperation, _ normalize: Normalize) -> TensorOperation? {
    if case .convolve(let convolve) = operation, !convolve.isFused, convolve.statistics == nil {
      return .convolve(convolve.finishing(normalize))
    }
    if case .depthwise(let depthwise) = operation, !depthwise.isFused {
      return .depthwise(depthwise.finishing(normalize))
    }
    return nil
  }

  // MARK: Forward

  private mutating func forward() {
    var index = 0
    while index < operations.count {
      if !moveIntoConvolution(at: index) { index += 1 }
    }
  }

  private mutating func moveIntoConvolution(at index: Int) -> Bool {
    guard case .normalize(let normalize) = operations[index], normalize.limit == .infinity,
      let first = readers(of: normalize.output, writtenAt: index).first,
      case .convolve(let convolve) = operations[first], !convolve.isFused, convolve.input == normalize.output
    else { return false }
    let layer = NormalizedInput(normalize), fused = TensorOperation.convolve(convolve.normalizing(layer))
    guard supports(fused) else { return false }
    operations[first] = fused
    operations.remove(at: index)
    moved[normalize.output] = layer
    return true
  }

  // MARK: Backward

  private mutating func weightGradients() {
    for index in operations.indices {
      guard case .convolveBackwardWeights(let backward) = operations[index], let layer = moved[backward.input],
        layer.residual == nil
      else { continue }
      let fused = TensorOperation.convolveBackwardWeights(backward.normalizing(layer.recomputed))
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
    guard case .normalizeBackward(let backward) = operations[index], backward.limit == .infinity else { return false }
    let (M, C, doutput) = (backward.M, backward.C, backward.doutput), known = program.counts.count
    let sums = program.value(count: 2 * Parameter.padded(C))
    // The gradient behind the ReLU takes the place of doutput, unless that has other readers who want it unmasked.
    let inPlace =
      backward.dresidual.map { $0 == doutput } ?? (!backward.rectify || readers(of: doutput, writtenAt: index).isEmpty)
    let gradient = inPlace ? doutput : backward.dresidual ?? program.value(like: doutput)
    let above = NormalizedGradient(
      gradient: gradient, input: backward.input, statistics: backward.statistics, gammaAt: backward.gammaAt,
      sums: sums, output: backward.dinput)
    let below = NormalizedBelow(layer: NormalizedInput(backward), sums: sums, accumulate: backward.accumulate)

    let upper = upperHalf(above, splitAt: index)
    let lower = inPlace ? lowerHalf(below, of: doutput, splitAt: index) : nil
    guard upper != nil || lower != nil else {
      program.forgetValues(from: known)
      return false
    }

    // From the back to the front, so that positions stay right.
    if let upper {
      operations[upper.index] = upper.operation
      // It writes dinput now: who reads it comes after.
      for reader in upper.early.reversed() {
        operations.insert(operations.remove(at: reader), at: upper.index)
      }
    } else {
      operations.insert(.normalizeBackwardApply(NormalizeBackwardApply(M: M, C: C, gradient: above)), at: index + 1)
    }
    if let lower {
      operations.remove(at: index)
      operations[lower.index] = lower.operation
    } else {
      operations[index] = .normalizeBackwardSums(
        NormalizeBackwardSums(M: M, C: C, doutput: doutput, gradient: gradient, below: below))
    }
    return true
  }

  /// The second half, with the convolution that reads dinput.
  ///
  /// Who reads it before (`early`) must come after, which only those can who leave no value: gradients of weights. And
  /// nobody may change in between what the half reads.
  private func upperHalf(
    _ above: NormalizedGradient, splitAt index: Int
  ) -> (index: Int, operation: TensorOperation, early: [Int])? {
    let dinput = above.output, readers = readers(of: dinput, writtenAt: index)
    let early = Array(readers.prefix { operations[$0].values.writes.isEmpty })
    guard let reader = readers.dropFirst(early.count).first,
      case .convolveBackwardData(let convolve) = operations[reader], !convolve.isFused, convolve.doutput == dinput,
      convolve.addend != dinput,
      operations[index + 1..<reader].allSatisfy({ Set($0.values.writes).isDisjoint(with: above.reads) })
    else { return nil }
    let fused = TensorOperation.convolveBackwardData(convolve.normalizing(above))
    return supports(fused) ? (reader, fused, early) : nil
  }

  /// The first half, with the convolution that writes doutput.
  private func lowerHalf(
    _ below: NormalizedBelow, of doutput: Value, splitAt index: Int
  ) -> (index: Int, operation: TensorOperation)? {
    guard let writer = writer(of: doutput, before: index), readers(of: doutput, writtenAt: writer).first == index,
      case .convolveBackwardData(let convolve) = operations[writer], convolve.below == nil, convolve.dinput == doutput
    else { return nil }
    let fused = TensorOperation.convolveBackwardData(convolve.summing(below))
    return supports(fused) ? (writer, fused) : nil
  }

  // MARK: What nobody reads

  /// Results of batch norms that moved are not kept where nobody reads them any more.
  private mutating func dropUnread() {
    for index in operations.indices {
      guard case .convolve(var convolve) = operations[index], let kept = convolve.normalized?.output,
        convolve.normalized?.residual == nil, readers(of: kept, writtenAt: index).isEmpty
      else { continue }
      convolve.normalized?.output = nil
      operations[index] = .convolve(convolve)
    }
  }
}
