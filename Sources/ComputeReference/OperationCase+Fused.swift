import Compute

/// Where the parameters of a fused operation lie: a convolution's weights, and the batch norms of its input's C
/// channels and of its output's O channels, which have vectors of statistics in values 12 and 13, and 10 and 11.
struct FusedParameters {
  let weights: OperationCase.Packed?
  let gammaC: OperationCase.Packed, betaC: OperationCase.Packed, gammaO: OperationCase.Packed
  let C: Int, O: Int

  init(_ window: Window) {
    let weights = OperationCase.Packed(
      offset: 48, outputs: window.O, inputs: window.C * window.KH * window.KW)
    self.init(weights, C: window.C, O: window.O)
  }

  init(_ weights: OperationCase.Packed? = nil, C: Int, O: Int) {
    (self.weights, self.C, self.O) = (weights, C, O)
    gammaC = OperationCase.Packed(offset: (weights?.end ?? 0) + 16, outputs: C, inputs: 1)
    betaC = OperationCase.Packed(offset: gammaC.end, outputs: C, inputs: 1)
    gammaO = OperationCase.Packed(offset: betaC.end + 16, outputs: O, inputs: 1)
  }

  /// Floats of the flat buffers.
  var count: Int { gammaO.end + OperationCase.margin }

  var content: OperationCase.Content { .parameters(count, [weights, gammaC, betaC, gammaO].compactMap { $0 }) }

  /// Whether the statistics have no gradient.
  var isConstant = false

  /// The statistics of the input's channels; they are only read, and move nothing.
  var statistics: BatchStatistics {
    BatchStatistics(
      mean: Value(index: 12), inverse: Value(index: 13), runningMean: 0, runningVariance: 0, isConstant: isConstant)
  }

  /// Statistics that an operation reads.
  static func addGiven(_ mean: Int, _ C: Int, to contents: inout [Operand: OperationCase.Content]) {
    contents[OperationCase.operand(mean)] = .normal(Parameter.padded(C), mean: 0.3, deviation: 0.5)
    contents[OperationCase.operand(mean + 1)] = .positive(Parameter.padded(C))
  }
}

extension OperationCase {
  /// How the ReLU of a batch norm is found again in the backward pass.
  enum Mask: String, CaseIterable {
    case none = "no ReLU"
    case read = "mask read"
    case recomputed = "mask recomputed"

    /// The mask of a batch norm in the backward pass.
    init(of layer: NormalizedInput) {
      self = !layer.rectify ? .none : layer.output == nil ? .recomputed : .read
    }
  }

  /// Means and slopes of C channels: what lies between them is padding.
  private static func addSums(
    _ index: Int, _ C: Int, to contents: inout [Operand: Content], _ meaningful: inout [Operand: [Range<Int>]]
  ) {
    let padded = Parameter.padded(C)
    contents[operand(index)] = written(2 * padded)
    meaningful[operand(index)] = [0..<C, padded..<padded + C, 2 * padded..<2 * padded + margin]
  }

  private static func joined(_ words: [String?]) -> String { words.compactMap { $0 }.joined(separator: ", ") }

  static func text(_ window: Window) -> String {
    var text = "\(text([window.B, window.H, window.W, window.C])) → \(window.O), \(window.KH)×\(window.KW)"
    if window.stride != 1 { text += " / \(window.stride)" }
    return window.padding == 0 ? text : text + " + \(window.padding)"
  }

  /// The batch norm of C channels, in values 3 (input) and 4 (output, where the mask is read).
  private static func below(
    _ mask: Mask, _ parameters: FusedParameters, count: Int, in contents: inout [Operand: Content]
  ) -> NormalizedInput {
    let layer = NormalizedInput(
      input: value(3), statistics: parameters.statistics, gammaAt: parameters.gammaC.offset,
      betaAt: parameters.betaC.offset, residual: nil, rectify: mask != .none, output: mask == .read ? value(4) : nil)
    contents[operand(3)] = mask == .recomputed ? .decided(count, by: layer, C: parameters.C) : .normal(count)
    if mask == .read { contents[operand(4)] = .rectified(count) }
    FusedParameters.addGiven(12, parameters.C, to: &contents)
    contents[.store(.parameters)] = parameters.content
    return layer
  }

  /// The gradient of a batch norm's input over O channels, in values 5 (g), 6 (input), 7 (sums) and 8 (the result).
  private static func gradient(
    _ parameters: FusedParameters, count: Int, in contents: inout [Operand: Content]
  ) -> NormalizedGradient {
    contents[operand(5)] = .normal(count)
    contents[operand(6)] = .normal(count)
    contents[operand(7)] = .normal(2 * Parameter.padded(parameters.O), deviation: 0.25)
    contents[operand(8)] = written(count)
    FusedParameters.addGiven(10, parameters.O, to: &contents)
    contents[.store(.parameters)] = parameters.content
    return NormalizedGradient(
      gradient: value(5), input: value(6), statistics: statistics(C: parameters.O),
      gammaAt: parameters.gammaO.offset, sums: value(7), output: value(8))
  }

  // MARK: Batch norm's gradient in halves

  static func normalizeBackwardSums(
    M: Int, C: Int, mask: Mask, inPlace: Bool, accumulate: Bool, isConstant: Bool = false
  ) -> OperationCase {
    var parameters = FusedParameters(C: C, O: 1)
    parameters.isConstant = isConstant
    var contents: [Operand: Content] = [
      operand(0): .normal(M * C),
      .store(.gradients): accumulate ? .normal(parameters.count) : .nothing(parameters.count),
    ]
    var meaningful: [Operand: [Range<Int>]] = [:]
    if !inPlace { contents[operand(1)] = written(M * C) }
    addSums(2, C, to: &contents, &meaningful)
    let layer = below(mask, parameters, count: M * C, in: &contents)
    return OperationCase(
      .normalizeBackwardSums(
        NormalizeBackwardSums(
          M: M, C: C, doutput: value(0), gradient: value(inPlace ? 0 : 1),
          below: NormalizedBelow(layer: layer, sums: value(2), accumulate: accumulate))),
      shape: joined([
        text([M, C]), mask.rawValue, inPlace ? "in place" : nil, accumulate ? "accumulate" : nil,
        isConstant ? "constant" : nil,
      ]), contents: contents, meaningful: meaningful)
  }

  static func normalizeBackwardApply(M: Int, C: Int) -> OperationCase {
    var contents: [Operand: Content] = [:]
    let gradient = gradient(FusedParameters(C: 1, O: C), count: M * C, in: &contents)
    return OperationCase(
      .normalizeBackwardApply(NormalizeBackwardApply(M: M, C: C, gradient: gradient)), shape: text([M, C]),
      contents: contents)
  }

  // MARK: Convolutions

  static func convolveNormalized(
    _ window: Window, residual: Bool, rectify: Bool, kept: Bool, statistics isMeasured: Bool
  ) -> OperationCase {
    let parameters = FusedParameters(window), count = window.inputCount
    var contents: [Operand: Content] = [
      operand(0): .normal(count), operand(1): written(window.outputCount),
      .store(.parameters): parameters.content,
    ]
    var meaningful: [Operand: [Range<Int>]] = [:]
    FusedParameters.addGiven(12, window.C, to: &contents)
    if residual { contents[operand(2)] = .normal(count) }
    if kept { contents[operand(3)] = written(count) }
    if isMeasured { addWritten(C: window.O, to: &contents, &meaningful) }
    let input = NormalizedInput(
      input: value(0), statistics: parameters.statistics, gammaAt: parameters.gammaC.offset,
      betaAt: parameters.betaC.offset, residual: residual ? value(2) : nil, rectify: rectify,
      output: kept ? value(3) : nil)
    return OperationCase(
      .convolve(
        Convolve(
          window: window, input: value(0), weightsAt: 48, output: value(1),
          statistics: isMeasured ? statistics(C: window.O) : nil
        ).normalizing(input)),
      shape: joined([
        text(window), residual ? "residual" : nil, rectify ? "rectify" : nil, kept ? "kept" : nil,
        isMeasured ? "statistics" : nil,
      ]), contents: contents, meaningful: meaningful)
  }

  /// - Parameter mask: of the batch norm below; nil for none there.
  static func convolveBackwardDataNormalized(
    _ window: Window, normalized: Bool, addend: Bool, below mask: Mask?, accumulate: Bool, isConstant: Bool = false
  ) -> OperationCase {
    var parameters = FusedParameters(window)
    parameters.isConstant = isConstant
    let count = window.inputCount, outputs = window.outputCount
    var contents: [Operand: Content] = [
      operand(1): written(count), .store(.parameters): parameters.content,
      .store(.gradients): accumulate ? .normal(parameters.count) : .nothing(parameters.count),
    ]
    var meaningful: [Operand: [Range<Int>]] = [:]
    if addend { contents[operand(2)] = .normal(count) }
    var backward = ConvolveBackwardData(
      window: window, doutput: value(0), weightsAt: 48, addend: addend ? value(2) : nil, dinput: value(1))
    if normalized {
      backward = backward.normalizing(gradient(parameters, count: outputs, in: &contents))
    } else {
      contents[operand(0)] = .normal(outputs)
    }
    if let mask {
      addSums(9, window.C, to: &contents, &meaningful)
      backward = backward.summing(
        NormalizedBelow(
          layer: Self.below(mask, parameters, count: count, in: &contents), sums: value(9), accumulate: accumulate))
    }
    return OperationCase(
      .convolveBackwardData(backward),
      shape: joined([
        text(window), normalized ? "normalized" : nil, addend ? "addend" : nil, mask.map { "below \($0.rawValue)" },
        accumulate ? "accumulate" : nil, isConstant ? "constant" : nil,
      ]), contents: contents, meaningful: meaningful)
  }

  static func convolveBackwardWeightsNormalized(_ window: Window, rectify: Bool, accumulate: Bool) -> OperationCase {
    let parameters = FusedParameters(window)
    var contents: [Operand: Content] = [
      operand(0): .normal(window.inputCount),
      operand(1): .normal(window.outputCount), .store(.parameters): parameters.content,
      .store(.gradients): accumulate ? .normal(parameters.count) : .nothing(parameters.count),
    ]
    FusedParameters.addGiven(12, window.C, to: &contents)
    let input = NormalizedInput(
      input: value(0), statistics: parameters.statistics, gammaAt: parameters.gammaC.offset,
      betaAt: parameters.betaC.offset, residual: nil, rectify: rectify, output: nil)
    return OperationCase(
      .convolveBackwardWeights(
        ConvolveBackwardWeights(
          window: window, input: value(0), doutput: value(1), weightsAt: 48, accumulate: accumulate
        ).normalizing(input)),
      shape: joined([text(window), rectify ? "rectify" : nil, accumulate ? "accumulate" : nil]), contents: contents)
  }
}
