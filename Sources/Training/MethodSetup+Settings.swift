import Compute
import Methods
import Sessions
import Settings

extension MethodSetup {
  /// What a run's settings say of its networks, and its data on the device.
  ///
  /// - Throws: what the device throws.
  init(_ settings: RunSettings, _ data: RunData, on device: D) throws {
    let train = data.dataset.train, augment = settings.augmentation(channels: train.images.channels)
    var session = TrainingSession<D>.Settings(
      network: settings.model, loss: settings.loss, batchSize: settings.batchSize,
      augmentation: Augmentation(crop: augment == .cropFlip ? 4 : 0, flip: augment != .none))
    (session.precision, session.optimizer, session.seed) = (settings.precision, settings.optimizer, settings.seed)
    (session.shuffles, session.dropsLast) = (settings.shuffle, settings.dropLast)
    let epochs = settings.epochs
    self.init(
      session: session, train: try DeviceData(train, on: device),
      test: try data.evaluation.map { try DeviceData($0, on: device) },
      heldOut: settings.job == .detect ? nil : try data.heldOut.map { try DeviceData($0, on: device) },
      classes: data.dataset.classCount, weights: data.weights, normalization: data.normalization,
      transition: settings.transition, recordsMargins: settings.aum,
      stage: Stage("train", epochs: epochs, rate: settings.optimizer.learningRate(epochs: epochs)))
  }
}
