extension Window {
  /// A linear layer as a convolution: 1 × 1 filters on M images of one pixel and K channels.
  fileprivate init(M: Int, N: Int, K: Int) {
    self.init(B: M, H: 1, W: 1, C: K, O: N, KH: 1, KW: 1, stride: 1, padding: 0)
  }

  /// `own` with the sizes of a linear layer, under the names of both its own kernels and those of convolutions.
  fileprivate func linear(_ own: KernelArguments) -> KernelArguments {
    own.merging(["M": .int(B), "N": .int(O), "K": .int(C)]) { own, _ in own }.merging(scalars) { own, _ in own }
  }

  fileprivate var linearCost: TensorOperation.Cost { .floats(B * C + O * C + B * O, operations: 2 * B * O * C) }
  fileprivate var linearText: String { "\(B)×\(C)→\(O)" }
}

/// output = input · weightsᵀ + bias: `[M, K]` → `[M, N]`.
public struct Linear: OperationBody {
  public var M: Int, N: Int, K: Int
  public var input: Value, weightsAt: Int, biasAt: Int, output: Value

  /// A linear layer.
  public init(M: Int, N: Int, K: Int, input: Value, weightsAt: Int, biasAt: Int, output: Value) {
    (self.M, self.N, self.K, self.input) = (M, N, K, input)
    (self.weightsAt, self.biasAt, self.output) = (weightsAt, biasAt, output)
  }

  /// The same as a convolution of images of one pixel.
  public var window: Window { Window(M: M, N: N, K: K) }

  var name: String { "linear" }
  var tensors: [Tensor] { [.readFloats("input", input), .writeFloats("output", output)] }
  var scalars: KernelArguments {
    window.linear([
      "weights": .store(.parameters), "weights_at": .int(weightsAt), "bias": .store(.parameters),
      "bias_at": .int(biasAt), "has_bias": .flag(true),
    ])
  }
  var cost: TensorOperation.Cost { window.linearCost }
  var shapeText: String { window.linearText }
}

/// dinput = doutput · weights: `[M, N]` → `[M, K]`.
public struct LinearBackwardData: OperationBody {
  public var M: Int, N: Int, K: Int
  public var doutput: Value, weightsAt: Int, dinput: Value

  /// The gradient of a linear layer's input.
  public init(M: Int, N: Int, K: Int, doutput: Value, weightsAt: Int, dinput: Value) {
    (self.M, self.N, self.K) = (M, N, K)
    (self.doutput, self.weightsAt, self.dinput) = (doutput, weightsAt, dinput)
  }

  /// The same as a convolution of images of one pixel.
  public var asConvolution: ConvolveBackwardData {
    ConvolveBackwardData(window: Window(M: M, N: N, K: K), doutput: doutput, weightsAt: weightsAt, dinput: dinput)
  }

  var name: String { "linear backward data" }
  var tensors: [Tensor] { [.readFloats("doutput", doutput), .writeFloats("dinput", dinput)] }
  var scalars: KernelArguments {
    asConvolution.window.linear(["weights": .store(.parameters), "weights_at": .int(weightsAt)])
  }
  var cost: TensorOperation.Cost { asConvolution.window.linearCost }
  var shapeText: String { asConvolution.window.linearText }
}

/// dweights = doutputᵀ · input `[N, K]`, dbias = the sums of doutput over its rows `[N]`.
public struct LinearBackwardWeights: OperationBody {
  public var M: Int, N: Int, K: Int
  public var input: Value, doutput: Value
  public var weightsAt: Int, biasAt: Int, accumulate: Bool

  /// The gradients of a linear layer's parameters.
  public init(
    M: Int, N: Int, K: Int, input: Value, doutput: Value, weightsAt: Int, biasAt: Int, accumulate: Bool
  ) {
    (self.M, self.N, self.K, self.input, self.doutput) = (M, N, K, input, doutput)
    (self.weightsAt, self.biasAt, self.accumulate) = (weightsAt, biasAt, accumulate)
  }

  /// The gradient of the weights as that of a convolution of images of one pixel.
  public var asConvolution: ConvolveBackwardWeights {
    ConvolveBackwardWeights(
      window: Window(M: M, N: N, K: K), input: input, doutput: doutput, weightsAt: weightsAt, accumulate: accumulate)
  }

  var name: String { "linear backward weights" }
  var tensors: [Tensor] { [.readFloats("input", input), .readFloats("doutput", doutput)] }
  var scalars: KernelArguments {
    asConvolution.window.linear(["at": .int(weightsAt), "accumulate": .flag(accumulate)])
  }
  var cost: TensorOperation.Cost { asConvolution.window.linearCost }
  var shapeText: String { asConvolution.window.linearText }
}
