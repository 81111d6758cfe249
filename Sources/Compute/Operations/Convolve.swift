extension Window {
  /// The geometry under the names that kernels give it.
  var scalars: KernelArguments {
    [
      "B": .int(B), "H": .int(H), "W": .int(W), "C": .int(C), "P": .int(P), "Q": .int(Q), "O": .int(O),
      "KH": .int(KH), "KW": .int(KW), "stride": .int(stride), "padding": .int(padding), "left": .int(left),
    ]
  }

  var text: String { "\(C)→\(O) \(P)×\(Q) \(KH)×\(KW)/\(stride)" }

  /// The cost of a convolution that reads or writes `inputs` tensors of its input's shape, and `outputs` of its output's.
  func cost(inputs: Int = 1, outputs: Int = 1) -> TensorOperation.Cost {
    .floats(
      B * (H * W * C * inputs + P * Q * O * outputs) + O * C * KH * KW, operations: 2 * B * P * Q * O * C * KH * KW)
  }
}

/// output = input ∗ weights; with `statistics`, also those of the output.
///
/// With `normalized` the input goes through a batch norm in the same pass, with `finished` the output.
public struct Convolve: OperationBody {
  /// The geometry.
  public var window: Window
  /// With `normalized`, input is what that batch norm normalises.
  public var input: Value, weightsAt: Int, output: Value
  /// The batch norm above, computed in the same pass.
  public internal(set) var normalized: NormalizedInput?
  /// The batch norm below, with running statistics; the output is then what that gives.
  public private(set) var finished: NormalizedOutput?
  /// Those of the output, taken in the same pass.
  public var statistics: BatchStatistics?

  /// A convolution.
  public init(window: Window, input: Value, weightsAt: Int, output: Value, statistics: BatchStatistics? = nil) {
    (self.window, self.input, self.weightsAt) = (window, input, weightsAt)
    (self.output, self.statistics) = (output, statistics)
  }

  /// The same convolution of what a batch norm makes of its input.
  public func normalizing(_ layer: NormalizedInput) -> Convolve {
    var fused = self
    (fused.input, fused.normalized) = (layer.input, layer)
    return fused
  }

  /// The same convolution with the batch norm that follows.
  public func finishing(_ normalize: Normalize) -> Convolve {
    precondition(normalized == nil && statistics == nil, "a convolution takes one batch norm in")
    var fused = self
    (fused.output, fused.finished) = (normalize.output, NormalizedOutput(normalize))
    return fused
  }

  var name: String {
    normalized != nil ? "normalize, convolve" : finished == nil ? "convolve" : "convolve, normalize"
  }
  var isFused: Bool { normalized != nil || finished != nil }
  var convolution: Window? { window }
  var tensors: [Tensor] {
    [
      .read("input", input), .readFloats("mean", normalized?.statistics.mean ?? finished?.statistics.mean),
      .readFloats("inverse", normalized?.statistics.inverse ?? finished?.statistics.inverse),
      .read("residual", normalized?.residual), .read("addend", finished?.residual),
      .write("output", output), .write("stored", normalized?.output),
      // Kernels call these `mean` and `inverse`, too: launches pass them.
      .writeFloats("output_mean", statistics?.mean), .writeFloats("output_inverse", statistics?.inverse),
    ]
  }
  var scalars: KernelArguments {
    let own: KernelArguments = [
      "weights": .store(.parameters), "weights_at": .int(weightsAt), "normalized": .flag(normalized != nil),
      "has_residual": .flag(normalized?.residual != nil), "has_stored": .flag(normalized?.output != nil),
      "has_partials": .flag(statistics != nil),
    ]
    let layer: KernelArguments =
      normalized.map {
        ["gamma_at": .int($0.gammaAt), "beta_at": .int($0.betaAt), "rectify": .flag($0.rectify)]
      } ?? [:]
    return own.merging(window.scalars) { own, _ in own }.merging(layer) { own, _ in own }
      .merging(NormalizedOutput.scalars(finished)) { own, _ in own }
  }
  var cost: TensorOperation.Cost {
    window.cost(
      inputs: 1 + (normalized?.residual == nil ? 0 : 1) + (normalized?.output == nil ? 0 : 1),
      outputs: finished?.residual == nil ? 1 : 2)
  }
  var shapeText: String {
    window.text + (normalized?.residual == nil ? "" : " +add") + (normalized?.output == nil ? "" : " +store")
      + (statistics == nil ? "" : " +statistics") + NormalizedOutput.text(finished)
  }
}

/// dinput = transposed convolution of doutput (+ addend).
///
/// With `above`, doutput goes through the batch norm above first; with `below`, dinput through the ReLU and the sums of
/// the batch norm below.
public struct ConvolveBackwardData: OperationBody {
  /// The geometry of the convolution whose gradient it is.
  public var window: Window
  /// With `above`, doutput is its `gradient`.
  public var doutput: Value, weightsAt: Int, addend: Value?, dinput: Value
  /// The batch norm above, whose input's gradient is computed in the same pass.
  public private(set) var above: NormalizedGradient?
  /// The batch norm below, whose sums are taken in the same pass.
  public private(set) var below: NormalizedBelow?

  /// The gradient of a convolution's input.
  public init(window: Window, doutput: Value, weightsAt: Int, addend: Value? = nil, dinput: Value) {
    (self.window, self.doutput, self.weightsAt, self.addend, self.dinput) = (window, doutput, weightsAt, addend, dinput)
  }

  /// The same, taking the gradient through the batch norm above first.
  public func normalizing(_ above: NormalizedGradient) -> ConvolveBackwardData {
    var fused = self
    (fused.doutput, fused.above) = (above.gradient, above)
    return fused
  }

  /// The same, taking the sums of the batch norm below.
  public func summing(_ below: NormalizedBelow) -> ConvolveBackwardData {
    var fused = self
    fused.below = below
    return fused
  }

  /// Whether a batch norm takes part.
  public var isFused: Bool { above != nil || below != nil }

  var name: String { isFused ? "convolve, normalize backward data" : "convolve backward data" }
  var convolution: Window? { window }
  var tensors: [Tensor] {
    let layer = below?.layer
    return [
      .read("doutput", doutput), .read("input", above?.input), .readFloats("mean", above?.statistics.mean),
      .readFloats("inverse", above?.statistics.inverse), .readFloats("sums", above?.sums), .read("addend", addend),
      .read("below", layer?.input), .readFloats("below_mean", layer?.statistics.mean),
      .readFloats("below_inverse", layer?.statistics.inverse), .read("below_output", layer?.output),
      .write("dinput", dinput), .write("stored", above?.output), .writeFloats("below_sums", below?.sums),
    ]
  }
  var scalars: KernelArguments {
    let layer = below?.layer
    let own: KernelArguments = [
      "weights": .store(.parameters), "weights_at": .int(weightsAt), "gamma_at": .int(above?.gammaAt ?? 0),
      "below_gamma_at": .int(layer?.gammaAt ?? 0), "below_beta_at": .int(layer?.betaAt ?? 0),
      "normalized": .flag(above != nil), "has_addend": .flag(addend != nil), "has_below": .flag(below != nil),
      "has_below_output": .flag(layer?.output != nil), "rectify": .flag(layer?.rectify ?? false),
    ]
    return own.merging(window.scalars) { own, _ in own }
  }
  var cost: TensorOperation.Cost {
    window.cost(
      inputs: 1 + (addend == nil ? 0 : 1) + (below.map { $0.layer.output == nil ? 1 : 2 } ?? 0),
      outputs: above == nil ? 1 : 3)
  }
  var shapeText: String {
    window.text + (above == nil ? "" : " +normalize") + (addend == nil ? "" : " +add") + (below == nil ? "" : " +sums")
  }
}

/// dweights = the gradient of a convolution's weights.
///
/// With `normalized` the input is computed again instead of being read.
public struct ConvolveBackwardWeights: OperationBody {
  /// The geometry of the convolution whose gradient it is.
  public var window: Window
  /// With `normalized`, input is what that batch norm normalises.
  public var input: Value, doutput: Value, weightsAt: Int, accumulate: Bool
  /// The batch norm above, computed again in the same pass.
  public private(set) var normalized: NormalizedInput?

  /// The gradient of a convolution's weights.
  public init(window: Window, input: Value, doutput: Value, weightsAt: Int, accumulate: Bool) {
    (self.window, self.input, self.doutput) = (window, input, doutput)
    (self.weightsAt, self.accumulate) = (weightsAt, accumulate)
  }

  /// The same of what a batch norm makes of its input.
  public func normalizing(_ layer: NormalizedInput) -> ConvolveBackwardWeights {
    var fused = self
    (fused.input, fused.normalized) = (layer.input, layer)
    return fused
  }

  var name: String {
    normalized == nil ? "convolve backward weights" : "normalize, convolve backward weights"
  }
  var isFused: Bool { normalized != nil }
  var convolution: Window? { window }
  var tensors: [Tensor] {
    [
      .read("input", input), .readFloats("mean", normalized?.statistics.mean),
      .readFloats("inverse", normalized?.statistics.inverse), .read("residual", normalized?.residual),
      .read("doutput", doutput),
    ]
  }
  var scalars: KernelArguments {
    let own: KernelArguments = [
      "parameters": normalized == nil ? .noBuffer : .store(.parameters), "at": .int(weightsAt),
      "accumulate": .flag(accumulate), "gamma_at": .int(normalized?.gammaAt ?? 0),
      "beta_at": .int(normalized?.betaAt ?? 0), "normalized": .flag(normalized != nil),
      "rectify": .flag(normalized?.rectify ?? false),
    ]
    return own.merging(window.scalars) { own, _ in own }
  }
  var cost: TensorOperation.Cost { window.cost() }
  var shapeText: String { window.text }
}
