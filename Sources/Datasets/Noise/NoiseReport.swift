import Failures
import Statistics

/// What noise was asked for and what became of it.
public struct NoiseReport: Sendable {
  /// The model as written on the command line, or where the wrong labels come from.
  public let model: String
  /// The seed of the draws; nil for labels that were not drawn.
  public let seed: UInt64?
  /// The names of the classes [K].
  public let classNames: [String]
  /// The chances that were asked for [K, K].
  public let requested: TransitionMatrix
  /// The shares that came out [K, K].
  public let realised: TransitionMatrix
  /// The number of samples with a label.
  public let sampleCount: Int
  /// How many labels changed.
  public let changedCount: Int
  /// The share of wrong labels to be expected with the given numbers of samples in each class.
  public let expectedRate: Double
  /// How the entries of the noise's files were matched to samples, as lines for people.
  public var notes: [String] = []

  /// The share of labels that changed.
  public var realisedRate: Double { sampleCount == 0 ? 0 : Double(changedCount) / Double(sampleCount) }

  /// The report in one line: what, how many labels, and the rate.
  public var summary: String {
    let counts = "\(changedCount) of \(sampleCount) labels", rate = "\(Self.percent(realisedRate)) %"
    guard let seed else { return "\(model): \(counts) differ from the true ones, \(rate)" }
    return "\(model), seed \(seed): \(counts) changed, \(rate) (expected \(Self.percent(expectedRate)) %)"
  }

  /// The report as lines of text, with the realised transition matrix.
  public var table: String { "noise \(summary)\n\(realised.table(classNames: classNames))" }

  /// A share in per cent with two decimals.
  private static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded())
    return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
  }
}

extension Dataset {
  /// The data set with noisy training labels.
  ///
  /// The labels of before become the true ones, unless those are known already. Unless the model counts exactly or
  /// looks at images, each label is drawn from its class's row, independently of all others: a function of the seed,
  /// the id and the given label only. With the same seed, a higher rate changes a superset of the labels.
  ///
  /// - Throws: as the model's `labels` does.
  public func corrupted(by model: any NoiseModel, seed: UInt64) throws -> (dataset: Dataset, report: NoiseReport) {
    // A table of noise is square in the classes.
    guard classCount <= Self.mostClasses else {
      throw Failure(
        .badInput, "'\(name)' has \(classCount) classes.",
        why: "noise is counted by pairs of classes, and a classifier takes at most \(Self.mostClasses).",
        fix: "check the data's folders or labels.")
    }
    let noisy = try model.labels(for: self, draws: NoiseDraws(seed: seed))
    precondition(
      zip(train.labels, noisy.labels).allSatisfy { ($0 < 0) == ($1 < 0) && $1 < classCount },
      "'\(model.text)' made labels that no class has")
    var changed = self
    if !(model is NoNoise) { changed.train.trueLabels = train.trueLabels ?? train.labels }
    changed.train.labels = noisy.labels
    let counts = train.classCounts(classCount)
    let sampleCount = counts.reduce(0, +)
    var report = NoiseReport(
      model: model.text, seed: noisy.isDrawn ? seed : nil, classNames: classNames, requested: noisy.expected,
      realised: TransitionMatrix(from: train.labels, to: noisy.labels, classCount: classCount),
      sampleCount: sampleCount, changedCount: zip(train.labels, noisy.labels).count { $0 != $1 },
      expectedRate: sampleCount == 0 ? 0 : noisy.expected.errorRate(weights: counts.map { Double($0) }))
    report.notes = noisy.notes
    return (changed, report)
  }

  /// How the given training labels differ from the true ones; nil where those are not known.
  public var labelErrors: NoiseReport? {
    guard let truth = train.trueLabels else { return nil }
    let pairs = zip(truth, train.labels).filter { $0 >= 0 && $1 >= 0 }
    let realised = TransitionMatrix(from: pairs.map(\.0), to: pairs.map(\.1), classCount: classCount)
    let wrong = pairs.count { $0 != $1 }
    return NoiseReport(
      model: "given labels", seed: nil, classNames: classNames, requested: realised, realised: realised,
      sampleCount: pairs.count, changedCount: wrong,
      expectedRate: pairs.isEmpty ? 0 : Double(wrong) / Double(pairs.count))
  }
}
