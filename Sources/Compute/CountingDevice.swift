import Failures

/// A device that counts what is allocated and computes nothing: what a run takes of another device's memory is found out
/// by preparing it here first.
///
/// It lowers and fuses as the other device does, so that what is counted is what would be allocated, and refuses what the
/// other one has no room for.
public final class CountingDevice<D: Device>: Device {
  /// Memory that is only counted, as long as it is kept.
  public final class Buffer {
    fileprivate let byteCount: Int
    private let owner: CountingDevice<D>

    fileprivate init(_ byteCount: Int, of owner: CountingDevice<D>) {
      (self.byteCount, self.owner) = (byteCount, owner)
      owner.allocated += byteCount
      owner.most = max(owner.most, owner.allocated)
    }

    deinit { owner.allocated -= byteCount }
  }

  /// Nothing is ever run.
  public typealias Prepared = Never

  private let device: D
  private let limit: DeviceMemory?
  private var allocated = 0
  /// The most bytes that were allocated at a time.
  public private(set) var most = 0

  /// Counts against what the device has left now.
  ///
  /// - Parameter reserve: bytes of a host's memory that are for the rest of the program.
  public init(_ device: D, reserve: Int) {
    self.device = device
    limit = device.memory.map { $0.isHost ? DeviceMemory(left: $0.left - reserve, owner: $0.owner) : $0 }
  }

  /// That of the other device; see `Device`.
  public var name: String { device.name }
  /// That of the other device; see `Device`.
  public var driver: String { device.driver }
  /// Those of the other device; see `Device`.
  public var forms: Set<FusedForm> { device.forms }
  /// Those of the other device; see `Device`.
  public var formats: Set<ElementType> { device.formats }
  /// What the other device has; see `Device`.
  public func supports(_ fused: TensorOperation) -> Bool { device.supports(fused) }

  /// What the other device would have left.
  public var memory: DeviceMemory? { limit.map { DeviceMemory(left: $0.left - allocated, owner: $0.owner) } }

  /// Counts; see `Device`.
  public func allocate(byteCount: Int) throws -> Buffer {
    try requireRoom(for: byteCount, of: "the run", "its tables") { _ in "use a --device with more memory." }
    return Buffer(byteCount, of: self)
  }

  /// Does nothing; see `Device`.
  public func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws {}

  /// Gives zeros; see `Device`.
  public func read(_ buffer: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// What the other device needs; see `Device`.
  public func workspace(for operation: TensorOperation) throws -> (workspace: Int, vectors: Int) {
    try device.workspace(for: operation)
  }

  /// Prepares nothing; see `Device`.
  public func prepare(
    _ operation: TensorOperation, activations: ElementType, buffer: (Operand) -> Buffer
  ) throws -> [Never] { [] }

  /// Cannot be called; see `Device`.
  public func enqueue(_ prepared: Never) throws {}

  /// Does nothing; see `Device`.
  public func flush() throws {}
}
