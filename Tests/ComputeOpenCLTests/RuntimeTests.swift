import ComputeOpenCL
import Failures
import OpenCLTestSupport
import Testing

extension FirstDevice {
  static let reason = Comment(rawValue: absence)

  static func context() throws -> Context { try Context(try #require(list.devices.first)) }
}

/// The failure that `body` throws; records an issue if it throws none.
func failure(_ body: () throws -> Void) throws -> Failure {
  try #require(throws: Failure.self) { try body() }
}

@Suite("OpenCL runtime", .serialized, .enabled(if: FirstDevice.isPresent, FirstDevice.reason))
struct RuntimeTests {
  static let add = """
    __kernel void test_add(__global const float *left, __global const float *right, __global float *sum, int N) {
      const int i = get_global_id(0);
      if (i < N) sum[i] = left[i] + right[i];
    }
    """

  let context: Context
  let queue: CommandQueue

  init() throws {
    context = try FirstDevice.context()
    queue = try CommandQueue(context)
  }

  private func program(_ text: String, options: String = "") throws -> Program {
    try Program.build([("test.cl", text)], options: options, in: context)
  }

  @Test("adds two vectors")
  func addition() throws {
    let N = 1003
    let left = try Buffer(context, count: N, of: Float.self), right = try Buffer(context, count: N, of: Float.self)
    let sum = try Buffer(context, count: N, of: Float.self)
    try queue.write((0..<N).map { Float($0) }, to: left)
    try queue.write((0..<N).map { Float($0) * 0.5 }, to: right)
    let kernel = try program(Self.add).kernel("test_add")
    try kernel.bind([("left", .buffer(left)), ("right", .buffer(right)), ("sum", .buffer(sum)), ("N", .int(N))])
    try queue.enqueue(kernel, global: [1024])
    #expect(try queue.read(Float.self, count: N, from: sum) == (0..<N).map { Float($0) * 1.5 })
    #expect(try queue.read(Float.self, count: 2, from: sum, at: 40) == [15, 16.5])
  }

  @Test("a kernel keeps its buffers alive")
  func lifetime() throws {
    let sum = try Buffer(context, count: 4, of: Float.self)
    let kernel = try program(Self.add).kernel("test_add")
    do {
      let input = try Buffer(context, count: 4, of: Float.self)
      try queue.write([1, 2, 3, 4] as [Float], to: input)
      try kernel.bind([("left", .buffer(input)), ("right", .buffer(input)), ("sum", .buffer(sum)), ("N", .int(4))])
    }
    try queue.enqueue(kernel, global: [4], local: [1])
    #expect(try queue.read(Float.self, count: 4, from: sum) == [2, 4, 6, 8])
  }

  @Test("passes whole numbers, floats, local memory and no buffer")
  func argumentKinds() throws {
    let kernel = try program(
      """
      __kernel void test_kinds(
          __global float *output, __global const float *addend, __local float *scratch,
          int a, uint b, long c, ulong d, float e, int has_addend) {
        const int i = get_local_id(0);
        scratch[i] = e * i;
        barrier(CLK_LOCAL_MEM_FENCE);
        output[get_global_id(0)] = scratch[i] + (has_addend ? addend[0] : 0.0f);
        if (get_global_id(0) == 0) {
          output[8] = a == -3; output[9] = b == 4000000000u; output[10] = c == -5000000000l; output[11] = d == 6ul;
        }
      }
      """
    ).kernel("test_kinds")
    let output = try Buffer(context, count: 12, of: Float.self)
    try kernel.bind([
      ("output", .buffer(output)), ("addend", .none), ("scratch", .local(byteCount: 16)), ("a", .int(-3)),
      ("b", .int(4_000_000_000)), ("c", .int(-5_000_000_000)), ("d", .int(6)), ("e", .float(0.5)),
      ("has_addend", .int(0)),
    ])
    try queue.enqueue(kernel, global: [8], local: [4])
    #expect(
      try queue.read(Float.self, count: 12, from: output) == [0, 0.5, 1, 1.5, 0, 0.5, 1, 1.5, 1, 1, 1, 1])
  }

  @Test("a wrong argument name, number or kind is named")
  func argumentChecks() throws {
    let kernel = try program(Self.add).kernel("test_add")
    let buffer = try Buffer(context, byteCount: 16)
    func bind(_ arguments: [(String, KernelArgument)]) throws -> Failure {
      try failure { try kernel.bind(arguments.map { (name: $0, value: $1) }) }
    }
    let misspelt = try bind(
      [("left", .buffer(buffer)), ("right", .buffer(buffer)), ("summ", .buffer(buffer)), ("N", .int(4))])
    #expect(misspelt.what == "test_add: argument 2 is 'sum' in the kernel but 'summ' on the host.")
    #expect(misspelt.kind == .bug)
    let few = try bind([("left", .buffer(buffer)), ("right", .buffer(buffer)), ("sum", .buffer(buffer))])
    #expect(few.what == "test_add takes 4 arguments, the host gives 3.")
    let kinds = try bind(
      [("left", .buffer(buffer)), ("right", .int(1)), ("sum", .buffer(buffer)), ("N", .int(4))])
    #expect(
      kinds.what
        == "test_add: argument 'right' is a pointer to global memory in the kernel but a whole number on the host.")
    let large = try bind(
      [("left", .buffer(buffer)), ("right", .buffer(buffer)), ("sum", .buffer(buffer)), ("N", .int(1 << 31))])
    #expect(large.what == "test_add: argument 'N' is 2147483648.")
    #expect(large.kind == .configuration)
  }

  @Test("a kernel that a macro makes is checked by the driver or by its number of arguments")
  func macroKernel() throws {
    let kernel = try program(
      """
      #define FILL(type) \\
        __kernel void test_fill_##type(__global type *output, type value) { output[get_global_id(0)] = value; }
      FILL(int)
      """
    ).kernel("test_fill_int")
    let output = try Buffer(context, count: 3, of: Int32.self)
    try kernel.bind([("output", .buffer(output)), ("value", .int(7))])
    try queue.enqueue(kernel, global: [3])
    #expect(try queue.read(Int32.self, count: 3, from: output) == [7, 7, 7])
    #expect(try failure { try kernel.bind([("output", .buffer(output))]) }.kind == .bug)
  }

  @Test("an unknown kernel is named beside those that there are")
  func unknownKernel() throws {
    let failure = try failure { _ = try program(Self.add).kernel("test_sub") }
    #expect(failure.kind == .bug)
    #expect(failure.what == "there is no kernel 'test_sub' in test.cl.")
    #expect(failure.why.contains("test_add"))
  }

  @Test("a kernel that does not compile is told with its file and line")
  func buildError() throws {
    let failure = try failure {
      _ = try Program.build(
        [
          ("first.cl", "// one\n// two\n"),
          ("second.cl", "// one\n__kernel void broken(__global float *output) {\n  output[0] = missing;\n}"),
          ("third.cl", "// one\n// two\n// three"),
        ], in: context)
    }
    #expect(failure.kind == .deviceUnavailable)
    #expect(failure.what.hasPrefix("second.cl line 3 does not compile for \(context.device.name): "))
    #expect(failure.what.contains("'missing'"))
    #expect(failure.why.contains("CL_BUILD_PROGRAM_FAILURE (-11)"))
    #expect(failure.why.split(separator: "\n").count <= 22)
  }

  @Test("build options reach the compiler")
  func buildOptions() throws {
    let kernel = try program(
      "__kernel void test_value(__global int *output) { output[0] = VALUE; }", options: "-D VALUE=42"
    )
    .kernel("test_value")
    let output = try Buffer(context, byteCount: 4)
    try kernel.bind([("output", .buffer(output))])
    try queue.enqueue(kernel, global: [1])
    #expect(try queue.read(Int32.self, count: 1, from: output) == [42])
  }

  @Test("writes without waiting arrive in order", arguments: [1, 100])
  func enqueuedWrites(count: Int) throws {
    let buffer = try Buffer(context, count: 1 + count, of: UInt32.self)
    for i in 0..<count { try queue.enqueueWrite([UInt32(i), UInt32(i + 1000)], to: buffer, at: 4 * i) }
    #expect(
      try queue.read(UInt32.self, count: 1 + count, from: buffer) == (0..<count).map { UInt32($0) } + [
        UInt32(count + 999)
      ])
  }

  @Test("fills exactly the bytes that it is asked to", arguments: [1, 5, 16_384, 16_385, 300_001])
  func fill(count: Int) throws {
    let buffer = try Buffer(context, count: count + 8, of: Float.self)
    try queue.fill(buffer, with: Float(-1))
    try queue.fill(buffer, with: Float(2.5), at: 16, count: count)
    let values = try queue.read(Float.self, count: count + 8, from: buffer)
    #expect(values.prefix(4) == [-1, -1, -1, -1] && values.suffix(4) == [-1, -1, -1, -1])
    #expect(values[4..<(count + 4)].allSatisfy { $0 == 2.5 })
  }

  @Test("copies between buffers")
  func copy() throws {
    let source = try Buffer(context, byteCount: 16), target = try Buffer(context, byteCount: 16)
    try queue.fill(target, with: UInt8(9))
    try queue.write([1, 2, 3, 4] as [Int32], to: source)
    try queue.copy(from: source, at: 4, to: target, at: 8, byteCount: 8)
    #expect(try queue.read(Int32.self, count: 4, from: target) == [0x0909_0909, 0x0909_0909, 2, 3])
  }

  @Test("a profiling queue times launches, one after the other")
  func profiling() throws {
    let profiling = try CommandQueue(context, isProfiling: true)
    let buffer = try Buffer(context, byteCount: 4096)
    let kernel = try program("__kernel void test_zero(__global int *output) { output[get_global_id(0)] = 0; }")
      .kernel("test_zero")
    try kernel.bind([("output", .buffer(buffer))])
    let first = try profiling.enqueueTimed(kernel, global: [1024]),
      second = try profiling.enqueueTimed(kernel, global: [1024])
    let earlier = try first.nanoseconds(), later = try second.nanoseconds()
    #expect(earlier.start <= earlier.end && earlier.end <= later.end)
    #expect(try (0..<10).contains(first.seconds()))
  }

  @Test("a buffer that no device can hold is out of memory")
  func outOfMemory() throws {
    let failure = try failure { _ = try Buffer(context, byteCount: 1 << 60) }
    #expect(failure.kind == .outOfMemory)
    #expect(failure.what.contains(context.device.name))
  }

  @Test("work-groups of a kernel have limits")
  func limits() throws {
    let kernel = try program(Self.add).kernel("test_add")
    #expect((1...context.device.maxWorkGroupSize).contains(kernel.maxWorkGroupSize))
    #expect(kernel.preferredWorkGroupMultiple >= 1)
  }
}
