import FileFormats

/// How much of a table's budget is spent.
public enum Scale: Sendable, Equatable, CustomStringConvertible {
  /// As published.
  case full
  /// A share of the epochs, in percent; the data stay.
  case percent(Double)
  /// The table's own short form: fewer epochs and images, a small network.
  case quick

  /// Reads `full`, `quick`, or a percentage above 0 and at most 100, as in `25%`; nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "full": self = .full
    case "quick": self = .quick
    default:
      guard text.hasSuffix("%"), let value = Double(text.dropLast()), value > 0, value <= 100 else { return nil }
      self = value == 100 ? .full : .percent(value)
    }
  }

  /// The text that `init(_:)` reads.
  public var description: String {
    switch self {
    case .full: "full"
    case .percent(let value): "\(NumberFormatting.shortest(value))%"
    case .quick: "quick"
    }
  }

  /// As part of a folder's name.
  public var folderName: String {
    if case .percent(let value) = self { return "\(NumberFormatting.shortest(value))percent" }
    return description
  }
}
