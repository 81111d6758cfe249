import Compute
import ComputeCPU
import FileFormats
import Losses
import Networks

@testable import Datasets
@testable import Detection
@testable import Methods
@testable import Sessions
@testable import Training

/// A method in training on a small set, and a checkpoint of it after two epochs.
///
/// Of the checkpoint, only the small tensors are in inputs: what is said of samples, and what the method decides by. Weights
/// are taken from here.
struct MethodUnderFuzz {
  let name: String
  let method: any Method<CPUDevice>
  /// The checkpoint with its large tensors alone.
  private var weights: SafetensorsFile
  /// The small ones.
  let input: [UInt8]

  /// What is trained: methods that keep more than weights, and the networks of detections.
  private static let names = [
    "plain", "co-teaching:ramp=1", "marvel:patience=1,warm=0", "elr", "car:start=1,every=1", "aux", "rdi",
    "self:every=1,ramp=1", "adaptive-loss:every=1", "dividemix:warm=1,ramp=1,history=2",
    "asymmetric-co-teaching:warm=1,every=1,neighbours=3",
    "asymmetric-co-teaching:labels=clusters,every=1,reciprocal=4,share=0.2,minimum=2", "detect:aum", "detect:cl",
    "detect:dividemix",
  ]

  /// Read by one thread, and made when the first input is.
  nonisolated(unsafe) static let all = Seeds.made { try names.map { try MethodUnderFuzz($0) } }

  // MARK: - Making one

  private static let classes = 3, largest = 256, epochs = 4

  /// 16 images of 4 x 4 in three classes that differ by their brightest row; every fifth has another class's label.
  private static let set: LabelledSet = {
    let truth = (0..<16).map { Int32($0 % classes) }
    let pixels = truth.enumerated().flatMap { id, label -> [UInt8] in
      (0..<16).map { place in UInt8(place / 4 == Int(label) ? 200 : 20) + UInt8((id * 7 + place * 5) % 23) }
    }
    let labels = truth.enumerated().map { id, label in id % 5 == 4 ? (label + 1) % Int32(classes) : label }
    return LabelledSet(
      images: ImageSet(count: 16, height: 4, width: 4, channels: 1, pixels: pixels), labels: labels, trueLabels: truth)
  }()

  /// What a method is made from.
  static func setup(loss: String = "ce", trusted count: Int = 0) throws -> MethodSetup<CPUDevice> {
    let device = try CPUDevice(threads: 1), ids = (0..<Int32(count)).map { $0 }
    var session = try TrainingSession<CPUDevice>.Settings(
      network: Network("mlp"), loss: Loss(loss), batchSize: 4, augmentation: Augmentation(crop: 0, flip: false))
    session.seed = 7
    (session.optimizer.learningRate, session.optimizer.schedule) = (0.02, .constant)
    var train = set
    for id in ids { train.labels[Int(id)] = LabelledSet.noLabel }
    return MethodSetup(
      session: session, train: try DeviceData(train, on: device), test: nil, heldOut: nil, classes: classes,
      weights: nil, normalization: Normalization(of: set.images, ids: set.labelledIDs), transition: nil,
      recordsMargins: true, stage: Stage("train", epochs: epochs, rate: LearningRate(0.01, .constant, epochs: epochs)),
      trusted: TrustedSamples(
        ids: ids, labels: ids.compactMap { set.trueLabels?[Int($0)] }, given: ids.map { set.labels[Int($0)] }))
  }

  private static func method(_ name: String) throws -> any Method<CPUDevice> {
    guard name.hasPrefix("detect:") else {
      let choice = try MethodChoice(name)
      return try choice.make(
        choice.entry.needsTrustedSamples ? setup(loss: "gce:q=0.5", trusted: 4) : setup())
    }
    var settings = DetectionSettings()
    settings.choice = DetectionSettings.Detector(rawValue: String(name.dropFirst("detect:".count)))
    let selection = try settings.detector.selection.map { try MethodChoice("\($0.rawValue):warm=1,ramp=1") }
    return try DetectionMethod(setup(), settings, selection, judged: set)
  }

  private init(_ name: String) throws {
    let method = try Self.method(name)
    (self.name, self.method) = (name, method)
    try method.begin(stage: 0)
    // Where random weights are too bad for what it decides, the checkpoint is one of the beginning.
    for epoch in 0..<2 { try? Self.train(method, epoch: epoch) }
    var position = Checkpoint.Position()
    (position.epoch, position.step, position.totalSteps) = (2, 1, 9)
    let names = (0..<(method.members.first?.classes ?? Self.classes)).map { "c\($0)" }, images = Self.set.images
    let model = Checkpoint.Model(
      network: "mlp", classNames: names, height: images.height, width: images.width, channels: images.channels,
      normalization: Normalization(of: images, ids: Self.set.labelledIDs))
    var file = Checkpoint(
      model: model, position: position, best: (0.5, 1), states: try method.members.map { try $0.readState() }
    ).file
    file.metadata["gpunoisy.method"] = name
    try method.store(in: &file)
    if name.contains("clusters"), file["method.radius"] == nil {
      file["method.radius"] = .init([0.5 as Double], shape: [1])
      let quality = method.figures.map { _ in 0.5 }
      file["method.quality"] = .init(quality, shape: [quality.count])
    }
    var small = SafetensorsFile(metadata: file.metadata)
    weights = SafetensorsFile(path: "x", metadata: file.metadata)
    for entry in file.entries {
      if entry.tensor.bytes.count > Self.largest {
        weights[entry.name] = entry.tensor
      } else {
        small[entry.name] = entry.tensor
      }
    }
    input = small.input
  }

  private static func train(_ method: any Method<CPUDevice>, epoch: Int) throws {
    let sizes = try method.begin(EpochStart(epoch: epoch, step: 0, learningRate: 0.01))
    for step in sizes.indices { try method.step(step) }
    let ids = method.members[0].ids(ofFirst: sizes.count)
    _ = try method.finish(EpochEnd(epoch: epoch, ids: ids, heldOutAccuracy: 0.5))
  }

  // MARK: - Resuming it

  /// Takes up a checkpoint with these small tensors, as `Trainer.resume` does, and goes on by a step.
  func resume(with small: SafetensorsFile) throws {
    var file = weights
    file.metadata.merge(small.metadata) { $1 }
    for entry in small.entries { file[entry.name] = entry.tensor }
    let checkpoint = try Checkpoint.read(file, for: method.members), position = checkpoint.position
    let stage = method.stages[0]
    try position.requirePossible(epochs: stage.epochs, steps: method.stepLimit, in: "x")
    let counts = checkpoint.states.flatMap(\.marginCount)
    guard counts.allSatisfy({ $0 >= 0 && Int($0) <= position.epoch + 1 }) else { return }
    for (member, state) in zip(method.members, checkpoint.states) { try member.write(state) }
    try method.restore(from: file)
    if position.epoch < stage.epochs {
      let sizes = try method.begin(
        EpochStart(epoch: position.epoch, step: position.step, learningRate: stage.rate(position.epoch)))
      if position.step < sizes.count {
        try method.step(position.step)
        _ = try method.isFinite(afterStep: position.step)
      }
      let ids = method.members[0].ids(ofFirst: min(position.step + 1, sizes.count))
      _ = try method.finish(EpochEnd(epoch: position.epoch, ids: ids))
    }
    _ = try method.suspicion()
    var again = SafetensorsFile()
    try method.store(in: &again)
  }
}
