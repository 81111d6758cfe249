import ComputeOpenCL
import Failures
import OpenCLTestSupport
import Testing

@Suite("Lists of OpenCL devices")
struct RuntimeDeviceListTests {
  private let list = DeviceList(devices: [
    DeviceInfo(name: "pthread-haswell", kind: .cpu),
    DeviceInfo(name: "NVIDIA H200 NVL", kind: .gpu),
    DeviceInfo(name: "Board", kind: .accelerator),
    DeviceInfo(name: "NVIDIA H200", kind: .gpu),
    DeviceInfo(name: "Twin", kind: .other),
    DeviceInfo(name: "Twin", kind: .other),
  ])

  @Test("GPUs come first, then accelerators, then CPUs; drivers keep their order")
  func order() {
    #expect(list.devices.map(\.name) == ["NVIDIA H200 NVL", "NVIDIA H200", "Board", "pthread-haswell", "Twin", "Twin"])
    #expect(list.absence == nil)
  }

  @Test(
    "an index or a part of one name selects",
    arguments: [
      ("0", "NVIDIA H200 NVL"), ("003", "pthread-haswell"), ("HASWELL", "pthread-haswell"),
      ("h200 ", "NVIDIA H200 NVL"),
    ])
  func selection(text: String, name: String) throws {
    #expect(try list.device(named: text).name == name)
  }

  @Test("a whole name selects although it is a part of another")
  func wholeName() throws {
    #expect(try list.device(named: "nvidia h200").name == "NVIDIA H200")
  }

  @Test(
    "a text that fits several devices is a mistake of usage that lists them",
    arguments: [("H2", "it matches 0 (NVIDIA H200 NVL), 1 (NVIDIA H200)."), ("twin", "it matches 4 (Twin), 5 (Twin).")])
  func ambiguous(text: String, why: String) throws {
    let failure = try failure { _ = try list.device(named: text) }
    #expect(failure.kind == .usage)
    #expect(failure.why == why)
  }

  @Test(
    "a device that is not there is unavailable, and those that are there are listed",
    arguments: ["6", "radeon", "99999999999999999999"])
  func missing(text: String) throws {
    let failure = try failure { _ = try list.device(named: text) }
    #expect(failure.kind == .deviceUnavailable)
    #expect(failure.what.contains(text))
    #expect(failure.why.contains("2 (Board)"))
    #expect(failure.fix.contains("--device cpu"))
  }

  @Test("empty text selects nothing")
  func empty() throws {
    #expect(try failure { _ = try list.device(named: "") }.kind == .usage)
  }

  @Test("without any device the reason is told, and how to get one")
  func none() throws {
    let none = DeviceList(devices: [], absence: "OpenCL loaded but reports no platform.")
    let failure = try failure { _ = try none.device(named: "0") }
    #expect(failure.kind == .deviceUnavailable)
    #expect(failure.what == "device 0 is not available.")
    #expect(failure.why == "OpenCL loaded but reports no platform.")
    #expect(failure.fix.contains("nvidia-opencl-icd") && failure.fix.contains("--device cpu"))
  }

  @Test("a device that its driver switched off, or that cannot build kernels, or is too old is not selected")
  func unusable() throws {
    var off = DeviceInfo(name: "off"), mute = DeviceInfo(name: "mute")
    off.isAvailable = false
    mute.hasCompiler = false
    let old = DeviceInfo(name: "old", version: "OpenCL 1.1 Mesa")
    for device in [off, mute, old] {
      #expect(
        try failure { _ = try DeviceList(devices: [device]).device(named: device.name) }.kind == .deviceUnavailable)
    }
  }

  @Test(
    "versions are compared as numbers",
    arguments: [
      ("OpenCL 1.2", true), ("OpenCL 3.0 CUDA 12.4", true), ("OpenCL 1.10 x", true), ("OpenCL 1.0", false), ("", false),
    ])
  func versions(text: String, isSupported: Bool) {
    #expect(DeviceInfo(name: "any", version: text).isSupported == isSupported)
  }

  @Test("a device that was described by hand cannot be opened")
  func described() throws {
    #expect(try failure { _ = try Context(list.devices[0]) }.kind == .deviceUnavailable)
  }

  @Test("what the drivers report makes sense", .enabled(if: FirstDevice.isPresent, FirstDevice.reason))
  func discovered() {
    for device in FirstDevice.list.devices {
      #expect(!device.name.isEmpty && !device.platform.name.isEmpty && device.version.hasPrefix("OpenCL "))
      #expect(device.computeUnits > 0 && device.maxWorkGroupSize > 0 && device.maxWorkItemSizes.count >= 3)
      #expect(device.globalMemoryBytes >= device.maxAllocationBytes && device.localMemoryBytes > 0)
    }
    #expect(DeviceList.discover() == FirstDevice.list)
  }
}
