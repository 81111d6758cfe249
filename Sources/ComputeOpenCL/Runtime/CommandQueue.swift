import COpenCL
import Failures

/// Sends work to a device, in order: each command begins when the one before it is done.
public final class CommandQueue {
  /// What it belongs to.
  public let context: Context
  /// Whether launches are timed (`enqueueTimed`); timing makes launches slower.
  public let isProfiling: Bool
  let handle: cl_command_queue
  /// Copies of host bytes that the device has yet to read, oldest first.
  var pendingWrites: [PendingWrite] = []

  /// Opens a queue.
  ///
  /// - Throws: `.deviceUnavailable` or `.outOfMemory`.
  public init(_ context: Context, isProfiling: Bool = false) throws(Failure) {
    let properties = cl_command_queue_properties(isProfiling ? CL_QUEUE_PROFILING_ENABLE : 0)
    var code = CL_SUCCESS
    let handle = opencl.clCreateCommandQueue(context.handle, context.deviceHandle, properties, &code)
    try check(code, "clCreateCommandQueue", while: "opening the device", on: context.device.name)
    guard let handle else { throw Context.noHandle("clCreateCommandQueue", on: context.device) }
    self.context = context
    self.isProfiling = isProfiling
    self.handle = handle
  }

  deinit {
    if !pendingWrites.isEmpty { _ = opencl.clFinish(handle) }
    _ = opencl.clReleaseCommandQueue(handle)
  }

  /// Launches a kernel with its bound arguments over `global` work-items (1 to 3 dimensions), and returns at once.
  ///
  /// `local` is the size of the work-groups, which must divide `global`; nil leaves it to the driver. Arguments may be
  /// bound anew for the next launch, and buffers dropped, while this one runs.
  ///
  /// - Throws: `.outOfMemory` or `.deviceUnavailable`, perhaps for an earlier command.
  public func enqueue(_ kernel: Kernel, global: [Int], local: [Int]? = nil) throws(Failure) {
    try launch(kernel, global: global, local: local, event: nil)
  }

  /// Launches a kernel like `enqueue`, and returns what knows its times.
  ///
  /// The queue must be profiling. Its own `finish` or `LaunchTimes.seconds` waits for the end.
  public func enqueueTimed(_ kernel: Kernel, global: [Int], local: [Int]? = nil) throws(Failure) -> LaunchTimes {
    precondition(isProfiling, "only a profiling queue times launches")
    var event: cl_event?
    try launch(kernel, global: global, local: local, event: &event)
    guard let event else { throw Context.noHandle("clEnqueueNDRangeKernel", on: context.device) }
    return LaunchTimes(of: event, kernelName: kernel.title, context: context)
  }

  private func launch(
    _ kernel: Kernel, global: [Int], local: [Int]?, event: UnsafeMutablePointer<cl_event?>?
  ) throws(Failure) {
    precondition(kernel.isBound, "\(kernel.title) is launched before its arguments are bound")
    precondition((1...3).contains(global.count), "\(kernel.title) is launched over \(global.count) dimensions")
    precondition(global.allSatisfy { $0 > 0 }, "\(kernel.title) is launched over \(global) work-items")
    let dimensions = cl_uint(global.count)
    let code: cl_int
    if let local {
      precondition(
        local.count == global.count && zip(global, local).allSatisfy { $1 > 0 && $0 % $1 == 0 },
        "\(kernel.title) is launched over \(global) work-items, which groups of \(local) do not divide")
      code = opencl.clEnqueueNDRangeKernel(handle, kernel.handle, dimensions, nil, global, local, 0, nil, event)
    } else {
      code = opencl.clEnqueueNDRangeKernel(handle, kernel.handle, dimensions, nil, global, nil, 0, nil, event)
    }
    try check(
      code, "clEnqueueNDRangeKernel",
      while: "launching \(kernel.title) over \(global)\(local.map { " in groups of \($0)" } ?? "")",
      on: context.device.name)
  }

  /// Sends what is enqueued to the device without waiting for it.
  public func flush() throws(Failure) {
    try check(opencl.clFlush(handle), "clFlush", while: "sending work to the device", on: context.device.name)
  }

  /// Waits until everything enqueued is done.
  ///
  /// - Throws: `.deviceUnavailable` or `.outOfMemory` also for a kernel that failed while it ran.
  public func finish() throws(Failure) {
    try check(opencl.clFinish(handle), "clFinish", while: "waiting for the device", on: context.device.name)
    pendingWrites.removeAll(keepingCapacity: true)
  }
}
