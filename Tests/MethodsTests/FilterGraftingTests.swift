import Compute
import ComputeCPU
import ComputeOpenCL
import Methods
import Sessions
import Testing

@Suite("Filter grafting")
struct FilterGraftingTests {
  private func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> SessionState.Tensor {
    SessionState.Tensor(name: name, shape: shape, values: values)
  }

  @Test("rounds a network's share to hundredths, so that the shares of two sum to one")
  func shares() {
    let grafting = Grafting(amplitude: 0.4, steepness: 500)
    #expect(grafting.hundredths(entropy: 1, other: 1) == 50)
    // 0.4 / pi * arctan(500 * 0.001) + 0.5 = 0.559, and 0.4 / pi * arctan(50) + 0.5 = 0.697.
    #expect(grafting.hundredths(entropy: 1.001, other: 1) == 56 && grafting.hundredths(entropy: 1.1, other: 1) == 70)
    #expect(grafting.hundredths(entropy: 0, other: 2.3) == 30)
    // Halves go to the even number.
    let half = Grafting(amplitude: 0.1, steepness: .infinity)
    #expect(half.hundredths(entropy: 2, other: 1) == 55 && half.hundredths(entropy: 1, other: 2) == 45)
    let odd = Grafting(amplitude: 0.05, steepness: .infinity)
    #expect(odd.hundredths(entropy: 2, other: 1) == 52 && odd.hundredths(entropy: 1, other: 2) == 48)
    for step in -1000...1000 {
      let difference = Double(step) * 1e-5, own = grafting.hundredths(entropy: difference, other: 0)
      #expect(own + grafting.hundredths(entropy: 0, other: difference) == 100)
    }
  }

  /// A convolution, its batch norm, another convolution and a linear layer.
  private func network(_ first: [Float], _ second: [Float], others value: Float) -> LayerWeights {
    LayerWeights(
      parameters: [
        tensor("conv1.weight", [2, 1, 1, 2], first), tensor("bn1.weight", [2], [value, value]),
        tensor("layer.conv2.weight", [1, 2, 1, 2], second), tensor("fc.weight", [1, 2], [value, 4 * value]),
        tensor("fc.bias", [1], [value]),
      ],
      running: [tensor("bn1.running_mean", [2], [value, 2]), tensor("bn1.running_var", [2], [value, 3])])
  }

  @Test("gives what follows a convolution that convolution's share, running statistics too")
  func layers() {
    // The first network has more information in the first layer (two bins against one), the second in the second.
    let rich: [Float] = [0, 0, 1, 2], poor: [Float] = [0, 0, 0, 1]
    let grafted = Grafting(amplitude: 0.4, steepness: 500).ring([
      network(rich, poor, others: 1), network(poor, rich, others: 0),
    ])
    // 0.3466 or more apart: arctan gives 0.2993 or more of 0.3... rounded to 70 and 30 hundredths.
    let first = grafted[0], second = grafted[1]
    #expect(
      first.parameters[0].values == [0, 0, 0.7, 1.7] && second.parameters[0].values == first.parameters[0].values)
    #expect(first.parameters[1].values == [0.7, 0.7])
    #expect(first.parameters[2].values == [0, 0, 0.7, 1.7])
    #expect(first.parameters[3].values == [0.3, 1.2] && first.parameters[4].values == [0.3])
    #expect(first.running[0].values == [0.7, 2] && first.running[1].values == [0.7, 3])
    #expect(second.running.map(\.values) == first.running.map(\.values))
  }

  @Test("goes around a ring, from the weights as they were before")
  func ring() {
    let networks = [1, 2, 4].map { network([0, 1, 2, 3], [0, 1, 2, 3], others: $0) }
    let grafted = Grafting(amplitude: 0.4, steepness: 500).ring(networks)
    #expect(grafted.map { $0.parameters[4].values[0] } == [2.5, 1.5, 3])
  }

  @Test("counts filters whose weights are small, and knows the layers of a network without convolutions")
  func filters() {
    let small = network([0.05, -0.04, 1, -1], [0, 0, 0, 0], others: 1)
    #expect(small.invalidShare == 2.0 / 3 && small.entropies.count == 2)
    let perceptron = LayerWeights(
      parameters: [tensor("fc1.weight", [2, 2], [0.05, 0.06, 0.01, 0.02]), tensor("fc1.bias", [2], [1, 1])], running: []
    )
    #expect(perceptron.invalidShare == 0.5 && perceptron.entropies.count == 1)
  }

  private func weights<D: Device>(_ method: any Method<D>) throws -> [[UInt32]] {
    try method.members.map { member in
      let (parameters, running) = try member.readWeights()
      return (parameters + running).flatMap { $0.values.map(\.bitPattern) }
    }
  }

  private func expectGrafted<D: Device>(_ network: String, on device: D) throws {
    let method = try MethodChoice("grafting").make(MethodFixture.setup(network, on: device))
    _ = try MethodFixture.train(method, epochs: 1)
    let trained = try weights(method), momenta = try method.members.map { try $0.readState().momenta.map(\.values) }
    #expect(trained[0] != trained[1])
    // Each has an order of its own.
    #expect(method.members[0].ids(ofFirst: 2) != method.members[1].ids(ofFirst: 2))
    // Within an epoch nothing is grafted, as where a run is resumed; at its beginning it is.
    _ = try method.begin(EpochStart(epoch: 1, step: 1, learningRate: 0.01))
    #expect(try weights(method) == trained)
    _ = try method.begin(EpochStart(epoch: 1, step: 0, learningRate: 0.01))
    let grafted = try weights(method)
    #expect(grafted[0] == grafted[1] && !trained.contains(grafted[0]))
    #expect(try method.members.map { try $0.readState().momenta.map(\.values) } == momenta)
    // They learn from other batches, and part again.
    try method.step(0)
    let parted = try weights(method)
    #expect(parted[0] != parted[1])
  }

  @Test("makes two networks equal when an epoch begins, and leaves momenta alone", arguments: ["resnet20", "mlp"])
  func equal(network: String) throws { try expectGrafted(network, on: CPUDevice()) }

  @Test(
    "makes two networks equal through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func equalThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectGrafted("resnet20", on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("says what the filters are like, before and after")
  func figures() throws {
    let method = try MethodChoice("grafting:members=3").make(MethodFixture.setup(on: CPUDevice()))
    _ = try MethodFixture.train(method, epochs: 1)
    #expect(
      method.figures.map(\.name) == [
        "test_acc_mean", "test_acc_2", "test_acc_3", "invalid_filters", "invalid_filters_grafted", "entropy",
        "entropy_2", "entropy_3",
      ])
    func networks() throws -> [LayerWeights] {
      try method.members.map {
        let (parameters, running) = try $0.readWeights()
        return LayerWeights(parameters: parameters, running: running)
      }
    }
    let before = try networks(), values = try method.finish(EpochEnd(epoch: 0, ids: [], testAccuracy: 0.5)).figures
    _ = try method.begin(EpochStart(epoch: 1, step: 0, learningRate: 0.01))
    let after = try networks()
    #expect(values.count == 8)
    #expect(values[3] == before.reduce(0) { $0 + $1.invalidShare } / 3)
    #expect(values[4] == after.reduce(0) { $0 + $1.invalidShare } / 3)
    for (number, network) in before.enumerated() {
      let layers = network.entropies
      #expect(layers.count == 19 && values[5 + number] == layers.reduce(0, +) / 19)
    }
  }

  @Test("can give each network a learning rate of its own")
  func rates() throws {
    let method = try MethodChoice("grafting:members=2,rates=1").make(MethodFixture.setup(on: CPUDevice()))
    _ = try method.begin(EpochStart(epoch: 0, step: 0, learningRate: 0.1))
    #expect(abs(method.members[0].effectiveRate - 0.05) < 1e-12 && method.members[1].effectiveRate == 0.1)
    let alike = try MethodChoice("grafting").make(MethodFixture.setup(on: CPUDevice()))
    _ = try alike.begin(EpochStart(epoch: 0, step: 0, learningRate: 0.1))
    #expect(alike.members.map(\.effectiveRate) == [0.1, 0.1])
  }
}
