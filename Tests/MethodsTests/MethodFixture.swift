import Compute
import Datasets
import Losses
import Methods
import Networks
import Sessions

/// A small training set with wrong labels, and what a method on it is made from.
enum MethodFixture {
  static let classes = 10, batch = 32

  /// 100 images, of which every third has another class's label.
  static let data: LabelledSet = {
    var data = Shapes.samples(seed: 2, count: 100, isTest: false)
    data.trueLabels = data.labels
    for id in stride(from: 0, to: 100, by: 3) { data.labels[id] = (data.labels[id] + 1) % 10 }
    return data
  }()

  /// 40 images with the right labels.
  static let test = Shapes.samples(seed: 2, count: 40, isTest: true)

  static func setup<D: Device>(
    _ network: String = "resnet20", loss: String = "ce", optimizer: Optimizer.Kind = .sgd, epochs: Int = 3,
    weights: [Float]? = nil, augmentation: Augmentation = Augmentation(crop: 4, flip: true), trusted: Int = 0,
    teachers: [Teacher] = [],
    of train: LabelledSet = MethodFixture.data, largestBuffer: Int = .max, on device: D
  ) throws -> MethodSetup<D> {
    var session = try TrainingSession<D>.Settings(
      network: Network(network), loss: Loss(loss), batchSize: batch, augmentation: augmentation)
    (session.seed, session.optimizer.kind) = (7, optimizer)
    // What a detection goes by; other methods go by the stage.
    (session.optimizer.learningRate, session.optimizer.schedule) = (0.02, .constant)
    // The first samples are trusted, and not trained on.
    var left = train
    let ids = [Int32](0..<Int32(trusted))
    for id in ids { left.labels[Int(id)] = LabelledSet.noLabel }
    return MethodSetup(
      session: session, train: try DeviceData(left, on: device, largest: largestBuffer),
      test: try DeviceData(test, on: device, largest: largestBuffer),
      heldOut: nil,
      classes: classes, weights: weights, normalization: Normalization(of: data.images, ids: data.labelledIDs),
      transition: nil, recordsMargins: true,
      stage: Stage("train", epochs: epochs, rate: LearningRate(0.01, .constant, epochs: epochs)),
      trusted: TrustedSamples(
        ids: ids, labels: ids.map { data.trueLabels![Int($0)] }, given: ids.map { data.labels[Int($0)] }),
      teachers: teachers)
  }

  /// Trains all epochs of a method's first stage; `after` is called after every step.
  static func train<D: Device>(
    _ method: any Method<D>, epochs: Int, after: (_ epoch: Int, _ step: Int) throws -> Void = { _, _ in }
  ) throws -> [EpochOutcome] {
    try method.begin(stage: 0)
    return try (0..<epochs).map { epoch in
      let batches = try method.begin(
        EpochStart(epoch: epoch, step: 0, learningRate: method.stages[0].rate(epoch)))
      for step in batches.indices {
        try method.step(step)
        try after(epoch, step)
      }
      return try method.finish(EpochEnd(epoch: epoch, ids: method.members[0].ids(ofFirst: batches.count)))
    }
  }
}

extension SessionState {
  /// All that training has moved, bit by bit.
  var bits: [UInt32] {
    let tensors = parameters + momenta + (secondMoments ?? []) + running
    return tensors.flatMap { $0.values.map(\.bitPattern) } + (marginSum + marginLost + sampleLoss).map(\.bitPattern)
      + (marginCount + samplePrediction).map { UInt32(bitPattern: $0) }
  }
}
