import Compute
import ComputeCPU
import ComputeReference
import Testing

@Suite("Every operation on the built-in CPU device")
struct KernelTests {
  @Test(
    "is what the double-precision reference says, with every instruction set",
    arguments: CPUDevice.testedInstructionSets)
  func agreesWithTheReference(instructionSet: String) throws {
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet, panels: .bfloat16)
    for activations in ElementType.allCases {
      for result in try SelfTest(on: device, activations: activations).run() where !result.passed {
        Issue.record("\(result.name) \(result.shape): \(result.worstError) of \(result.tolerance), \(result.detail)")
      }
    }
  }

  @Test("stays within the scratch memory that it asks for", arguments: CPUDevice.testedInstructionSets)
  func scratch(instructionSet: String) throws {
    let device = try CPUDevice(threads: 1, instructionSet: instructionSet, panels: .bfloat16), mark: Float = 12_345
    for operationCase in SelfTest(on: device).cases {
      var buffers: [Operand: CPUDevice.Buffer] = [:]
      for (operand, bytes) in operationCase.inputs {
        let buffer = try device.allocate(byteCount: bytes.count)
        try device.write(bytes, to: buffer)
        buffers[operand] = buffer
      }
      let needed = try device.workspace(for: operationCase.operation)
      let scratch = [(Store.workspace, needed.workspace), (.vectors, needed.vectors)]
      // As much again lies behind it, and a little more.
      for (store, count) in scratch {
        let marks = [Float](repeating: mark, count: 2 * count + 64)
        let buffer = try device.allocate(byteCount: marks.count * 4)
        try device.write(marks, to: buffer)
        buffers[.store(store)] = buffer
      }
      let launches = try device.prepare(operationCase.operation) { operand in
        guard let buffer = buffers[operand] else {
          preconditionFailure("\(operationCase.name) has nothing for \(operand)")
        }
        return buffer
      }
      for launch in launches { try device.enqueue(launch) }
      for (store, count) in scratch {
        let buffer = try #require(buffers[.store(store)])
        let behind = try device.read(Float.self, count: count + 64, from: buffer, at: count)
        #expect(behind.allSatisfy { $0 == mark }, "\(operationCase.name), \(store) of \(count)")
      }
    }
  }

  @Test("leaves the same bits with 1, 2, 3 and 64 threads", arguments: CPUDevice.testedInstructionSets)
  func doesNotDependOnThreads(instructionSet: String) throws {
    let threads = [1, 2, 3, 64]
    let tests = try threads.map {
      SelfTest(on: try CPUDevice(threads: $0, instructionSet: instructionSet, panels: .bfloat16))
    }
    for operationCase in tests[0].cases {
      let inputs = operationCase.inputs
      let outputs = try tests.map { try $0.outputs(of: operationCase, inputs: inputs) }
      for (operand, bytes) in outputs[0] {
        for (count, other) in zip(threads, outputs).dropFirst() {
          #expect(other[operand] == bytes, "\(operationCase.name), \(operand), \(count) threads")
        }
      }
    }
  }
}
