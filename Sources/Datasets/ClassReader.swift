import Failures
import FileFormats

/// What a text in a column of classes means.
///
/// In a column of labels an integer, also one written as a float, is a position, counted from 0, and any other text a
/// name; -1, NaN, None and an empty cell mean that there is no label, unless a class has that name. Blanks around a text
/// do not count. Where folders are named by
/// numbers, a number may be both: one that is also the name of another class is refused, unless what lies beside it says
/// which is meant. Where it is known which classes the positions count, their names decide. In a column of names every text
/// is a name.
public struct ClassReader: Sendable {
  private let names: [String]
  private let byName: [String: Int]
  private let byNumberInName: [Int: Int]
  /// The names of the classes that positions count; nil where positions are those of `names`.
  private let counted: [String]?
  /// Whether the list is known to count these very classes.
  private let countsAreSure: Bool

  /// - Parameters:
  ///   - names: the classes [K].
  ///   - counted: the names of the classes that the list's positions count, as the run says that wrote it; nil where that is
  ///     not known. Where either list is just the numbers from 0, names are ignored.
  public init(_ names: [String], counting counted: [String]? = nil) {
    self.names = names
    countsAreSure = counted == names
    self.counted = counted.flatMap { $0 == names || Self.areNumbers($0) || Self.areNumbers(names) ? nil : $0 }
    byName = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    byNumberInName = Dictionary(
      names.enumerated().compactMap { index, name in Self.number(name).map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  private static func number(_ text: String) -> Int? { Int(text) ?? ClassLabels.number(text) }

  /// Whether the list counts its classes otherwise than these.
  var translates: Bool { counted != nil }

  /// Whether classes are called by nothing but their positions.
  static func areNumbers(_ names: [String]) -> Bool { names.enumerated().allSatisfy { "\($0)" == $1 } }

  /// The class that each position [K] of the list means; nil where that is the position itself.
  ///
  /// - Throws: `.badInput` for a class that is not there, and another number of classes.
  func order(_ place: @autoclosure () -> String) throws -> [Int]? {
    guard let counted else { return nil }
    guard counted.count == names.count else {
      throw Failure(
        .badInput, "\(place()) stand for other classes.",
        why: "the run in whose folder the file lies had \(counted.count) classes, and the data has \(names.count).",
        fix: "make the file anew; if it was, copy it to another folder.")
    }
    return try counted.indices.map { try label($0, place()) }
  }

  /// Whether a text in a column of labels means this class.
  func means(_ text: String, _ label: Int) -> Bool {
    let text = text.trimmingBlanks
    if text == names[label].trimmingBlanks { return true }
    guard let number = Self.number(text) else { return false }
    guard let counted else { return number == label }
    return counted.indices.contains(number) && byName[counted[number]] == label
  }

  /// The class at a position.
  ///
  /// - Parameter place: names the place of the number in failures, as in `line 3 of 'x.csv'`.
  /// - Throws: `.badInput` for a position that no class has, a number that is also the name of another class, and a class
  ///   of the list that is not there.
  public func label(_ number: Int, _ place: @autoclosure () -> String) throws -> Int {
    if let counted {
      guard counted.indices.contains(number) else {
        throw ClassLabels.outOfRange("\(number)", counted.count, place())
      }
      guard let label = byName[counted[number]] else {
        throw Failure(
          .badInput, "there is no class '\(counted[number].shortened())': \(place()).",
          why: "the list was written for data where the position \(number), counted from 0, is that class; the "
            + "\(names.count) classes are \(list).",
          fix: "give the data with these classes, or make the list anew.")
      }
      return label
    }
    if !countsAreSure, let named = byNumberInName[number], named != number {
      throw Failure(
        .badInput, "the label '\(number)' may mean two classes: \(place()).",
        why: names.indices.contains(number)
          ? "class '\(names[number])' has the position \(number), counted from 0, and class '\(names[named])' has that name."
          : "no class has that position, counted from 0; class '\(names[named])' has that name, at position \(named).",
        fix: "give classes by their names, in a CSV file with a column given_name (for true labels: clean_name).")
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
        why: "the \(names.count) classes are \(list).", fix: "correct the name.")
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
    guard isMissing(text) || text == name || means(text, label) else {
      throw Failure(
        .badInput, "a label and the name beside it disagree: \(place()).",
        why:
          "the label is '\(text.shortened())', and the name '\(name.shortened())' belongs to the class at position \(label).",
        fix: "correct the line.")
    }
    return label
  }

  private var list: String { Self.list(of: names) }

  /// Names of classes as failures give them: the first twenty.
  static func list(of names: [String]) -> String {
    names.prefix(20).map { $0.shortened(to: 40) }.joined(separator: ", ") + (names.count > 20 ? ", …" : "")
  }
}
