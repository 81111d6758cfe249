/// Arithmetic on the flat buffers of a network's parameters, by its kernel: an optimiser, or what a training method does
/// with all parameters alike.
///
/// The kernel reads and writes stores, under their names; an optimiser besides them the sums of squares of the gradients
/// (`squares`, `pieces`).
public struct FlatKernel: Hashable, Sendable {
  /// The kernel, such as `optimizer_sgd`; every family has its own.
  public let kernel: String
  /// Flat buffers that it reads, and that it writes.
  let reads: Int, writes: Int
  /// Numbers that do not change, and stores under other names than their own.
  let scalars: KernelArguments
  /// Whether it needs the sums of squares of the gradients; nil for a kernel that knows of none.
  ///
  /// An optimiser needs them where it clips (`Update`).
  public let needsNorm: Bool?

  private init(
    _ kernel: String, reads: Int, writes: Int, _ scalars: KernelArguments = [:], needsNorm: Bool? = nil
  ) {
    (self.kernel, self.reads, self.writes, self.scalars) = (kernel, reads, writes, scalars)
    self.needsNorm = needsNorm
  }

  /// A store among its arguments.
  public func store(_ name: String) -> Store {
    guard case .operand(.store(let store)) = scalars[name] else {
      preconditionFailure("\(kernel) has no store '\(name)'")
    }
    return store
  }

  /// A whole number among its arguments.
  public subscript(_ name: String) -> Int {
    guard case .int(let number) = scalars[name] else { preconditionFailure("\(kernel) has no number '\(name)'") }
    return number
  }

  /// Stochastic gradient descent with (Nesterov) momentum, as `torch.optim.SGD`.
  public static let sgd = FlatKernel("optimizer_sgd", reads: 3, writes: 2)
  /// Adam (Kingma and Ba, 2015), as `torch.optim.Adam`.
  public static let adam = FlatKernel("optimizer_adam", reads: 4, writes: 3)

  /// Adds the gradient of c / 2 · ‖θ − θ₀‖² to the gradients: c (θ − θ₀), with θ₀ in `Store.anchor`.
  ///
  /// - Parameter slot: which of `StepState.methodNumbers` is c.
  /// - Source: Hu, Li and Yu, "Simple and effective regularization methods for training on noisily labeled data with
  ///   generalization guarantee", ICLR 2020.
  public static func pull(slot: Int) -> FlatKernel {
    FlatKernel("flat_pull", reads: 3, writes: 1, ["slot": .int(slot)])
  }

  /// Moves `Store.average` towards the parameters, after their update: θ̄ ← θ̄ + r (θ − θ̄), r = max(1 / (t + 1), 1 − decay)
  /// after t updates.
  ///
  /// - Parameter slot: which of `StepState.methodNumbers` is 1 − decay.
  /// - Source: Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS 2017, and its code.
  public static func average(slot: Int) -> FlatKernel {
    FlatKernel("flat_average", reads: 2, writes: 1, ["slot": .int(slot)])
  }

  /// θ − rate · g into another buffer: a step of plain gradient descent at the step's learning rate, from parameters that
  /// stay as they are.
  ///
  /// - Parameters:
  ///   - from: θ.
  ///   - to: what is written.
  ///   - isUnit: whether the direction of the gradients alone counts: θ − rate · g / ‖g‖, with ‖g‖ left in `Store.norm`.
  public static func step(from: Store = .parameters, to: Store, isUnit: Bool) -> FlatKernel {
    FlatKernel(
      "flat_step", reads: 2, writes: 1,
      [
        "from": .store(from), "along": .store(.gradients), "to": .store(to), "norm": isUnit ? .store(.norm) : .noBuffer,
      ], needsNorm: isUnit)
  }
}

/// A flat kernel over all parameters, between backward pass and update or after it.
public struct ComputeFlat: OperationBody {
  /// Over `count` floats of the flat buffers.
  public var kernel: FlatKernel, count: Int

  /// Arithmetic that a training method brings.
  public init(_ kernel: FlatKernel, count: Int) { (self.kernel, self.count) = (kernel, count) }

  var name: String { "flat" }
  var tensors: [Tensor] { [] }
  var scalars: KernelArguments { kernel.scalars.merging(["n": .int(count)]) { $1 } }
  var cost: TensorOperation.Cost { .floats((kernel.reads + kernel.writes) * count, operations: 2 * count) }
  var shapeText: String { "\(kernel.kernel) \(count)" }
}

/// An optimiser over all parameters; with `clip`, gradients are scaled down to the norm in `numbers`.
public struct Update: OperationBody {
  /// Over `count` floats of the flat buffers.
  public var optimizer: FlatKernel, count: Int, clip: Bool

  /// One step of an optimiser.
  public init(_ optimizer: FlatKernel, count: Int, clip: Bool) {
    (self.optimizer, self.count, self.clip) = (optimizer, count, clip)
  }

  var name: String { "update" }
  var tensors: [Tensor] { [] }
  var scalars: KernelArguments { ["n": .int(count)] }
  var cost: TensorOperation.Cost { .floats((optimizer.reads + optimizer.writes) * count, operations: 6 * count) }
  var shapeText: String { optimizer == .sgd ? "\(count)" : "\(optimizer.kernel) \(count)" }
}
