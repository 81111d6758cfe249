import Failures
import Glibc

/// Logits with what follows from them.
struct Predictions {
  /// K.
  let classCount: Int
  /// [N, K]; NaN in the rows of images that could not be read.
  let logits: [Float]
  /// softmax(logits) [N, K]: each row is shifted by its largest logit and summed in double precision, so that no
  /// exponential overflows and rows sum to 1 up to the rounding of float32.
  let probabilities: [Float]
  /// The first class with the largest logit [N]; nil for an image that could not be read.
  let classes: [Int?]

  /// The number of samples, N.
  var count: Int { classes.count }

  /// - Parameter name: what failures call a sample.
  /// - Throws: `.numerical` if a logit of a readable image is not finite.
  init(
    logits given: [Float], classCount: Int, isReadable: [Bool], name: (Int) -> String = { "sample \($0)" }
  ) throws {
    precondition(given.count == isReadable.count * classCount, "\(given.count) logits for \(isReadable.count) samples")
    var logits = given, probabilities = [Float](repeating: .nan, count: given.count), classes: [Int?] = []
    for (index, readable) in isReadable.enumerated() {
      let range = index * classCount..<(index + 1) * classCount
      guard readable else {
        for place in range { logits[place] = .nan }
        classes.append(nil)
        continue
      }
      var best = range.lowerBound
      for place in range {
        guard given[place].isFinite else {
          throw Failure(
            .numerical, "the network's output for \(name(index)) is not finite.",
            why: "logit \(place - range.lowerBound) is \(given[place]).",
            fix: "use a checkpoint from before training diverged.")
        }
        if given[place] > given[best] { best = place }
      }
      let powers = range.map { exp(Double(given[$0]) - Double(given[best])) }
      let sum = powers.reduce(0, +)
      for (place, power) in zip(range, powers) { probabilities[place] = Float(power / sum) }
      classes.append(best - range.lowerBound)
    }
    (self.classCount, self.logits, self.probabilities, self.classes) = (classCount, logits, probabilities, classes)
  }
}
