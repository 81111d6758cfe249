/// Arithmetic on the rows of a batch, by its kernel: one work-item for each row, without barriers.
///
/// Devices launch it and know nothing else of it, so that a training method brings its own. Arguments that it does not
/// name are the stores of those names, and `B`, the number of rows.
public struct RowKernel: Hashable, Sendable {
  /// The kernel, such as `rows_scale`.
  public let kernel: String
  /// The values that it reads and writes.
  public let tensors: [Tensor]
  /// Numbers that do not change, and stores under other names than their own.
  public let scalars: KernelArguments

  /// A kernel with its arguments.
  public init(_ kernel: String, _ tensors: [Tensor], _ scalars: KernelArguments) {
    (self.kernel, self.tensors, self.scalars) = (kernel, tensors, scalars)
  }

  /// A whole number among its arguments.
  public subscript(_ name: String) -> Int {
    guard case .int(let number) = scalars[name] else { preconditionFailure("\(kernel) has no number '\(name)'") }
    return number
  }
}

/// A row kernel over the `count` rows of a batch.
public struct ComputeRows: OperationBody {
  public var kernel: RowKernel, count: Int

  /// Arithmetic that a loss or a training method brings.
  public init(_ kernel: RowKernel, count: Int) { (self.kernel, self.count) = (kernel, count) }

  var name: String { "rows" }
  var tensors: [Tensor] { kernel.tensors }
  var scalars: KernelArguments { kernel.scalars.merging(["B": .int(count)]) { _, rows in rows } }
  /// Columns and rows of a few numbers: nothing beside the layers.
  var cost: TensorOperation.Cost { .floats(count, operations: count) }
  var shapeText: String { "\(kernel.kernel) \(count)" }
}
