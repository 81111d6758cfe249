extension Window {
  /// The cost of a convolution of every channel by itself.
  fileprivate var depthwiseCost: TensorOperation.Cost {
    .floats(B * C * (H * W + P * Q) + C * KH * KW, operations: 2 * B * P * Q * C * KH * KW)
  }

  fileprivate var depthwiseText: String { "\(C) \(P)×\(Q) \(KH)×\(KW)/\(stride)" }
}

/// output[b, p, q, c] = Σ over kh, kw of input[b, p · stride + kh − padding, q · stride + kw − left, c] ·
/// weights[c, kh, kw]: every channel with a filter of its own, packed `[C/16][KH][KW][16]`.
///
/// With `finished` the batch norm that follows is computed in the same pass.
public struct Depthwise: OperationBody {
  /// The geometry; C and O are the same.
  public var window: Window
  public var input: Value, weightsAt: Int, output: Value
  /// The batch norm that follows, with running statistics.
  public private(set) var finished: NormalizedOutput?

  /// A depthwise convolution.
  public init(window: Window, input: Value, weightsAt: Int, output: Value) {
    precondition(window.C == window.O, "a depthwise convolution of \(window.C) channels to \(window.O)")
    (self.window, self.input, self.weightsAt, self.output) = (window, input, weightsAt, output)
  }

  /// The same convolution with the batch norm that follows.
  public func finishing(_ normalize: Normalize) -> Depthwise {
    var fused = self
    (fused.output, fused.finished) = (normalize.output, NormalizedOutput(normalize))
    return fused
  }

  var name: String { finished == nil ? "depthwise" : "depthwise, normalize" }
  var isFused: Bool { finished != nil }
  var tensors: [Tensor] { [.read("input", input)] + NormalizedOutput.tensors(finished) + [.write("output", output)] }
  var scalars: KernelArguments {
    let own: KernelArguments = ["weights": .store(.parameters), "weights_at": .int(weightsAt)]
    return own.merging(window.scalars) { own, _ in own }.merging(NormalizedOutput.scalars(finished)) { own, _ in own }
  }
  var cost: TensorOperation.Cost { window.depthwiseCost }
  var shapeText: String { window.depthwiseText + NormalizedOutput.text(finished) }
}

/// dinput = the transposed depthwise convolution of doutput.
public struct DepthwiseBackwardData: OperationBody {
  /// The geometry of the convolution whose gradient it is.
  public var window: Window
  public var doutput: Value, weightsAt: Int, dinput: Value

  /// The gradient of a depthwise convolution's input.
  public init(window: Window, doutput: Value, weightsAt: Int, dinput: Value) {
    (self.window, self.doutput, self.weightsAt, self.dinput) = (window, doutput, weightsAt, dinput)
  }

  var name: String { "depthwise backward data" }
  var tensors: [Tensor] { [.read("doutput", doutput), .write("dinput", dinput)] }
  var scalars: KernelArguments {
    let own: KernelArguments = ["weights": .store(.parameters), "weights_at": .int(weightsAt)]
    return own.merging(window.scalars) { own, _ in own }
  }
  var cost: TensorOperation.Cost { window.depthwiseCost }
  var shapeText: String { window.depthwiseText }
}

/// dweights = the gradient of a depthwise convolution's weights.
public struct DepthwiseBackwardWeights: OperationBody {
  /// The geometry of the convolution whose gradient it is.
  public var window: Window
  public var input: Value, doutput: Value, weightsAt: Int, accumulate: Bool

  /// The gradient of a depthwise convolution's weights.
  public init(window: Window, input: Value, doutput: Value, weightsAt: Int, accumulate: Bool) {
    (self.window, self.input, self.doutput) = (window, input, doutput)
    (self.weightsAt, self.accumulate) = (weightsAt, accumulate)
  }

  var name: String { "depthwise backward weights" }
  var tensors: [Tensor] { [.read("input", input), .read("doutput", doutput)] }
  var scalars: KernelArguments {
    let own: KernelArguments = ["at": .int(weightsAt), "accumulate": .flag(accumulate)]
    return own.merging(window.scalars) { own, _ in own }
  }
  var cost: TensorOperation.Cost { window.depthwiseCost }
  var shapeText: String { window.depthwiseText }
}
