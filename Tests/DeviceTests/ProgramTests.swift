import Compute
import ComputeCPU
import ComputeReference
import TestSupport
import Testing

@Suite("Whole training steps")
struct ProgramTests {
  enum Network: String, CaseIterable {
    case averageShortcut, strideShortcut, odd, preActivation, plain, perceptron, lite

    func graph(batch: Int) -> Graph {
      switch self {
      case .averageShortcut: .tinyResNet(batch: batch)
      case .strideShortcut: .tinyResNet(batch: batch, shortcut: .stride)
      case .odd: .oddNetwork(batch: batch)
      case .preActivation: .preActivationResNet(batch: batch)
      case .plain: .plainNetwork(batch: batch)
      case .perceptron: .perceptron(batch: batch)
      case .lite: .liteNetwork(batch: batch)
      }
    }
  }

  /// Every step's rounding, about 1e-6 of a gradient, goes through the next step's batch norms; three steps stay well
  /// below this part of the largest parameter.
  private static let tolerance = 2e-5

  /// What one run leaves after training and evaluating: parameters, momenta, running statistics, per-sample columns.
  private struct Outcome {
    var lists: [(name: String, values: [Double])] = []

    init<D: Device>(_ bench: TrainingBench<D>, steps: Int) throws {
      let names = bench.graph.parameters.entries.map(\.name)
      try bench.begin(epoch: 3)
      for _ in 0..<steps { try bench.plan.run() }
      lists += zip(names, try bench.unpacked()).map { ($0, $1) }
      lists += zip(names, try bench.unpacked(.momenta)).map { ("momentum of \($0)", $1) }
      let N = TrainingBench<D>.N
      lists.append(("running", try bench.floats(.running, count: bench.graph.running.packedCount).map(Double.init)))
      lists.append(("loss", try bench.floats(.sampleLoss, count: N).map(Double.init)))
      let sums = zip(try bench.floats(.marginSum, count: N), try bench.floats(.marginLost, count: N))
      lists.append(("margins", sums.map { Double($0) - Double($1) }))
      try bench.begin(epoch: 0)
      for _ in 0..<steps { try bench.evaluation.run() }
      lists.append(("evaluated loss", try bench.floats(.sampleLoss, count: N).map(Double.init)))
      lists.append(("confidence", try bench.floats(.sampleConfidence, count: N).map(Double.init)))
    }

    func expectNear(_ other: Outcome, _ context: String) {
      for (mine, theirs) in zip(lists, other.lists) {
        // What another batch norm normalises has no gradient but rounding.
        let tolerance = mine.name.hasSuffix("f.bn1.weight") ? 10 * ProgramTests.tolerance : ProgramTests.tolerance
        let comparison = Comparison(mine.name + " ", mine.values, theirs.values, tolerance: tolerance, scale: 0.05)
        #expect(comparison.passes, "\(context): \(comparison)")
      }
    }
  }

  @Test(
    "with fused layers on the CPU equal the reference's, layer by layer", arguments: Network.allCases,
    [(false, false), (true, false), (false, true)])
  func fusedAgainstReference(network: Network, variant: (peer: Bool, clip: Bool)) throws {
    let (peer, clip) = variant, graph = network.graph(batch: 7)
    let loss = peer ? "loss_peer_rows" : "loss_sce_rows", parameters: [Float] = peer ? [0.3, 1e-5] : [0.5, 1, -4]
    let expected = try Outcome(
      TrainingBench(
        on: ReferenceDevice(), graph: graph, loss: loss, parameters: parameters, peer: peer, clip: clip), steps: 3)
    for set in CPUDevice.instructionSets {
      let device = try CPUDevice(threads: 2, instructionSet: set)
      let actual = try Outcome(
        TrainingBench(on: device, graph: graph, loss: loss, parameters: parameters, peer: peer, clip: clip), steps: 3)
      actual.expectNear(expected, device.name)
    }
    let fused = ReferenceDevice(forms: Set(FusedForm.allCases))
    try Outcome(
      TrainingBench(on: fused, graph: graph, loss: loss, parameters: parameters, peer: peer, clip: clip), steps: 3
    ).expectNear(expected, "reference with fused layers")
  }

  /// What a device may have of the fused operations.
  enum Fused: CaseIterable {
    case all, forward, weights, upper, lower, either, backward

    func has(_ operation: TensorOperation) -> Bool {
      switch operation {
      case .convolve, .depthwise: return self == .all || self == .forward || self == .weights
      case .convolveBackwardWeights: return self == .all || self == .weights
      case .convolveBackwardData(let backward):
        switch self {
        case .all, .backward: return true
        case .upper: return backward.below == nil
        case .lower: return backward.above == nil
        case .either: return backward.below == nil || backward.above == nil
        case .forward, .weights: return false
        }
      default: return false
      }
    }
  }

  @Test(
    "with fused operations equal those without", arguments: Network.allCases,
    [(false, false), (true, false), (false, true)])
  func fusedOperations(network: Network, variant: (peer: Bool, clip: Bool)) throws {
    let (peer, clip) = variant, graph = network.graph(batch: 5)
    let loss = peer ? "loss_peer_rows" : "loss_sce_rows", parameters: [Float] = peer ? [0.3, 1e-5] : [0.5, 1, -4]
    for forms in [[], Set(FusedForm.allCases)] {
      // Without merged layers, a ReLU stands between every batch norm and the next convolution of these networks; and
      // the odd one has additions there.
      let isFusible =
        !forms.isEmpty && [.averageShortcut, .strideShortcut, .preActivation].contains(network)
      func bench(fuses: Bool = false, _ fused: Fused?) throws -> TrainingBench<ReferenceDevice> {
        try TrainingBench(
          on: ReferenceDevice(forms: forms, fuses: fuses), graph: graph, loss: loss, parameters: parameters,
          peer: peer, clip: clip, fusing: { fused?.has($0) ?? false })
      }
      let expected = try Outcome(bench(nil), steps: 2)
      for fused in Fused.allCases {
        let fusing = try bench(fused)
        #expect(!isFusible || fusing.plan.program.operations.contains { $0.isFused }, "\(fused)")
        try Outcome(fusing, steps: 2).expectNear(expected, "\(fused), \(forms)")
      }
      let asked = try bench(fuses: true, nil), made = try bench(.all)
      #expect(asked.plan.program.operations == made.plan.program.operations)
      // In evaluation, wherever a batch norm follows a convolution.
      let hasNorms = ![.plain, .perceptron].contains(network)
      #expect(asked.evaluation.program.operations.contains { $0.isFused } == hasNorms)
    }
  }

  @Test("leave the same bits with 1, 2, 3 and 64 threads, and twice", arguments: CPUDevice.testedInstructionSets)
  func deterministic(instructionSet: String) throws {
    let outcomes = try [1, 2, 3, 64, 1].map { threads in
      let device = try CPUDevice(threads: threads, instructionSet: instructionSet, panels: .bfloat16)
      return try Outcome(TrainingBench(on: device, graph: .tinyResNet(batch: 7)), steps: 3)
    }
    for outcome in outcomes.dropFirst() {
      for (one, other) in zip(outcomes[0].lists, outcome.lists) { #expect(one.values == other.values, "\(one.name)") }
    }
  }

  /// The gradients are of floats, and central differences of 1e-6 lose as much in doubles; of the largest derivative.
  private static let derivativeTolerance = 1e-4
  /// The least that derivatives are measured against.
  ///
  /// Some are nothing but rounding, as those of a batch norm whose result another one normalises. A peer step rounds twice.
  private static func derivativeScale(peer: Bool) -> Double { peer ? 3e-2 : 1e-2 }

  @Test(
    "have the gradients that finite differences of the whole network give, peer samples and all",
    arguments: Network.allCases, [false, true])
  func finiteDifferences(network: Network, peer: Bool) throws {
    let graph = network.graph(batch: 5), loss = peer ? "loss_peer_rows" : "loss_sce_rows"
    let bench = try TrainingBench(
      on: CPUDevice(threads: 1), graph: graph, loss: loss, parameters: peer ? [0.3, 1e-5] : [0.5, 1, -4], peer: peer)
    let parameters = try bench.unpacked()
    try bench.begin(epoch: 3)
    try bench.plan.run()
    let gradients = try bench.unpacked(.gradients)
    let network = try NetworkLoss(bench, loss: loss, peer: peer)
    for (index, parameter) in graph.parameters.entries.enumerated() {
      let picked = stride(from: 0, to: parameter.count, by: max(1, parameter.count / 6))
      let differences = picked.map { network.derivative(parameters, index, $0) }
      let comparison = Comparison(
        parameter.name + " ", picked.map { gradients[index][$0] }, differences, tolerance: Self.derivativeTolerance,
        scale: Self.derivativeScale(peer: peer))
      #expect(comparison.passes, "\(comparison)")
    }
  }

  @Test("pass the self-test of their own operations", arguments: Network.allCases)
  func selfTest(network: Network) throws {
    let device = try CPUDevice(threads: 2)
    let program = StepProgram.training(
      network.graph(batch: 32), forms: device.forms,
      TrainingStep(
        augmentation: Augmentation(crop: 2, flip: true), loss: RowFunction(kernel: "loss_gce_rows"), peer: true,
        clip: true))
    let results = try SelfTest(on: device, cases: OperationCase.cases(for: program)).run()
    #expect(results.count > 12)
    for result in results { #expect(result.passed, "\(result.name) \(result.shape): \(result.detail)") }
  }
}
