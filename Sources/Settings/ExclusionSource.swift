import FileFormats

/// Which samples a run leaves out: `--exclude`.
public enum ExclusionSource: SettingValue, CustomStringConvertible {
  /// The samples that a table names.
  case table(String)
  /// Every sample whose given label is not its true one: what a perfect search for wrong labels would leave, as in the
  /// 'oracle' rows of papers.
  case wrong

  /// Reads `wrong` or a path; a file of that name is `./wrong`.
  public static func read(setting text: String) -> ExclusionSource? {
    text == "wrong" ? .wrong : .table(FileBytes.expandingHome(text))
  }

  /// The text that `read` reads.
  public var description: String {
    switch self {
    case .table(let path): path
    case .wrong: "wrong"
    }
  }
}
