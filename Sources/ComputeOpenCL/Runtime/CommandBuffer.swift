import COpenCL
import Failures

/// Launches that are recorded once and then enqueued together, by one call (`cl_khr_command_buffer`).
///
/// They run in the order of the recording, each after the one before it, for that is the order of an in-order queue. The
/// kernels must not be bound anew; what changes from one replay to the next lies in buffers.
public final class CommandBuffer {
  /// A kernel and its index space.
  public struct Launch {
    /// The kernel with its arguments.
    public let kernel: Kernel
    /// Work-items along each dimension: of all groups, and of one.
    public let global: [Int], local: [Int]

    /// A bound kernel over `global` work-items in groups of `local`, which divide them.
    public init(_ kernel: Kernel, global: [Int], local: [Int]) {
      (self.kernel, self.global, self.local) = (kernel, global, local)
    }
  }

  private let queue: CommandQueue
  private let functions: OpenCLCommandBufferFunctions
  private let handle: OpenCLCommandBufferHandle
  /// The recorded kernels keep the buffers behind their arguments alive.
  let launches: [Launch]
  /// Nil before the first replay, then whether that one succeeded.
  private var works: Bool?

  /// Records launches for a queue.
  ///
  /// Nil where the device has no command buffers that can be used, or the driver refuses a launch or the whole: then the
  /// launches can still be enqueued one by one, so that it is no error.
  public init?(_ launches: [Launch], for queue: CommandQueue) {
    guard queue.context.device.commandBuffers?.isUsable == true, !queue.isProfiling, !launches.isEmpty,
      // Some drivers crash while they record what they would refuse to run.
      launches.allSatisfy({ $0.kernel.isBound && $0.local.reduce(1, *) <= $0.kernel.maxWorkGroupSize }),
      let functions = Self.functions(of: queue.context)
    else { return nil }
    // The host enqueues a step while the device is still busy with those before it.
    let properties = [
      cl_ulong(OPENCL_COMMAND_BUFFER_FLAGS), cl_ulong(OPENCL_COMMAND_BUFFER_SIMULTANEOUS_USE), 0,
    ]
    var queues: [cl_command_queue?] = [queue.handle]
    var code = CL_SUCCESS
    guard let handle = functions.create(1, &queues, properties, &code) else { return nil }
    for launch in launches where code == CL_SUCCESS {
      code = functions.launch(
        handle, nil, nil, launch.kernel.handle, cl_uint(launch.global.count), nil, launch.global, launch.local, 0, nil,
        nil, nil)
    }
    if code == CL_SUCCESS { code = functions.finalize(handle) }
    guard code == CL_SUCCESS else {
      _ = functions.release(handle)
      return nil
    }
    (self.queue, self.functions, self.handle, self.launches) = (queue, functions, handle, launches)
  }

  deinit { _ = functions.release(handle) }

  /// Enqueues all launches after everything that came before, and returns at once.
  ///
  /// If the driver refuses the first replay, it counts as unable, and this enqueues the launches one by one from then on.
  ///
  /// - Throws: `.outOfMemory` or `.deviceUnavailable`.
  public func replay() throws(Failure) {
    guard works != false else { return try enqueueEach() }
    // Some drivers write the event without asking whether it is wanted.
    var event: cl_event?
    let code = functions.enqueue(0, nil, handle, 0, nil, &event)
    if let event { _ = opencl.clReleaseEvent(event) }
    if works == nil {
      works = code == CL_SUCCESS
      if code != CL_SUCCESS { return try enqueueEach() }
    }
    try check(
      code, "clEnqueueCommandBufferKHR", while: "replaying \(launches.count) launches", on: queue.context.device.name)
  }

  /// Whether the driver replays the launches; nil before the first replay.
  public var isReplayed: Bool? { works }

  private func enqueueEach() throws(Failure) {
    for launch in launches { try queue.enqueue(launch.kernel, global: launch.global, local: launch.local) }
  }

  /// The extension's functions of the driver behind a device; nil if it lacks one.
  private static func functions(of context: Context) -> OpenCLCommandBufferFunctions? {
    var platform: cl_platform_id?
    let size = MemoryLayout<cl_platform_id?>.size
    guard
      opencl.clGetDeviceInfo(context.deviceHandle, cl_device_info(CL_DEVICE_PLATFORM), size, &platform, nil)
        == CL_SUCCESS
    else { return nil }
    var found = OpenCLCommandBufferFunctions()
    return withUnsafePointer(to: opencl) { opencl_find_command_buffer_functions($0, platform, &found) } ? found : nil
  }
}
