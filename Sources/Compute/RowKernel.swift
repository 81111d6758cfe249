/// Arithmetic on the rows of a batch, by its kernel: one work-item for each row, without barriers.
///
/// Devices launch it and know nothing else of it, so that a training method brings its own. The arguments go by the
/// kernel's names, in its order.
public struct RowKernel: Hashable, Sendable {
  /// One argument.
  public enum Argument: Hashable, Sendable {
    /// A value `[B, …]` that the kernel only reads, only writes, or changes in place.
    case reads(Value), writes(Value), changes(Value)
    /// A buffer that outlives the step.
    case store(Store)
    /// A number that does not change.
    case int(Int)
  }

  /// An argument under the kernel's name for it.
  public struct Binding: Hashable, Sendable {
    /// The name in the kernel's declaration.
    public let name: String
    /// What is bound to it.
    public let argument: Argument
  }

  /// The kernel, such as `rows_scale`.
  public let kernel: String
  /// The arguments in the kernel's order.
  public let bindings: [Binding]

  /// A kernel with its arguments.
  public init(_ kernel: String, _ arguments: KeyValuePairs<String, Argument>) {
    self.kernel = kernel
    bindings = arguments.map { Binding(name: $0.key, argument: $0.value) }
  }

  /// What is bound to a name of the kernel's.
  public subscript(_ name: String) -> Argument {
    guard let found = bindings.first(where: { $0.name == name }) else {
      preconditionFailure("\(kernel) has no argument '\(name)'")
    }
    return found.argument
  }
}

/// Arithmetic on the flat buffers of a network's parameters, by its kernel: an optimiser.
///
/// The kernel reads `numbers` and the sums of squares of the gradients (`squares`, `pieces`) besides its buffers.
public struct FlatKernel: Hashable, Sendable {
  /// The kernel, such as `optimizer_sgd`; every family has its own.
  public let kernel: String
  /// The flat buffers that it reads and writes under the kernel's names, in its order.
  public let buffers: [RowKernel.Binding]

  private init(_ kernel: String, _ buffers: KeyValuePairs<String, Store>) {
    self.kernel = kernel
    self.buffers = buffers.map { .init(name: $0.key, argument: .store($0.value)) }
  }

  /// Stochastic gradient descent with (Nesterov) momentum, as `torch.optim.SGD`.
  public static let sgd = FlatKernel(
    "optimizer_sgd", ["parameters": .parameters, "gradients": .gradients, "momenta": .momenta])
  /// Adam (Kingma and Ba, 2015), as `torch.optim.Adam`.
  public static let adam = FlatKernel(
    "optimizer_adam",
    [
      "parameters": .parameters, "gradients": .gradients, "momenta": .momenta, "second_moments": .secondMoments,
      "counters": .counters,
    ])
}
