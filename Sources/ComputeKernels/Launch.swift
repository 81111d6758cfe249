import Compute
import Failures

/// One launch of one kernel: what both devices understand, one by setting arguments, the other by calling the function.
public struct Launch: Sendable, Hashable {
  /// The kernel's name, which families share where they have the same formula (Kernels/vector, Kernels/workgroup).
  public var kernel: String
  /// Work-items per dimension.
  public var global: [Int]
  /// Work-items per group; nil for kernels whose work-items are independent (groups of one on CPU-type devices).
  public var local: [Int]?
  /// The arguments that only this launch passes, or passes in place of what the operation says.
  public var own: KernelArguments

  /// A launch.
  public init(_ kernel: String, global: [Int], local: [Int]? = nil, _ own: KernelArguments = [:]) {
    (self.kernel, self.global, self.local, self.own) = (kernel, global, local, own)
  }

  /// The arguments in the kernel's order.
  ///
  /// For each that the kernel declares: what the launch passes, else what the operation says, else the store of that name.
  ///
  /// - Parameters:
  ///   - signature: the kernel's declaration.
  ///   - said: the arguments of the operation (`TensorOperation.arguments`).
  /// - Throws: `.bug` for an argument that nobody gives or that is of another kind in the kernel, and for one that the
  ///   launch passes and the kernel lacks.
  public func bound(
    to signature: KernelSignature, saying said: KernelArguments
  ) throws(Failure) -> [(name: String, value: OperationArgument)] {
    if let name = own.keys.sorted().first(where: { name in !signature.arguments.contains { $0.name == name } }) {
      throw KernelSignature.mismatch("\(signature.title) has no argument '\(name)', which the host passes.")
    }
    var bound: [(name: String, value: OperationArgument)] = []
    bound.reserveCapacity(signature.arguments.count)
    for argument in signature.arguments {
      let name = argument.name
      guard let value = own[name] ?? said[name] ?? Store.named[name].map(OperationArgument.store) else {
        throw KernelSignature.mismatch("\(signature.title): nobody gives argument '\(name)'.")
      }
      guard argument.kind.takes(value) else {
        throw KernelSignature.mismatch(
          "\(signature.title): argument '\(name)' is of another kind in the kernel than \(value).")
      }
      bound.append((name, value))
    }
    return bound
  }
}

extension KernelSignature.Kind {
  fileprivate func takes(_ value: OperationArgument) -> Bool {
    switch (self, value) {
    case (.buffer, .operand), (.buffer, .noBuffer), (.int, .int), (.uint, .int), (.long, .int), (.ulong, .int),
      (.float, .float):
      true
    case (.buffer, _), (.local, _), (.int, _), (.uint, _), (.long, _), (.ulong, _), (.float, _), (.other, _): false
    }
  }
}

/// What an operation becomes on a kind of device.
public struct Lowered: Sendable, Hashable {
  /// The launches, in order.
  public var launches: [Launch]
  /// Floats of `Store.workspace` and `Store.vectors` that they use.
  public var workspace = 0, vectors = 0
  /// The relative size of the rounding of what is multiplied: 2^-24 for single precision.
  public var rounding = 0x1p-24

  init(_ launches: [Launch], workspace: Int = 0, vectors: Int = 0, rounding: Double = 0x1p-24) {
    (self.launches, self.workspace, self.vectors, self.rounding) = (launches, workspace, vectors, rounding)
  }
}

/// How a kind of device turns operations into launches.
public protocol Lowering: Sendable {
  /// The choices of launches that are in force.
  var tuning: Tuning { get set }
  /// What an operation becomes; nil for a fused one without kernels.
  func lower(_ operation: TensorOperation) -> Lowered?
  /// The launch of a measurement; it reads `Store.workspace` and writes `Store.vectors`.
  func launch(for probe: DeviceProbe) -> Launch
}

extension KernelArguments {
  /// The right's arguments win.
  static func + (left: Self, right: Self) -> Self { left.merging(right) { _, right in right } }
}

/// ⌈a / b⌉.
func ceilDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
