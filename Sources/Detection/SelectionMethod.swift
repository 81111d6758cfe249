import FileFormats
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

  /// The suspicions that it can have, and the losses beside them: chances and cross entropies, or losses of any kind.
  var possible: (suspicions: ClosedRange<Double>, losses: ClosedRange<Float>) {
    let most = Float.greatestFiniteMagnitude
    return switch self {
    case .divideMix: (0...1, 0...most)
    case .coTeaching: (-Double(most)...Double(most), -most...most)
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

  /// The suspicion from which on a label is suspected, where the method itself has none; infinite where no label is.
  ///
  /// Of losses, the smallest one above the lower component's mean that a mixture of two normal distributions of all of them
  /// takes for one of the higher component.
  ///
  /// - Parameter suspicions: finite numbers.
  public func threshold(_ suspicions: [Double]) -> Double {
    guard let least = suspicions.min(), let most = suspicions.max(), most > least else { return .infinity }
    let values = suspicions.map { ($0 - least) / (most - least) }, mixture = GaussianMixture(fitting: values)
    let high = zip(values, suspicions).filter { value, _ in
      value > mixture.low.mean && mixture.chanceOfLow(value) < 0.5
    }
    return high.map(\.1).min() ?? .infinity
  }
}

/// Whether networks have learned anything of the labels that they were trained on.
public struct SelectionAgreement: Sendable, Equatable {
  /// The mean over the classes of the share of samples whose label is what the networks predict.
  public let share: Double
  /// What always saying one class would reach: 1/K for K classes with samples.
  public let guessing: Double
  /// Whether the networks predict labels better than guessing: by more than three of its standard errors.
  public let isLearnt: Bool

  /// - Parameters:
  ///   - labels: those that the networks were trained on.
  ///   - predicted: what they predict for the same samples.
  init(labels: [Int], predicted: [Int], classes: Int) {
    var sizes = [Double](repeating: 0, count: classes), right = sizes
    for (label, other) in zip(labels, predicted) {
      sizes[label] += 1
      if label == other { right[label] += 1 }
    }
    let present = sizes.indices.filter { sizes[$0] > 0 }, K = Double(max(present.count, 1))
    share = present.reduce(0) { $0 + right[$1] / sizes[$1] } / K
    guessing = 1 / K
    // Of the mean of K shares that guessing gives.
    let variance = present.reduce(0) { $0 + (1 - 1 / K) / K / sizes[$1] } / (K * K)
    isLearnt = share > guessing + 3 * variance.squareRoot()
  }
}

extension DetectionResult {
  /// What is to be said where the method's networks have learned nothing; nil elsewhere.
  public var selectionStatement: String? {
    guard let agreement = selectionAgreement, !agreement.isLearnt, let method = settings.detector.selection else {
      return nil
    }
    func percent(_ share: Double) -> String { NumberFormatting.percent(share, places: 0) }
    let outcome =
      !settings.detector.isAlone
      ? "the other detector decides alone" : settings.trusts ? "the list is kept by --trust" : "none is listed"
    return "the networks of \(method.rawValue) predict \(percent(agreement.share)) of a class's labels, and guessing "
      + "\(percent(agreement.guessing)), so that they have learned too little: \(outcome); use more --epochs"
  }
}
