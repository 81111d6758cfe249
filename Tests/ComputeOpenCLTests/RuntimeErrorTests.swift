import ComputeOpenCL
import Failures
import Testing

@Suite("OpenCL errors and build logs")
struct RuntimeErrorTests {
  @Test("a failure names the call, the error and its number")
  func sentence() {
    let failure = OpenCLError("clFinish", code: -5).failure(while: "waiting for the device", on: "NVIDIA H200")
    #expect(failure.kind == .deviceUnavailable)
    #expect(failure.what == "waiting for the device failed on NVIDIA H200.")
    #expect(failure.why.hasPrefix("clFinish failed with CL_OUT_OF_RESOURCES (-5)."))
    #expect(OpenCLError("clX", code: -12345).sentence == "clX failed with an unknown error (-12345)")
  }

  @Test(
    "what means that memory is exhausted depends on the call",
    arguments: [
      ("clCreateBuffer", -61, true), ("clCreateBuffer", -5, true), ("clFinish", -5, false),
      ("clEnqueueNDRangeKernel", -4, true), ("clBuildProgram", -6, true), ("clBuildProgram", -11, false),
    ])
  func memory(call: String, code: Int32, isOutOfMemory: Bool) {
    let kind = OpenCLError(call, code: code).failure(while: "working", on: "any").kind
    #expect(kind == (isOutOfMemory ? .outOfMemory : .deviceUnavailable))
  }

  @Test(
    "compilers name the place of an error in several ways",
    arguments: [
      "conv.cl:22:14: error: unknown type name 'flaot'", "warning: x\nconv.cl:22: error: unknown type name 'flaot'",
      "In file error_list:\nconv.cl:22:14: fatal error: unknown type name 'flaot'\nother.cl:1:1: error: no",
      "conv.cl(22): error: unknown type name 'flaot'", "\"conv.cl\", line 22: error: unknown type name 'flaot'",
      "conv.cl(22,14): error : unknown type name 'flaot'",
      "error: conv.cl:22:14: unknown type name 'flaot'\nDevice failed to build the program",
      "error: 1 error:\n conv.cl:22:14: error: unknown type name 'flaot'\n",
    ])
  func place(log: String) {
    #expect(
      BuildLog(log).firstProblem
        == BuildLog.Problem(file: "conv.cl", line: 22, message: "unknown type name 'flaot'"))
  }

  @Test(
    "a log without a place has none",
    arguments: [
      "", "error", "error: out of registers", ": error: x", "conv.cl: error: x",
      "ptxas error   : too much shared memory",
    ])
  func noPlace(log: String) {
    #expect(BuildLog(log).firstProblem == nil)
  }

  @Test("paths may contain colons, and control characters go")
  func oddities() {
    #expect(
      BuildLog("C:/tmp/a.cl:3:9: error: \u{1B}[1mbad\u{7}").firstProblem
        == BuildLog.Problem(file: "C:/tmp/a.cl", line: 3, message: "[1mbad"))
  }

  @Test("long logs are cut, and say so")
  func excerpt() {
    let log = BuildLog((1...30).map { "line \($0)" }.joined(separator: "\n"))
    #expect(log.excerpt().split(separator: "\n").count == 7 && log.isExcerptShorter())
    #expect(log.excerpt(lines: 20).hasSuffix("line 20\n(10 more lines)"))
    #expect(BuildLog(String(repeating: "x", count: 1_000_000)).excerpt().utf8.count < 300)
    #expect(log.excerpt(lines: 30) == log.text)
  }
}
