import COpenCL
import Failures

/// An error code that an OpenCL call returned.
public struct OpenCLError: Error, Equatable, Sendable {
  /// The function that failed, for example `clBuildProgram`.
  public var call: String
  /// The code as in `cl.h`; negative.
  public var code: Int32

  /// An error as a call returned it.
  public init(_ call: String, code: Int32) {
    self.call = call
    self.code = code
  }

  /// The code's name in `cl.h`, for example `CL_OUT_OF_RESOURCES`.
  public var name: String { Self.names[code] ?? "an unknown error" }

  /// The call and the error with its number: `clFinish failed with CL_OUT_OF_RESOURCES (-5)`.
  public var sentence: String { "\(call) failed with \(name) (\(code))" }

  /// Whether the error means that host or device memory is exhausted.
  ///
  /// Drivers report a buffer that does not fit in several ways: `CL_OUT_OF_RESOURCES` and `CL_INVALID_BUFFER_SIZE` mean
  /// that only where a buffer is created.
  public var isOutOfMemory: Bool {
    switch code {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_HOST_MEMORY: true
    case CL_OUT_OF_RESOURCES, CL_INVALID_BUFFER_SIZE: call == "clCreateBuffer"
    default: false
    }
  }

  /// The error as three sentences.
  ///
  /// - Parameters:
  ///   - work: what was going on, as a participle: `launching conv_forward`.
  ///   - device: the device's name.
  public func failure(while work: String, on device: String) -> Failure {
    let what = "\(work) failed on \(device)."
    if isOutOfMemory {
      return Failure(
        .outOfMemory, what, why: "\(sentence): host or device memory is exhausted.",
        fix: "use a smaller --batch-size, or end other programs that use this device.")
    }
    return Failure(.deviceUnavailable, what, why: "\(sentence).\(Self.meaning(of: code))", fix: Self.remedy(for: code))
  }

  private static func meaning(of code: Int32) -> String {
    switch code {
    case CL_OUT_OF_RESOURCES, CL_INVALID_COMMAND_QUEUE:
      " Drivers report this when a kernel accesses memory out of bounds, runs too long, or the device was lost."
    case CL_DEVICE_NOT_AVAILABLE: " Another program may be using the device."
    case CL_INVALID_WORK_GROUP_SIZE, CL_INVALID_WORK_ITEM_SIZE:
      " The kernel needs more registers or local memory than a work-group has here."
    default: ""
    }
  }

  private static func remedy(for code: Int32) -> String {
    switch code {
    case CL_DEVICE_NOT_AVAILABLE: "end the program that uses the device, or use --device cpu."
    case CL_COMPILER_NOT_AVAILABLE, CL_LINKER_NOT_AVAILABLE:
      "install the driver with its OpenCL compiler, or use --device cpu."
    case CL_INVALID_WORK_GROUP_SIZE, CL_INVALID_WORK_ITEM_SIZE: "use another device or --device cpu, and report this."
    default:
      "run `gpunoisy selftest` on this device, update its driver, or use --device cpu; known troubles are in "
        + "Documentation/drivers.md."
    }
  }
}

/// Throws the error that `code` stands for, if it is one.
func check(_ code: cl_int, _ call: String) throws(OpenCLError) {
  if code != CL_SUCCESS { throw OpenCLError(call, code: code) }
}

/// Throws `code`, if it is an error, as three sentences.
func check(_ code: cl_int, _ call: String, while work: @autoclosure () -> String, on device: String) throws(Failure) {
  if code != CL_SUCCESS { throw OpenCLError(call, code: code).failure(while: work(), on: device) }
}
