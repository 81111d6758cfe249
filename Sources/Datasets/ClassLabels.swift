import Failures

/// Labels as files give them: integers, or names of classes.
enum ClassLabels {
  /// The largest label that a file may give.
  static let maxLabel = (1 << 16) - 1

  /// Integers as labels.
  ///
  /// - Parameter place: names the place of the index-th label in failures.
  /// - Throws: `.badInput` for a label outside of 0..<classCount.
  static func checked(_ values: [Int], classCount: Int, place: (Int) -> String) throws -> [Int32] {
    for (index, value) in values.enumerated() where value < 0 || value >= classCount {
      throw outOfRange("\(value)", classCount, place(index))
    }
    return values.map { Int32($0) }
  }

  /// The failure for a label that no class has.
  static func outOfRange(_ label: String, _ classCount: Int, _ place: String) -> Failure {
    Failure(
      .badInput, "the label '\(label)' is out of range: \(place).",
      why: classCount == maxLabel + 1
        ? "labels are class numbers from 0 to at most \(maxLabel)."
        : "the data set has \(classCount) classes, numbered 0 to \(classCount - 1).",
      fix: "correct the label.")
  }

  /// Classes and labels from texts: all whole numbers, or else names, which are sorted.
  ///
  /// - Parameter place: names the place of the index-th text in failures.
  /// - Throws: `.badInput` for an empty text or a number beyond `maxLabel`.
  static func infer(_ texts: [String], place: (Int) -> String) throws -> (names: [String], label: [String: Int32]) {
    for (index, text) in texts.enumerated() where text.isEmpty {
      throw Failure(.badInput, "\(place(index)) has no label.", why: "the field is empty.", fix: "fill it in.")
    }
    var different: [String: Int32] = [:]
    for text in texts { different[text] = 0 }
    if different.keys.allSatisfy({ Int($0).map(String.init) == $0 }) {
      for (index, text) in texts.enumerated() {
        guard let value = Int(text), value >= 0, value <= maxLabel else {
          throw outOfRange(text, maxLabel + 1, place(index))
        }
        different[text] = Int32(value)
      }
      return ((0...Int(max(1, different.values.max() ?? 1))).map(String.init), different)
    }
    let names = different.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for (index, name) in names.enumerated() { different[name] = Int32(index) }
    return (names, different)
  }
}
