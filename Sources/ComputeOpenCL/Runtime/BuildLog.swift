/// What an OpenCL compiler said, and where it saw the first error.
public struct BuildLog: Equatable, Sendable {
  /// An error with its place in a source file.
  public struct Problem: Equatable, Sendable {
    /// The file as the compiler names it.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// What is wrong there.
    public var message: String

    /// A problem at a place.
    public init(file: String, line: Int, message: String) {
      self.file = file
      self.line = line
      self.message = message
    }
  }

  /// The log without control characters and without white space around it.
  public let text: String

  /// Takes what `CL_PROGRAM_BUILD_LOG` holds.
  public init(_ text: String) {
    let scalars = text.unicodeScalars.filter { $0 == "\n" || $0 == "\t" || ($0.value >= 0x20 && $0.value != 0x7F) }
    self.text = String(String.UnicodeScalarView(scalars)).trimmed
  }

  /// The first error whose place the log names, in any compiler's way.
  ///
  /// `conv.cl:22:14: error: …` (clang, and most built on it), `error: conv.cl:22:14: …` (PoCL), `conv.cl(22): error: …`,
  /// `"conv.cl", line 22: error: …`.
  public var firstProblem: Problem? {
    for line in text.split(separator: "\n") {
      guard let (place, message) = Self.split(Substring(String(line).trimmed)),
        let (file, number) = Self.position(in: place)
      else { continue }
      return Problem(file: file, line: number, message: message)
    }
    return nil
  }

  /// The longest line that an excerpt shows in full, in characters.
  public static let excerptWidth = 200

  /// The log's first `count` lines, long ones cut off, and how many were left out.
  public func excerpt(lines count: Int = 6) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var shown = lines.prefix(count).map { line in
      line.count > Self.excerptWidth ? line.prefix(Self.excerptWidth) + "…" : line
    }
    if lines.count > count { shown.append("(\(lines.count - count) more lines)") }
    return shown.joined(separator: "\n")
  }

  /// Whether `excerpt` leaves something out.
  public func isExcerptShorter(lines count: Int = 6) -> Bool { excerpt(lines: count) != text }

  /// Splits `conv.cl:22:14: fatal error: x` or `error: conv.cl:22:14: x` into its place and its message.
  private static func split(_ line: Substring) -> (place: String, message: String)? {
    for prefix in ["error: ", "fatal error: "] where line.hasPrefix(prefix) {
      let rest = line.dropFirst(prefix.count)
      guard let end = rest.firstRange(of: ": ") else { return nil }
      return (String(rest[..<end.lowerBound]), String(rest[end.upperBound...]).trimmed)
    }
    var start = line.startIndex
    while let word = line[start...].firstRange(of: "error") {
      let after = line[word.upperBound...].drop { $0 == " " }
      // In "…: error: x" and "…: fatal error : x" the word stands between signs; elsewhere it is a part of a name.
      let before = line[..<word.lowerBound].trimmingSuffix("fatal ")
      if after.first == ":", before.hasSuffix(": ") {
        return (String(before.dropLast(2)), String(after.dropFirst()).trimmed)
      }
      start = word.upperBound
    }
    return nil
  }

  /// Reads `conv.cl:22:14`, `conv.cl:22`, `conv.cl(22)`, `conv.cl(22,14)` or `"conv.cl", line 22`.
  private static func position(in place: String) -> (file: String, line: Int)? {
    if let word = place.firstRange(of: ", line "), let line = Int(place[word.upperBound...]) {
      return (place[..<word.lowerBound].filter { $0 != "\"" }, line)
    }
    if place.hasSuffix(")"), let bracket = place.lastIndex(of: "(") {
      let numbers = place[place.index(after: bracket)...].dropLast().split(separator: ",")
      guard let line = numbers.first.flatMap({ Int($0) }) else { return nil }
      return (String(place[..<bracket]), line)
    }
    var parts = place.split(separator: ":", omittingEmptySubsequences: false)
    var numbers: [Int] = []
    while numbers.count < 2, parts.count > 1, let number = Int(parts[parts.count - 1]) {
      numbers.insert(number, at: 0)
      parts.removeLast()
    }
    guard let line = numbers.first else { return nil }
    return (parts.joined(separator: ":"), line)
  }
}

extension String {
  /// This text without white space around it.
  fileprivate var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}

extension Substring {
  /// This text without `suffix` at its end, if it is there.
  fileprivate func trimmingSuffix(_ suffix: String) -> Substring { hasSuffix(suffix) ? dropLast(suffix.count) : self }
}
