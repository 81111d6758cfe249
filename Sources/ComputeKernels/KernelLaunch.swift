import Compute

/// One launch of one kernel: what both devices understand, one by setting arguments, the other by calling the function.
public struct KernelLaunch: Sendable {
  /// The value of one argument.
  public enum Argument: Sendable, Hashable {
    case operand(Operand)
    /// No buffer: the kernel does not look at this argument.
    case none
    case int(Int)
    case float(Float)
  }

  /// The kernel's name, which families share where they have the same formula (Kernels/vector, Kernels/workgroup).
  public var kernel: String
  /// The arguments under the names that the kernel gives them, in its order.
  public var arguments: [(name: String, value: Argument)]
  /// Work-items per dimension.
  public var global: [Int]
  /// Work-items per group; nil for kernels whose work-items are independent (groups of one on CPU-type devices).
  public var local: [Int]?

  init(_ kernel: String, _ arguments: KeyValuePairs<String, Argument>, global: [Int], local: [Int]? = nil) {
    self.kernel = kernel
    self.arguments = arguments.map { ($0.key, $0.value) }
    self.global = global
    self.local = local
  }
}

extension KernelLaunch {
  /// A training method's kernel; it is the same in all families.
  init(_ kernel: RowKernel, global: [Int], local: [Int]? = nil) {
    self.init(kernel.kernel, [:], global: global, local: local)
    arguments = kernel.bindings.map { ($0.name, Argument($0.argument)) }
  }

  /// An optimiser over `count` parameters; `pieces` sums of squares of the gradients lie in the workspace.
  init(_ kernel: FlatKernel, count: Int, pieces: Int, global: [Int], local: [Int]? = nil) {
    self.init(kernel.kernel, [:], global: global, local: local)
    arguments = kernel.buffers.map { ($0.name, Argument($0.argument)) }
    arguments += [
      ("numbers", .store(.numbers)), ("squares", .store(.workspace)), ("n", .int(count)), ("pieces", .int(pieces)),
    ]
  }
}

extension KernelLaunch.Argument {
  init(_ argument: RowKernel.Argument) {
    self =
      switch argument {
      case .reads(let value), .writes(let value), .changes(let value): .value(value)
      case .store(let store): .store(store)
      case .int(let number): .int(number)
      }
  }

  static func value(_ value: Value) -> Self { .operand(.value(value)) }
  static func value(_ value: Value?) -> Self { value.map { .operand(.value($0)) } ?? .none }
  static func store(_ store: Store) -> Self { .operand(.store(store)) }
  static func flag(_ flag: Bool) -> Self { .int(flag ? 1 : 0) }
}

/// How a kind of device turns operations into launches.
public protocol Lowering: Sendable {
  /// The choices of launches that are in force.
  var tuning: Tuning { get set }
  /// The launches of one operation, in order.
  func launches(for operation: TensorOperation) -> [KernelLaunch]
  /// Whether there are kernels for a fused operation, of the kinds that `StepProgram.fused` makes.
  func supports(_ fused: TensorOperation) -> Bool
  /// Floats of shared workspace, and of vectors of channels, that those launches use.
  func workspace(for operation: TensorOperation) -> (workspace: Int, vectors: Int)
  /// The launch of a measurement; it reads `Store.workspace` and writes `Store.vectors`.
  func launch(for probe: DeviceProbe) -> KernelLaunch
}

func quotient(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
