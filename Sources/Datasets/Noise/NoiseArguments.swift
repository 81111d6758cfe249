import Failures
import FileFormats

/// What follows a noise model's name, with failures that show how it is written.
public struct NoiseArguments: Sendable {
  let text: String
  let rest: String
  let entry: NoiseEntry

  /// The comma-separated words.
  var words: [String] {
    rest.isEmpty ? [] : rest.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  /// The rate in 0...1 that comes first.
  func rate() throws -> Double {
    guard let first = words.first else { throw wrong("the rate is missing") }
    return try rate(first)
  }

  /// A rate in 0...1.
  func rate(_ word: String) throws -> Double {
    guard let rate = Double(word), rate >= 0, rate <= 1 else { throw wrong("'\(word)' is not a rate between 0 and 1") }
    return rate
  }

  /// The words after the first, by name: `map=swap` is "map" with "swap", and `inclusive` has an empty value.
  ///
  /// - Throws: `.usage` for a name that is not among `names`, or that occurs twice.
  func options(_ names: [String]) throws -> [String: String] { try options(names, in: words.dropFirst()) }

  /// A file, which may have commas in its name, and the options behind it.
  ///
  /// - Throws: `.usage` when the file is missing, or an option occurs twice.
  func fileAndOptions(_ names: [String]) throws -> (file: String, options: [String: String]) {
    var file = words[...], last: [String] = []
    while let word = file.last, file.count > 1, names.contains(Self.pair(word).name), word.contains("=") {
      last.insert(word, at: 0)
      file.removeLast()
    }
    let path = file.joined(separator: ",")
    guard !path.isEmpty else { throw wrong("the file is missing") }
    return (FileBytes.expandingHome(path), try options(names, in: last[...]))
  }

  /// A number above zero.
  func positive(_ value: String, _ name: String) throws -> Double {
    guard let number = Double(value), number > 0, number.isFinite else {
      throw wrong("'\(name)=\(value)' is not a number above 0")
    }
    return number
  }

  func wrong(_ why: String) -> Failure {
    Failure(.usage, "the noise '\(text)' is not valid.", why: "\(why).", fix: "write it as \(entry.grammar).")
  }

  private func options(_ names: [String], in words: ArraySlice<String>) throws -> [String: String] {
    var options: [String: String] = [:]
    for word in words {
      let (name, value) = Self.pair(word)
      guard names.contains(name), options[name] == nil else {
        throw wrong("'\(word)' is not one of its options, or is given twice")
      }
      options[name] = value
    }
    return options
  }

  private static func pair(_ word: String) -> (name: String, value: String) {
    guard let sign = word.firstIndex(of: "=") else { return (word, "") }
    return (String(word[..<sign]), String(word[word.index(after: sign)...]))
  }
}
