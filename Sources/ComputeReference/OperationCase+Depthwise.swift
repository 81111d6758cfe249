import Compute

/// Convolutions of every channel by itself, and convolutions that compute the batch norm that follows.
extension OperationCase {
  private static let depthwiseWeightsAt = 48

  private static func packed(depthwise window: Window) -> Packed {
    Packed(offset: depthwiseWeightsAt, outputs: window.C, inputs: window.KH * window.KW)
  }

  private static func text(depthwise window: Window) -> String {
    "\(text([window.B, window.H, window.W, window.C])), \(window.KH)×\(window.KW) / \(window.stride)"
      + " + \(window.padding), \(window.left)"
  }

  static func depthwise(_ window: Window) -> OperationCase {
    let packed = packed(depthwise: window)
    return OperationCase(
      .depthwise(Depthwise(window: window, input: value(0), weightsAt: packed.offset, output: value(1))),
      shape: text(depthwise: window),
      contents: [
        operand(0): .normal(window.inputCount), operand(1): written(window.outputCount),
        .store(.parameters): .parameters(packed.end + margin, [packed]),
      ])
  }

  static func depthwiseBackwardData(_ window: Window) -> OperationCase {
    let packed = packed(depthwise: window)
    return OperationCase(
      .depthwiseBackwardData(
        DepthwiseBackwardData(window: window, doutput: value(0), weightsAt: packed.offset, dinput: value(1))),
      shape: text(depthwise: window),
      contents: [
        operand(0): .normal(window.outputCount), operand(1): written(window.inputCount),
        .store(.parameters): .parameters(packed.end + margin, [packed]),
      ])
  }

  static func depthwiseBackwardWeights(_ window: Window, accumulate: Bool) -> OperationCase {
    let packed = packed(depthwise: window), count = packed.end + margin
    return OperationCase(
      .depthwiseBackwardWeights(
        DepthwiseBackwardWeights(
          window: window, input: value(0), doutput: value(1), weightsAt: packed.offset, accumulate: accumulate)),
      shape: text(depthwise: window) + (accumulate ? ", accumulate" : ""),
      contents: [
        operand(0): .normal(window.inputCount), operand(1): .normal(window.outputCount),
        .store(.gradients): accumulate ? .normal(count) : .nothing(count),
      ])
  }

  // MARK: With the batch norm that follows

  /// The batch norm behind a convolution's value 1, which gives value 3, with residual 2 where it has one.
  private static func following(
    _ parameters: FusedParameters, window: Window, residual: Bool, rectify: Bool, limit: Float,
    in contents: inout [Operand: Content]
  ) -> Normalize {
    let count = window.outputCount
    contents[operand(3)] = written(count)
    if residual { contents[operand(2)] = .normal(count) }
    FusedParameters.addGiven(12, window.O, to: &contents)
    contents[.store(.parameters)] = parameters.content
    return Normalize(
      M: count / window.O, C: window.O, input: value(1), statistics: parameters.statistics,
      gammaAt: parameters.gammaC.offset, betaAt: parameters.betaC.offset, residual: residual ? value(2) : nil,
      rectify: rectify, limit: limit, output: value(3))
  }

  private static func words(_ shape: String, residual: Bool, rectify: Bool, limit: Float) -> String {
    shape + (residual ? ", residual" : "") + (rectify ? ", rectify" : "")
      + (limit == .infinity ? "" : ", limit \(limit)")
  }

  static func convolveFinished(_ window: Window, residual: Bool, rectify: Bool, limit: Float) -> OperationCase {
    let weights = Packed(
      offset: depthwiseWeightsAt, outputs: window.O, inputs: window.C * window.KH * window.KW)
    var contents: [Operand: Content] = [operand(0): .normal(window.inputCount)]
    let normalize = following(
      FusedParameters(weights, C: window.O, O: 1), window: window, residual: residual, rectify: rectify, limit: limit,
      in: &contents)
    let plain = Convolve(window: window, input: value(0), weightsAt: weights.offset, output: value(1))
    return OperationCase(
      .convolve(plain.finishing(normalize)),
      shape: words(text(window), residual: residual, rectify: rectify, limit: limit), contents: contents)
  }

  static func depthwiseFinished(_ window: Window, residual: Bool, rectify: Bool, limit: Float) -> OperationCase {
    let weights = packed(depthwise: window)
    var contents: [Operand: Content] = [operand(0): .normal(window.inputCount)]
    let normalize = following(
      FusedParameters(weights, C: window.C, O: 1), window: window, residual: residual, rectify: rectify, limit: limit,
      in: &contents)
    let plain = Depthwise(window: window, input: value(0), weightsAt: weights.offset, output: value(1))
    return OperationCase(
      .depthwise(plain.finishing(normalize)),
      shape: words(text(depthwise: window), residual: residual, rectify: rectify, limit: limit), contents: contents)
  }

  // MARK: The table

  static let depthwises: [OperationCase] = {
    func same(_ B: Int, _ H: Int, _ W: Int, _ C: Int, _ size: Int, stride: Int = 1) -> Window {
      Window(same: size, B: B, H: H, W: W, C: C, O: C, stride: stride)
    }
    let windows = [
      // EfficientNet-Lite0 on small images, and every odd size and number of channels.
      same(2, 28, 28, 32, 3), same(2, 28, 28, 96, 3, stride: 2), same(2, 14, 14, 144, 5, stride: 2),
      same(2, 7, 7, 240, 5), same(2, 7, 7, 80, 5, stride: 2), same(1, 4, 4, 1152, 3), same(1, 1, 1, 1, 3),
      same(3, 5, 7, 5, 3, stride: 2), same(1, 13, 6, 17, 5, stride: 2), same(3, 6, 13, 31, 3, stride: 2),
      same(37, 5, 4, 33, 5), same(1, 2, 3, 48, 5, stride: 2), same(7, 1, 9, 10, 5), same(1, 9, 1, 70, 3, stride: 3),
      // Without padding, with too much, and filters that are not square.
      Window(1, 9, 11, 20, 20, padding: 0), Window(2, 5, 7, 16, 16, padding: 2),
      Window(2, 6, 7, 3, 3, stride: 2, padding: 3),
      Window(B: 1, H: 7, W: 12, C: 17, O: 17, KH: 1, KW: 4, stride: 2, padding: 1),
    ]
    let plain = windows.flatMap { window in
      [
        depthwise(window), depthwiseBackwardData(window), depthwiseBackwardWeights(window, accumulate: false),
        depthwiseBackwardWeights(window, accumulate: true),
      ]
    }
    let finished = windows.enumerated().flatMap { index, window in
      [
        depthwiseFinished(window, residual: false, rectify: true, limit: 6),
        depthwiseFinished(
          window, residual: index % 2 == 0, rectify: index % 3 == 0, limit: index % 4 == 0 ? 1 : .infinity),
      ]
    }
    return plain + finished
  }()

  static let finished: [OperationCase] = {
    let windows = [
      Window(2, 14, 14, 32, 16, 1, padding: 0), Window(2, 7, 7, 16, 96, 1, padding: 0),
      Window(2, 7, 7, 96, 24, 1, padding: 0), Window(1, 4, 4, 320, 1280, 1, padding: 0),
      Window(3, 5, 7, 17, 33, 1, padding: 0), Window(1, 1, 1, 5, 3, 1, padding: 0),
      Window(1, 9, 13, 40, 48, 1, padding: 0),
      Window(37, 3, 1, 10, 31, 1, padding: 0),
      // What a device may leave to the operations apart.
      Window(2, 9, 9, 16, 32, 1, stride: 2, padding: 0), Window(1, 7, 7, 16, 16), Window(2, 7, 9, 3, 32, stride: 2),
      Window(same: 3, B: 1, H: 8, W: 7, C: 3, O: 32, stride: 2),
    ]
    return windows.enumerated().flatMap { index, window in
      [
        convolveFinished(window, residual: false, rectify: true, limit: 6),
        convolveFinished(window, residual: index % 2 == 0, rectify: false, limit: .infinity),
        convolveFinished(window, residual: index % 2 == 1, rectify: true, limit: index % 3 == 0 ? 1 : .infinity),
      ]
    }
  }()
}
