import FileFormats

/// A folder of images of which nobody says what they show, as a training set for methods that look for classes themselves.
///
/// All images have the label 0, and no known true label; a second class, which is empty, makes it a data set like others.
enum UnlabelledFolder {
  /// What stands for classes.
  private static let classNames = ["unlabelled", "(none)"]

  /// The data set; nil for a location that is no folder of images.
  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset? {
    guard location.isFolder else { return nil }
    let survey = try FolderSurvey(location.path), names = survey.images
    guard !names.isEmpty else { return nil }
    let files = names.map { ImageFile(path: location.path + "/" + $0, name: $0, origin: nil) }
    let loaded = try ImageLoader.load(files, options: options, source: location.path)
    let unknown = [Int32](repeating: LabelledSet.noLabel, count: names.count)
    var dataset = Dataset(
      name: location.name, classNames: classNames,
      train: LabelledSet(
        images: loaded.images(0..<names.count), labels: unknown.map { _ in 0 }, paths: names, trueLabels: unknown,
        unreadable: loaded.isBad),
      test: nil, source: "the images in \(location.path), without classes", badImages: loaded.badImages)
    (dataset.isUnlabelled, dataset.passedOver) = (true, survey.passedOverBesidesImages)
    dataset.root = location.path
    return dataset.with(loaded)
  }
}
