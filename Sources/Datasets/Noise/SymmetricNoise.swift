import Failures
import Statistics

/// Symmetric noise: a label changes to any other class with equal chances.
///
/// `T_ij = R / (K − 1)` for i ≠ j, so that a share R of the labels is wrong. Inclusive: with chance R the label is
/// drawn from all K classes, `T_ij = R / K`, and a share R (K − 1) / K is wrong.
///
/// - Source: exclusive as in Patrini et al., CVPR 2017; inclusive as in DivideMix, ICLR 2020. Tables must say which.
struct SymmetricNoise: NoiseModel {
  static let entry = NoiseEntry(
    name: "symmetric", grammar: "symmetric:R[,inclusive]",
    summary: "With chance R another class, all alike; inclusive: any class, the right one too.",
    source: "Patrini et al., CVPR 2017; inclusive: Li et al. (DivideMix), ICLR 2020")

  let rate: Double
  let isInclusive: Bool

  init(arguments: NoiseArguments) throws {
    let words = arguments.words
    guard let first = words.first else { throw arguments.wrong("the rate is missing") }
    guard words.count == 1 || words.count == 2 && words[1] == "inclusive" else {
      throw arguments.wrong("after the rate, only 'inclusive' may follow")
    }
    (rate, isInclusive) = (try arguments.rate(first), words.count == 2)
  }

  var text: String { "symmetric:\(rate)" + (isInclusive ? ",inclusive" : "") }

  func transition(for dataset: Dataset) throws -> TransitionMatrix {
    let K = dataset.classCount
    guard K > 1 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "it needs two classes or more.",
        fix: "use none.")
    }
    let other = isInclusive ? rate / Double(K) : rate / Double(K - 1)
    var matrix = TransitionMatrix(classCount: K, values: [Double](repeating: other, count: K * K))
    for k in 0..<K { matrix[k, k] = isInclusive ? 1 - rate + other : 1 - rate }
    return matrix
  }
}
