import FileFormats
import Methods
import Reports

/// What is measured of a run.
public enum Quantity: Sendable, Equatable {
  /// A column of metrics.csv: a share in 0…1 after each epoch.
  case epochs(String)
  /// Of the test accuracies of an epoch's classes: the lowest, the highest, and how far these are apart.
  case classes(Spread)
  /// A member of the score in a detection's detect.json.
  case detection(String)

  /// What is asked of the classes.
  public enum Spread: String, Sendable, CaseIterable {
    case least = "class_min"
    case greatest = "class_max"
    case difference = "class_spread"

    func value(_ accuracies: [Double]) -> Double? {
      guard let least = accuracies.min(), let greatest = accuracies.max() else { return nil }
      switch self {
      case .least: return least
      case .greatest: return greatest
      case .difference: return greatest - least
      }
    }
  }

  private static let columns =
    ["test_acc", "train_acc", "clean_acc", "noisy_acc"] + MethodEntry.catalogue.flatMap { $0.figures.map(\.name) }

  /// What columns of learned parameters begin with.
  private static let learned = "learned_"

  /// The quantity of that name; nil for an unknown one.
  public init?(_ name: String) {
    if let spread = Spread(rawValue: name) {
      self = .classes(spread)
    } else if ["precision", "recall", "f1", "auroc"].contains(name) {
      self = .detection(name)
    } else if Self.columns.contains(name) || name.hasPrefix(Self.learned) {
      self = .epochs(name)
    } else {
      return nil
    }
  }

  /// What people call it.
  public static func title(_ name: String) -> String {
    switch name {
    case "test_acc": "test accuracy"
    case "train_acc": "training accuracy"
    case "clean_acc": "training accuracy on right labels"
    case "noisy_acc": "wrong labels memorised"
    case "class_min": "test accuracy of the worst class"
    case "class_max": "test accuracy of the best class"
    case "class_spread": "test accuracy, best minus worst class"
    case "label_precision": "share of right labels among those learned from"
    case "label_recall": "share of the right labels learned from"
    case "kept": "share of samples learned from"
    case "left_out_wrong": "share of wrong labels among those left out"
    case "relabelled_right": "share of right labels among the new ones"
    case "clusters": "clusters, in hundredths"
    case "outliers": "share of images in no cluster"
    case "pair_precision": "pairwise precision of clusters"
    case "pair_recall": "pairwise recall of clusters"
    case "pair_f": "pairwise F-score of clusters"
    case "rank_1": "nearest image of the same class"
    case "target_given": "share of targets that are the given label"
    case "target_right": "share of targets that are the true label"
    case "confidence_right": "confidence of right labels"
    case "confidence_wrong": "confidence of wrong labels"
    case "suspicion_auroc": "AUROC of suspicion"
    case "distance": "distance from the start, in % of the weights there"
    case "test_acc_mean": "test accuracy, mean of the networks"
    case "joined_right": "share of right labels among those given"
    case "invalid_filters": "share of invalid filters"
    case "f1": "F1"
    case "auroc": "AUROC"
    case _ where name.hasPrefix(learned): "learned \(name.dropFirst(learned.count)), in hundredths"
    default: name
    }
  }
}

/// A quantity of one finished run.
public struct Measurement: Sendable, Equatable {
  /// After the last epoch, or of the run as a whole.
  public let last: Double
  /// In the best epoch, and the mean of the last ten; nil for what is measured once.
  public let best: Double?, last10: Double?

  /// The number that a metric names; `last` for what is measured once.
  public subscript(_ metric: ReproTable.Metric) -> Double {
    switch metric {
    case .last: last
    case .best: best ?? last
    case .last10: last10 ?? last
    }
  }

  /// Measures a run; nil where it has no such numbers.
  ///
  /// A detection's epochs are those of its training again.
  ///
  /// - Throws: `.badInput`, `.missingInput` for damaged or missing files.
  public static func read(_ quantity: Quantity, ofRun folder: String, isDetection: Bool) throws -> Measurement? {
    let series: [(Int, Double)]
    switch quantity {
    case .detection(let name):
      let path = folder + "/detect.json"
      guard FileBytes.kind(of: path) == .file else { return nil }
      let document = try JSONText.parse(FileBytes.read(path), named: path)
      return document["score"]?[name]?.double.map { Measurement(last: $0, best: nil, last10: nil) }
    case .epochs(let name):
      let history = try history(folder, isDetection)
      series = history.epochs.compactMap { report in report.share(named: name).map { (report.epoch, $0) } }
    case .classes(let spread):
      let history = try history(folder, isDetection)
      series = history.epochs.compactMap { report in
        spread.value(report.perClass.compactMap(\.accuracy)).map { (report.epoch, $0) }
      }
    }
    return AccuracySummary(series.filter(\.1.isFinite)).map {
      Measurement(last: $0.last, best: $0.best, last10: $0.lastTenMean)
    }
  }

  private static func history(_ folder: String, _ isDetection: Bool) throws -> RunHistory {
    let path = isDetection ? folder + "/retrain" : folder
    if isDetection, FileBytes.kind(of: path) == .missing { return RunHistory() }
    return try RunHistory.read(folder: path)
  }
}

extension EpochReport {
  /// A share by its column in metrics.csv; nil where it was not measured.
  func share(named name: String) -> Double? {
    switch name {
    case "test_acc": testAccuracy
    case "train_acc": trainAccuracy
    case "clean_acc": cleanAccuracy
    case "noisy_acc": wrongAccuracy
    default: figures.first { $0.name == name }?.value
    }
  }
}
