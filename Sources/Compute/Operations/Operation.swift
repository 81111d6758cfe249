/// What every operation says of itself, in one place.
protocol OperationBody: Hashable, Sendable {
  /// A short name for tables and errors.
  var name: String { get }
  /// What it reads and writes, under the names that kernels give it; memory is planned in this order.
  var tensors: [Tensor] { get }
  /// Its shape and variant under the names that kernels give them, and stores that no kernel calls by their own name.
  var scalars: KernelArguments { get }
  /// The cost, float32 throughout; operations per element of elementwise work are counted as written.
  var cost: TensorOperation.Cost { get }
  /// The shape that tells two operations of one name apart, such as `16→32 16×16 3×3/2`.
  var shapeText: String { get }
  /// Whether `StepProgram.fused` makes the operation of others: only where the device supports it.
  var isFused: Bool { get }
  /// The window of a convolution, or of its gradients; nil for other operations.
  var convolution: Window? { get }
}

extension OperationBody {
  var isFused: Bool { false }
  var convolution: Window? { nil }

  /// Tensors and scalars by name.
  var arguments: KernelArguments {
    var arguments = scalars
    for tensor in tensors { arguments[tensor.name] = .value(tensor.value) }
    return arguments
  }
}

/// A value that an operation reads or writes, under the name that kernels give it.
public struct Tensor: Hashable, Sendable {
  /// What an operation does with a value.
  public enum Access: Hashable, Sendable { case reads, writes, changes }

  /// The name in the kernels' declarations.
  public let name: String
  /// Nil: this variant of the operation has no such tensor.
  public let value: Value?
  /// What happens to it.
  public let access: Access
  /// Whether it is one of the `[B, H, W, C]` or `[M, C]` that `ElementType` is about; vectors of channels, and what follows
  /// the global average, are float32 always.
  public let isActivation: Bool

  private init(_ name: String, _ value: Value?, _ access: Access, isActivation: Bool) {
    (self.name, self.value, self.access, self.isActivation) = (name, value, access, isActivation)
  }

  /// Activations that are read.
  public static func read(_ name: String, _ value: Value?) -> Tensor {
    Tensor(name, value, .reads, isActivation: true)
  }

  /// Activations that are written.
  public static func write(_ name: String, _ value: Value?) -> Tensor {
    Tensor(name, value, .writes, isActivation: true)
  }

  /// Floats that are read.
  public static func readFloats(_ name: String, _ value: Value?) -> Tensor {
    Tensor(name, value, .reads, isActivation: false)
  }

  /// Floats that are written.
  public static func writeFloats(_ name: String, _ value: Value?) -> Tensor {
    Tensor(name, value, .writes, isActivation: false)
  }

  /// Floats that are changed in place.
  public static func changeFloats(_ name: String, _ value: Value?) -> Tensor {
    Tensor(name, value, .changes, isActivation: false)
  }
}

/// What is bound to one argument of a kernel.
public enum OperationArgument: Hashable, Sendable {
  case operand(Operand)
  /// No buffer: the kernel does not look at this argument.
  case noBuffer
  case int(Int)
  case float(Float)

  /// A value, or no buffer for none.
  public static func value(_ value: Value?) -> Self { value.map { .operand(.value($0)) } ?? .noBuffer }
  /// A buffer that outlives the step.
  public static func store(_ store: Store) -> Self { .operand(.store(store)) }
  /// 1 or 0.
  public static func flag(_ flag: Bool) -> Self { .int(flag ? 1 : 0) }
}

/// Arguments by the names in kernels' declarations.
public typealias KernelArguments = [String: OperationArgument]

/// The heavy work of a step: a closed set, which every device answers case by case.
///
/// Integers named `…At` are offsets into the flat buffers of `ParameterTable`. `accumulate` adds to the gradients that
/// are there instead of replacing them.
public enum TensorOperation: Hashable, Sendable {
  case augment(Augment)
  case convolve(Convolve)
  case convolveBackwardData(ConvolveBackwardData)
  case convolveBackwardWeights(ConvolveBackwardWeights)
  case depthwise(Depthwise)
  case depthwiseBackwardData(DepthwiseBackwardData)
  case depthwiseBackwardWeights(DepthwiseBackwardWeights)
  case batchStatistics(TakeBatchStatistics)
  case inferenceStatistics(TakeRunningStatistics)
  case normalize(Normalize)
  case normalizeBackward(NormalizeBackward)
  case normalizeBackwardSums(NormalizeBackwardSums)
  case normalizeBackwardApply(NormalizeBackwardApply)
  case add(Add)
  case rectify(Rectify)
  case rectifyBackward(RectifyBackward)
  case bias(AddBias)
  case biasBackward(AddBiasBackward)
  case dropout(ApplyDropout)
  case flatten(Flatten)
  case flattenBackward(FlattenBackward)
  case shortcut(ApplyShortcut)
  case shortcutBackward(ApplyShortcutBackward)
  case pool(Pool)
  case poolBackward(PoolBackward)
  case globalAverage(GlobalAverage)
  case globalAverageBackward(GlobalAverageBackward)
  case linear(Linear)
  case linearBackwardData(LinearBackwardData)
  case linearBackwardWeights(LinearBackwardWeights)
  case loss(LossRows)
  case evaluate(EvaluateRows)
  case rows(ComputeRows)
  case flat(ComputeFlat)
  case update(Update)
  case advance(Advance)
  /// Ends a segment of the step: other plans may run before the next one begins. Computes nothing.
  case cut

  /// What all operations have in common.
  var body: any OperationBody {
    switch self {
    case .augment(let body): body
    case .convolve(let body): body
    case .convolveBackwardData(let body): body
    case .convolveBackwardWeights(let body): body
    case .depthwise(let body): body
    case .depthwiseBackwardData(let body): body
    case .depthwiseBackwardWeights(let body): body
    case .batchStatistics(let body): body
    case .inferenceStatistics(let body): body
    case .normalize(let body): body
    case .normalizeBackward(let body): body
    case .normalizeBackwardSums(let body): body
    case .normalizeBackwardApply(let body): body
    case .add(let body): body
    case .rectify(let body): body
    case .rectifyBackward(let body): body
    case .bias(let body): body
    case .biasBackward(let body): body
    case .dropout(let body): body
    case .flatten(let body): body
    case .flattenBackward(let body): body
    case .shortcut(let body): body
    case .shortcutBackward(let body): body
    case .pool(let body): body
    case .poolBackward(let body): body
    case .globalAverage(let body): body
    case .globalAverageBackward(let body): body
    case .linear(let body): body
    case .linearBackwardData(let body): body
    case .linearBackwardWeights(let body): body
    case .loss(let body): body
    case .evaluate(let body): body
    case .rows(let body): body
    case .flat(let body): body
    case .update(let body): body
    case .advance(let body): body
    case .cut: Cut()
    }
  }
}

extension TensorOperation {
  /// A short name for tables and errors.
  public var name: String { body.name }
  /// The shape that tells two operations of one name apart, such as `16→32 16×16 3×3/2`.
  public var shapeText: String { body.shapeText }
  /// The cost, float32 throughout; operations per element of elementwise work are counted as written.
  public var cost: Cost { body.cost }
  /// Whether `StepProgram.fused` makes the operation of others: only where the device supports it.
  public var isFused: Bool { body.isFused }
  /// The window of a convolution, or of its gradients; nil for other operations.
  public var convolution: Window? { body.convolution }
  /// All that the operation says to its kernels: values, sizes and variant, under the kernels' names.
  public var arguments: KernelArguments { body.arguments }

  /// The values that the operation reads and writes, for planning memory.
  public var values: (reads: [Value], writes: [Value]) {
    var reads: [Value] = [], writes: [Value] = []
    for tensor in body.tensors {
      guard let value = tensor.value else { continue }
      if tensor.access != .writes { reads.append(value) }
      if tensor.access != .reads { writes.append(value) }
    }
    return (reads, writes)
  }

  /// The values among them that `ElementType` is about; see `Tensor.isActivation`.
  public var activations: [Value] { body.tensors.compactMap { $0.isActivation ? $0.value : nil } }

  /// The work of an operation as its formula states it: multiplications and additions, and bytes that must at least
  /// pass between memory and device when every tensor is read or written once.
  public struct Cost: Sendable, Equatable {
    /// Multiplications and additions.
    public var operations: Double
    /// Bytes read and written at least.
    public var bytes: Double

    /// A cost.
    public init(operations: Double, bytes: Double) {
      self.operations = operations
      self.bytes = bytes
    }

    static func floats(_ count: Int, operations: Int) -> Cost {
      Cost(operations: Double(operations), bytes: 4 * Double(count))
    }
  }
}

extension StepProgram {
  /// The cost of one of the program's operations with activations as the program stores them.
  ///
  /// `TensorOperation.cost` counts four bytes for each number. Weights and statistics stay float32, but are so few beside
  /// the activations that they are counted like those.
  public func cost(of operation: TensorOperation) -> TensorOperation.Cost {
    var cost = operation.cost
    // Pixels stay bytes, and features floats.
    let pixels = if case .augment(let augment) = operation { Double(augment.byteCount) } else { 0.0 }
    cost.bytes = pixels + (cost.bytes - pixels) * Double(elementType(of: operation).byteCount) / 4
    return cost
  }
}
