/// A loss by its kernel: the device launches it and knows nothing else of it than what it reads.
public struct RowFunction: Hashable, Sendable {
  /// What a loss reads besides a row of logits, its label and the numbers of the step.
  public enum Inputs: Hashable, Sendable {
    /// Nothing.
    case row
    /// `Store.transition`.
    case transition
    /// The inverse of the batch's sums of probabilities by label (`determinant_invert`), computed before.
    case determinant
  }

  /// The kernel, such as `loss_sce_rows`.
  public let kernel: String
  /// What it reads besides rows.
  public let inputs: Inputs

  /// A loss by its kernel.
  public init(kernel: String, inputs: Inputs = .row) {
    self.kernel = kernel
    self.inputs = inputs
  }
}

/// Softmax, loss, gradient of the mean loss, and the per-sample columns, in one pass over `[B, K]`.
public struct LossRows: OperationBody {
  public var function: RowFunction, B: Int, K: Int
  public var logits: Value, dlogits: Value
  /// Whether the rows are those of the peer pass, whose labels are others' than their images'.
  public var peer: Bool

  /// A loss of a batch.
  public init(_ function: RowFunction, B: Int, K: Int, logits: Value, dlogits: Value, peer: Bool) {
    (self.function, self.B, self.K) = (function, B, K)
    (self.logits, self.dlogits, self.peer) = (logits, dlogits, peer)
  }

  /// The order of the samples whose labels count.
  public var labelOrder: Store { peer ? .peerLabelOrder : .order }

  var name: String { "loss" }
  var tensors: [Tensor] { [.readFloats("logits", logits), .writeFloats("dlogits", dlogits)] }
  var scalars: KernelArguments {
    var scalars: KernelArguments = [
      "label_order": .store(labelOrder), "B": .int(B), "K": .int(K), "peer": .flag(peer),
    ]
    if function.inputs == .transition { scalars["matrix"] = .store(.transition) }
    return scalars
  }
  var cost: TensorOperation.Cost { .floats(2 * B * K, operations: 8 * B * K) }
  var shapeText: String { "\(function.kernel) \(B)×\(K)" }
}

/// Cross entropy, prediction and confidence per sample; `scratch` is `[B, K]`.
public struct EvaluateRows: OperationBody {
  public var B: Int, K: Int
  public var logits: Value, scratch: Value

  /// The results of a batch.
  public init(B: Int, K: Int, logits: Value, scratch: Value) {
    (self.B, self.K, self.logits, self.scratch) = (B, K, logits, scratch)
  }

  var name: String { "evaluate" }
  var tensors: [Tensor] { [.readFloats("logits", logits), .writeFloats("scratch", scratch)] }
  var scalars: KernelArguments { ["K": .int(K)] }
  var cost: TensorOperation.Cost { .floats(2 * B * K, operations: 8 * B * K) }
  var shapeText: String { "\(B)×\(K)" }
}

/// Moves on to the next B samples of the epoch.
public struct Advance: OperationBody {
  /// Images of the batch.
  public var B: Int

  /// The end of a step.
  public init(B: Int) { self.B = B }

  var name: String { "advance" }
  var tensors: [Tensor] { [] }
  var scalars: KernelArguments { ["B": .int(B)] }
  var cost: TensorOperation.Cost { .floats(2, operations: 1) }
  var shapeText: String { "" }
}

/// What `TensorOperation.cut` says of itself.
struct Cut: OperationBody {
  var name: String { "cut" }
  var tensors: [Tensor] { [] }
  var scalars: KernelArguments { [:] }
  var cost: TensorOperation.Cost { .floats(0, operations: 0) }
  var shapeText: String { "" }
}
