/// What a device must offer.
///
/// Everything else is written once, above.
///
/// Preparing does everything that is slow or can be wrong: building kernels, checking arguments, sizing workspace.
/// Enqueueing is cheap, in order, and can fail only if the device dies. Reading waits, and so may a large write.
///
/// A conformer must pass this: after writing x into a buffer and enqueueing prepared operations A then B, reading gives
/// what A then B leave, whatever was enqueued before; and doing so twice from the same state gives the same bits.
public protocol Device: AnyObject {
  associatedtype Buffer
  associatedtype Prepared

  /// What it is called in a run's record, such as `cpu (avx512, 2 threads)`.
  var name: String { get }
  /// The driver's name and version; for the built-in CPU path, its instruction set.
  var driver: String { get }
  /// The fused forms that the device computes in one pass.
  var forms: Set<FusedForm> { get }

  /// Whether the device has an operation: one that `StepProgram.fused` has made of others, which it has all.
  func supports(_ fused: TensorOperation) -> Bool

  /// What is left for this process; nil for a device that does not tell.
  var memory: DeviceMemory? { get }
  /// Device memory, zero-filled. Throws `Failure.Kind.outOfMemory`.
  func allocate(byteCount: Int) throws -> Buffer
  /// Replaces bytes from `offset`; the source may be reused as soon as this returns.
  func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws
  /// Waits for all that was enqueued, then copies.
  func read(_ buffer: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws

  /// Floats of `Store.workspace` and `Store.vectors` that an operation needs.
  func workspace(for operation: TensorOperation) throws -> (workspace: Int, vectors: Int)
  /// How the device can store activations.
  var formats: Set<ElementType> { get }
  /// The relative size of the rounding of what an operation multiplies: 2^-24 for single precision.
  func rounding(of operation: TensorOperation) -> Double
  /// Binds an operation to its buffers; its activations (`TensorOperation.activations`) are stored in a format.
  func prepare(
    _ operation: TensorOperation, activations: ElementType, buffer: (Operand) -> Buffer
  ) throws -> [Prepared]
  /// Binds a measurement of the device itself to two buffers (see `DeviceProbe`); empty if the device has none.
  func prepare(_ probe: DeviceProbe, source: Buffer, target: Buffer) throws -> [Prepared]
  /// The same launches in the same order, in as few pieces as the device can make of them: what is run again and again.
  func recorded(_ launches: [Prepared]) -> [Prepared]
  /// Runs one prepared launch after all that came before.
  func enqueue(_ prepared: Prepared) throws
  /// Hands what was enqueued to the device without waiting.
  func flush() throws
}

extension Device {
  /// Binds an operation to its buffers, all of float32.
  public func prepare(_ operation: TensorOperation, buffer: (Operand) -> Buffer) throws -> [Prepared] {
    try prepare(operation, activations: .float32, buffer: buffer)
  }

  /// Not told.
  public var memory: DeviceMemory? { nil }

  /// Single precision.
  public func rounding(of operation: TensorOperation) -> Double { 0x1p-24 }

  /// No measurements; see `DeviceProbe`.
  public func prepare(_ probe: DeviceProbe, source: Buffer, target: Buffer) throws -> [Prepared] { [] }

  /// Every launch by itself: the device cannot record them.
  public func recorded(_ launches: [Prepared]) -> [Prepared] { launches }

  /// Writes an array.
  public func write<Element: BitwiseCopyable>(_ values: [Element], to buffer: Buffer, at index: Int = 0) throws {
    try values.withUnsafeBytes { try write($0, to: buffer, at: index * MemoryLayout<Element>.stride) }
  }

  /// Reads `count` elements from element `index` on.
  public func read<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int, from buffer: Buffer, at index: Int = 0
  ) throws -> [Element] {
    try [Element](unsafeUninitializedCapacity: count) { uninitialized, initialized in
      try read(buffer, at: index * MemoryLayout<Element>.stride, into: UnsafeMutableRawBufferPointer(uninitialized))
      initialized = count
    }
  }
}
