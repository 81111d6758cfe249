import Statistics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A training method that selects the samples to learn from, and whose suspicion of the others a detection takes.
public enum SelectionMethod: String, Sendable, CaseIterable {
  /// 1 − the chance that the label is right, by mixtures of losses (Li, Socher and Hoi, 2020).
  case divideMix = "dividemix"
  /// The mean loss of two networks that each learn from what the other finds easy (Han et al., 2018).
  case coTeaching = "co-teaching"

  /// The detector that judges by this method alone.
  public var detector: DetectionSettings.Detector {
    switch self {
    case .divideMix: .divideMix
    case .coTeaching: .coTeaching
    }
  }

  /// Epochs of its paper's protocol, of which its own numbers of epochs are a share.
  public var publishedEpochs: Int {
    switch self {
    case .divideMix: 300
    case .coTeaching: 200
    }
  }

  /// A label's quality, 0…1, by the method's suspicion s.
  ///
  /// 1 − s where that is a chance; else exp(−s), which for cross entropy is the geometric mean of both networks'
  /// probabilities of the label.
  func quality(_ suspicion: Double) -> Double {
    switch self {
    case .divideMix: 1 - suspicion
    case .coTeaching: min(exp(-suspicion), 1)
    }
  }

  /// The suspicion from which on a label is suspected; infinite where no label is.
  ///
  /// One half of a chance: DivideMix believes labels above it. For losses, the smallest one above the lower component's
  /// mean that a mixture of two normal distributions of all losses takes for one of the higher component.
  ///
  /// - Parameter suspicions: finite numbers.
  public func threshold(_ suspicions: [Double]) -> Double {
    switch self {
    case .divideMix: return 0.5
    case .coTeaching:
      guard let least = suspicions.min(), let most = suspicions.max(), most > least else { return .infinity }
      let values = suspicions.map { ($0 - least) / (most - least) }, mixture = GaussianMixture(fitting: values)
      let high = zip(values, suspicions).filter { value, _ in
        value > mixture.low.mean && mixture.chanceOfLow(value) < 0.5
      }
      return high.map(\.1).min() ?? .infinity
    }
  }
}

/// Whether networks have learned anything of the labels that they were trained on.
public struct SelectionAgreement: Sendable, Equatable {
  /// The share of samples whose given label is what the networks predict, and that which always saying the most frequent
  /// label would reach.
  public let share: Double, guessing: Double
  /// Whether the networks predict labels better than guessing: by more than three standard errors of its share.
  public let isLearnt: Bool

  init(given: [Int], predicted: [Int?], classes: Int) {
    var sizes = [Int](repeating: 0, count: classes)
    for label in given { sizes[label] += 1 }
    let count = Double(max(given.count, 1))
    share = Double(zip(given, predicted).count { $0 == $1 }) / count
    guessing = Double(sizes.max() ?? 0) / count
    isLearnt = share > guessing + 3 * (guessing * (1 - guessing) / count).squareRoot()
  }
}
