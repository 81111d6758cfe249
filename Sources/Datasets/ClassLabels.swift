import Failures
import FileFormats

/// Labels as files give them: integers, or names of classes.
enum ClassLabels {
  /// The largest label that a file may give.
  static let maxLabel = (1 << 16) - 1

  /// How tables write that there is no label, besides NaN and -1: what Python, pandas and spreadsheets write.
  private static let missing: Set<String> = ["", "None", "<NA>", "N/A", "n/a", "#N/A"]

  /// Whether a text, without blanks around it, says that there is no label.
  static func isMissing(_ text: String) -> Bool {
    missing.contains(text) || number(text) == -1
      || text.lowercased().hasSuffix("nan") && text.utf8.count <= 4 && Double(text)?.isNaN == true
  }

  /// The whole number that a text is, written as an integer or as a float: 3, -1, 3.0, 3.00e+00; nil for others, as 03.
  static func number(_ text: String) -> Int? {
    if let number = Int(text) { return String(number) == text ? number : nil }
    guard text.contains("."), let first = text.utf8.first, first == 0x2D || (0x30...0x39).contains(first),
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) })
    else { return nil }
    return Double(text).flatMap { Int(exactly: $0) }
  }

  /// Integers as labels; nil becomes `LabelledSet.noLabel`.
  ///
  /// - Parameter place: names the place of the index-th label in failures.
  /// - Throws: `.badInput` for a label outside of 0..<classCount.
  static func checked(_ values: [Int?], classCount: Int, place: (Int) -> String) throws -> [Int32] {
    try values.enumerated().map { index, value in
      guard let value else { return LabelledSet.noLabel }
      guard (0..<classCount).contains(value) else { throw outOfRange("\(value)", classCount, place(index)) }
      return Int32(value)
    }
  }

  /// The failure for a label that no class has.
  static func outOfRange(_ label: String, _ classCount: Int, _ place: String) -> Failure {
    Failure(
      .badInput, "the label '\(label.shortened())' is out of range: \(place).",
      why: classCount == maxLabel + 1
        ? "labels are class numbers from 0 to at most \(maxLabel)."
        : "the data set has \(classCount) classes, numbered 0 to \(classCount - 1).",
      fix: "correct the label.")
  }

  /// Classes and labels from texts: all whole numbers, or else names, which are sorted.
  ///
  /// Texts that mean "no label" have none.
  ///
  /// - Parameter place: names the place of the index-th text in failures.
  /// - Throws: `.badInput` for a number beyond `maxLabel` or that is not whole, floats among names, and texts that all
  ///   mean "no label".
  static func infer(_ texts: [String], place: (Int) -> String) throws -> (names: [String], label: [String: Int32]) {
    let different = Set(texts).filter { !isMissing($0) }
    func first(_ isMeant: (String) -> Bool) -> (text: String, place: String)? {
      texts.firstIndex { different.contains($0) && isMeant($0) }.map { (texts[$0], place($0)) }
    }
    guard !different.isEmpty else {
      throw Failure(
        .badInput, "\(texts.isEmpty ? "no sample" : place(0)) has no label, and neither has any other.",
        why: "without labels there are no classes.", fix: "add labels.")
    }
    var label: [String: Int32] = [:]
    if let odd = first({ number($0) == nil && isNumeric($0) }), different.allSatisfy(isNumeric) {
      throw Failure(
        .badInput, "the label '\(odd.text.shortened())' is not a whole number: \(odd.place).",
        why: "labels are names, or class numbers counted from 0.", fix: "correct the label.")
    }
    let other = first { number($0) == nil }
    guard let other else {
      for text in different {
        guard let value = number(text), value >= 0, value <= maxLabel else {
          let wrong = first { $0 == text }
          throw outOfRange(text, maxLabel + 1, wrong?.place ?? "")
        }
        label[text] = Int32(value)
      }
      return ((0...Int(max(1, label.values.max() ?? 1))).map(String.init), label)
    }
    if let float = first({ number($0) != nil && Int($0) == nil }) {
      throw Failure(
        .badInput,
        "labels are floats and names: '\(float.text.shortened())' (\(float.place)) and "
          + "'\(other.text.shortened())' (\(other.place)).",
        why: "it is not clear whether the number of a class or its name is meant.",
        fix: "write all labels as names, or all as whole numbers.")
    }
    let names = different.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for (index, name) in names.enumerated() { label[name] = Int32(index) }
    return (names, label)
  }

  /// Whether a text is a number of any kind, written in digits.
  private static func isNumeric(_ text: String) -> Bool {
    guard let first = text.utf8.first, first == 0x2D || first == 0x2E || (0x30...0x39).contains(first) else {
      return false
    }
    guard number(text) == nil else { return true }
    return text.contains(".") && Double(text)?.isFinite == true
  }
}
