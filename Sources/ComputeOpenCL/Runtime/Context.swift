import COpenCL
import Failures
import Synchronization

/// An opened device: what buffers, queues and programs belong to.
///
/// Contexts and what belongs to them are used by one thread at a time.
public final class Context {
  /// The device that is open.
  public let device: DeviceInfo
  /// Bytes of the buffers that it has.
  let allocatedBytes = Atomic<Int>(0)
  let handle: cl_context
  let deviceHandle: cl_device_id

  /// Opens a device that `DeviceList.discover()` found.
  ///
  /// - Throws: `.deviceUnavailable` or `.outOfMemory`.
  public init(_ device: DeviceInfo) throws(Failure) {
    guard let deviceHandle = device.handle else {
      throw Failure(
        .deviceUnavailable, "device \(device.name) is not available.", why: "No OpenCL driver on this machine has it.",
        fix: "choose one that `gpunoisy devices` lists, or use --device cpu.")
    }
    var code = CL_SUCCESS
    var devices: [cl_device_id?] = [deviceHandle]
    let context = opencl.clCreateContext(nil, 1, &devices, nil, nil, &code)
    try check(code, "clCreateContext", while: "opening the device", on: device.name)
    guard let context else { throw Self.noHandle("clCreateContext", on: device) }
    self.device = device
    self.deviceHandle = deviceHandle
    handle = context
  }

  deinit { _ = opencl.clReleaseContext(handle) }

  /// What to throw when a driver reports success and gives nothing.
  static func noHandle(_ call: String, on device: DeviceInfo) -> Failure {
    Failure(
      .deviceUnavailable, "\(call) returned nothing on \(device.name).",
      why: "The driver (\(device.driverVersion)) reports success without a result.",
      fix: "update the driver, or use --device cpu.")
  }
}
