import COpenCL
import Failures

extension CommandQueue {
  /// Copies bytes to a buffer, beginning `byteOffset` bytes into it, and waits until that is done.
  public func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at byteOffset: Int = 0) throws(Failure) {
    checkRange(of: buffer, at: byteOffset, byteCount: bytes.count)
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    let code = opencl.clEnqueueWriteBuffer(
      handle, buffer.handle, cl_bool(CL_TRUE), byteOffset, bytes.count, base, 0, nil, nil)
    try check(code, "clEnqueueWriteBuffer", while: "writing \(bytes.count) bytes", on: context.device.name)
  }

  /// Copies values to a buffer, beginning `byteOffset` bytes into it, and waits until that is done.
  public func write<Element: BitwiseCopyable>(
    _ values: [Element], to buffer: Buffer, at byteOffset: Int = 0
  ) throws(Failure) {
    try values.withUnsafeBufferPointer { values throws(Failure) in
      try write(UnsafeRawBufferPointer(values), to: buffer, at: byteOffset)
    }
  }

  /// Copies bytes to a buffer when the commands before it are done, and returns at once.
  ///
  /// Meant for a few numbers in the midst of a step: the bytes are copied and kept until the device has read them.
  public func enqueueWrite(
    _ source: UnsafeRawBufferPointer, to buffer: Buffer, at byteOffset: Int = 0
  ) throws(Failure) {
    checkRange(of: buffer, at: byteOffset, byteCount: source.count)
    guard source.count > 0 else { return }
    if let unread = pendingWrites.firstIndex(where: { !$0.isDone }) {
      pendingWrites.removeFirst(unread)
    } else {
      pendingWrites.removeAll(keepingCapacity: true)
    }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
    bytes.copyMemory(from: source)
    var event: cl_event?
    let code = opencl.clEnqueueWriteBuffer(
      handle, buffer.handle, cl_bool(CL_FALSE), byteOffset, bytes.count, bytes.baseAddress, 0, nil, &event)
    if code != CL_SUCCESS { bytes.deallocate() }
    try check(code, "clEnqueueWriteBuffer", while: "writing \(source.count) bytes", on: context.device.name)
    pendingWrites.append(PendingWrite(bytes: bytes, event: event))
  }

  /// Copies values to a buffer when the commands before it are done, and returns at once.
  public func enqueueWrite<Element: BitwiseCopyable>(
    _ values: [Element], to buffer: Buffer, at byteOffset: Int = 0
  ) throws(Failure) {
    try values.withUnsafeBufferPointer { values throws(Failure) in
      try enqueueWrite(UnsafeRawBufferPointer(values), to: buffer, at: byteOffset)
    }
  }

  /// Waits for all commands, then copies bytes from a buffer, beginning `byteOffset` bytes into it.
  public func read(
    into bytes: UnsafeMutableRawBufferPointer, from buffer: Buffer, at byteOffset: Int = 0
  ) throws(Failure) {
    checkRange(of: buffer, at: byteOffset, byteCount: bytes.count)
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    let code = opencl.clEnqueueReadBuffer(
      handle, buffer.handle, cl_bool(CL_TRUE), byteOffset, bytes.count, base, 0, nil, nil)
    try check(code, "clEnqueueReadBuffer", while: "reading \(bytes.count) bytes", on: context.device.name)
  }

  /// Waits for all commands, then reads `count` values of `type`, beginning `byteOffset` bytes into the buffer.
  public func read<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int, from buffer: Buffer, at byteOffset: Int = 0
  ) throws(Failure) -> [Element] {
    precondition(count >= 0 && count <= buffer.byteCount, "cannot read \(count) values")
    var failure: Failure?
    let values = [Element](unsafeUninitializedCapacity: count) { memory, initialized in
      do throws(Failure) {
        // The array may have more room than was asked for.
        let exact = UnsafeMutableBufferPointer(rebasing: memory[..<count])
        try read(into: UnsafeMutableRawBufferPointer(exact), from: buffer, at: byteOffset)
        initialized = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  /// Sets `count` elements, beginning `byteOffset` bytes into the buffer, to `value`; returns at once.
  ///
  /// `Element` has 1, 2, 4, 8 or 16 bytes, and `byteOffset` is a multiple of that. Without `count`, fills the rest of
  /// the buffer.
  public func fill<Element: BitwiseCopyable>(
    _ buffer: Buffer, with value: Element, at byteOffset: Int = 0, count: Int? = nil
  ) throws(Failure) {
    let size = MemoryLayout<Element>.stride
    precondition([1, 2, 4, 8, 16].contains(size) && byteOffset % size == 0, "cannot fill with \(size)-byte values")
    let byteCount = (count ?? (buffer.byteCount - byteOffset) / size) * size
    checkRange(of: buffer, at: byteOffset, byteCount: byteCount)
    guard byteCount > 0 else { return }
    // Only a small piece is filled, and then doubled by copies: some drivers fill large buffers wrongly.
    var filled = min(byteCount, 1 << 16)
    var code = withUnsafeBytes(of: value) {
      opencl.clEnqueueFillBuffer(handle, buffer.handle, $0.baseAddress, size, byteOffset, filled, 0, nil, nil)
    }
    try check(code, "clEnqueueFillBuffer", while: "filling \(byteCount) bytes", on: context.device.name)
    while filled < byteCount {
      let piece = min(filled, byteCount - filled)
      code = opencl.clEnqueueCopyBuffer(
        handle, buffer.handle, buffer.handle, byteOffset, byteOffset + filled, piece, 0, nil, nil)
      try check(code, "clEnqueueCopyBuffer", while: "filling \(byteCount) bytes", on: context.device.name)
      filled += piece
    }
  }

  /// Copies `byteCount` bytes from one buffer to another, or to another place of the same one; returns at once.
  public func copy(
    from source: Buffer, at sourceOffset: Int = 0, to target: Buffer, at targetOffset: Int = 0, byteCount: Int
  ) throws(Failure) {
    checkRange(of: source, at: sourceOffset, byteCount: byteCount)
    checkRange(of: target, at: targetOffset, byteCount: byteCount)
    guard byteCount > 0 else { return }
    let code = opencl.clEnqueueCopyBuffer(
      handle, source.handle, target.handle, sourceOffset, targetOffset, byteCount, 0, nil, nil)
    try check(code, "clEnqueueCopyBuffer", while: "copying \(byteCount) bytes", on: context.device.name)
  }

  private func checkRange(of buffer: Buffer, at byteOffset: Int, byteCount: Int) {
    precondition(buffer.context === context, "a buffer of another context")
    precondition(
      byteOffset >= 0 && byteCount >= 0 && byteOffset <= buffer.byteCount - byteCount,
      "bytes \(byteOffset) to \(byteOffset + byteCount) of a buffer of \(buffer.byteCount)")
  }
}

/// A copy of host bytes that the device may not have read yet.
final class PendingWrite {
  private let bytes: UnsafeMutableRawBufferPointer
  private let event: cl_event?

  init(bytes: UnsafeMutableRawBufferPointer, event: cl_event?) {
    self.bytes = bytes
    self.event = event
  }

  /// Whether the device has read the bytes, or never will because the command failed.
  var isDone: Bool {
    guard let event else { return false }
    let status = try? infoValue("clGetEventInfo", as: cl_int.self) {
      opencl.clGetEventInfo(event, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS), $0, $1, nil)
    }
    return status.map { $0 <= CL_COMPLETE } ?? false
  }

  deinit {
    if let event { _ = opencl.clReleaseEvent(event) }
    bytes.deallocate()
  }
}
