import Compute
import ComputeCPU
import ComputeKernels
import ComputeReference
import Testing

@Suite struct `Tuned launches` {
  private static let window = Window(B: 32, H: 16, W: 16, C: 16, O: 16, KH: 3, KW: 3, stride: 1, padding: 1)
  private static let gradient = TensorOperation.convolveBackwardWeights(
    ConvolveBackwardWeights(
      window: window, input: Value(index: 0), doutput: Value(index: 1), weightsAt: 0, accumulate: false))

  private func grids(_ tuning: Tuning) -> [[Int]] {
    VectorLowering(tuning: tuning).lower(Self.gradient)?.launches.map(\.global) ?? []
  }

  @Test func `are as many as the tuning says, for its shape alone`() {
    #expect(grids(Tuning([.init(.weightChunks, Self.window): 4])).first == [4])
    let other = Window(B: 32, H: 8, W: 8, C: 16, O: 16, KH: 3, KW: 3, stride: 1, padding: 1)
    #expect(grids(Tuning([.init(.weightChunks, other): 4])) == grids(.standard))
    #expect(grids(.standard).first == [16])
  }

  @Test(arguments: [-1, 0, 1, 2, 3, 1000]) func `compute what the reference computes`(number: Int) throws {
    let windows = OperationCase.all.compactMap { $0.operation.convolution }
    var numbers: [Tuning.Key: Int] = [:]
    for window in windows {
      for choice in Tuning.Choice.allCases { numbers[.init(choice, window)] = number }
    }
    let test = SelfTest(
      on: try CPUDevice(tuning: Tuning(numbers)), cases: OperationCase.all.filter { $0.operation.convolution != nil })
    #expect(!test.cases.isEmpty)
    for result in try test.run() { #expect(result.passed, "\(result.name) \(result.shape): \(result.detail)") }
  }
}
