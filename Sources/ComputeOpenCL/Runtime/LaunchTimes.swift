import COpenCL
import Failures

/// When a launch on a profiling queue began and ended, by the device's clock.
public final class LaunchTimes {
  /// What was launched.
  public let kernelName: String
  private let context: Context
  private let event: cl_event

  init(of event: cl_event, kernelName: String, context: Context) {
    self.event = event
    self.kernelName = kernelName
    self.context = context
  }

  deinit { _ = opencl.clReleaseEvent(event) }

  /// Waits for the launch to end, and gives how long it ran, in seconds.
  public func seconds() throws(Failure) -> Double {
    let (start, end) = try nanoseconds()
    return Double(end &- start) * 1e-9
  }

  /// Waits for the launch to end, and gives its start and end in nanoseconds of the device's clock.
  public func nanoseconds() throws(Failure) -> (start: UInt64, end: UInt64) {
    do throws(OpenCLError) {
      var events: [cl_event?] = [event]
      try check(opencl.clWaitForEvents(1, &events), "clWaitForEvents")
      let start = try time(CL_PROFILING_COMMAND_START), end = try time(CL_PROFILING_COMMAND_END)
      return (start, max(start, end))
    } catch {
      throw error.failure(while: "timing \(kernelName)", on: context.device.name)
    }
  }

  private func time(_ parameter: Int32) throws(OpenCLError) -> UInt64 {
    try infoValue("clGetEventProfilingInfo", as: cl_ulong.self) {
      opencl.clGetEventProfilingInfo(event, cl_profiling_info(parameter), $0, $1, nil)
    }
  }
}
