import Datasets

/// What `detect` needs besides the settings of a training run.
///
/// The defaults are those of the AUM paper's code: two passes with disjoint threshold samples, the 99th percentile, and
/// suspicion where every pass agrees.
public struct DetectionSettings: Sendable, Equatable {
  /// By what wrong labels are found.
  public enum Detector: String, Sendable, CaseIterable {
    /// The area under the margin with threshold samples.
    case aum
    /// Confident learning by cross-validation.
    case confidentLearning = "cl"
    /// Both, by the mean of a sample's two ranks.
    case combined = "aum+cl"
    /// Fixed features, a regression that leaves each sample out, and a likelihood that knows of wrong labels.
    case features
    /// The area under the margin and features, by the mean of a sample's two ranks.
    case marginsAndFeatures = "aum+features"
    /// Confident learning and features, by the mean of a sample's two ranks.
    case confidentLearningAndFeatures = "cl+features"
    /// A method that selects samples, alone or with another detector, by the mean of a sample's two ranks.
    case divideMix = "dividemix"
    case divideMixAndMargins = "dividemix+aum"
    case divideMixAndConfidentLearning = "dividemix+cl"
    case divideMixAndFeatures = "dividemix+features"
    case coTeaching = "co-teaching"
    case coTeachingAndMargins = "co-teaching+aum"
    case coTeachingAndConfidentLearning = "co-teaching+cl"
    case coTeachingAndFeatures = "co-teaching+features"

    private var parts: [Substring] { rawValue.split(separator: "+") }

    /// Whether it is one detector, and not the mean of two.
    public var isAlone: Bool { parts.count == 1 }
    /// Whether networks with threshold samples are trained.
    public var usesMargins: Bool { parts.contains("aum") }
    /// Whether folds are held out in turn.
    public var usesFolds: Bool { parts.contains("cl") }
    /// Whether features are judged.
    public var usesFeatures: Bool { parts.contains("features") }
    /// The method by whose suspicion labels are judged; nil for none.
    public var selection: SelectionMethod? { SelectionMethod(rawValue: String(parts[0])) }
    /// Whether networks are trained.
    public var trainsNetworks: Bool { self != .features }
    /// The names of the detectors with one of these parts, with commas between.
    public static func names(with part: String) -> String {
      allCases.filter { $0.parts.contains { $0 == part } }.map(\.rawValue).joined(separator: ", ")
    }
  }

  /// The detector that was chosen; nil for what suits the data.
  public var choice: Detector?
  /// By what wrong labels are found.
  public var detector: Detector {
    get { choice ?? .aum }
    set { choice = newValue }
  }
  /// Where features come from; nil for the best of those that there are.
  public var features: FeatureSource?
  /// A file of pretrained weights for features, or the folder where it lies; nil for where they are looked for.
  public var weights: String?
  /// A file of out-of-sample probabilities [N, K] that confident learning takes instead of training; nil for none.
  public var predictedProbabilities: String?
  /// The part whose labels are judged.
  public var split = JudgedSplit.train
  /// The file of verdicts of an earlier round; nil for none.
  public var verdicts: String?
  /// Whether networks are trained.
  public var trainsNetworks: Bool { detector.trainsNetworks && predictedProbabilities == nil }
  /// Whether a list is kept, and acted on, that is not sure enough by itself.
  public var trusts = false
  /// Networks with threshold samples; no two share one.
  public var passes = 2
  /// Threshold samples of each pass; nil for N / K.
  public var thresholdSamples: Int?
  /// Suspected is what lies below this percentile of the threshold samples.
  public var percentile = 99.0
  /// How the passes' verdicts become one.
  public var combine = PassCombination.intersection
  /// What margins are taken from.
  public var margin = MarginKind.logits
  /// Folds of the cross-validation.
  public var folds = 4
  /// Which samples confident learning flags.
  public var filter = ConfidentLearning.Filter.pruneByNoiseRate
  /// The score by which confident learning ranks.
  public var quality = ConfidentLearning.Quality.selfConfidence
  /// Whether the margins of every epoch are kept.
  public var keepMargins = false
  /// Whether a page for a browser is written.
  public var report = true
  /// What becomes of suspected samples when training begins again; nil for no such training.
  public var retrain: Exclusion?
  /// Epochs of that training.
  public var retrainEpochs = 300

  /// The defaults.
  public init() {}
}

/// Where a detection takes features from.
public enum FeatureSource: Sendable, Equatable, CustomStringConvertible {
  /// The last layer but one of a network with published weights of this name.
  case network(String)
  /// Patches of the set itself.
  case patches
  /// A NumPy array [N, D].
  case file(String)

  /// EfficientNet-Lite0.
  public static let lite0 = FeatureSource.network("lite0")

  /// Reads `patches`, the path of a .npy file, or a name of published weights.
  public init(_ text: String) {
    self = text == "patches" ? .patches : text.lowercased().hasSuffix(".npy") ? .file(text) : .network(text)
  }

  /// As it is typed.
  public var description: String {
    switch self {
    case .network(let name): name
    case .patches: "patches"
    case .file(let path): path
    }
  }

  /// What tables and the page call it.
  public var title: String {
    switch self {
    case .lite0: "EfficientNet-Lite0, pretrained"
    case .network(let name): "\(name), pretrained"
    case .patches: "patches of the images themselves"
    case .file(let path): path
    }
  }
}
