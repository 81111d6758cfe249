#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Probabilities from logits, in double precision.
public enum Softmax {
  /// The softmax of each row of `logits` [N, classes].
  public static func rows(_ logits: [Float], classes: Int) -> [Double] {
    precondition(classes > 0 && logits.count % classes == 0, "\(logits.count) logits of \(classes) classes")
    var probabilities = logits.map { Double($0) }
    for start in stride(from: 0, to: probabilities.count, by: classes) {
      let row = start..<start + classes
      let largest = probabilities[row].max()!
      var sum = 0.0
      for index in row {
        probabilities[index] = exp(probabilities[index] - largest)
        sum += probabilities[index]
      }
      for index in row { probabilities[index] /= sum }
    }
    return probabilities
  }
}
