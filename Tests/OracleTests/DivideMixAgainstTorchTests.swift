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
  "DivideMix, step by step", .serialized,
  .enabled(if: PythonOracle.has("torch, safetensors, numpy, sklearn"), "\(PythonOracle.absence)"))
struct DivideMixAgainstTorchTests {
  private static let samples = 96, batch = 32, rate = 0.001, epoch = 3
  /// How much further than PyTorch's own float32 we may be from its float64 (`TrainingAgainstTorchTests`).
  private static let allowance = 6.0

  private typealias Outcome = TrainingCase.Outcome

  private static func prefix(_ member: Int) -> String { member == 0 ? "" : "member\(member)." }

  /// Chances of labels, by which about a third of them is believed.
  private static func clean(_ member: Int) -> [Float] {
    (0..<samples).map { Float(($0 * (member == 0 ? 37 : 53) + 11) % 97) / 145 }
  }

  /// The networks after an epoch that both learn by the divisions of it.
  private func train<D: Device>(
    _ choice: MethodChoice, _ model: String, on device: D, _ data: LabelledSet, from initial: SafetensorsFile
  ) throws -> [Outcome] {
    var session = try TrainingSession<D>.Settings(
      network: Network(model), loss: Loss("ce"), batchSize: Self.batch, augmentation: Augmentation(crop: 0, flip: false)
    )
    session.seed = 5
    let method = try choice.make(
      MethodSetup(
        session: session, train: DeviceData(data, on: device), test: nil, heldOut: nil, classes: 10, weights: nil,
        normalization: Normalization(of: data.images, ids: data.labelledIDs), transition: nil, recordsMargins: false,
        stage: Stage("train", epochs: 9, rate: LearningRate(Self.rate, .constant, epochs: 9))))
    for (number, member) in method.members.enumerated() {
      func tensors(_ table: ParameterTable) throws -> [SessionState.Tensor] {
        try table.entries.map {
          SessionState.Tensor(
            name: $0.name, shape: $0.shape, values: try initial.floats(Self.prefix(number) + $0.name, shape: $0.shape))
        }
      }
      try member.writeWeights(parameters: tensors(member.parameters), running: tensors(member.running))
      try device.write(Self.clean(number), to: member.buffer(.column("clean")))
    }
    let sizes = try method.begin(EpochStart(epoch: Self.epoch, step: 0, learningRate: Self.rate))
    for step in sizes.indices { try method.step(step) }
    #expect(try method.isFinite(afterStep: sizes.count - 1))
    func list(_ tensors: [SessionState.Tensor]) -> [Double] { tensors.flatMap(\.values).map(Double.init) }
    return try method.members.map {
      let state = try $0.readState()
      return Outcome(parameters: list(state.parameters), running: list(state.running), momenta: list(state.momenta))
    }
  }

  @Test(
    "is as near to PyTorch's float64 as its float32 is", arguments: ["mlp:width=256,dropout=0", "resnet20"])
  func agrees(model: String) throws {
    let choice = try MethodChoice("dividemix:warm=2,ramp=4,temperature=0.5")
    let data = try OracleData.samples(Self.samples)
    let scratch = ScratchFolder()
    var request = OracleData.request(
      data,
      [
        "model": model, "classes": "10", "lr": "\(Self.rate)", "epoch": "\(Self.epoch)", "temperature": "0.5",
        "unlabelled": "25", "warm": "2", "ramp": "4", "prior": "1",
      ])
    try request.write(to: scratch("first"))
    try Oracle.run(script: "dividemix.py", scratch("first"), scratch("initial"))
    let initial = try SafetensorsFile.read(scratch("initial"))
    // The second network has a seed of its own.
    var settings = try TrainingSession<CPUDevice>.Settings(
      network: Network(model), loss: Loss("ce"), batchSize: Self.batch, augmentation: Augmentation(crop: 0, flip: false)
    )
    settings.seed = 5
    for member in 0..<2 {
      settings.member = member
      let division = Division(
        clean: Self.clean(1 - member), ids: data.labelledIDs, threshold: 0.5, batch: Self.batch / 2, alpha: 4,
        seed: settings.memberSeed, epoch: Self.epoch)
      let rows = 2 * Self.batch, steps = division.order.count / rows
      #expect(division.labelled.count > Self.batch / 2 && steps == 2)
      request["order\(member)"] = .init(division.order, shape: [steps, rows])
      let partners = division.mixtures.partners.enumerated().map { Int32($1 - $0 / rows * rows) }
      request["partners\(member)"] = .init(partners, shape: [steps, rows])
      request["factors\(member)"] = .init(
        (0..<steps).map { division.mixtures.factors[$0 * rows] }, shape: [steps])
      request["clean\(member)"] = .init(Self.clean(1 - member), shape: [Self.samples])
    }
    try request.write(to: scratch("request"))
    try Oracle.run(script: "dividemix.py", scratch("request"), scratch("initial"), scratch("result"))
    let result = try SafetensorsFile.read(scratch("result"))
    let graph = try Network(model).graph(
      batch: 1, height: data.images.height, width: data.images.width, channels: data.images.channels, classes: 10)
    func outcomes(_ title: String) throws -> [Outcome] {
      try (0..<2).map { member in
        func list(_ table: ParameterTable, _ kind: String = "") throws -> [Double] {
          try table.entries.flatMap {
            try result.doubles("\(title)/\(Self.prefix(member))\(kind)\($0.name)", shape: $0.shape)
          }
        }
        return Outcome(
          parameters: try list(graph.parameters), running: try list(graph.running),
          momenta: try list(graph.parameters, "optimizer.momentum."))
      }
    }
    let exact = try outcomes("float64"), theirs = try outcomes("float32")
    func check<D: Device>(on device: D) throws {
      let found = try train(choice, model, on: device, data, from: initial)
      for (number, outcome) in found.enumerated() {
        let mine = outcome.distances(from: exact[number]), single = theirs[number].distances(from: exact[number])
        for index in mine.indices {
          let words = "\(model), network \(number), \(mine[index].kind) on \(device.name): "
          #expect(
            mine[index].distance <= Self.allowance * single[index].distance,
            "\(words)\(mine[index].distance), PyTorch's float32 \(single[index].distance)")
        }
      }
    }
    try check(on: CPUDevice())
    guard let info = FirstDevice.supported else { return print("SKIPPED: there is no OpenCL device") }
    for style in OpenCLDevice.Style.allCases { try check(on: OpenCLDevice(info, style: style)) }
  }

  @Test("judges by the mixtures that scikit-learn finds")
  func mixtures() throws {
    let scratch = ScratchFolder(), random = CounterRandom(seed: 9)
    var request = SafetensorsFile(metadata: [:]), given: [String: [Double]] = [:]
    for (number, share) in [0.1, 0.3, 0.5, 0.8].enumerated() {
      let values = (0..<1000).map { index -> Double in
        let normal = Double(random.normal(.noise, UInt32(number), UInt32(index)))
        return random.uniform(.split, UInt32(number), UInt32(index)) < share ? 0.7 + 0.1 * normal : abs(0.1 * normal)
      }
      let start = GaussianMixture(fitting: values, rounds: 0)
      given["values\(number)"] = values
      request["values\(number)"] = .init(values, shape: [values.count])
      request["values\(number).start"] = .init(
        [
          start.low.weight, start.high.weight, start.low.mean, start.high.mean, start.low.variance, start.high.variance,
        ],
        shape: [3, 2])
    }
    try request.write(to: scratch("request"))
    try Oracle.run(script: "mixture.py", scratch("request"), scratch("result"))
    let result = try SafetensorsFile.read(scratch("result"))
    for (name, values) in given {
      let mixture = GaussianMixture(fitting: values), theirs = try result.doubles(name, shape: [3, 2])
      let mine = [
        mixture.low.weight, mixture.high.weight, mixture.low.mean, mixture.high.mean, mixture.low.variance,
        mixture.high.variance,
      ]
      #expect(zip(mine, theirs).allSatisfy { abs($0 - $1) < 1e-9 }, "\(name): \(mine), scikit-learn \(theirs)")
      let chances = values.map(mixture.chanceOfLow)
      let wanted = try result.doubles("\(name).chances", shape: [values.count])
      #expect(zip(chances, wanted).allSatisfy { abs($0 - $1) < 1e-9 }, "\(name)")
      // From its own random beginning nearly all labels are judged alike.
      let alone = try result.doubles("\(name).alone", shape: [values.count])
      #expect(zip(chances, alone).count { ($0 > 0.5) != ($1 > 0.5) } <= values.count / 100, "\(name)")
    }
  }
}
