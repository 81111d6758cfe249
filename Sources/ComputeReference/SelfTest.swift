import Compute

/// What a self-test found out about one operation.
public struct SelfTestResult: Sendable {
  /// The operation's name.
  public private(set) var name: String
  /// Shapes and variant.
  public let shape: String
  /// The largest error, measured in roundings (`ReferenceNumber.roundings` times the unit of the test).
  ///
  /// Infinite where a number is not one, an integer is wrong, or something was written that should not be touched.
  public let worstError: Double
  /// The largest error that passes, in the same unit.
  public let tolerance: Double
  /// Where the largest error is, such as `gradients[51] is 0.25 instead of 0.5`; empty without any error.
  public let detail: String

  /// The same with a name that tells what was computed with.
  public func named(for precision: Precision) -> SelfTestResult {
    var result = self
    result.name += " (\(precision.rawValue))"
    return result
  }

  /// Whether the device computes the operation right.
  public var passed: Bool { worstError <= tolerance }
}

/// Every operation on a device against the double-precision reference.
///
/// Both get the same inputs. What is only written begins as not-a-number, and so does the workspace, so that nothing
/// can rely on what lies there; every number that the operation leaves, and every number that it must leave alone, is
/// compared.
public struct SelfTest<D: Device> {
  /// Roundings that a right kernel may be off by: Winograd's 4×4 tiles are off by up to 7.2, the other kernels of the
  /// built-in CPU device by less than 3, and the most careless functions that OpenCL allows (4 units in the last place)
  /// by less than 8.
  public static var roundings: Double { 16 }

  /// The same for what leaves batch statistics.
  ///
  /// A sum of n terms of one sign, added one after the other, wanders off
  /// by about √n roundings, and a device may measure a channel from an origin that is far from its mean; the longest
  /// such sums of any kernel have 4096 terms.
  public static var roundingsOfStatistics: Double { 64 }

  /// What is tested: the fused operations that the device lacks are left out.
  public let cases: [OperationCase]
  let device: D
  private let activations: ElementType

  /// A test of a device.
  ///
  /// - Parameters:
  ///   - cases: the operations; `OperationCase.cases(for:)` for those of one program.
  ///   - activations: how activations are stored. With bfloat16 both sides begin from the same rounded numbers, and the
  ///     device's results may be off by their one rounding more; operations without activations are left out.
  public init(
    on device: D, cases: [OperationCase] = OperationCase.all, activations: ElementType = .float32
  ) {
    self.device = device
    self.activations = activations
    self.cases = cases.filter {
      (!$0.operation.isFused || device.supports($0.operation))
        && (activations == .float32 || !$0.operation.activations.isEmpty)
    }
  }

  /// The relative size of one rounding.
  ///
  /// What rounds both factors of a product, such as matrix units, is off by `rounding` at most for each product: half of
  /// that for each rounding that the reference counts. That should pass as the whole tolerance.
  public func unit(of operation: TensorOperation) -> Double {
    let rounding = device.rounding(of: operation)
    return rounding == 0x1p-24 ? rounding : rounding / Self.roundings
  }

  /// Whether an operand is stored with 16 bits.
  private func isNarrow(_ operand: Operand, _ operation: TensorOperation) -> Bool {
    guard activations == .bfloat16, case .value(let value) = operand else { return false }
    return operation.activations.contains(value)
  }

  private func tolerance(for operation: TensorOperation) -> Double {
    if case .batchStatistics = operation { return Self.roundingsOfStatistics }
    if case .convolve(let convolve) = operation, convolve.statistics != nil { return Self.roundingsOfStatistics }
    return Self.roundings
  }

  /// Runs all cases.
  ///
  /// - Throws: what the device throws; a wrong result is not thrown, but in the list.
  public func run() throws -> [SelfTestResult] { try cases.map(run) }

  /// Runs one case.
  public func run(_ operationCase: OperationCase) throws -> SelfTestResult {
    let operation = operationCase.operation
    var inputs = operationCase.inputs, narrow = inputs
    for (operand, bytes) in inputs where isNarrow(operand, operation) {
      let numbers = BFloat16Bytes(floats: bytes)
      inputs[operand] = numbers.floats
      narrow[operand] = numbers.bytes
    }
    let expected = try Self.execute(operationCase, inputs, on: ReferenceDevice(), .float32)
    let actual = try Self.execute(operationCase, narrow, on: device, activations)
    let unit = unit(of: operation)
    var worst = Discrepancy(unit: unit)
    for (operand, content) in operationCase.contents {
      guard let expected = expected[operand], let actual = actual[operand] else { continue }
      let isNarrow = isNarrow(operand, operation)
      var bytes = try device.read(UInt8.self, count: content.byteCount / (isNarrow ? 2 : 1), from: actual)
      if isNarrow { bytes = BFloat16Bytes(bytes: bytes).floats }
      var found = Discrepancy(unit: unit)
      switch content {
      case .integers: found = compareElements(Int32.self, bytes, expected, unit: unit)
      case .bytes: found = compareElements(UInt8.self, bytes, expected, unit: unit)
      default:
        // The two columns of a compensated sum are one number.
        if CompensatedSum.columns.contains(where: { operand == .store($0.sum) || operand == .store($0.lost) }) {
          continue
        }
        found = compareFloats(
          bytes, expected, meaningful: operationCase.meaningful[operand],
          storing: isNarrow ? BFloat16Bytes.rounding : 0, unit: unit)
      }
      found.name(operand)
      if found.error > worst.error { worst = found }
    }
    for columns in CompensatedSum.columns {
      guard let sum = actual[.store(columns.sum)], let lost = actual[.store(columns.lost)] else { continue }
      let found = try compareSums(sum, lost, columns, expected, operationCase)
      if found.error > worst.error { worst = found }
    }
    return SelfTestResult(
      name: operationCase.operation.name, shape: operationCase.shape, worstError: worst.error,
      tolerance: tolerance(for: operationCase.operation), detail: worst.detail)
  }

  /// The bytes that the device leaves in every operand of a case, for comparing devices bit by bit; activations as
  /// float32.
  ///
  /// - Parameter inputs: the case's `inputs`, where the caller has them already.
  public func outputs(
    of operationCase: OperationCase, inputs: [Operand: [UInt8]]? = nil
  ) throws -> [Operand: [UInt8]] {
    let bound = try Self.bind(operationCase, narrowed(inputs, of: operationCase), on: device, activations)
    try bound.run(on: device)
    var outputs: [Operand: [UInt8]] = [:]
    for (operand, content) in operationCase.contents {
      guard let buffer = bound.buffers[operand] else { continue }
      let isNarrow = isNarrow(operand, operationCase.operation)
      let bytes = try device.read(UInt8.self, count: content.byteCount / (isNarrow ? 2 : 1), from: buffer)
      outputs[operand] = isNarrow ? BFloat16Bytes(bytes: bytes).floats : bytes
    }
    return outputs
  }

  /// A case on the device, ready to run any number of times.
  public func bind(
    _ operationCase: OperationCase, inputs: [Operand: [UInt8]]? = nil
  ) throws -> BoundCase<D> {
    try Self.bind(operationCase, narrowed(inputs, of: operationCase), on: device, activations)
  }

  private func narrowed(_ inputs: [Operand: [UInt8]]?, of operationCase: OperationCase) -> [Operand: [UInt8]] {
    var inputs = inputs ?? operationCase.inputs
    for (operand, bytes) in inputs where isNarrow(operand, operationCase.operation) {
      inputs[operand] = BFloat16Bytes(floats: bytes).bytes
    }
    return inputs
  }

  /// Allocates, fills and prepares.
  private static func bind<Other: Device>(
    _ operationCase: OperationCase, _ inputs: [Operand: [UInt8]], on device: Other, _ activations: ElementType
  ) throws -> BoundCase<Other> {
    var buffers: [Operand: Other.Buffer] = [:]
    for (operand, bytes) in inputs {
      let buffer = try device.allocate(byteCount: bytes.count)
      try device.write(bytes, to: buffer)
      buffers[operand] = buffer
    }
    let needed = try device.workspace(for: operationCase.operation)
    for (store, count) in [(Store.workspace, needed.workspace), (.vectors, needed.vectors)] {
      let buffer = try device.allocate(byteCount: max(count, 1) * 4)
      try device.write([Float](repeating: .nan, count: max(count, 1)), to: buffer)
      buffers[.store(store)] = buffer
    }
    let prepared = try device.prepare(operationCase.operation, activations: activations) { operand in
      guard let buffer = buffers[operand] else {
        preconditionFailure("\(operationCase.name) has nothing for \(operand)")
      }
      return buffer
    }
    return BoundCase(buffers: buffers, prepared: prepared)
  }

  private static func execute<Other: Device>(
    _ operationCase: OperationCase, _ inputs: [Operand: [UInt8]], on device: Other, _ activations: ElementType
  ) throws -> [Operand: Other.Buffer] {
    let bound = try bind(operationCase, inputs, on: device, activations)
    try bound.run(on: device)
    return bound.buffers
  }
}

/// An operation with memory and prepared launches.
public struct BoundCase<D: Device> {
  /// The memory of each operand.
  public let buffers: [Operand: D.Buffer]
  /// The launches, in order.
  public let prepared: [D.Prepared]

  func run(on device: D) throws {
    for launch in prepared { try device.enqueue(launch) }
    try device.flush()
  }
}
