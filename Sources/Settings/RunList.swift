import FileFormats

/// Runs that a run learns from: `--teacher`, once for each.
public struct RunList: SettingValue, Sequence, ExpressibleByArrayLiteral {
  /// Run folders or checkpoints.
  public var paths: [String]

  /// A list of paths.
  public init(_ paths: [String]) { self.paths = paths }

  /// A list of paths.
  public init(arrayLiteral paths: String...) { self.paths = paths }

  /// Reads paths with commas between, or `none`; nil where one of several is empty.
  public static func read(setting text: String) -> RunList? {
    guard text != "none" else { return [] }
    let paths = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    return paths.contains("") ? nil : RunList(paths.map(FileBytes.expandingHome))
  }

  /// A list of texts.
  public var setting: FlatTOML.Value { .list(paths.map { .string($0) }) }

  /// The paths, one after the other.
  public func makeIterator() -> IndexingIterator<[String]> { paths.makeIterator() }
}
