import Datasets
import Failures
import Losses

/// The data of a run as its settings ask for: opened, relabelled, limited, corrupted.
public struct RunData: Sendable {
  /// The most classes: confusion and transition matrices are square in them.
  public static let maxClasses = 4096

  /// The data set with the labels that are trained on.
  public let dataset: Dataset
  /// What the noise did, or how the given labels differ from the true ones; nil where neither is known.
  public let noise: NoiseReport?
  /// How much each training sample counts [N]; nil where all count alike.
  public let weights: [Float]?
  /// Mean and standard deviation of the training images in use.
  public let normalization: Normalization
  /// The hash by which the data is known again, of all its bytes: computed once.
  public let fingerprint: String

  /// Opens the data set.
  ///
  /// Labels are replaced first (their file covers the whole set), then the set is limited, then images change, then
  /// a part is held out, then noise is drawn, so that the held-out part keeps the labels that it was given; with noise in
  /// validation labels, too, the last two change places. Samples to exclude lose their label last.
  public init(_ settings: RunSettings) throws {
    let options = DatasetOptions(
      dataRoot: settings.dataRoot, imageSize: settings.imageSize, onBadImage: settings.onBadImage, seed: settings.seed,
      threads: settings.threads ?? DatasetOptions.processors)
    var dataset = try Dataset.open(settings.data, options: options)
    if let path = settings.labels { dataset = try dataset.replacingLabels(fromFile: path) }
    if let path = settings.cleanLabels { dataset = try dataset.withTrueLabels(fromFile: path) }
    let excluded = try ExcludedSamples.read(settings, count: dataset.train.count)
    dataset = dataset.limited(train: settings.limitTrain, test: settings.limitTest)
    dataset = dataset.changingPixels(settings.pixels, seed: settings.noiseSeed ?? settings.seed)
    let part = try settings.validation.map { try HeldOutPart(parsing: $0) }
    if let part, !settings.validationNoise { dataset = try dataset.holdingOut(part, seed: settings.seed) }
    let model = try NoiseCatalogue.parse(settings.noise)
    if model is NoNoise {
      noise = dataset.labelErrors
    } else {
      (dataset, noise) = try { ($0.dataset, $0.report) }(
        dataset.corrupted(by: model, seed: settings.noiseSeed ?? settings.seed))
    }
    if let part, settings.validationNoise { dataset = try dataset.holdingOut(part, seed: settings.seed) }
    let left: Int
    if let excluded, settings.excludeBy == .weightZero {
      let weights = excluded.weights(count: dataset.train.count)
      self.weights = weights
      left = dataset.train.labelledIDs.count { weights[Int($0)] > 0 }
    } else {
      weights = nil
      if let excluded { dataset.train = excluded.removed(from: dataset.train) }
      left = dataset.train.labelledIDs.count
    }
    guard left >= 2 else {
      throw Failure(
        .badInput, "'\(settings.data)' has \(left) training samples with a label.",
        why: "training needs at least two.", fix: "check the data, --limit-train, --val and --exclude.")
    }
    guard (2...Self.maxClasses).contains(dataset.classCount) else {
      throw Failure(
        .badInput, "'\(settings.data)' has \(dataset.classCount) classes.",
        why: "a classifier needs at least two, and this one takes at most \(Self.maxClasses).",
        fix: "check the data's folders or labels.")
    }
    self.dataset = dataset
    normalization = dataset.normalization
    fingerprint = dataset.fingerprint
  }

  /// The training set in which only samples that count have a label: what a detection judges, and scores are of.
  public var judged: LabelledSet {
    guard let weights else { return dataset.train }
    var set = dataset.train
    for id in weights.indices where weights[id] == 0 { set.labels[id] = LabelledSet.noLabel }
    return set
  }

  /// Test set, or what was held out where there is none.
  public var evaluation: LabelledSet? { dataset.evaluation }

  /// What was held out besides a test set; the best checkpoint is chosen by it.
  public var heldOut: LabelledSet? { dataset.test == nil ? nil : dataset.heldOut }
}
