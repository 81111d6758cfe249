import FileFormats

/// An accuracy over the epochs, told in the three ways that people compare.
public struct AccuracySummary: Sendable, Equatable {
  /// The accuracy after the last epoch that measured it, in 0…1.
  public var last: Double
  /// The highest accuracy of any epoch; chosen by looking at the answers, so an upper bound.
  public var best: Double
  /// The first epoch with the best accuracy.
  public var bestEpoch: Int
  /// The mean over the last ten epochs that measured it, or over all if there are fewer.
  public var lastTenMean: Double

  /// Summarises (epoch, accuracy) pairs in the order of the epochs; nil if there are none.
  public init?(_ accuracies: [(epoch: Int, accuracy: Double)]) {
    guard let last = accuracies.last else { return nil }
    var best = accuracies[0]
    for candidate in accuracies where candidate.accuracy > best.accuracy { best = candidate }
    let tail = accuracies.suffix(10)
    self.last = last.accuracy
    self.best = best.accuracy
    bestEpoch = best.epoch
    lastTenMean = tail.reduce(0) { $0 + $1.accuracy } / Double(tail.count)
  }

  /// `last 85.37% · best 85.71% (epoch 101) · mean of last 10 85.31%`, for people.
  public var text: String {
    "last \(NumberFormatting.percent(last)) · best \(NumberFormatting.percent(best)) (epoch \(bestEpoch)) · "
      + "mean of last 10 \(NumberFormatting.percent(lastTenMean))"
  }

  /// The object `{"last", "best", "best_epoch", "last10_mean"}`.
  public var json: JSONValue {
    [
      "last": JSONValue(last), "best": JSONValue(best), "best_epoch": JSONValue(bestEpoch),
      "last10_mean": JSONValue(lastTenMean),
    ]
  }

  /// Reads what `json` gives; nil if a member is missing.
  public init?(json: JSONValue) {
    guard let last = json["last"]?.double, let best = json["best"]?.double,
      let bestEpoch = json["best_epoch"]?.integer, let mean = json["last10_mean"]?.double
    else { return nil }
    self.last = last
    self.best = best
    self.bestEpoch = bestEpoch
    lastTenMean = mean
  }
}
