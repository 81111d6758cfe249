import Compute
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The device that other devices are checked against: every operation read from buffers of Float, computed in double
/// precision by `ReferenceMath`, and rounded once on writing.
///
/// It shares the layouts of the other devices (channels last, packed parameters) and none of their arithmetic.
/// Enqueueing computes; there is nothing to wait for.
public final class ReferenceDevice: Device {
  /// Zero-filled memory that also remembers, for each number written, what `ReferenceNumber.roundings` says of it.
  public final class Buffer {
    let bytes: UnsafeMutableRawBufferPointer
    private var roundings: [Double] = []

    init(byteCount: Int) throws {
      guard byteCount >= 0, let base = calloc(1, max(byteCount, 1)) else {
        throw Failure(
          .outOfMemory, "there is no memory for \(byteCount) more bytes.",
          why: "the system refused the allocation.", fix: "use smaller shapes with the reference device.")
      }
      bytes = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    deinit { free(bytes.baseAddress) }
  }

  /// An operation bound to its buffers.
  public struct Prepared {
    let run: () -> Void
  }

  /// What `Device.name` asks for.
  public let name = "reference (double precision)"
  /// What `Device.driver` asks for.
  public let driver = "built in"
  /// The fused forms that programs for this device use; none by default, so that every layer stands alone.
  public let forms: Set<FusedForm>
  private let fuses: Bool

  /// A reference, whose numbers are the same with and without fused forms and operations.
  ///
  /// - Parameters:
  ///   - forms: the fused forms that programs for it use.
  ///   - fuses: whether it asks for fused operations; it answers to them in any case.
  public init(forms: Set<FusedForm> = [], fuses: Bool = false) {
    self.forms = forms
    self.fuses = fuses
  }

  /// Zero-filled memory; see `Device`.
  public func allocate(byteCount: Int) throws -> Buffer { try Buffer(byteCount: byteCount) }

  /// Replaces bytes; see `Device`.
  public func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws {
    precondition(offset >= 0 && offset + bytes.count <= buffer.bytes.count, "writing past the end of a buffer")
    UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[offset..<offset + bytes.count]).copyMemory(from: bytes)
    buffer.forgetRoundings()
  }

  /// Waits and copies; see `Device`.
  public func read(_ buffer: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    precondition(offset >= 0 && offset + bytes.count <= buffer.bytes.count, "reading past the end of a buffer")
    bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[offset..<offset + bytes.count]))
  }

  /// How the device can store activations; see `Device`.
  public let formats: Set<ElementType> = [.float32]

  /// Whether programs for it use a fused operation; see `Device`.
  public func supports(_ fused: TensorOperation) -> Bool { fuses }

  /// Floats of shared memory that the operation needs; see `Device`.
  public func workspace(for operation: TensorOperation) throws -> (workspace: Int, vectors: Int) { (0, 0) }

  /// Runs one launch after all that came before; see `Device`.
  public func enqueue(_ prepared: Prepared) throws { prepared.run() }

  /// Hands over what was enqueued; see `Device`.
  public func flush() throws {}
}

// MARK: - What operations read and write

extension ReferenceDevice.Buffer {
  private func element<Element: BitwiseCopyable>(_ index: Int, as type: Element.Type) -> Element {
    let size = MemoryLayout<Element>.stride
    precondition(index >= 0 && (index + 1) * size <= bytes.count, "reading element \(index) past the end of a buffer")
    return bytes.load(fromByteOffset: index * size, as: type)
  }

  private func set<Element: BitwiseCopyable>(_ index: Int, to value: Element) {
    let size = MemoryLayout<Element>.stride
    precondition(index >= 0 && (index + 1) * size <= bytes.count, "writing element \(index) past the end of a buffer")
    bytes.storeBytes(of: value, toByteOffset: index * size, as: Element.self)
  }

  func number(at index: Int) -> ReferenceNumber { ReferenceNumber(element(index, as: Float.self)) }

  func numbers(at index: Int = 0, count: Int) -> [ReferenceNumber] { (index..<index + count).map(number) }

  /// The numbers as they were computed: with what they owe to rounding before.
  func computedNumbers(count: Int) -> [ReferenceNumber] {
    (0..<count).map { ReferenceNumber(number(at: $0).value, roundings: roundings(at: $0)) }
  }

  func integer(at index: Int) -> Int { Int(element(index, as: Int32.self)) }

  func byte(at index: Int) -> UInt8 { element(index, as: UInt8.self) }

  /// Rounds to Float.
  func write(_ number: ReferenceNumber, at index: Int) {
    set(index, to: Float(number.value))
    if roundings.isEmpty { roundings = [Double](repeating: 0, count: bytes.count / 4) }
    roundings[index] = number.roundings
  }

  func write(_ numbers: [ReferenceNumber], at index: Int = 0) {
    for (i, number) in numbers.enumerated() { write(number, at: index + i) }
  }

  func write(integer: Int, at index: Int) { set(index, to: Int32(integer)) }

  /// What is known of the number last written at a position; 0 where the host wrote.
  func roundings(at index: Int) -> Double { roundings.isEmpty ? 0 : roundings[index] }

  func forgetRoundings() { roundings = [] }
}

// MARK: - Packed parameters

/// Where the elements of a weight tensor lie in a flat buffer: `[O/16][taps][C][16]`, sixteen output channels side by
/// side.
///
/// This is the reference's own reading of the layout that `Parameter.pack` makes.
struct PackedWeights {
  let O: Int, C: Int, taps: Int
  let offset: Int

  init(_ window: Window, at offset: Int) {
    (O, C, taps) = (window.O, window.C, window.KH * window.KW)
    self.offset = offset
  }

  init(depthwise window: Window, at offset: Int) {
    (O, C, taps) = (window.C, 1, window.KH * window.KW)
    self.offset = offset
  }

  init(N: Int, K: Int, at offset: Int) {
    (O, C, taps) = (N, K, 1)
    self.offset = offset
  }

  /// Number of floats, output channels padded to whole vectors.
  var count: Int { (O + 15) / 16 * 16 * C * taps }

  /// Positions in the buffer in the order `[O, C, KH, KW]`.
  var positions: [Int] {
    var positions: [Int] = []
    for o in 0..<O {
      for c in 0..<C {
        for tap in 0..<taps {
          let (block, lane) = o.quotientAndRemainder(dividingBy: 16)
          positions.append(offset + ((block * taps + tap) * C + c) * 16 + lane)
        }
      }
    }
    return positions
  }
}

extension ReferenceDevice.Buffer {
  func weights(_ packed: PackedWeights) -> [ReferenceNumber] { packed.positions.map(number) }

  /// Writes the gradient of packed weights, or adds to what is there; the padding gets zeros.
  func write(gradient: [ReferenceNumber], of packed: PackedWeights, accumulate: Bool) {
    var all = [ReferenceNumber].zeros(packed.count)
    for (value, position) in zip(gradient, packed.positions) { all[position - packed.offset] = value }
    write(gradient: all, at: packed.offset, accumulate: accumulate)
  }

  /// Writes the gradient of a vector of channels, or adds to what is there; the padding gets zeros.
  func write(gradient: [ReferenceNumber], at offset: Int, accumulate: Bool) {
    let padded = gradient + [ReferenceNumber].zeros(Parameter.padded(gradient.count) - gradient.count)
    for (i, value) in padded.enumerated() {
      // An addition of zero leaves what is there as it is.
      if accumulate && value.value == 0 && value.roundings == 0 { continue }
      write(accumulate ? number(at: offset + i) + value : value, at: offset + i)
    }
  }
}
