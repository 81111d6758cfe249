import Datasets
import Failures
import Settings

extension Dataset {
  /// Opens the data set of these settings.
  ///
  /// Its labels are replaced first, then it is limited. Nothing is held out, and no noise is drawn.
  public static func opened(by settings: RunSettings) throws -> Dataset {
    var dataset = try Dataset.open(settings.data, options: settings.datasetOptions)
    dataset.origin = { ListOrigin(beside: $0) }
    if let path = settings.labels {
      dataset = try dataset.replacingLabels(from: SampleList(path, of: dataset)).dataset
    }
    return dataset.limited(train: settings.limitTrain, test: settings.limitTest)
  }
}

/// The data of a run as its settings ask for: opened, relabelled, limited, corrupted.
public struct RunData: Sendable {
  /// The data set with the labels that are trained on; what a detection judges stands in the place of the training samples.
  public private(set) var dataset: Dataset
  /// The data set with all of its parts, before any was held out or chosen to be judged, and before noise.
  public let whole: Dataset
  /// What people said of labels in an earlier round; nil where no verdicts were given.
  public let reviewed: ReviewedLabels?
  /// What the noise did, or how the given labels differ from the true ones; nil where neither is known.
  public let noise: NoiseReport?
  /// How much each training sample counts [N]; nil where all count alike.
  public let weights: [Float]?
  /// Mean and standard deviation of the training images in use, or what the network's published weights expect.
  public private(set) var normalization: Normalization
  /// The hash by which the data is known again, of all its bytes: computed once.
  public let fingerprint: String
  /// The hash of the rest of the data (`Dataset.restFingerprint`).
  public let rest: String
  /// The hash of what the training ids stand for (`Dataset.sampleFingerprint`), by which lists of ids are known again.
  public let samples: String
  /// How the entries of lists were matched to samples, where that is worth a note.
  public let notes: [String]

  /// Reads the data set's files: what comes first, and what defaults follow.
  ///
  /// - Parameter progress: told how many images of how many are read; see `DatasetOptions.progress`.
  public static func read(
    _ settings: RunSettings, progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
  ) throws -> Dataset {
    var options = settings.datasetOptions
    options.progress = progress
    return try Dataset.open(settings.data, options: options)
  }

  /// Opens the data set, unless it is there already.
  ///
  /// Labels are replaced first (their file covers the whole set), then the set is limited, then images change, then the
  /// part is chosen that a detection judges, or a part is held out, then noise is drawn, so that the held-out part keeps the
  /// labels that it was given; with noise in validation labels, too, the last two change places. Then trusted samples leave
  /// the training set. Samples to exclude lose their label last.
  ///
  /// - Parameter opened: what `read` gave for these settings.
  public init(_ settings: RunSettings, of opened: Dataset? = nil) throws {
    var dataset = try opened ?? Self.read(settings)
    dataset.origin = { ListOrigin(beside: $0) }
    // Before noise is drawn: its matrix is square in the classes.
    guard (2...Dataset.mostClasses).contains(dataset.classCount) else {
      throw Failure(
        .badInput, "'\(settings.data)' has \(dataset.classCount) classes.",
        why: "a classifier needs at least two, and this one takes at most \(Dataset.mostClasses).",
        fix: "check the data's folders or labels.")
    }
    if let path = settings.labels {
      dataset = try dataset.replacingLabels(from: SampleList(path, of: dataset)).dataset
    }
    var notes: [String?] = dataset.openingNotes()
    if let path = settings.cleanLabels {
      let (scored, matching) = try dataset.withTrueLabels(from: SampleList(path, of: dataset))
      notes.append(matching.note("--clean-labels", path))
      dataset = scored
    }
    var excluded = try ExcludedSamples.read(settings, of: dataset)
    if let excluded, case .table(let path) = settings.exclude {
      notes.append(excluded.matching.note("--exclude", path))
    }
    let unlimited = dataset, split = settings.job == .detect ? settings.detection.split : .train
    dataset = dataset.limited(train: settings.limitTrain, test: settings.limitTest)
    dataset = dataset.changingPixels(settings.pixels, seed: settings.effectiveNoiseSeed)
    whole = dataset.releasingOpened()
    dataset = try dataset.judging(split)
    samples =
      dataset.sampleFingerprint(of: split, limitTrain: settings.limitTrain, limitTest: settings.limitTest)
      ?? dataset.sampleFingerprint()
    let part = settings.validation
    if let part, !settings.validationNoise { dataset = try dataset.holdingOut(part, seed: settings.seed) }
    if settings.noise == .none {
      noise = dataset.labelErrors
    } else {
      (dataset, noise) = try { ($0.dataset, $0.report) }(
        dataset.corrupted(by: settings.noise.model, seed: settings.effectiveNoiseSeed))
    }
    notes += noise?.notes ?? []
    notes += try SampleArrayFile.notes(settings, dataset)
    if let part, settings.validationNoise { dataset = try dataset.holdingOut(part, seed: settings.seed) }
    // Noise is drawn as it would be without them; what is left out may be trusted.
    dataset = try Self.trusting(settings, dataset, of: unlimited, &notes)
    // Which labels are wrong is known once the noise is drawn.
    if settings.exclude == .wrong { excluded = try ExcludedSamples(wrongIn: dataset.train) }
    let left: Int
    var weights: [Float]?
    if let excluded, settings.excludeBy == .weightZero {
      weights = excluded.weights(count: dataset.train.count)
    } else if let excluded {
      dataset.train = excluded.removed(from: dataset.train)
    }
    let judged = Self.judged(dataset.train, weights)
    left = judged.labelledIDs.count
    guard left >= 2 else {
      throw Failure(
        .badInput, "'\(settings.data)' has \(left) training samples with a label.",
        why: "training needs at least two.", fix: "check the data, --limit-train, --val and --exclude.")
    }
    reviewed = try Self.reviewed(settings, judged, in: dataset, of: split == .train ? unlimited : dataset, &notes)
    // What lists count has been compared.
    dataset = dataset.releasingOpened()
    self.weights = settings.classWeights.weights(of: judged, classes: dataset.classCount) ?? weights
    self.dataset = dataset
    normalization = try Self.normalization(settings, of: dataset)
    notes += [dataset.emptyClassWarning(judged), dataset.untrustedClassWarning]
    self.notes = notes.compactMap { $0 }
    (fingerprint, rest) = (dataset.fingerprint, dataset.restFingerprint)
  }

  private static func normalization(_ settings: RunSettings, of dataset: Dataset) throws -> Normalization {
    guard settings.normalize == .network, let own = settings.model.entry.preprocessing else {
      return dataset.normalization
    }
    let channels = dataset.train.images.channels
    guard channels == own.mean.count else {
      throw Failure(
        .configuration,
        "--normalize network cannot be used with images of \(channels) channel\(channels == 1 ? "" : "s").",
        why: "the published weights of \(settings.model) are for \(own.mean.count) channels.",
        fix: "use --normalize images, without --init, or give images in colour.")
    }
    return Normalization(mean: own.mean, standardDeviation: own.standardDeviation)
  }

  /// The training set in which only samples that count have a label: what a detection judges, and scores are of.
  public var judged: LabelledSet { Self.judged(dataset.train, weights) }

  /// A warning about classes of which nothing is judged, or trained on; nil where every class has samples.
  public var emptyClassWarning: String? { dataset.emptyClassWarning(judged) }

  private static func judged(_ train: LabelledSet, _ weights: [Float]?) -> LabelledSet {
    guard let weights else { return train }
    var set = train
    for id in weights.indices where weights[id] == 0 { set.labels[id] = LabelledSet.noLabel }
    return set
  }

  /// The same data with something else in place of its images, such as their features, normalised by what it is.
  func replacingImages(_ images: (LabelledSet) throws -> ImageSet) throws -> RunData {
    func replaced(_ set: LabelledSet) throws -> LabelledSet { set.with(images: try images(set)) }
    var data = self
    data.dataset.train = try replaced(dataset.train)
    data.dataset.test = try dataset.test.map(replaced)
    data.dataset.heldOut = try dataset.heldOut.map(replaced)
    data.normalization = data.dataset.normalization
    return data
  }

  /// Test set, or what was held out where there is none.
  public var evaluation: LabelledSet? { dataset.evaluation }

  /// What was held out besides a test set; the best checkpoint is chosen by it.
  public var heldOut: LabelledSet? { dataset.test == nil ? nil : dataset.heldOut }
}
