import COpenCL
import FileFormats
import Glibc

/// The OpenCL devices of this machine, in the order whose indices `--device` takes.
public struct DeviceList: Equatable, Sendable {
  /// GPUs, then accelerators, then CPU-type devices, then the rest; within a kind in the order of the drivers.
  public let devices: [DeviceInfo]
  /// The drivers that were found, also those without a device.
  public let platforms: [Platform]
  /// One sentence for each driver or device that did not answer; the others are listed all the same.
  public let problems: [String]
  /// Why there is no device, in a sentence or two; nil when there is one.
  public let absence: String?

  /// A list of given devices, put into order.
  public init(
    devices: [DeviceInfo], platforms: [Platform] = [], problems: [String] = [], absence: String? = nil
  ) {
    let positions = devices.indices.sorted { (devices[$0].kind, $0) < (devices[$1].kind, $1) }
    self.devices = positions.map { devices[$0] }
    self.platforms = platforms
    self.problems = problems
    self.absence = devices.isEmpty ? (absence ?? "There is no OpenCL device.") : nil
  }

  /// Asks the loader for all devices of all drivers; nothing is created on any of them.
  ///
  /// A driver that crashes then ends the process with 69 (`DriverCrash`).
  public static func discover() -> DeviceList {
    DriverCrash.explained {
      switch OpenCLLibrary.state {
      case .missing(let why): DeviceList(devices: [], absence: why)
      case .loaded(_, let loader): discover(loader: loader)
      }
    }
  }

  private static func discover(loader: String) -> DeviceList {
    var devices: [DeviceInfo] = [], platforms: [Platform] = [], problems: [String] = []
    let handles: [cl_platform_id]
    do {
      handles = try listHandles("clGetPlatformIDs", none: -1001) { opencl.clGetPlatformIDs($0, $1, $2) }
    } catch {
      return DeviceList(devices: [], absence: "\(error.sentence).")
    }
    for (index, handle) in handles.enumerated() {
      do throws(OpenCLError) {
        let platform = try Platform(asking: handle)
        platforms.append(platform)
        let found = try listHandles("clGetDeviceIDs", none: CL_DEVICE_NOT_FOUND) {
          opencl.clGetDeviceIDs(handle, cl_device_type(CL_DEVICE_TYPE_ALL), $0, $1, $2)
        }
        for device in found {
          do throws(OpenCLError) {
            devices.append(try DeviceInfo(asking: device, on: platform))
          } catch {
            problems.append("A device of OpenCL platform \(platform.name) does not answer: \(error.sentence).")
          }
        }
      } catch {
        let name = platforms.count > index ? platforms[index].name : "number \(index)"
        problems.append("OpenCL platform \(name) does not answer: \(error.sentence).")
      }
    }
    return DeviceList(
      devices: devices, platforms: platforms, problems: problems,
      absence: absence(of: platforms, problems: problems, loader: loader))
  }

  /// Calls a function that counts and lists handles; `none` is its error for an empty list.
  private static func listHandles(
    _ call: String, none: cl_int,
    _ list: (cl_uint, UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<cl_uint>?) -> cl_int
  ) throws(OpenCLError) -> [OpaquePointer] {
    var count: cl_uint = 0
    let code = list(0, nil, &count)
    if code == none || (code == CL_SUCCESS && count == 0) { return [] }
    try check(code, call)
    count = min(count, 1024)
    var handles = [OpaquePointer?](repeating: nil, count: Int(count))
    try check(list(count, &handles, nil), call)
    return handles.compactMap { $0 }
  }

  private static func absence(of platforms: [Platform], problems: [String], loader: String) -> String {
    if !problems.isEmpty { return problems.joined(separator: " ") }
    let loaded = loader.isEmpty ? "OpenCL loaded" : "OpenCL loaded (\(loader))"
    guard platforms.isEmpty else {
      return "\(loaded), but its platforms have no device: \(platforms.map(\.name).joined(separator: ", "))."
    }
    return "\(loaded) but reports no platform. \(DriverFolder().sentence)"
  }
}

/// The folder in which the loader looks for `.icd` files, each of which names a driver's library.
private struct DriverFolder {
  let path: String

  init() {
    let names = ["OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"]
    let chosen = names.compactMap { (name: String) in getenv(name).map { String(cString: $0) } }
    path = chosen.first { !$0.isEmpty } ?? "/etc/OpenCL/vendors"
  }

  /// What is in the folder, in a sentence.
  var sentence: String {
    guard let entries = FileBytes.entries(in: path) else {
      return access(path, F_OK) == 0 ? "\(path) names no working driver." : "\(path) does not exist."
    }
    let names = entries.map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasSuffix(".icd") }
    if names.isEmpty { return "No .icd file was found in \(path)." }
    return "No driver named in \(path) loads: \(names.sorted().joined(separator: ", "))."
  }
}
