/// A reader of files or texts from outside, and inputs that mutation can begin with.
struct FuzzTarget: Sendable {
  let name: String
  /// Makes small valid inputs, and some that are valid but for a number: only the reader that runs needs its own.
  let seeds: @Sendable () -> [[UInt8]]
  /// Reads an input, and checks what must hold of everything that is accepted.
  let read: @Sendable ([UInt8]) -> Void

  init(
    _ name: String, _ seeds: @autoclosure @escaping @Sendable () -> [[UInt8]],
    _ read: @escaping @Sendable ([UInt8]) -> Void
  ) {
    (self.name, self.seeds, self.read) = (name, seeds, read)
  }

  init(
    _ name: String, _ seeds: @autoclosure @escaping @Sendable () -> [String],
    _ read: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.init(name, seeds().map { Array($0.utf8) }, read)
  }

  static let all =
    formats + datasets + lists + runLists + runs + detections + methods + campaigns + settings + commands
}

extension [UInt8] {
  /// The parts between bytes of 0xFF, for readers of several files: `count` of them, the last ones empty where there are
  /// fewer.
  func parts(_ count: Int) -> [[UInt8]] {
    var parts = split(separator: 0xFF, maxSplits: count - 1, omittingEmptySubsequences: false).map { Array($0) }
    while parts.count < count { parts.append([]) }
    return parts
  }

  /// What `parts` takes apart: texts, which have no such byte, and at the end whatever there is.
  static func parts(_ texts: String..., last: [UInt8]? = nil) -> [UInt8] {
    Array((texts.map { Array($0.utf8) } + (last.map { [$0] } ?? [])).joined(separator: [0xFF]))
  }

  /// Two parts of which the first byte gives the cut, for files that hold every byte.
  var halves: ([UInt8], [UInt8]) {
    guard let first else { return ([], []) }
    let cut = Swift.min(count, 1 + Int(first) * Swift.max(1, count / 256))
    return (Array(self[1..<Swift.max(1, cut)]), Array(self[Swift.max(1, cut)...]))
  }

  /// What `halves` takes apart; exact as long as both are short.
  static func joined(_ one: [UInt8], _ two: [UInt8]) -> [UInt8] {
    let step = Swift.max(1, (one.count + two.count + 1) / 256)
    return [UInt8(Swift.min(255, one.count / step))] + one + two
  }

  /// The input as text, if it is UTF-8.
  var text: String? { String(validating: self, as: UTF8.self) }
}
