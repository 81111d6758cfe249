/// output = a + b, of `count` numbers.
public struct Add: OperationBody {
  public var count: Int, a: Value, b: Value, output: Value

  /// A sum.
  public init(count: Int, a: Value, b: Value, output: Value) {
    (self.count, self.a, self.b, self.output) = (count, a, b, output)
  }

  var name: String { "add" }
  var tensors: [Tensor] { [.read("a", a), .read("b", b), .write("output", output)] }
  var scalars: KernelArguments { ["n": .int(count)] }
  var cost: TensorOperation.Cost { .floats(3 * count, operations: count) }
  var shapeText: String { "\(count)" }
}

/// output = max(0, input), or below zero `slope` · input; and at most `limit`.
public struct Rectify: OperationBody {
  public var count: Int, input: Value, output: Value, slope: Float, limit: Float

  /// A ReLU, leaky or limited or not.
  public init(count: Int, input: Value, output: Value, slope: Float, limit: Float = .infinity) {
    (self.count, self.input, self.output, self.slope, self.limit) = (count, input, output, slope, limit)
  }

  var name: String { "rectify" }
  var tensors: [Tensor] { [.read("input", input), .write("output", output)] }
  var scalars: KernelArguments { ["n": .int(count), "slope": .float(slope), "limit": .float(limit)] }
  var cost: TensorOperation.Cost { .floats(2 * count, operations: count) }
  var shapeText: String {
    "\(count)" + (slope == 0 ? "" : ", slope \(slope)") + (limit == .infinity ? "" : ", limit \(limit)")
  }
}

/// dinput = doutput where output is above zero and below `limit`; `slope` · doutput where it is not above zero, else 0.
public struct RectifyBackward: OperationBody {
  public var count: Int, doutput: Value, output: Value, dinput: Value, slope: Float, limit: Float

  /// The gradient of a ReLU.
  public init(
    count: Int, doutput: Value, output: Value, dinput: Value, slope: Float, limit: Float = .infinity
  ) {
    (self.count, self.doutput, self.output, self.dinput) = (count, doutput, output, dinput)
    (self.slope, self.limit) = (slope, limit)
  }

  var name: String { "rectify backward" }
  var tensors: [Tensor] { [.read("doutput", doutput), .read("output", output), .write("dinput", dinput)] }
  var scalars: KernelArguments { ["n": .int(count), "slope": .float(slope), "limit": .float(limit)] }
  var cost: TensorOperation.Cost { .floats(3 * count, operations: count) }
  var shapeText: String {
    "\(count)" + (slope == 0 ? "" : ", slope \(slope)") + (limit == .infinity ? "" : ", limit \(limit)")
  }
}

/// output = input + bias, over `[M, C]`.
public struct AddBias: OperationBody {
  public var M: Int, C: Int
  public var input: Value, biasAt: Int, output: Value

  /// A bias per channel.
  public init(M: Int, C: Int, input: Value, biasAt: Int, output: Value) {
    (self.M, self.C, self.input, self.biasAt, self.output) = (M, C, input, biasAt, output)
  }

  var name: String { "bias" }
  var tensors: [Tensor] { [.read("input", input), .write("output", output)] }
  var scalars: KernelArguments {
    ["M": .int(M), "C": .int(C), "n": .int(M * C), "bias_at": .int(biasAt)]
  }
  var cost: TensorOperation.Cost { .floats(2 * M * C, operations: M * C) }
  var shapeText: String { "\(M)×\(C)" }
}

/// dbias = the sums of doutput `[M, C]` over its rows.
public struct AddBiasBackward: OperationBody {
  public var M: Int, C: Int
  public var doutput: Value, biasAt: Int, accumulate: Bool

  /// The gradient of a bias.
  public init(M: Int, C: Int, doutput: Value, biasAt: Int, accumulate: Bool) {
    (self.M, self.C, self.doutput, self.biasAt, self.accumulate) = (M, C, doutput, biasAt, accumulate)
  }

  var name: String { "bias backward" }
  var tensors: [Tensor] { [.read("doutput", doutput)] }
  var scalars: KernelArguments {
    ["M": .int(M), "C": .int(C), "at": .int(biasAt), "accumulate": .flag(accumulate)]
  }
  var cost: TensorOperation.Cost { .floats(M * C, operations: M * C) }
  var shapeText: String { "\(M)×\(C)" }
}

/// Zeros numbers or channels of `[B, M, C]` and scales the others: the layer, and its gradient, which draws the same.
public struct ApplyDropout: OperationBody {
  public var B: Int, M: Int, C: Int
  public var input: Value, output: Value, dropout: Dropout
  /// Whether the images are those of the peer pass.
  public var peer: Bool

  /// Dropout of a batch.
  public init(B: Int, M: Int, C: Int, input: Value, output: Value, dropout: Dropout, peer: Bool) {
    (self.B, self.M, self.C, self.input, self.output) = (B, M, C, input, output)
    (self.dropout, self.peer) = (dropout, peer)
  }

  var name: String { "dropout" }
  var tensors: [Tensor] { [.read("input", input), .write("output", output)] }
  var scalars: KernelArguments {
    [
      "B": .int(B), "n": .int(M * C), "period": .int(dropout.dropsChannels ? C : M * C), "layer": .int(dropout.layer),
      "rate": .float(dropout.rate), "scale": .float(1 / (1 - dropout.rate)), "peer": .flag(peer),
    ]
  }
  var cost: TensorOperation.Cost { .floats(2 * B * M * C, operations: B * M * C) }
  var shapeText: String { "\(M)×\(C) \(dropout.rate)" + (dropout.dropsChannels ? " of channels" : "") }
}

/// `[B, M, C]` → `[B, C · M]`.
public struct Flatten: OperationBody {
  public var B: Int, M: Int, C: Int
  public var input: Value, output: Value

  /// Images as vectors, channel by channel.
  public init(B: Int, M: Int, C: Int, input: Value, output: Value) {
    (self.B, self.M, self.C, self.input, self.output) = (B, M, C, input, output)
  }

  var name: String { "flatten" }
  var tensors: [Tensor] { [.read("input", input), .writeFloats("output", output)] }
  var scalars: KernelArguments { ["M": .int(M), "C": .int(C), "n": .int(B * M * C)] }
  var cost: TensorOperation.Cost { .floats(2 * B * M * C, operations: 0) }
  var shapeText: String { "\(M)×\(C)" }
}

/// `[B, C · M]` → `[B, M, C]`.
public struct FlattenBackward: OperationBody {
  public var B: Int, M: Int, C: Int
  public var doutput: Value, dinput: Value

  /// The gradient of `Flatten`.
  public init(B: Int, M: Int, C: Int, doutput: Value, dinput: Value) {
    (self.B, self.M, self.C, self.doutput, self.dinput) = (B, M, C, doutput, dinput)
  }

  var name: String { "flatten backward" }
  var tensors: [Tensor] { [.readFloats("doutput", doutput), .write("dinput", dinput)] }
  var scalars: KernelArguments { ["M": .int(M), "C": .int(C), "n": .int(B * M * C)] }
  var cost: TensorOperation.Cost { .floats(2 * B * M * C, operations: 0) }
  var shapeText: String { "\(M)×\(C)" }
}
