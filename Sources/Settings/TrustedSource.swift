import FileFormats

/// Samples whose labels are known to be right: `--trusted`.
public enum TrustedSource: SettingValue, CustomStringConvertible {
  /// So many of the training samples, with their true labels.
  case count(Int)
  /// Those that a list names, with the labels that it gives.
  case list(String)

  /// Reads a number from 1, or a path; a file whose name is a number is `./1000`.
  public static func read(setting text: String) -> TrustedSource? {
    if let count = Int(text) { return count > 0 ? .count(count) : nil }
    return text.isEmpty ? nil : .list(FileBytes.expandingHome(text))
  }

  /// The text that `read` reads.
  public var description: String {
    switch self {
    case .count(let count): "\(count)"
    case .list(let path): path
    }
  }
}
