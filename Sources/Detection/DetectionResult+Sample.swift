extension DetectionResult {
  /// The verdict on one sample.
  public struct Sample: Sendable, Equatable {
    /// The sample's id.
    public var id: Int
    /// The label in question, and the true one where it is known.
    public var given: Int, truth: Int?
    /// Whether the label is suspected.
    public var isIssue = false
    /// 0…1, low for suspicious labels; nil for a sample that no network judged.
    public var quality: Double?
    /// The chance that the label is wrong, 0…1; nil where features did not judge it.
    public var chance: Double?
    /// The class that the networks think most likely, and its mean probability.
    public var predicted: Int?, confidence: Double?
    /// The class that the label is suggested to become, which is never the given one: the most likely of the others, and
    /// its mean probability.
    public var suggested: Int?, suggestedConfidence: Double?
    /// The area under the margin: over the passes in which the sample had its own label, and in each of them.
    public var area: Double?, passAreas: [Double?] = []
    /// 1 for the most suspicious.
    public var rank = 0
    /// Forgetting events per network, mean cross entropy and mean EL2N in training with the given label.
    public var forgettings: Double?, loss: Double?, error: Double?
    /// Numbers the groups of equal images with different labels, from 1; nil for a sample in none.
    public var duplicateGroup: Int?
    /// Numbers the groups of near-duplicates, from 1; nil for a sample in none.
    public var group: Int?
    /// Whether somebody decided about the sample in an earlier round: it is not suspected.
    public var isReviewed = false

    /// Takes what the networks think of it: a probability for each class.
    mutating func take(_ probabilities: some RandomAccessCollection<Double>) {
      (predicted, confidence, suggested, suggestedConfidence) = (nil, nil, nil, nil)
      for (label, probability) in probabilities.enumerated() {
        if confidence.map({ probability > $0 }) ?? true { (predicted, confidence) = (label, probability) }
        guard label != given, suggestedConfidence.map({ probability > $0 }) ?? true else { continue }
        (suggested, suggestedConfidence) = (label, probability)
      }
    }
  }

  /// The threshold samples of one pass.
  public struct Pass: Sendable {
    /// The threshold samples' ids and areas under the margin.
    public var ids: [Int], areas: [Double]
    /// The cut-off by them.
    public var cutoff: MarginCutoff
  }
}
