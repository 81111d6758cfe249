import Failures
import FileFormats

/// What a text in a column of classes means.
///
/// In a column of labels an integer, also one written as a float, is a position, counted from 0, and any other text a
/// name; -1, NaN, None and an empty cell mean that there is no label, unless a class has that name. Blanks around a text
/// do not count. Where folders are named by
/// numbers, a number may be both: one that is also the name of another class is refused, unless what lies beside it says
/// which is meant. In a column of names every text is a name.
public struct ClassReader: Sendable {
  private let names: [String]
  private let byName: [String: Int]
  private let byNumberInName: [Int: Int]
  private let countsAreSure: Bool

  /// - Parameters:
  ///   - names: the classes [K].
  ///   - countsAreSure: whether the list is known to count these very classes.
  public init(_ names: [String], countsAreSure: Bool = false) {
    (self.names, self.countsAreSure) = (names, countsAreSure)
    byName = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    byNumberInName = Dictionary(
      names.enumerated().compactMap { index, name in Self.number(name).map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  private static func number(_ text: String) -> Int? { Int(text) ?? ClassLabels.number(text) }

  /// The class at a position.
  ///
  /// - Parameter place: names the place of the number in failures, as in `line 3 of 'x.csv'`.
  /// - Throws: `.badInput` for a position that no class has, and a number that is also the name of another class.
  public func label(_ number: Int, _ place: @autoclosure () -> String) throws -> Int {
    if !countsAreSure, let named = byNumberInName[number], named != number {
      throw Failure(
        .badInput, "the label '\(number)' may mean two classes: \(place()).",
        why: names.indices.contains(number)
          ? "class '\(names[number])' has the position \(number), counted from 0, and class '\(names[named])' has that name."
          : "no class has that position, counted from 0; class '\(names[named])' has that name, at position \(named).",
        fix: "give classes by their names, in a column given_name (for true labels: clean_name).")
    }
    guard names.indices.contains(number) else {
      throw ClassLabels.outOfRange("\(number)", names.count, place())
    }
    return number
  }

  /// The class that a cell of a column of labels means.
  ///
  /// - Returns: nil for a cell that says that there is no label.
  /// - Throws: as `label(_:_:)` for numbers; `.badInput` for a name that no class has.
  public func label(_ text: String, _ place: @autoclosure () -> String) throws -> Int? {
    let text = text.trimmingBlanks
    guard !isMissing(text) else { return nil }
    if let number = Self.number(text) { return try label(number, place()) }
    return try name(text, place())
  }

  private func isMissing(_ text: String) -> Bool {
    guard ClassLabels.isMissing(text) else { return false }
    return Self.number(text).map { byNumberInName[$0] == nil } ?? (byName[text] == nil)
  }

  /// The class of that name.
  ///
  /// - Throws: `.badInput` if no class has it.
  public func name(_ text: String, _ place: @autoclosure () -> String) throws -> Int {
    let trimmed = text.trimmingBlanks
    guard let label = byName[text] ?? byName[trimmed] ?? names.firstIndex(where: { $0.trimmingBlanks == trimmed })
    else {
      throw Failure(
        .badInput, "there is no class '\(text.shortened())': \(place()).",
        why: "the \(names.count) classes are "
          + "\(names.prefix(20).map { $0.shortened(to: 40) }.joined(separator: ", "))"
          + (names.count > 20 ? ", …" : "."),
        fix: "correct the name.")
    }
    return label
  }

  /// The class that a label and a name beside it mean; either may be empty, and both must agree.
  ///
  /// - Returns: nil if both are empty, or say that there is no label.
  /// - Throws: `.badInput` as the others do, and for a label and a name of different classes.
  public func label(_ text: String, named name: String, _ place: @autoclosure () -> String) throws -> Int? {
    let (text, name) = (text.trimmingBlanks, name.trimmingBlanks)
    guard !isMissing(name) else { return try label(text, place()) }
    let label = try self.name(name, place())
    guard isMissing(text) || Self.number(text) == label || text == name else {
      throw Failure(
        .badInput, "a label and the name beside it disagree: \(place()).",
        why:
          "the label is '\(text.shortened())', and the name '\(name.shortened())' belongs to the class at position \(label).",
        fix: "correct the line.")
    }
    return label
  }
}
