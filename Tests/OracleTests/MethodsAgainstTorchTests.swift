import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import FileFormats
import Losses
import Methods
import Networks
import OpenCLTestSupport
import Sessions
import TestSupport
import Testing
import Training

@Suite(
  "Training methods, step by step", .serialized,
  .enabled(if: PythonOracle.has("torch, safetensors, numpy"), "\(PythonOracle.absence)"))
struct MethodsAgainstTorchTests {
  /// A perceptron, in which rounding is not carried on by batch norm, so that little is hidden by it.
  private static let model = "mlp:width=256,dropout=0", samples = 96, batch = 32, epochs = 2, rate = 0.01,
    seed: UInt64 = 7
  /// How much further than PyTorch's own float32 we may be from its float64 (`TrainingAgainstTorchTests`).
  private static let allowance = 6.0

  private typealias Outcome = TrainingCase.Outcome

  /// What PyTorch makes of a method: the weights before, and what training leaves.
  private struct Torch {
    let initial: SafetensorsFile
    private let result: SafetensorsFile, graph: Graph, plain: Graph

    init(_ method: MethodChoice, _ data: LabelledSet) throws {
      let scratch = ScratchFolder(), sizes = MethodsAgainstTorchTests.batchSizes
      var request = OracleData.request(
        data,
        [
          "model": model, "method": method.description, "classes": "10", "batch-size": "\(batch)", "lr": "\(rate)",
          "epochs": "\(epochs)",
        ])
      // Our draws, by position, which is the id where nothing is shuffled.
      let mixtures = (0..<epochs).map {
        Mixtures(alpha: 1, seed: seed, epoch: $0, batchSizes: sizes)
      }
      request["partners"] = .init(mixtures.flatMap { $0.partners.map { Int32($0) } }, shape: [epochs, samples])
      request["factors"] = .init(mixtures.flatMap(\.factors), shape: [epochs, samples])
      try request.write(to: scratch("request"))
      try Oracle.run(script: "methods.py", scratch("request"), scratch("initial"), scratch("result"))
      initial = try SafetensorsFile.read(scratch("initial"))
      result = try SafetensorsFile.read(scratch("result"))
      let one = try Network(model).graph(
        batch: 1, height: data.images.height, width: data.images.width, channels: data.images.channels, classes: 10)
      (plain, graph) = (one, method.entry.name == "car" ? try #require(one.withIndicator()) : one)
    }

    func outcome(_ title: String) throws -> Outcome {
      func list(_ table: ParameterTable, _ prefix: String = "") throws -> [Double] {
        try table.entries.flatMap { entry in
          // Plain training has no second head.
          guard
            title != "plain" || plain.parameters.entries.contains(where: { $0.name == entry.name })
              || prefix.isEmpty && plain.running.entries.contains(where: { $0.name == entry.name })
          else { return [Double](repeating: 0, count: entry.count) }
          return try result.doubles("\(title)/\(prefix)\(entry.name)", shape: entry.shape)
        }
      }
      return Outcome(
        parameters: try list(graph.parameters), running: try list(graph.running),
        momenta: try list(graph.parameters, "optimizer.momentum."))
    }

    func column(_ title: String) throws -> [Double] { try result.doubles("\(title)/column", shape: [samples, 10]) }
  }

  private static var batchSizes: [Int] { [Int](repeating: batch, count: samples / batch) }

  /// What our training on a device leaves, and the method's column.
  private func train<D: Device>(
    _ choice: MethodChoice, on device: D, _ data: LabelledSet, from initial: SafetensorsFile
  ) throws -> (Outcome, column: [Double]) {
    var session = try TrainingSession<D>.Settings(
      network: Network(Self.model), loss: Loss("ce"), batchSize: Self.batch,
      augmentation: Augmentation(crop: 0, flip: false))
    (session.shuffles, session.seed) = (false, Self.seed)
    let method = try choice.make(
      MethodSetup(
        session: session, train: DeviceData(data, on: device), test: nil, heldOut: nil, classes: 10, weights: nil,
        normalization: Normalization(of: data.images, ids: data.labelledIDs), transition: nil, recordsMargins: false,
        stage: Stage("train", epochs: Self.epochs, rate: LearningRate(Self.rate, .constant, epochs: Self.epochs))))
    let member = method.members[0]
    try member.writeWeights(
      parameters: Checkpoint.tensors(member.parameters.entries.map { ($0.name, $0.shape) }, in: initial),
      running: Checkpoint.tensors(member.running.entries.map { ($0.name, $0.shape) }, in: initial))
    for epoch in 0..<Self.epochs {
      let sizes = try method.begin(EpochStart(epoch: epoch, step: 0, learningRate: Self.rate))
      #expect(sizes == Self.batchSizes)
      for step in sizes.indices { try method.step(step) }
    }
    func list(_ tensors: [SessionState.Tensor]) -> [Double] { tensors.flatMap(\.values).map(Double.init) }
    let state = try member.readState()
    let column = try state.columns.first.map { try member.floats($0.name).map(Double.init) } ?? []
    return (
      Outcome(parameters: list(state.parameters), running: list(state.running), momenta: list(state.momenta)), column
    )
  }

  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  @Test(
    "are as near to PyTorch's float64 as its float32 is, and far from plain training",
    arguments: [
      "rdi:lambda=12", "aux:lambda=40", "elr:momentum=0.7,lambda=3", "mixup:alpha=1",
      "car:lambda=0.5,beta=0.1,momentum=0.8,start=2,every=1",
      "self:every=1,momentum=0.6,decay=0.7,consistency=20,ramp=2",
    ])
  func agree(method: String) throws {
    let choice = try MethodChoice(method), data = try OracleData.samples(Self.samples)
    let torch = try Torch(choice, data), exact = try torch.outcome("float64")
    let theirs = try torch.outcome("float32").distances(from: exact)
    let plain = try torch.outcome("plain").distances(from: exact)
    let column = try torch.column("float64"), theirColumn = distance(try torch.column("float32"), column)
    func check<D: Device>(on device: D) throws {
      let (outcome, found) = try train(choice, on: device, data, from: torch.initial)
      for (index, mine) in outcome.distances(from: exact).enumerated() {
        #expect(
          mine.distance <= Self.allowance * theirs[index].distance,
          "\(method), \(mine.kind) on \(device.name): \(mine.distance), PyTorch's float32 \(theirs[index].distance)")
        #expect(mine.distance <= 1e-3 * plain[index].distance, "\(method), \(mine.kind): plain training is as near")
      }
      guard !found.isEmpty else { return }
      #expect(column.contains { abs($0) > 1e-3 })
      let mine = distance(found, column)
      #expect(mine <= Self.allowance * theirColumn, "\(method), column: \(mine), PyTorch's float32 \(theirColumn)")
    }
    try check(on: CPUDevice())
    guard let info = FirstDevice.supported else { return print("SKIPPED: there is no OpenCL device") }
    for style in OpenCLDevice.Style.allCases { try check(on: OpenCLDevice(info, style: style)) }
  }
}
