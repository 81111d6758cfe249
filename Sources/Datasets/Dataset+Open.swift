import Failures

extension Dataset {
  /// Opens a data set by a name or a path.
  ///
  /// Names: `shapes` (built in), and `cifar10`, `cifar100`, `mnist`, `fashion-mnist` below the data root. A path is
  /// recognised by what is in it: CIFAR binary, IDX, `.npz`, a manifest, or an image folder.
  ///
  /// - Throws: `.missingInput` for a path or named data set that is not there; `.badInput` for a layout that is not
  ///   recognised and for damaged data; `.outOfMemory`.
  public static func open(_ text: String, options: DatasetOptions = DatasetOptions()) throws -> Dataset {
    if text == "shapes" { return Shapes.dataset(seed: options.seed) }
    if let entry = KnownNames.all.first(where: { $0.name == text }) { return try KnownNames.open(entry, options) }
    let location = try DataLocation(text)
    guard let dataset = try recognized(location, options) else { throw notRecognized(location) }
    return dataset
  }

  /// The data set at a location, or nil when no layout fits.
  static func recognized(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset? {
    try DatasetFormats.all.first { $0.recognizes(location) }?.open(location, options)
  }

  /// The failure for a path in which no layout is recognised.
  static func notRecognized(_ location: DataLocation) -> Failure {
    let lookedFor = DatasetFormats.all.map { "       - " + $0.lookedFor }.joined(separator: "\n")
    return Failure(
      .badInput, "no known data layout was found in '\(location.path)'.",
      why: "\(location.isFolder ? "the folder" : "the file") matches none of these layouts:\n\(lookedFor)",
      fix: "give the folder or file that holds the data itself.")
  }
}
