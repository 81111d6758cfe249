import Failures
import FileFormats

/// A folder of images: ROOT/train/CLASS/* and ROOT/test/CLASS/*, or ROOT/CLASS/*.
///
/// Parts have any of the names of `SplitPart`; `FolderParts` says when a folder is one. `val` is the test set where there
/// is no `test`, and else the validation set. Its images may lie in one folder with their classes in val_annotations.txt,
/// as those of Tiny ImageNet; a part without classes is left out, with a warning.
///
/// Classes are the folders below, sorted by name; images may lie deeper. The order of samples is the order of their
/// paths, compared by bytes. What holds no sample is passed over and listed (`FolderSurvey`).
enum ImageFolder: DatasetFormat {
  static let lookedFor = "an image folder (train/CLASS/*.jpg and test/CLASS/*.jpg, or CLASS/*.jpg; png and webp too)"

  /// Folders in a part without classes: of competitions, and those that other programs need around images.
  private static let placeholders: Set<String> = ["images", "unknown", "unlabeled", "unlabelled", "all", "data", "0"]

  static func recognizes(_ location: DataLocation) -> Bool {
    location.isFolder && FolderSurvey.holdsImages(below: location.path)
  }

  static func hasLabels(_ location: DataLocation, of classNames: [String]) throws -> Bool {
    guard let parts = try? FolderParts(FolderSurvey(location.path)) else { return false }
    let names =
      switch parts {
      case .classes(let folders, _): folders.map(\.name)
      case .parts(let train, _, _): train.classNames
      }
    return !names.isEmpty && Set(names).isSubset(of: classNames)
  }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    var survey = try FolderSurvey(location.path), warnings: [String] = [], remarks: [String] = []
    // Hugging Face's folders have a table of labels, and at most a folder for each part.
    if survey.folders.allSatisfy({ $0.classNames.isEmpty }), survey.folders.count == 1 || areParts(survey),
      Dataset.tableOfImages(location) != nil
    {
      throw Dataset.notRecognized(location)
    }
    var train: Listing, test: Listing?, validation: Listing?, classNames: [String]
    switch try FolderParts(survey) {
    case .classes(let folders, let alike):
      if let name = survey.imageless.first { throw noImages(name, location) }
      classNames = unique(folders.map(\.name))
      train = Listing(folders.map { ($0.name, $0.images) }, classNames)
      if folders.count == 1, folders[0].classNames.contains(where: { SplitPart($0) == .train }) {
        warnings.append(
          "'\(folders[0].name)' is the only class; to use the parts in it, open '\(location.file(folders[0].name))'")
      }
      if !alike.isEmpty {
        let names = alike.map { "'\($0)'" }.joined(separator: " and ")
        remarks.append(
          alike.count == 1
            ? "\(names) is read as a class, like the folders beside it"
            : "\(names) are read as classes, like the folders beside them")
      }
    case .parts(let folder, let parts, let others):
      if let inner = folder.inner.first(where: { $0.images.isEmpty && $0.others > 0 }) {
        throw noImages("\(folder.name)/\(inner.name)", location)
      }
      classNames = unique(folder.classNames)
      train = Listing(folder.inner.map { ($0.name, $0.images) }, classNames)
      survey.passOver(folder.loose, .noClass)
      test = try listing(parts[.test], classNames, &survey, &warnings)
      validation = try listing(parts[.validation], classNames, &survey, &warnings)
      survey.passOver(others.map { $0.name + "/" }, .otherFolder)
    }

    let files = (train.files + (test?.files ?? []) + (validation?.files ?? [])).map {
      ImageFile(path: location.path + "/" + $0, name: $0, origin: nil)
    }
    let loaded = try ImageLoader.load(files, options: options, source: location.path)
    func samples(_ part: Listing, _ range: Range<Int>) -> LabelledSet {
      LabelledSet(
        images: loaded.images(range), labels: part.labels, paths: part.files, unreadable: loaded.isBad[range])
    }
    let testStart = train.files.count, validationStart = testStart + (test?.files.count ?? 0)
    let held = validation.map { samples($0, validationStart..<validationStart + $0.files.count) }
    var dataset = Dataset(
      name: location.name, classNames: classNames, train: samples(train, 0..<testStart),
      test: test.map { samples($0, testStart..<validationStart) } ?? held,
      source: "the image folder \(location.path)", badImages: loaded.badImages)
    if test != nil { dataset.heldOut = held }
    (dataset.warnings, dataset.remarks, dataset.passedOver) = (warnings, remarks, survey.passedOver)
    return dataset.with(loaded)
  }

  /// Images with their labels, in the order of their paths.
  private struct Listing {
    /// The images, relative to the data set's folder [N].
    let files: [String]
    /// Their labels [N].
    let labels: [Int32]

    /// The images of classes, all of which are among the names.
    init(_ classes: [(name: String, images: [String])], _ classNames: [String]) {
      let numbers = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, Int32($0)) })
      self.init(classes.flatMap { entry in entry.images.map { ($0, numbers[entry.name] ?? LabelledSet.noLabel) } })
    }

    init(_ found: [(name: String, label: Int32)]) {
      let sorted = found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      (files, labels) = (sorted.map(\.name), sorted.map(\.label))
    }
  }

  private static func areParts(_ survey: FolderSurvey) -> Bool {
    survey.folders.allSatisfy { SplitPart($0.name) != nil }
  }

  /// Names that are equal as texts, though perhaps composed in other ways, are one class.
  private static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }

  /// The images of test or validation; nil where there is no such part, or it has no classes.
  private static func listing(
    _ folder: FolderSurvey.Folder?, _ classNames: [String], _ survey: inout FolderSurvey, _ warnings: inout [String]
  ) throws -> Listing? {
    guard let folder else { return nil }
    if let annotated = try annotations(survey.root, folder.name, classNames) { return annotated }
    let names = folder.classNames
    let isPlaceholder = names.count == 1 && (placeholders.contains(names[0].lowercased()) || SplitPart(names[0]) != nil)
    guard !names.isEmpty, !isPlaceholder || classNames.contains(names[0]) else {
      let count = folder.images.count
      warnings.append(
        "the \(count) file\(count == 1 ? "" : "s") in '\(folder.name)' have no classes, and are not used")
      survey.passOver(folder.images, .noLabels)
      return nil
    }
    if let strange = names.first(where: { !classNames.contains($0) }) {
      throw Failure(
        .badInput, "the class '\(strange)' in '\(survey.root)/\(folder.name)' has no training samples.",
        why: "the classes are those in the training part: \(classNames.prefix(20).joined(separator: ", ")).",
        fix: "rename or remove the folder.")
    }
    survey.passOver(folder.loose, .noClass)
    return Listing(folder.inner.map { ($0.name, $0.images) }, classNames)
  }

  private static func noImages(_ folder: String, _ location: DataLocation) -> Failure {
    Failure(
      .badInput, "the class folder '\(folder)' in '\(location.path)' holds no images.",
      why: "it holds files, and none of them is an image.", fix: "fill the folder with images, or remove it.")
  }

  /// The images of a part whose classes stand in a table; nil where there is none.
  ///
  /// Tiny ImageNet's `val/val_annotations.txt` has a line `NAME<tab>CLASS<tab>…` for each image of `val/images`.
  private static func annotations(_ root: String, _ part: String, _ classNames: [String]) throws -> Listing? {
    let table = "\(root)/\(part)/\(part)_annotations.txt"
    guard FileBytes.kind(of: table) == .file else { return nil }
    let folder = FileBytes.kind(of: "\(root)/\(part)/images") == .folder ? part + "/images" : part
    let lines = String(decoding: try FileBytes.read(table), as: UTF8.self).split(whereSeparator: \.isNewline)
    let found = try lines.enumerated().map { index, line in
      let fields = line.split(separator: "\t")
      guard fields.count >= 2, let label = classNames.firstIndex(of: String(fields[1])),
        !fields[0].utf8.contains(UInt8(ascii: "/"))
      else {
        throw Failure(
          .badInput, "line \(index + 1) of '\(table)' does not name an image and a class.",
          why: "it must be a file, a tab and the name of a class in train.", fix: "download the file again.")
      }
      return (name: "\(folder)/\(fields[0])", label: Int32(label))
    }
    return Listing(found)
  }
}
