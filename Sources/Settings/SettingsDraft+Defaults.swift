import Datasets
import Detection
import FileFormats
import Networks

/// What is known of a run's data once its files are read.
public struct DataFacts: Sendable, Equatable {
  /// Training samples, classes, and channels of an image.
  public var trainCount: Int, classCount: Int, channels: Int
  /// Whether it has a test or a validation set.
  public var hasTest: Bool
  /// What image files were brought to; nil where the layout has none.
  public var sizing: ImageSizing?

  /// What is known of a data set, of whose training samples the first `limit` are taken.
  public init(_ dataset: Dataset, limit: Int? = nil) {
    (trainCount, channels) = (min(dataset.train.count, limit ?? .max), dataset.train.images.channels)
    classCount = dataset.classCount
    (hasTest, sizing) = (dataset.evaluation != nil || dataset.heldOut != nil, dataset.sizing)
  }
}

/// The defaults that follow something: all rules, in the order of dependence.
///
/// A rule changes nothing that was given, by an option, a file or a recipe; config.toml has the values, so that it
/// repeats the run elsewhere. Documentation/defaults.md has the table, and what was measured.
extension SettingsDraft {
  /// Own sets of fewer training samples than this get a schedule of their own.
  ///
  /// The paper's is for 50,000: of 1,000 samples its batches of 256 make 4 steps an epoch.
  public static let smallTraining = 20_000
  /// The same for detections by margins, and by methods that select samples.
  public static let smallDetection = 10_000
  /// The most samples that are judged by features unless another detector is asked for: above, the paper's protocol is.
  public static let mostForFeatures = 10_000
  /// Below as many samples nothing is held out by itself.
  public static let leastToHoldOut = 20

  /// What follows from other settings: asked for once all of them are given.
  public mutating func followSettings() {
    // A file's method is that of a detector which the command line may have changed.
    if settings.detection.choice != nil, settings.effectiveSelection == nil, origin(of: "selection") != .commandLine {
      settings.selectionMethod = nil
    }
    guard settings.job == .train, settings.recipe == nil else { return }
    // 150 and 225 of the paper's 300.
    let epochs = settings.epochs
    follow(
      "milestones", \.optimizer.milestones, Set([epochs / 2, epochs * 3 / 4]).filter { $0 > 0 }.sorted(),
      because: "\(epochs) epochs: half and three quarters")
  }

  /// What trains again after a detection, as `RunSettings.retraining` says.
  ///
  /// Batch and rate follow the data, the rate unless the detection had one of its own.
  public init(retraining detection: RunSettings, without table: String, by exclusion: Exclusion, data: DataFacts) {
    self.init(detection.retraining(without: table, by: exclusion))
    var usual = SettingsDraft(for: .detect)
    (usual.settings.data, usual.settings.detection) = (detection.data, detection.detection)
    usual.follow(data)
    let ownRate = usual.settings.optimizer.learningRate != detection.optimizer.learningRate
    let free: Set = ownRate ? ["batch-size"] : ["batch-size", "lr"]
    for setting in RunSettings.settings(of: .train) where !free.contains(setting.name) {
      known[setting.name] = .rule("the detection")
    }
    follow(data)
  }

  /// What follows from the data.
  public mutating func follow(_ data: DataFacts) {
    if settings.job == .detect { followDetector(data) }
    if settings.recipe == nil { followPretrained(data) }
    if followsCount { followCount(data) }
    if settings.job == .detect { followSelection() }
    followSettings()
    fill(
      "augment", \.augment, settings.augmentation(channels: data.channels),
      because: data.channels == 1 ? "1 channel" : "\(data.channels) channels")
    fill("image-size", \.imageSize, data.sizing?.size, because: "the images, most \(data.sizing?.common.text ?? "")")
    fill("noise-seed", \.noiseSeed, settings.effectiveNoiseSeed, because: "the seed")
    fill("data-root", \.dataRoot, FileBytes.environmentPath("GPUNOISY_DATA"), because: "$GPUNOISY_DATA")
  }

  /// What follows from the device, as `--device` names it.
  public mutating func follow(device: String) {
    guard settings.device.lowercased() == "auto" else { return }
    settings.device = device
    known["device"] = .rule("auto, the device that was found")
  }

  /// The detector: that of an option that only networks read, or what suits the number of samples.
  private mutating func followDetector(_ data: DataFacts) {
    func given(_ names: [String]) -> String? { names.first { isGiven($0) } }
    let trained = settings.detection.retrain == nil ? RunSettings.readByTraining : []
    let detector: DetectionSettings.Detector, reason: String
    if let selection = settings.selectionMethod.flatMap({ SelectionMethod(rawValue: $0.entry.name) }) {
      (detector, reason) = (selection.detector, "--selection")
    } else if let name = given(["pred-probs"]) {
      (detector, reason) = (.confidentLearning, "--\(name)")
    } else if let name = given(["features", "weights"]) {
      (detector, reason) = (.features, "--\(name)")
    } else if let name = given(RunSettings.readByMargins + RunSettings.readByNetworks + trained) {
      (detector, reason) = (.aum, "--\(name), which only networks read")
    } else if let name = given(RunSettings.readByFolds) {
      (detector, reason) = (.confidentLearning, "--\(name)")
    } else if settings.detection.split != .train {
      (detector, reason) = (.features, "--split \(settings.detection.split.rawValue)")
    } else {
      detector = data.trainCount <= Self.mostForFeatures ? .features : .aum
      reason = "\(data.trainCount) training images"
    }
    fill("detector", \.detection.choice, detector, because: reason)
  }

  /// The method that selects samples for a detector.
  private mutating func followSelection() {
    let method = settings.effectiveSelection
    fill("selection", \.selectionMethod, method, because: "the detector, and \(settings.epochs) epochs")
    // Of one that was given, what was not given.
    settings.selectionMethod = method
  }

  /// Whether a setting was given, by an option, a file or a recipe.
  private func isGiven(_ name: String) -> Bool {
    switch origin(of: name) {
    case .standard, .rule: false
    case .recipe, .file, .commandLine: true
    }
  }

  /// What follows where layers are pretrained, whatever the data: they need few epochs, and a last layer alone takes
  /// seconds.
  private mutating func followPretrained(_ data: DataFacts) {
    let isFineTuned = settings.optimizer.pretrainedRate < 1
    guard settings.job == .train, settings.freezes || isFineTuned else { return }
    let count = data.trainCount, reason = settings.freezes ? "--freeze" : "--init"
    func epochs(_ tuned: Int) -> Int { settings.freezes ? 30 : tuned }
    follow("epochs", \.epochs, epochs(Self.epochs(seeing: 2_000, of: count, within: 3...10)), because: reason)
    follow("batch-size", \.batchSize, 32, because: reason)
    guard settings.optimizer.kind == .sgd else { return }
    follow("lr", \.optimizer.learningRate, settings.freezes ? 0.003 : 0.02, because: reason)
    guard settings.freezes else { return }
    // A last layer has more weights than there are images: without this it memorises wrong labels.
    follow(
      "weight-decay", \.optimizer.weightDecay, min(1_000 / Double(max(count, 1)), 10),
      because: "\(count) training images")
  }

  /// Whether settings follow from the number of training samples: not those of a recipe, nor of a set known by its name.
  var followsCount: Bool { settings.recipe == nil && !Dataset.isName(settings.data) }

  /// What follows from the number of training samples.
  private mutating func followCount(_ data: DataFacts) {
    let count = data.trainCount, reason = "\(count) training images"
    let rate = count < 2_000 ? 0.02 : 0.05
    switch settings.job {
    case .train:
      if !data.hasTest, count >= Self.leastToHoldOut {
        follow("val", \.validation, .fraction(0.1), because: "the data, which has no test set")
      }
      guard count < Self.smallTraining else { return }
      follow("epochs", \.epochs, Self.epochs(seeing: 48_000, of: count, within: 10...80), because: reason)
      follow("batch-size", \.batchSize, 32, because: reason)
      if settings.optimizer.kind == .sgd { follow("lr", \.optimizer.learningRate, rate, because: reason) }
    case .detect:
      if count < Self.smallTraining {
        follow(
          "retrain-epochs", \.detection.retrainEpochs, Self.epochs(seeing: 48_000, of: count, within: 10...80),
          because: reason)
      }
      let detector = settings.detection.detector
      guard detector.usesMargins || detector.selection != nil, count < Self.smallDetection else { return }
      if let network = try? Network("resnet20") { follow("model", \.model, network, because: reason) }
      follow("epochs", \.epochs, Self.epochs(seeing: 36_000, of: count, within: 6...60), because: reason)
      follow("batch-size", \.batchSize, 32, because: reason)
      if settings.optimizer.kind == .sgd { follow("lr", \.optimizer.learningRate, rate, because: reason) }
      guard detector.usesMargins else { return }
      follow("combine", \.detection.combine, .mean, because: reason)
      // N / K of two classes would be half of the set in every pass: labels that the network is to learn from.
      let usual = count / max(data.classCount, 1), fewer = min(max(count / 15, 40), 100)
      if fewer < usual { follow("threshold-samples", \.detection.thresholdSamples, fewer, because: reason) }
    case .eval, .predict, .report, .convert, .shapes, .info, .noise, .features: break
    }
  }

  /// Epochs in which a network sees so many samples.
  private static func epochs(seeing samples: Int, of count: Int, within range: ClosedRange<Int>) -> Int {
    min(max((samples + count - 1) / max(count, 1), range.lowerBound), range.upperBound)
  }

  /// Sets a setting that is unset and that nobody has given.
  private mutating func fill<Value>(
    _ name: String, _ path: WritableKeyPath<RunSettings, Value?>, _ value: Value?, because reason: String
  ) {
    guard let value, settings[keyPath: path] == nil else { return }
    settings[keyPath: path] = value
    known[name] = .rule(reason)
  }
}
