import Failures
import Statistics

/// Pair flip: class k turns into k + 1 (the last into the first) with chance R.
///
/// - Source: Han et al. (Co-teaching), NeurIPS 2018, section 4; rates above 0.5 cannot be learnt.
struct PairFlipNoise: NoiseModel {
  static let entry = NoiseEntry(
    name: "pairflip", grammar: "pairflip:R", summary: "With chance R the next class, the last to the first.",
    source: "Han et al. (Co-teaching), NeurIPS 2018")

  let rate: Double

  init(arguments: NoiseArguments) throws {
    guard arguments.words.count == 1 else { throw arguments.wrong("one rate is needed") }
    rate = try arguments.rate(arguments.words[0])
  }

  var text: String { "pairflip:\(rate)" }

  func transition(for dataset: Dataset) throws -> TransitionMatrix {
    let K = dataset.classCount
    guard K > 1 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "it needs two classes or more.",
        fix: "use none.")
    }
    return TransitionMatrix(moving: (0..<K).map { ($0 + 1) % K }, rate: rate)
  }
}

extension TransitionMatrix {
  /// The matrix in which class k turns into `targets[k]` with chance `rate`.
  init(moving targets: [Int], rate: Double) {
    self.init(identity: targets.count)
    for (k, target) in targets.enumerated() where target != k {
      self[k, k] = 1 - rate
      self[k, target] = rate
    }
  }
}
