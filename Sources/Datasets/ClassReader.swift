import Failures

/// What a text in a column of classes means.
///
/// In a column of labels an integer is a position, counted from 0, and any other text a name. Where folders are named by
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
      names.enumerated().compactMap { index, name in Int(name).map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// The number of classes, K.
  var count: Int { names.count }

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
  /// - Throws: as `label(_:_:)` for numbers; `.badInput` for a name that no class has.
  public func label(_ text: String, _ place: @autoclosure () -> String) throws -> Int {
    if let number = Int(text) { return try label(number, place()) }
    return try name(text, place())
  }

  /// The class of that name.
  ///
  /// - Throws: `.badInput` if no class has it.
  public func name(_ text: String, _ place: @autoclosure () -> String) throws -> Int {
    guard let label = byName[text] else {
      throw Failure(
        .badInput, "there is no class '\(text)': \(place()).",
        why: "the \(names.count) classes are \(names.prefix(20).joined(separator: ", "))"
          + (names.count > 20 ? ", …" : "."),
        fix: "correct the name.")
    }
    return label
  }

  /// The class that a label and a name beside it mean; either may be empty, and both must agree.
  ///
  /// - Returns: nil if both are empty.
  /// - Throws: `.badInput` as the others do, and for a label and a name of different classes.
  public func label(_ text: String, named name: String, _ place: @autoclosure () -> String) throws -> Int? {
    guard !name.isEmpty else { return text.isEmpty ? nil : try label(text, place()) }
    let label = try self.name(name, place())
    guard text.isEmpty || Int(text) == label || text == name else {
      throw Failure(
        .badInput, "a label and the name beside it disagree: \(place()).",
        why: "the label is '\(text)', and the name '\(name)' belongs to the class at position \(label).",
        fix: "correct the line.")
    }
    return label
  }
}
