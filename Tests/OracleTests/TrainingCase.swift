import Compute
import Datasets
import FileFormats
import Losses
import Networks
import TestSupport
import Testing
import Training

/// A short stretch of training that both we and PyTorch do: the same images in the same order from the same weights,
/// without augmentation.
struct TrainingCase: Sendable, CustomStringConvertible {
  /// What is special about it.
  let description: String
  var model = "resnet20"
  var loss = "ce"
  var samples = 512
  var batchSize = 64
  var steps = 8
  var learningRate = 1e-3
  var momentum = 0.9
  var nesterov = true
  var weightDecay = 1e-4
  var clipNorm = 0.0
  var l1 = 0.0
  /// Of the first weights.
  var seed = 7

  init(_ description: String, _ change: (inout TrainingCase) -> Void) {
    self.description = description
    change(&self)
  }

  /// What training leaves, each kind as one list in our order of parameters.
  struct Outcome: Sendable {
    var parameters: [Double], running: [Double], momenta: [Double]

    /// The Euclidean distance of each kind from what it should be.
    func distances(from other: Outcome) -> [(kind: String, distance: Double)] {
      func distance(_ kind: KeyPath<Outcome, [Double]>) -> Double {
        let (mine, theirs) = (self[keyPath: kind], other[keyPath: kind])
        precondition(mine.count == theirs.count, "\(mine.count) numbers against \(theirs.count)")
        return zip(mine, theirs).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      }
      return [
        ("parameters", distance(\.parameters)), ("running statistics", distance(\.running)),
        ("momenta", distance(\.momenta)),
      ]
    }
  }

  /// What our training on a device leaves.
  func outcome<D: Device>(on device: D, _ data: LabelledSet, from initial: SafetensorsFile) throws -> Outcome {
    var settings = try TrainingSession<D>.Settings(
      network: Network(model), loss: Loss(loss), batchSize: batchSize,
      augmentation: Augmentation(crop: 0, flip: false))
    settings.shuffles = false
    (settings.optimizer.momentum, settings.optimizer.nesterov) = (momentum, nesterov)
    (settings.optimizer.weightDecay, settings.optimizer.clipNorm, settings.optimizer.l1) = (weightDecay, clipNorm, l1)
    let session = try TrainingSession(settings, train: data, test: nil, classes: 10, on: device)
    try session.writeWeights(
      parameters: Checkpoint.tensors(session.parameters.entries.map { ($0.name, $0.shape) }, in: initial),
      running: Checkpoint.tensors(session.running.entries.map { ($0.name, $0.shape) }, in: initial))
    for step in 0..<steps {
      let (epoch, position) = step.quotientAndRemainder(dividingBy: session.batchSizes.count)
      if position == 0 { try session.begin(epoch: epoch, learningRate: learningRate, recordsMargins: true) }
      try session.run(step: position)
    }
    func list(_ tensors: [SessionState.Tensor]) -> [Double] { tensors.flatMap(\.values).map(Double.init) }
    let state = try session.readState()
    return Outcome(
      parameters: list(state.parameters), running: list(state.running), momenta: list(state.momenta))
  }
}

/// What PyTorch makes of a case, in both precisions.
struct TorchTraining {
  /// The weights and running statistics before the first step.
  let initial: SafetensorsFile
  private let result: SafetensorsFile
  private let graph: Graph

  init(_ given: TrainingCase, _ data: LabelledSet) throws {
    let scratch = ScratchFolder()
    let request = OracleData.request(
      data,
      [
        "model": given.model, "loss": try Loss(given.loss).description, "classes": "10", "seed": "\(given.seed)",
        "batch-size": "\(given.batchSize)", "steps": "\(given.steps)", "lr": "\(given.learningRate)",
        "momentum": "\(given.momentum)", "nesterov": given.nesterov ? "on" : "off",
        "weight-decay": "\(given.weightDecay)", "clip-norm": "\(given.clipNorm)", "l1": "\(given.l1)",
      ])
    try request.write(to: scratch("request"))
    try Oracle.run("steps", scratch("request"), scratch("initial"), scratch("result"))
    initial = try SafetensorsFile.read(scratch("initial"))
    result = try SafetensorsFile.read(scratch("result"))
    graph = try Network(given.model).graph(
      batch: 1, height: data.images.height, width: data.images.width, channels: data.images.channels, classes: 10)
  }

  /// What training in `float32` or `float64` leaves.
  func outcome(_ precision: String) throws -> TrainingCase.Outcome {
    func list(_ table: ParameterTable, _ prefix: String = "") throws -> [Double] {
      try table.entries.flatMap { try result.doubles("\(precision)/\(prefix)\($0.name)", shape: $0.shape) }
    }
    return TrainingCase.Outcome(
      parameters: try list(graph.parameters), running: try list(graph.running),
      momenta: try list(graph.parameters, "optimizer.momentum."))
  }
}
