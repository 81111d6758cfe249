import Compute
import Detection
import Losses
import Methods
import Networks
import Sessions

extension MethodSetup {
  /// What a run's settings say of its networks, and its data on the device.
  ///
  /// - Throws: what the device throws; `.usage` for names that `RunSettings.validate` would refuse.
  init(_ settings: RunSettings, _ data: RunData, on device: D) throws {
    let train = data.dataset.train, augment = settings.augmentation(channels: train.images.channels)
    var session = TrainingSession<D>.Settings(
      network: try Network(settings.model), loss: try Loss(settings.loss), batchSize: settings.batchSize,
      augmentation: Augmentation(crop: augment == .cropFlip ? 4 : 0, flip: augment != .none))
    session.precision = settings.numberPrecision
    (session.shuffles, session.dropsLast) = (settings.shuffle, settings.dropLast)
    (session.optimizer, session.secondDecay) = (settings.optimizer, settings.secondDecay)
    (session.momentum, session.nesterov, session.l1) = (
      settings.optimizer == .adam ? settings.firstDecay : settings.momentum, settings.nesterov, settings.l1
    )
    (session.weightDecay, session.clipNorm, session.seed) = (settings.weightDecay, settings.clipNorm, settings.seed)
    self.init(
      session: session, train: try DeviceData(train, on: device),
      test: try data.evaluation.map { try DeviceData($0, on: device) },
      heldOut: settings.detection != nil ? nil : try data.heldOut.map { try DeviceData($0, on: device) },
      classes: data.dataset.classCount, weights: data.weights, normalization: data.normalization,
      transition: try settings.transition.map { try TransitionSource(parsing: $0) }, recordsMargins: settings.aum,
      stage: Stage("train", epochs: settings.epochs, rate: settings.learningRateOfTraining))
  }
}

extension RunSettings {
  /// The learning rate of the epochs of a training run.
  public var learningRateOfTraining: LearningRate {
    LearningRate(learningRate, schedule ?? .step, milestones: milestones, gamma: gamma, epochs: epochs)
  }

  /// The learning rate of one of a detection's networks.
  ///
  /// Passes keep it, or margins would lose their meaning. Folds are to predict well: unless a schedule was asked for, the
  /// rate is multiplied by gamma at half and at three quarters of the epochs, as it is in the paper's 300.
  public func learningRate(of stage: DetectionStage) -> LearningRate {
    var rate = learningRateOfTraining
    guard schedule == nil else { return rate }
    rate.schedule = stage.isPass ? .constant : .step
    rate.milestones = [epochs / 2, epochs * 3 / 4]
    return rate
  }
}
