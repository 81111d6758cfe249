import Statistics

/// What noise was asked for and what became of it.
public struct NoiseReport: Sendable {
  /// The model as written on the command line.
  public let model: String
  /// The seed of the draws.
  public let seed: UInt64
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

  /// The share of labels that changed.
  public var realisedRate: Double { sampleCount == 0 ? 0 : Double(changedCount) / Double(sampleCount) }

  /// The report as lines of text.
  public var table: String {
    """
    noise \(model), seed \(seed): \(changedCount) of \(sampleCount) labels changed, \(Self.percent(realisedRate)) % \
    (expected \(Self.percent(expectedRate)) %)
    \(realised.table(classNames: classNames))
    """
  }

  /// A share in per cent with two decimals.
  private static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded())
    return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
  }
}

extension Dataset {
  /// The data set with noisy training labels.
  ///
  /// The labels of before become the true ones, unless those are known already. Each label is drawn from its class's
  /// row, independently of all others: a function of the seed, the id and the given label only. With the same seed, a
  /// higher rate changes a superset of the labels.
  ///
  /// - Throws: as the model's `transition` does.
  public func corrupted(by model: any NoiseModel, seed: UInt64) throws -> (dataset: Dataset, report: NoiseReport) {
    let matrix = try model.transition(for: self)
    let random = CounterRandom(seed: seed)
    let noisy = train.labels.enumerated().map { id, label -> Int32 in
      guard label >= 0 else { return label }
      let words = random.words(.noise, UInt32(id), 0)
      let (flip, target) = (Double(words.x) * 0x1p-32, Double(words.y) * 0x1p-32)
      return Int32(matrix.draw(Int(label), flip: flip, target: target))
    }
    var changed = self
    if !(model is NoNoise) { changed.train.trueLabels = train.trueLabels ?? train.labels }
    changed.train.labels = noisy
    let counts = train.classCounts(classCount)
    let sampleCount = counts.reduce(0, +)
    let report = NoiseReport(
      model: model.text, seed: seed, classNames: classNames, requested: matrix,
      realised: TransitionMatrix(from: train.labels, to: noisy, classCount: classCount), sampleCount: sampleCount,
      changedCount: zip(train.labels, noisy).count { $0 != $1 },
      expectedRate: sampleCount == 0 ? 0 : matrix.errorRate(weights: counts.map { Double($0) }))
    return (changed, report)
  }
}
