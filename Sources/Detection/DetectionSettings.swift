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

    /// Whether networks with threshold samples are trained.
    public var usesMargins: Bool { self != .confidentLearning }
    /// Whether folds are held out in turn.
    public var usesFolds: Bool { self != .aum }
  }

  /// By what wrong labels are found.
  public var detector = Detector.aum
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
