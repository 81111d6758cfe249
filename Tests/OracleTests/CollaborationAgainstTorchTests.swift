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
import Statistics
import TestSupport
import Testing
import Training

@Suite(
  "Methods of several networks, step by step", .serialized,
  .enabled(if: PythonOracle.has("torch, safetensors, numpy"), "\(PythonOracle.absence)"))
struct CollaborationAgainstTorchTests {
  private static let samples = 96, batch = 32, epochs = 2, rate = 0.001
  /// How much further than PyTorch's own float32 we may be from its float64 (`TrainingAgainstTorchTests`).
  private static let allowance = 6.0

  private typealias Outcome = TrainingCase.Outcome

  private static func prefix(_ member: Int) -> String { member == 0 ? "" : "member\(member)." }

  /// What PyTorch makes of a method: the weights before, and what training leaves of each network.
  private struct Torch {
    let initial: SafetensorsFile
    private let result: SafetensorsFile, graphs: [Graph]
    let teachers: [Teacher]

    init(_ method: MethodChoice, _ model: String, _ teachers: [String], _ data: LabelledSet) throws {
      let networks = try method.memberNetworks(of: Network(model))
      let scratch = ScratchFolder()
      let request = OracleData.request(
        data,
        [
          "networks": networks.map(Self.spelled).joined(separator: "|"), "teachers": teachers.joined(separator: "|"),
          "method": method.description, "classes": "10", "batch-size": "\(batch)", "lr": "\(rate)",
          "epochs": "\(epochs)",
        ])
      try request.write(to: scratch("request"))
      try Oracle.run(
        script: "collaboration.py", "train", scratch("request"), scratch("initial"), scratch("result"))
      initial = try SafetensorsFile.read(scratch("initial"))
      result = try SafetensorsFile.read(scratch("result"))
      func graph(_ network: Network) throws -> Graph {
        try network.graph(
          batch: 1, height: data.images.height, width: data.images.width, channels: data.images.channels, classes: 10)
      }
      graphs = try networks.map(graph)
      self.teachers = try teachers.enumerated().map { [initial] number, name in
        let network = try Network(name), graph = try graph(network)
        func tensors(_ table: ParameterTable) throws -> [SessionState.Tensor] {
          try table.entries.map {
            SessionState.Tensor(
              name: $0.name, shape: $0.shape,
              values: try initial.floats("teacher\(number).\($0.name)", shape: $0.shape))
          }
        }
        return Teacher(
          network: network, parameters: try tensors(graph.parameters), running: try tensors(graph.running),
          normalization: Normalization(of: data.images, ids: data.labelledIDs))
      }
    }

    /// A network with all of its options, as the script reads them.
    private static func spelled(_ network: Network) -> String {
      let options = network.entry.options.map { "\($0.name)=\(network.options[$0.name] ?? "")" }
      return options.isEmpty ? network.entry.name : "\(network.entry.name):\(options.joined(separator: ","))"
    }

    func outcomes(_ title: String) throws -> [Outcome] {
      try graphs.enumerated().map { member, graph in
        func list(_ table: ParameterTable, _ kind: String = "") throws -> [Double] {
          try table.entries.flatMap {
            try result.doubles("\(title)/\(prefix(member))\(kind)\($0.name)", shape: $0.shape)
          }
        }
        return Outcome(
          parameters: try list(graph.parameters), running: try list(graph.running),
          momenta: try list(graph.parameters, "optimizer.momentum."))
      }
    }
  }

  /// What our training on a device leaves of each network.
  private func train<D: Device>(
    _ choice: MethodChoice, _ model: String, on device: D, _ data: LabelledSet, from torch: Torch
  ) throws -> [Outcome] {
    var session = try TrainingSession<D>.Settings(
      network: Network(model), loss: Loss("ce"), batchSize: Self.batch, augmentation: Augmentation(crop: 0, flip: false)
    )
    session.shuffles = false
    let method = try choice.make(
      MethodSetup(
        session: session, train: DeviceData(data, on: device), test: nil, heldOut: nil, classes: 10, weights: nil,
        normalization: Normalization(of: data.images, ids: data.labelledIDs), transition: nil, recordsMargins: false,
        stage: Stage("train", epochs: Self.epochs, rate: LearningRate(Self.rate, .constant, epochs: Self.epochs)),
        teachers: torch.teachers))
    let initial = torch.initial
    for (number, member) in method.members.enumerated() {
      func tensors(_ table: ParameterTable) throws -> [SessionState.Tensor] {
        let prefix = Self.prefix(number)
        return try table.entries.map {
          SessionState.Tensor(
            name: $0.name, shape: $0.shape, values: try initial.floats(prefix + $0.name, shape: $0.shape))
        }
      }
      try member.writeWeights(parameters: tensors(member.parameters), running: tensors(member.running))
    }
    for epoch in 0..<Self.epochs {
      let sizes = try method.begin(EpochStart(epoch: epoch, step: 0, learningRate: Self.rate))
      for step in sizes.indices { try method.step(step) }
    }
    func list(_ tensors: [SessionState.Tensor]) -> [Double] { tensors.flatMap(\.values).map(Double.init) }
    return try method.members.map {
      let state = try $0.readState()
      return Outcome(parameters: list(state.parameters), running: list(state.running), momenta: list(state.momenta))
    }
  }

  @Test(
    "are as near to PyTorch's float64 as its float32 is, and far from networks on their own",
    arguments: [
      ("mutual:members=2", "mlp:width=256,dropout=0"), ("mutual:members=3", "mlp:width=256,dropout=0"),
      ("mutual:members=3,with=mlp:dropout=0", "mlp:width=256,dropout=0"),
      ("grafting:members=2", "resnet20"), ("grafting:members=3", "resnet20"),
      ("dgd:members=1", "mlp:width=256,dropout=0"), ("dgd:graft=0,temperature=4,weight=0.5", "mlp:width=256,dropout=0"),
      ("dgd", "resnet20"),
    ])
  func agree(method: String, model: String) throws {
    let choice = try MethodChoice(method), data = try OracleData.samples(Self.samples)
    let teachers = choice.entry.needsTeachers ? ["resnet20", "mlp:width=128,dropout=0"] : []
    let torch = try Torch(choice, model, teachers, data), exact = try torch.outcomes("float64")
    let theirs = try torch.outcomes("float32"), plain = try torch.outcomes("plain")
    func check<D: Device>(on device: D) throws {
      let found = try train(choice, model, on: device, data, from: torch)
      for (number, outcome) in found.enumerated() {
        let mine = outcome.distances(from: exact[number])
        let single = theirs[number].distances(from: exact[number]), apart = plain[number].distances(from: exact[number])
        for index in mine.indices {
          let words = "\(method), \(model), network \(number), \(mine[index].kind) on \(device.name): "
          #expect(
            mine[index].distance <= Self.allowance * single[index].distance,
            "\(words)\(mine[index].distance), PyTorch's float32 \(single[index].distance)")
          // Grafting does not touch momenta, and the gradients of a network with batch norm carry rounding far.
          guard !model.contains("resnet") || mine[index].kind != "momenta" else { continue }
          #expect(mine[index].distance <= 0.01 * apart[index].distance, "\(words)networks on their own are as near")
        }
      }
    }
    try check(on: CPUDevice())
    guard let info = FirstDevice.supported else { return print("SKIPPED: there is no OpenCL device") }
    for style in OpenCLDevice.Style.allCases { try check(on: OpenCLDevice(info, style: style)) }
  }

  @Test("have the entropies of filters that NumPy's histogram has")
  func entropies() throws {
    let scratch = ScratchFolder(), random = CounterRandom(seed: 5)
    var request = SafetensorsFile(metadata: [:]), expected: [String: Double] = [:]
    for (number, count) in [1, 2, 11, 432, 9216].enumerated() {
      let normal = (0..<count).map { 0.05 * Float(random.normal(.initialization, UInt32(number), UInt32($0))) }
      // Many lie on the edges of bins.
      let steps = (0..<count).map { Float(random.integer(below: 11, .initialization, UInt32(number), UInt32($0)) - 5) }
      for (name, values) in [("normal\(count)", normal), ("steps\(count)", steps)] {
        request[name] = .init(values, shape: [count])
        expected[name] = FilterEntropy.nats(of: values)
      }
    }
    try request.write(to: scratch("request"))
    try Oracle.run(script: "collaboration.py", "entropy", scratch("request"), scratch("result"))
    let result = try SafetensorsFile.read(scratch("result"))
    for (name, entropy) in expected {
      let theirs = try result.doubles(name, shape: [1])[0]
      #expect(abs(entropy - theirs) < 1e-12, "\(name): \(entropy), NumPy \(theirs)")
    }
  }
}
