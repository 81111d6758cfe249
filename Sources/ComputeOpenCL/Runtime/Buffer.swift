import COpenCL
import Failures

/// A piece of device memory that kernels may read and write.
public final class Buffer {
  /// What it belongs to.
  public let context: Context
  /// Its size.
  public let byteCount: Int
  let handle: cl_mem

  /// Allocates `byteCount` bytes (at least one) with undefined contents.
  ///
  /// Some drivers take the memory only at its first use; being out of memory then shows there.
  ///
  /// - Throws: `.outOfMemory`, or `.deviceUnavailable` if the device is lost.
  public init(_ context: Context, byteCount: Int) throws(Failure) {
    precondition(byteCount > 0, "a buffer has at least one byte, not \(byteCount)")
    var code = CL_SUCCESS
    let handle = opencl.clCreateBuffer(context.handle, cl_mem_flags(CL_MEM_READ_WRITE), byteCount, nil, &code)
    if code != CL_SUCCESS {
      let error = OpenCLError("clCreateBuffer", code: code), device = context.device
      guard error.isOutOfMemory else { throw error.failure(while: "allocating memory", on: device.name) }
      throw Failure(
        .outOfMemory, "\(device.name) has no memory for a buffer of \(byteCount.megabytes) MB.",
        why: """
          \(error.sentence); the device has \(device.globalMemoryBytes.megabytes) MB, at most \
          \(device.maxAllocationBytes.megabytes) MB of them in one buffer.
          """,
        fix: "use a smaller --batch-size, or end other programs that use this device.")
    }
    guard let handle else { throw Context.noHandle("clCreateBuffer", on: context.device) }
    self.context = context
    self.byteCount = byteCount
    self.handle = handle
    context.allocatedBytes.add(byteCount, ordering: .relaxed)
  }

  /// Allocates room for `count` elements of `type`.
  public convenience init<Element: BitwiseCopyable>(
    _ context: Context, count: Int, of type: Element.Type
  ) throws(Failure) {
    let (byteCount, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    precondition(count > 0 && !overflows, "a buffer cannot have \(count) elements")
    try self.init(context, byteCount: byteCount)
  }

  deinit {
    context.allocatedBytes.subtract(byteCount, ordering: .relaxed)
    _ = opencl.clReleaseMemObject(handle)
  }
}

extension BinaryInteger {
  /// This number of bytes in whole MB of 10^6 bytes, rounded up.
  fileprivate var megabytes: Self { self / 1_000_000 + (self % 1_000_000 == 0 ? 0 : 1) }
}
