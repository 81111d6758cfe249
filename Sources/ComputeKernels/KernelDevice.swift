import Compute
import Failures

/// A device whose launches can be chosen among, for speed.
public protocol TunableDevice: Device {
  /// The choices in force for what is prepared from now on.
  var tuning: Tuning { get set }
  /// What an operation becomes with the choices in force; nil for a fused one that the device lacks.
  func lower(_ operation: TensorOperation) -> Lowered?
}

/// An argument of a kernel with its memory.
public enum BoundArgument<Buffer> {
  case buffer(Buffer)
  /// No buffer: the kernel does not look at this argument.
  case noBuffer
  case int(Int)
  case float(Float)
}

/// A device that runs the kernels: it binds single launches, and has the rest from here.
public protocol KernelDevice: TunableDevice {
  /// What becomes of operations.
  var lowering: any Lowering { get set }
  /// The kernels' declarations by name.
  var signatures: [String: KernelSignature] { get }
  /// Binds a launch to its arguments, which are in the kernel's order.
  func bind(
    _ launch: Launch, _ arguments: [(name: String, value: BoundArgument<Buffer>)], activations: ElementType
  ) throws -> Prepared
}

extension KernelDevice {
  /// The choices of launches in force for what is prepared from now on.
  public var tuning: Tuning {
    get { lowering.tuning }
    set { lowering.tuning = newValue }
  }

  /// What an operation becomes; see `TunableDevice`.
  public func lower(_ operation: TensorOperation) -> Lowered? { lowering.lower(operation) }

  /// Whether there are kernels for a fused operation; see `Device`.
  public func supports(_ fused: TensorOperation) -> Bool { lower(fused) != nil }

  /// The relative size of the rounding of what an operation multiplies; see `Device`.
  public func rounding(of operation: TensorOperation) -> Double { lower(operation)?.rounding ?? 0x1p-24 }

  /// Floats of shared memory that the operation needs; see `Device`.
  public func workspace(for operation: TensorOperation) throws -> (workspace: Int, vectors: Int) {
    let lowered = try lowered(operation)
    return (lowered.workspace, lowered.vectors)
  }

  /// Binds an operation to its buffers; see `Device`.
  public func prepare(
    _ operation: TensorOperation, activations: ElementType, buffer: (Operand) -> Buffer
  ) throws -> [Prepared] {
    let said = operation.arguments
    return try lowered(operation).launches.map {
      try prepare($0, saying: said, activations: activations, buffer: buffer)
    }
  }

  /// Binds a measurement of the device to two buffers; see `Device`.
  public func prepare(_ probe: DeviceProbe, source: Buffer, target: Buffer) throws -> [Prepared] {
    let launch = lowering.launch(for: probe)
    return [
      try prepare(launch, saying: [:], activations: .float32) { $0 == .store(.workspace) ? source : target }
    ]
  }

  private func lowered(_ operation: TensorOperation) throws -> Lowered {
    guard let lowered = lower(operation) else {
      throw Failure(
        .bug, "\(name) has no kernels for '\(operation.name) \(operation.shapeText)'.",
        why: "a program was not made for this device.", fix: "please report this.")
    }
    return lowered
  }

  private func prepare(
    _ launch: Launch, saying said: KernelArguments, activations: ElementType, buffer: (Operand) -> Buffer
  ) throws -> Prepared {
    guard let signature = signatures[launch.kernel] else {
      throw Failure(
        .bug, "there is no kernel '\(launch.kernel)'.", why: "no file in Kernels declares it.",
        fix: "please report this.")
    }
    let arguments = try launch.bound(to: signature, saying: said).map { argument in
      let value: BoundArgument<Buffer> =
        switch argument.value {
        case .operand(let operand): .buffer(buffer(operand))
        case .noBuffer: .noBuffer
        case .int(let number): .int(number)
        case .float(let number): .float(number)
        }
      return (name: argument.name, value: value)
    }
    return try bind(launch, arguments, activations: activations)
  }
}
