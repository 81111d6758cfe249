/// Arithmetic on the flat buffers of a network's parameters, by its kernel: an optimiser.
///
/// The kernel reads and writes stores, under their names; besides them the sums of squares of the gradients (`squares`,
/// `pieces`).
public struct FlatKernel: Hashable, Sendable {
  /// The kernel, such as `optimizer_sgd`; every family has its own.
  public let kernel: String
  /// Flat buffers that it reads, and that it writes.
  let reads: Int, writes: Int

  private init(_ kernel: String, reads: Int, writes: Int) {
    (self.kernel, self.reads, self.writes) = (kernel, reads, writes)
  }

  /// Stochastic gradient descent with (Nesterov) momentum, as `torch.optim.SGD`.
  public static let sgd = FlatKernel("optimizer_sgd", reads: 3, writes: 2)
  /// Adam (Kingma and Ba, 2015), as `torch.optim.Adam`.
  public static let adam = FlatKernel("optimizer_adam", reads: 4, writes: 3)
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
