import ArgumentParser
import ComputeCPU
import ComputeOpenCL
import Failures
import FileFormats
import Reports

struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices", abstract: "List the devices that --device takes.",
    discussion: """
      OpenCL devices are listed with their numbers: GPUs, then accelerators, then CPUs driven through OpenCL. The \
      built-in CPU path is always there and needs no OpenCL.

      Examples:
        gpunoisy devices
        gpunoisy devices -v
        gpunoisy devices --json
      """)

  @Flag(name: [.customShort("v"), .long], help: "Print all properties of each device.")
  var verbose = false
  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    StandardOutput.reserve()
    let list = DeviceList.discover()
    try StandardOutput.write(json ? JSONText.indented(Self.json(list)) + "\n" : text(list))
  }

  // MARK: For people

  private func text(_ list: DeviceList) -> String {
    var table = TextTable([
      .init("#", .right), .init("device"), .init("platform (driver)"), .init("mem", .right), .init("CUs", .right),
      .init("fp16"),
    ])
    for (index, device) in list.devices.enumerated() {
      table.append([
        "\(index)", device.name + (device.kind == .cpu ? " (CPU)" : ""), Self.platform(device),
        Self.gibibytes(device.globalMemoryBytes), "\(device.computeUnits)", device.hasHalf ? "yes" : "no",
      ])
    }
    table.append([
      "-", "cpu (built in, no OpenCL)", Self.instructionSet, Self.gibibytes(UInt64(FileBytes.physicalMemory)),
      "\(Processors.available)", "-",
    ])
    var lines = table.text
    for (index, device) in list.devices.enumerated() {
      if let reason = Self.reason(against: index, list) { lines += "device \(index) cannot be used: \(reason)\n" }
      if verbose { lines += "\n" + Self.details(index, device) }
    }
    if verbose { lines += "\n" + Self.processorDetails }
    for problem in list.problems { lines += TerminalText.escaped(problem) + "\n" }
    if let absence = list.absence, list.problems.isEmpty {
      lines += "no OpenCL device: \(TerminalText.escaped(absence))\n"
    }
    return lines + (verbose ? "\n" : "") + hint(list)
  }

  private func hint(_ list: DeviceList) -> String {
    let details = verbose ? "" : " Details: gpunoisy devices -v"
    guard let last = list.devices.indices.last(where: { Self.reason(against: $0, list) == nil }) else {
      return "Use --device cpu.\(details)\n"
    }
    let first = list.devices.indices.first { Self.reason(against: $0, list) == nil } ?? last
    return "Use --device \(first), --device cpu, or part of a name.\(details)\n"
  }

  private static func details(_ index: Int, _ device: DeviceInfo) -> String {
    var table = TextTable([.init(""), .init("")])
    let facts: [(String, String)] = [
      ("device \(index)", device.name), ("vendor", device.vendor), ("kind", "\(device.kind)"),
      ("platform", "\(device.platform.name), \(device.platform.version)"), ("driver", device.driverVersion),
      ("version", "\(device.version), \(device.languageVersion)"),
      ("compute units", "\(device.computeUnits) at \(device.clockFrequency) MHz"),
      ("global memory", "\(NumberFormatting.grouped(Int(clamping: device.globalMemoryBytes))) bytes"),
      ("largest buffer", "\(NumberFormatting.grouped(Int(clamping: device.maxAllocationBytes))) bytes"),
      (
        "local memory",
        "\(NumberFormatting.grouped(Int(clamping: device.localMemoryBytes))) bytes"
          + (device.hasDedicatedLocalMemory ? "" : ", part of global memory")
      ),
      (
        "work-group",
        "at most \(device.maxWorkGroupSize), " + device.maxWorkItemSizes.map(String.init).joined(separator: " x ")
      ),
      ("float vectors", "preferred \(device.preferredFloatVectorWidth), native \(device.nativeFloatVectorWidth)"),
      ("command buffers", commandBuffers(device)), ("extensions", device.extensions.joined(separator: " ")),
    ]
    for (name, value) in facts { table.append([name, value]) }
    return table.text
  }

  /// Whether steps are recorded and replayed, in words.
  private static func commandBuffers(_ device: DeviceInfo) -> String {
    guard let offered = device.commandBuffers else { return "none" }
    return "version \(offered.version), "
      + (device.prefersCommandBuffers ? "used" : offered.isUsable ? "usable, not used by default" : "not usable")
  }

  private static var processorDetails: String {
    var table = TextTable([.init(""), .init("")])
    table.append(["device cpu", "built in, no OpenCL"])
    table.append(["instruction sets", CPUDevice.instructionSets.joined(separator: ", ") + " (the first is used)"])
    table.append(["threads", "\(Processors.available) (fewer with --threads)"])
    table.append(["memory", "\(NumberFormatting.grouped(FileBytes.physicalMemory)) bytes"])
    return table.text
  }

  private static var instructionSet: String {
    let threads = Processors.available
    return "\(CPUDevice.instructionSets.first ?? "-"), \(threads) \(threads == 1 ? "thread" : "threads")"
  }

  private static func platform(_ device: DeviceInfo) -> String {
    device.driverVersion.isEmpty ? device.platform.name : "\(device.platform.name) (\(device.driverVersion))"
  }

  /// `139 GiB`, or `0.5 GiB` below 10.
  private static func gibibytes(_ bytes: UInt64) -> String {
    let size = Double(bytes) / 0x1p30
    return NumberFormatting.decimal(size, places: size < 9.95 ? 1 : 0) + " GiB"
  }

  /// Why `--device` would refuse the device at an index; nil if it would not.
  private static func reason(against index: Int, _ list: DeviceList) -> String? {
    do throws(Failure) {
      _ = try list.device(named: "\(index)")
      return nil
    } catch {
      return TerminalText.escaped(error.why)
    }
  }

  // MARK: For programs

  private static func json(_ list: DeviceList) -> JSONValue {
    [
      "schema": "gpunoisy.devices/1",
      "devices": .array(list.devices.enumerated().map { json($0, $1, reason: reason(against: $0, list)) }),
      "cpu": [
        "instruction_sets": .array(CPUDevice.instructionSets.map { .string($0) }),
        "threads": JSONValue(Processors.available), "memory_bytes": JSONValue(FileBytes.physicalMemory),
      ],
      "platforms": .array(
        list.platforms.map {
          ["name": .string($0.name), "vendor": .string($0.vendor), "version": .string($0.version)]
        }),
      "problems": .array(list.problems.map { .string($0) }), "absence": JSONValue(list.absence),
    ]
  }

  private static func json(_ index: Int, _ device: DeviceInfo, reason: String?) -> JSONValue {
    [
      "index": JSONValue(index), "name": .string(device.name), "vendor": .string(device.vendor),
      "kind": .string("\(device.kind)"), "platform": .string(device.platform.name),
      "driver": .string(device.driverVersion), "version": .string(device.version),
      "language_version": .string(device.languageVersion), "compute_units": JSONValue(device.computeUnits),
      "clock_mhz": JSONValue(device.clockFrequency), "memory_bytes": JSONValue(device.globalMemoryBytes),
      "largest_buffer_bytes": JSONValue(device.maxAllocationBytes),
      "local_memory_bytes": JSONValue(device.localMemoryBytes),
      "max_work_group_size": JSONValue(device.maxWorkGroupSize), "fp16": .bool(device.hasHalf),
      "extensions": .array(device.extensions.map { .string($0) }), "usable": .bool(reason == nil),
      "reason": JSONValue(reason),
    ]
  }
}
