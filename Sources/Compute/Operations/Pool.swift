private func scalars(_ shape: [Int], _ outputShape: [Int], _ kind: Shortcut) -> KernelArguments {
  [
    "B": .int(shape[0]), "H": .int(shape[1]), "W": .int(shape[2]), "C": .int(shape[3]), "P": .int(outputShape[1]),
    "Q": .int(outputShape[2]), "average": .flag(kind == .average),
  ]
}

private func cost(_ shape: [Int], _ outputShape: [Int]) -> TensorOperation.Cost {
  .floats(shape.reduce(1, *) + outputShape.reduce(1, *), operations: shape.reduce(1, *))
}

/// The parameter-free shortcut of a ResNet: `[B, H, W, C]` → `[B, P, Q, 2 C]`, P and Q half of H and W.
public struct ApplyShortcut: OperationBody {
  public var shape: [Int], outputShape: [Int], kind: Shortcut
  public var input: Value, output: Value

  /// A shortcut.
  public init(shape: [Int], outputShape: [Int], kind: Shortcut, input: Value, output: Value) {
    (self.shape, self.outputShape, self.kind, self.input, self.output) = (shape, outputShape, kind, input, output)
  }

  var name: String { "shortcut" }
  var tensors: [Tensor] { [.read("input", input), .write("output", output)] }
  var scalars: KernelArguments { Compute.scalars(shape, outputShape, kind) }
  var cost: TensorOperation.Cost { Compute.cost(shape, outputShape) }
  var shapeText: String { shape.dropFirst().map(String.init).joined(separator: "×") }
}

/// The gradient of `ApplyShortcut`; `shape` is that of dinput.
public struct ApplyShortcutBackward: OperationBody {
  public var shape: [Int], outputShape: [Int], kind: Shortcut
  public var doutput: Value, dinput: Value

  /// The gradient of a shortcut.
  public init(shape: [Int], outputShape: [Int], kind: Shortcut, doutput: Value, dinput: Value) {
    (self.shape, self.outputShape, self.kind, self.doutput, self.dinput) = (shape, outputShape, kind, doutput, dinput)
  }

  var name: String { "shortcut backward" }
  var tensors: [Tensor] { [.read("doutput", doutput), .write("dinput", dinput)] }
  var scalars: KernelArguments { Compute.scalars(shape, outputShape, kind) }
  var cost: TensorOperation.Cost { Compute.cost(shape, outputShape) }
  var shapeText: String { shape.dropFirst().map(String.init).joined(separator: "×") }
}

extension Window {
  fileprivate func pooling(maximum: Bool) -> KernelArguments {
    scalars.merging(["size": .int(KH), "maximum": .flag(maximum)]) { own, _ in own }
  }

  fileprivate var poolingCost: TensorOperation.Cost {
    .floats(B * C * (H * W + P * Q), operations: B * P * Q * C * KH * KW)
  }
}

/// The largest, or the mean, of each window.
public struct Pool: OperationBody {
  public var window: Window, maximum: Bool
  public var input: Value, output: Value

  /// Pooling.
  public init(window: Window, input: Value, output: Value, maximum: Bool) {
    (self.window, self.input, self.output, self.maximum) = (window, input, output, maximum)
  }

  var name: String { "pool" }
  var tensors: [Tensor] { [.read("input", input), .write("output", output)] }
  var scalars: KernelArguments { window.pooling(maximum: maximum) }
  var cost: TensorOperation.Cost { window.poolingCost }
  var shapeText: String { window.text }
}

/// The gradient of `Pool`: to the first of the largest, or to all alike.
public struct PoolBackward: OperationBody {
  public var window: Window, maximum: Bool
  public var doutput: Value, input: Value, dinput: Value

  /// The gradient of pooling.
  public init(window: Window, doutput: Value, input: Value, dinput: Value, maximum: Bool) {
    (self.window, self.doutput, self.input, self.dinput, self.maximum) = (window, doutput, input, dinput, maximum)
  }

  var name: String { "pool backward" }
  var tensors: [Tensor] { [.read("doutput", doutput), .read("input", input), .write("dinput", dinput)] }
  var scalars: KernelArguments { window.pooling(maximum: maximum) }
  var cost: TensorOperation.Cost { window.poolingCost }
  var shapeText: String { window.text }
}

/// The mean over M pixels: `[B, M, C]` → `[B, C]`.
public struct GlobalAverage: OperationBody {
  public var B: Int, M: Int, C: Int
  public var input: Value, output: Value

  /// The mean of every channel.
  public init(B: Int, M: Int, C: Int, input: Value, output: Value) {
    (self.B, self.M, self.C, self.input, self.output) = (B, M, C, input, output)
  }

  var name: String { "global average" }
  var tensors: [Tensor] { [.read("input", input), .writeFloats("output", output)] }
  var scalars: KernelArguments { ["B": .int(B), "M": .int(M), "C": .int(C), "n": .int(B * M * C)] }
  var cost: TensorOperation.Cost { .floats(B * M * C + B * C, operations: B * M * C) }
  var shapeText: String { "\(M)×\(C)" }
}

/// dinput = doutput / M for every pixel: `[B, C]` → `[B, M, C]`.
public struct GlobalAverageBackward: OperationBody {
  public var B: Int, M: Int, C: Int
  public var doutput: Value, dinput: Value

  /// The gradient of `GlobalAverage`.
  public init(B: Int, M: Int, C: Int, doutput: Value, dinput: Value) {
    (self.B, self.M, self.C, self.doutput, self.dinput) = (B, M, C, doutput, dinput)
  }

  var name: String { "global average backward" }
  var tensors: [Tensor] { [.readFloats("doutput", doutput), .write("dinput", dinput)] }
  var scalars: KernelArguments { ["B": .int(B), "M": .int(M), "C": .int(C), "n": .int(B * M * C)] }
  var cost: TensorOperation.Cost { .floats(B * M * C + B * C, operations: B * M * C) }
  var shapeText: String { "\(M)×\(C)" }
}
