import FileFormats

/// A time as settings give it: `90s`, `15m`, `11h50m`; a plain number counts seconds.
public struct TimeSpan: SettingValue, LosslessStringConvertible {
  /// The time in seconds, above 0.
  public let seconds: Double

  /// Nobody waits longer, and clocks can count it: a hundred years.
  private static let longest = 3_155_760_000.0

  /// What settings take, to end a sentence.
  static let takes = "a time such as 90s, 15m or 11h50m"

  /// Reads a time; nil for anything else.
  public init?(_ text: String) {
    var total = 0.0, digits = "", isPlain = true
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    for character in text {
      if let unit = units[character], let value = Double(digits) {
        total += value * unit
        digits = ""
        isPlain = false
      } else {
        digits.append(character)
      }
    }
    if isPlain, let seconds = Double(digits) { (total, digits) = (seconds, "") }
    guard digits.isEmpty, total > 0, total.isFinite else { return nil }
    seconds = min(total, Self.longest)
  }

  /// The text that `init(_:)` reads.
  public var description: String { "\(NumberFormatting.shortest(seconds))s" }
}

/// When checkpoints are written.
public enum CheckpointInterval: SettingValue, LosslessStringConvertible {
  case epochs(Int)
  case steps(Int)
  case time(TimeSpan)

  /// What settings take, to end a sentence.
  static let takes = "epochs (1ep), steps (500) or a time (15m)"

  /// Reads `1ep`, `500` (steps) or `15m`; nil for anything else.
  public init?(_ text: String) {
    if text.hasSuffix("ep"), let count = Int(text.dropLast(2)), count > 0 {
      self = .epochs(count)
    } else if let count = Int(text), count > 0 {
      self = .steps(count)
    } else if text.last.map({ "smhd".contains($0) }) == true, let time = TimeSpan(text) {
      self = .time(time)
    } else {
      return nil
    }
  }

  /// The text that `init(_:)` reads.
  public var description: String {
    switch self {
    case .epochs(let count): "\(count)ep"
    case .steps(let count): "\(count)"
    case .time(let time): "\(time)"
    }
  }
}
