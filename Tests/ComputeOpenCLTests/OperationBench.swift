import Compute
import TestSupport
import Testing

/// Runs single operations on a device, on made-up numbers.
final class OperationBench<D: Device> {
  private let device: D
  private var buffers: [Operand: D.Buffer] = [:]
  private var counts: [Operand: Int] = [:]
  private var values = 0
  private var state: UInt64 = 7
  /// What the flat buffers hold so far.
  private var used = 48
  private var running = 0
  private static var flatCount: Int { 400_000 }

  init(on device: D) { self.device = device }

  /// A buffer of a store; flat ones hold bell-shaped numbers.
  private func store(_ store: Store, count: Int) throws -> D.Buffer {
    if let buffer = buffers[.store(store)], counts[.store(store)] ?? 0 >= count { return buffer }
    let buffer = try device.allocate(byteCount: count * 4)
    try device.write(
      [Float](repeating: store == .running || store == .gradients ? 0 : .nan, count: count), to: buffer)
    buffers[.store(store)] = buffer
    counts[.store(store)] = count
    return buffer
  }

  private func normal(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      // Four uniform numbers of 16 bits each (Steele et al., "Fast splittable pseudorandom number generators", 2014).
      state &+= 0x9E37_79B9_7F4A_7C15
      var bits = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
      bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
      bits ^= bits >> 31
      let sum = bits & 0xFFFF + bits >> 16 & 0xFFFF + bits >> 32 & 0xFFFF + bits >> 48
      return (Float(sum) * 0x1p-16 - 2) * Float(3).squareRoot()
    }
  }

  private func add(_ numbers: [Float]) throws -> Value {
    values += 1
    let value = Value(index: values)
    let buffer = try device.allocate(byteCount: numbers.count * 4)
    try device.write(numbers, to: buffer)
    (buffers[.value(value)], counts[.value(value)]) = (buffer, numbers.count)
    return value
  }

  /// A tensor with bell-shaped numbers.
  func value(_ count: Int) throws -> Value { try add(normal(count)) }

  /// A tensor that is only written.
  func written(_ count: Int) throws -> Value { try add([Float](repeating: .nan, count: count)) }

  /// Statistics that are read.
  func given(_ C: Int) throws -> BatchStatistics {
    BatchStatistics(
      mean: try add(normal(C).map { 0.3 + 0.5 * $0 }), inverse: try add(normal(C).map { 1 + 0.2 * $0 }),
      runningMean: 0, runningVariance: C)
  }

  /// Statistics that are written.
  func measured(_ C: Int) throws -> BatchStatistics {
    defer { running += 2 * C }
    return BatchStatistics(
      mean: try written(C), inverse: try written(C), runningMean: running, runningVariance: running + C)
  }

  private func parameters(_ count: Int) throws -> Int {
    defer { used += count }
    let flat = try store(.parameters, count: Self.flatCount)
    precondition(used + count <= Self.flatCount)
    try device.write(normal(count), to: flat, at: used)
    return used
  }

  /// Offset of a filter.
  func weights(_ window: Window) throws -> Int { try parameters(9 * window.C * window.O) }

  /// Offset of a vector, such as gamma.
  func vector(_ C: Int) throws -> Int { try parameters(C) }

  /// Runs an operation.
  func run(_ operation: TensorOperation) throws {
    let needed = try device.workspace(for: operation)
    _ = try store(.workspace, count: max(needed.workspace, 1))
    _ = try store(.vectors, count: max(needed.vectors, 1))
    for flat in [Store.parameters, .gradients, .running] { _ = try store(flat, count: Self.flatCount) }
    for launch in try device.prepare(operation, buffer: { buffers[$0]! }) { try device.enqueue(launch) }
    try device.flush()
  }

  private func floats(_ operand: Operand) throws -> [Float] {
    try device.read(Float.self, count: counts[operand]!, from: buffers[operand]!)
  }

  /// The gradients of the parameters that were made so far.
  func gradients() throws -> [Float] {
    try device.read(Float.self, count: used, from: buffers[.store(.gradients)]!)
  }

  /// Expects the same numbers, up to a part of the largest.
  func expect(_ actual: Value, _ wanted: Value, _ what: String, tolerance: Double) throws {
    expect(try floats(.value(actual)), try floats(.value(wanted)), what, tolerance: tolerance)
  }

  /// Expects the same numbers, up to a part of the largest.
  func expect(_ actual: [Float], _ wanted: [Float], _ what: String, tolerance: Double) {
    let comparison = Comparison(what + " ", actual, wanted.map(Double.init), tolerance: tolerance)
    #expect(comparison.passes, "\(comparison)")
  }
}
