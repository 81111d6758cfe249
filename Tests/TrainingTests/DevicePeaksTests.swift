import Compute
import ComputeCPU
import ComputeOpenCL
import OpenCLTestSupport
import TestSupport
import Testing
import Training

/// What a device's probes leave in memory, and what is made of their times.
@Suite struct `The peaks of a device` {
  /// A copy is the source.
  ///
  /// Each multiply-add halves a sum's distance to 2, so that sums show how many there were.
  private func check<D: Device>(_ device: D, lanes: Int) throws {
    let count = 4096 + 16
    let source = try device.allocate(byteCount: 4 * count), target = try device.allocate(byteCount: 4 * count)
    let values = (0..<count).map { Float($0) }
    try device.write(values, to: source)
    for launch in try device.prepare(.copy(count: count), source: source, target: target) {
      try device.enqueue(launch)
    }
    #expect(try device.read(Float.self, count: count, from: target) == values)

    let items = 256
    for launch in try device.prepare(.multiplyAdd(items: items, rounds: 1), source: source, target: target) {
      try device.enqueue(launch)
    }
    let sums = try device.read(Float.self, count: lanes * items, from: target)
    // 32 multiply-adds per lane, shared by n chains that began with 0, 1, …; or as many for each of four on a GPU.
    let expected = [Float(8), 4].map { n in
      2 * n + (n * (n - 1) / 2 - 2 * n) / Float(sign: .plus, exponent: 32 / Int(n), significand: 1)
    }
    #expect(sums.allSatisfy { $0 == sums[0] } && (expected + [8]).contains(sums[0]), "\(sums[0])")
    let untouched = try device.read(Float.self, count: 16, from: target, at: lanes * items)
    #expect(untouched == Array(values[lanes * items..<lanes * items + 16]))

    for launch in try device.prepare(.emptyLaunch, source: source, target: target) { try device.enqueue(launch) }
    #expect(try device.read(Float.self, count: 1, from: target) == [0])
  }

  @Test(arguments: CPUDevice.instructionSets)
  func `come from kernels that do what they claim`(instructionSet: String) throws {
    try check(CPUDevice(threads: 2, instructionSet: instructionSet), lanes: 16)
  }

  @Test(.enabled(if: FirstDevice.isPresent, "\(FirstDevice.absence)"))
  func `come from OpenCL kernels of both families that do what they claim`() throws {
    let info = try #require(FirstDevice.list.devices.first)
    if info.kind == .cpu { try check(OpenCLDevice(info, style: .vectors), lanes: 16) }
    try check(OpenCLDevice(info, style: .workGroups), lanes: 4)
  }

  @Test func `name the ceiling that work is nearest to`() throws {
    let peaks = try #require(
      try DevicePeaks(of: CPUDevice(threads: 1, instructionSet: "generic"), copyCounts: [1 << 12, 1 << 14]))
    #expect(peaks.operations > 1e8 && peaks.memoryRate > 1e7 && peaks.launch > 0 && peaks.copies.count == 2)
    // Half of what can be multiplied in a second, next to nothing else; and so on.
    let compute = peaks.limit(of: .init(operations: peaks.operations / 2, bytes: 1), launches: 1, seconds: 1)
    #expect(compute.limit == .compute && abs(compute.fraction - 0.5) < 1e-9)
    let memory = peaks.limit(of: .init(operations: 1, bytes: peaks.memoryRate / 4), launches: 1, seconds: 1)
    #expect(memory.limit == .memory && abs(memory.fraction - 0.25) < 1e-9)
    let launch = peaks.limit(of: .init(operations: 1, bytes: 1), launches: 3, seconds: 4 * peaks.launch)
    #expect(launch.limit == .launch && abs(launch.fraction - 0.75) < 1e-9)
  }
}
