import Compute
import Datasets
import Methods
import Sessions
import Settings

extension MethodSetup {
  /// What a run's settings say of its networks, and its data on the device.
  ///
  /// With features in place of images the networks are last layers (`FrozenNetwork`).
  ///
  /// - Parameter outline: images of this size, of which only memory is counted; nil for those that there are.
  /// - Throws: what the device throws.
  init(_ settings: RunSettings, _ data: RunData, on device: D, outline: PixelSize? = nil) throws {
    func uploaded(_ set: LabelledSet) throws -> DeviceData<D> {
      try DeviceData(outline.map { set.outline($0) } ?? set, on: device)
    }
    let train = data.trained, augment = settings.augmentation(channels: train.images.channels)
    let isFrozen = train.images.element == .float32
    var session = TrainingSession<D>.Settings(
      network: isFrozen ? .linearHead : settings.model, loss: settings.loss, batchSize: settings.batchSize,
      augmentation: Augmentation(
        crop: augment == .cropFlip || augment == .crop ? 4 : 0, flip: augment == .cropFlip || augment == .flip))
    (session.precision, session.optimizer, session.seed) = (settings.precision, settings.optimizer, settings.seed)
    (session.shuffles, session.dropsLast) = (settings.shuffle, settings.dropLast)
    session.keepsStatistics = settings.batchNorm == .running
    let epochs = settings.epochs
    self.init(
      session: session, train: try uploaded(train), test: try data.evaluation.map(uploaded),
      heldOut: settings.job == .detect ? nil : try data.heldOut.map(uploaded),
      classes: data.dataset.classCount, weights: data.weights, normalization: data.normalization,
      transition: settings.transition, recordsMargins: settings.aum,
      stage: Stage("train", epochs: epochs, rate: settings.optimizer.learningRate(epochs: epochs)),
      trusted: data.dataset.trusted, teachers: try settings.teachers.map { try Teacher($0, for: data) },
      unlabelled: data.whole.train.unlabelledIDs, classNames: data.dataset.classNames)
  }
}
