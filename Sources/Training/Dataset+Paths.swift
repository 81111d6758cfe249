import Datasets

extension Dataset {
  /// A name for each training sample [N] in tables: its file's path, or `NAME/train/ID` where the layout has no files.
  public var trainPaths: [String] {
    train.paths.isEmpty ? (0..<train.count).map { "\(name)/train/\($0)" } : train.paths
  }
}
