import ComputeOpenCL
import Failures
import OpenCLTestSupport
import Testing

/// Recording launches and replaying them, on every device that can; and what happens on the others.
@Suite("OpenCL command buffers", .serialized, .enabled(if: FirstDevice.isPresent, FirstDevice.reason))
struct RuntimeCommandBufferTests {
  /// Every number depends on another work-item's of the launch before.
  private static let turn = """
    __kernel void test_turn(__global const uint *from, __global uint *to, __global const uint *added, uint N) {
      const uint i = get_global_id(0);
      to[i] = from[(i + 7) % N] * 3u + added[0];
    }
    """
  private static let N = 4096

  /// Numbers that go to and fro between two buffers, and a third that the host changes from step to step.
  private struct Turning {
    let queue: CommandQueue
    let numbers: Buffer, other: Buffer, added: Buffer
    let launches: [CommandBuffer.Launch]

    init(on info: DeviceInfo, count: Int, isProfiling: Bool = false) throws {
      let context = try Context(info), N = RuntimeCommandBufferTests.N
      queue = try CommandQueue(context, isProfiling: isProfiling)
      numbers = try Buffer(context, count: N, of: UInt32.self)
      other = try Buffer(context, count: N, of: UInt32.self)
      added = try Buffer(context, count: 1, of: UInt32.self)
      try queue.write((0..<N).map { UInt32($0) }, to: numbers)
      let program = try Program.build([("turn.cl", RuntimeCommandBufferTests.turn)], in: context)
      let (numbers, other, added) = (numbers, other, added)
      launches = try (0..<count).map { index in
        let (from, to) = index % 2 == 0 ? (numbers, other) : (other, numbers)
        let kernel = try program.kernel("test_turn")
        try kernel.bind([("from", .buffer(from)), ("to", .buffer(to)), ("added", .buffer(added)), ("N", .int(N))])
        return CommandBuffer.Launch(kernel, global: [N], local: [64])
      }
    }

    static func expected(steps: Int, count: Int) -> [UInt32] {
      let N = RuntimeCommandBufferTests.N
      var numbers = (0..<N).map { UInt32($0) }
      for step in 0..<steps {
        for _ in 0..<count { numbers = (0..<N).map { numbers[($0 + 7) % N] &* 3 &+ UInt32(step) } }
      }
      return numbers
    }
  }

  @Test(
    "replay launches in order, many steps ahead, with numbers that change in between",
    .enabled(if: !FirstDevice.recording.isEmpty, "\(FirstDevice.recordingAbsence)"))
  func replay() throws {
    for info in FirstDevice.recording {
      let turning = try Turning(on: info, count: 30)
      let recording = try #require(CommandBuffer(turning.launches, for: turning.queue), "\(info.name)")
      for step in 0..<20 {
        try turning.queue.enqueueWrite([UInt32(step)], to: turning.added)
        try recording.replay()
      }
      let numbers = try turning.queue.read(UInt32.self, count: Self.N, from: turning.numbers)
      #expect(numbers == Turning.expected(steps: 20, count: 30), "\(info.name)")
      #expect(recording.isReplayed == true, "\(info.name)")
    }
  }

  @Test(
    "keep kernels and buffers alive",
    .enabled(if: !FirstDevice.recording.isEmpty, "\(FirstDevice.recordingAbsence)"))
  func lifetime() throws {
    for info in FirstDevice.recording {
      func record() throws -> (CommandBuffer?, CommandQueue, Buffer) {
        let turning = try Turning(on: info, count: 2)
        try turning.queue.write([5 as UInt32], to: turning.added)
        return (CommandBuffer(turning.launches, for: turning.queue), turning.queue, turning.numbers)
      }
      var (recording, queue, numbers) = try record()
      try #require(recording).replay()
      let expected: UInt32 = 146  // (14 · 3 + 5) · 3 + 5
      // The replay is still to be done, or under way.
      recording = nil
      let first = try queue.read(UInt32.self, count: 1, from: numbers)
      #expect(first == [expected], "\(info.name)")
    }
  }

  @Test("are not made where the device lacks them, or for a queue that keeps times")
  func absence() throws {
    var info = try #require(FirstDevice.list.devices.first)
    let timed = try Turning(on: info, count: 1, isProfiling: true)
    #expect(CommandBuffer(timed.launches, for: timed.queue) == nil)
    info.commandBuffers = nil
    let turning = try Turning(on: info, count: 1)
    #expect(CommandBuffer(turning.launches, for: turning.queue) == nil)
    let failure = try failure { _ = try OpenCLDevice(info, commandBuffers: true) }
    #expect(failure.kind == .configuration && failure.what.contains("command buffers"))
  }

  @Test(
    "are not made of a launch that the device cannot run",
    .enabled(if: !FirstDevice.recording.isEmpty, "\(FirstDevice.recordingAbsence)"))
  func refusal() throws {
    for info in FirstDevice.recording {
      let turning = try Turning(on: info, count: 2), tooMany = 2 * info.maxWorkGroupSize
      let refused = CommandBuffer.Launch(turning.launches[1].kernel, global: [tooMany], local: [tooMany])
      #expect(CommandBuffer([turning.launches[0], refused], for: turning.queue) == nil, "\(info.name)")
    }
  }

  @Test("are used in known versions, on plain queues, with steps enqueued ahead")
  func support() {
    func isUsable(_ major: Int, _ minor: Int, _ patch: Int) -> Bool {
      CommandBufferSupport(version: .init(major, minor, patch)).isUsable
    }
    #expect(isUsable(0, 9, 0) && isUsable(0, 9, 7) && isUsable(1, 0, 0))
    #expect(!isUsable(0, 8, 9) && !isUsable(2, 0, 0))
    #expect(!CommandBufferSupport(version: .init(1, 0, 0), allowsSimultaneousUse: false).isUsable)
    #expect(!CommandBufferSupport(version: .init(1, 0, 0), requiredQueueProperties: 1).isUsable)
  }

  @Test("are taken by default where they are final, but not on CPUs")
  func preference() {
    for kind in DeviceInfo.Kind.allCases {
      var info = DeviceInfo(name: "a device", kind: kind)
      #expect(!info.prefersCommandBuffers)
      info.commandBuffers = CommandBufferSupport(version: .init(1, 0, 0))
      #expect(info.prefersCommandBuffers == (kind != .cpu))
      info.commandBuffers?.version = .init(0, 9, 7)
      #expect(!info.prefersCommandBuffers)
      info.commandBuffers = CommandBufferSupport(version: .init(1, 0, 0), allowsSimultaneousUse: false)
      #expect(!info.prefersCommandBuffers)
    }
  }
}
