/// How labels turn into other labels: row = true class, column = given class, rows sum to 1.
public struct TransitionMatrix: Sendable, Equatable {
  /// The number of classes, K.
  public let classCount: Int
  /// The entries [K, K], row by row: the chance that a sample of the row's class carries the column's label.
  public private(set) var values: [Double]

  /// The matrix that changes nothing.
  public init(identity classCount: Int) {
    precondition(classCount > 0, "a transition matrix of \(classCount) classes")
    self.classCount = classCount
    values = [Double](repeating: 0, count: classCount * classCount)
    for k in 0..<classCount { values[k * classCount + k] = 1 }
  }

  /// The matrix with these entries [K, K], row by row.
  public init(classCount: Int, values: [Double]) {
    precondition(
      values.count == classCount * classCount, "a \(classCount) by \(classCount) matrix of \(values.count) values")
    self.classCount = classCount
    self.values = values
  }

  /// The matrix that was realised: the share of each true class that carries each given label.
  ///
  /// Samples whose true or given label is negative (no label) are left out. A class without samples gets a row of the
  /// identity.
  public init(from trueLabels: [Int32], to givenLabels: [Int32], classCount: Int) {
    precondition(
      trueLabels.count == givenLabels.count, "\(trueLabels.count) true labels, \(givenLabels.count) given ones")
    var counts = [Int](repeating: 0, count: classCount * classCount)
    for (truth, given) in zip(trueLabels, givenLabels) where truth >= 0 && given >= 0 {
      counts[Int(truth) * classCount + Int(given)] += 1
    }
    self.init(identity: classCount)
    for row in 0..<classCount {
      let total = counts[row * classCount..<(row + 1) * classCount].reduce(0, +)
      guard total > 0 else { continue }
      for column in 0..<classCount { self[row, column] = Double(counts[row * classCount + column]) / Double(total) }
    }
  }

  /// The chance that a sample of class `row` carries the label `column`.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * classCount + column] }
    set { values[row * classCount + column] = newValue }
  }

  /// The K chances of one true class.
  public func row(_ row: Int) -> [Double] {
    Array(values[row * classCount..<(row + 1) * classCount])
  }

  /// This matrix and then another: the product, the chance of each label after both.
  public func followed(by next: TransitionMatrix) -> TransitionMatrix {
    precondition(next.classCount == classCount, "\(classCount) classes, then \(next.classCount)")
    var product = TransitionMatrix(classCount: classCount, values: [Double](repeating: 0, count: values.count))
    for row in 0..<classCount {
      for middle in 0..<classCount where self[row, middle] > 0 {
        for column in 0..<classCount { product[row, column] += self[row, middle] * next[middle, column] }
      }
    }
    return product
  }

  /// The share of wrong labels when the true classes occur with these weights [K] (any scale; not all zero).
  public func errorRate(weights: [Double]) -> Double {
    precondition(weights.count == classCount, "\(weights.count) weights for \(classCount) classes")
    let total = weights.reduce(0, +)
    precondition(total > 0, "weights that sum to \(total)")
    var wrong = 0.0
    for k in 0..<classCount { wrong += weights[k] * (1 - self[k, k]) }
    return wrong / total
  }

  /// The given label for a sample of class `label`, from two random numbers in [0, 1).
  ///
  /// `flip` decides whether the label changes at all and `target` to which of the others, so that with the same random
  /// numbers a higher noise rate changes a superset of the samples.
  public func draw(_ label: Int, flip: Double, target: Double) -> Int {
    let stay = self[label, label]
    guard flip >= stay else { return label }
    var others = 0.0
    for k in 0..<classCount where k != label { others += self[label, k] }
    guard others > 0 else { return label }
    var cumulated = 0.0
    var last = label
    for k in 0..<classCount where k != label && self[label, k] > 0 {
      cumulated += self[label, k] / others
      last = k
      if target < cumulated { return k }
    }
    return last
  }

  /// The matrix as aligned text, for at most 20 classes; larger ones show the diagonal and the largest other entry.
  public func table(classNames: [String]) -> String {
    let names = (0..<classCount).map { $0 < classNames.count ? classNames[$0] : String($0) }
    let width = max(4, names.map(\.count).max() ?? 4)
    var lines: [String] = []
    if classCount <= 20 {
      let header = (0..<classCount).map { Self.padded(String($0), to: 5) }.joined()
      lines.append(Self.padded("true", to: width + 3) + header)
      for row in 0..<classCount {
        let cells = (0..<classCount).map {
          Self.padded(self[row, $0] == 0 ? "." : Self.hundredths(self[row, $0]), to: 5)
        }
        lines.append(Self.padded(names[row], to: width) + Self.padded(String(row), to: 3) + cells.joined())
      }
    } else {
      lines.append(Self.padded("true", to: width) + "  kept  mostly to")
      for row in 0..<classCount {
        let other = (0..<classCount).filter { $0 != row }.max { self[row, $0] < self[row, $1] }
        let target = other.flatMap { self[row, $0] > 0 ? "\(names[$0]) \(Self.hundredths(self[row, $0]))" : nil } ?? "-"
        lines.append(Self.padded(names[row], to: width) + "  " + Self.hundredths(self[row, row]) + "  " + target)
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// A chance in 0...1 with two decimals, always with a point.
  private static func hundredths(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
  }

  /// Whether numbers [K, K] whose rows are no distributions would be a matrix if rows and columns changed places.
  ///
  /// - Parameter tolerance: how far from 1 a sum may be.
  public static func isTransposed(_ values: [Double], classCount K: Int, tolerance: Double) -> Bool {
    precondition(values.count == K * K, "\(values.count) values for \(K) classes")
    return values.allSatisfy { $0 >= 0 && $0 <= 1 }
      && (0..<K).allSatisfy { column in
        abs((0..<K).reduce(0) { $0 + values[$1 * K + column] } - 1) <= tolerance
      }
  }
}
