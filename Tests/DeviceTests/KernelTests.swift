import Compute
import ComputeCPU
import ComputeReference
import Testing

@Suite("Every operation on the built-in CPU device")
struct KernelTests {
  @Test("is what the double-precision reference says, with every instruction set", arguments: CPUDevice.instructionSets)
  func agreesWithTheReference(instructionSet: String) throws {
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    for result in try SelfTest(on: device).run() where !result.passed {
      Issue.record("\(result.name) \(result.shape): \(result.worstError) of \(result.tolerance), \(result.detail)")
    }
  }

  @Test("leaves the same bits with 1, 2 and 3 threads", arguments: CPUDevice.instructionSets)
  func doesNotDependOnThreads(instructionSet: String) throws {
    let tests = try [1, 2, 3].map {
      SelfTest(on: try CPUDevice(threads: $0, instructionSet: instructionSet))
    }
    for operationCase in tests[0].cases {
      let inputs = operationCase.inputs
      let outputs = try tests.map { try $0.outputs(of: operationCase, inputs: inputs) }
      for (operand, bytes) in outputs[0] {
        #expect(outputs[1][operand] == bytes, "\(operationCase.name), \(operand), 2 threads")
        #expect(outputs[2][operand] == bytes, "\(operationCase.name), \(operand), 3 threads")
      }
    }
  }
}
