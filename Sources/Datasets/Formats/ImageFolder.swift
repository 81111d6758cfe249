import Failures
import FileFormats
import Images

/// A folder of images: ROOT/train/CLASS/* and ROOT/test/CLASS/*, or ROOT/CLASS/*.
///
/// `val` (or `valid`, `validation`) is the test set where there is no `test`, and else the validation set. Its images may lie
/// in one folder with their classes in val_annotations.txt, as those of Tiny ImageNet; a part without classes is left out.
///
/// Classes are the folders below, sorted by name; images may lie deeper. The order of samples is the order of their
/// paths, compared by bytes. Hidden files and files that are no images by name and content are left out.
enum ImageFolder: DatasetFormat {
  static let lookedFor = "an image folder (train/CLASS/*.jpg and test/CLASS/*.jpg, or CLASS/*.jpg; png too)"

  /// Folders nested deeper than this below a class are an error; links can make them endless.
  private static let deepestLevel = 8
  private static let suffixes = ["jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff"]

  static func recognizes(_ location: DataLocation) -> Bool {
    guard location.isFolder else { return false }
    return holdsClasses(location.names.contains("train") ? location.file("train") : location.path)
  }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let isSplit = location.names.contains("train") && holdsClasses(location.file("train"))
    let classNames = try classes(isSplit ? location.file("train") : location.path)
    let train = try list(location.path, below: isSplit ? "train" : "", classNames)
    var warnings: [String] = []
    func part(_ names: [String]) throws -> Listing? {
      guard isSplit, let name = names.first(where: { location.names.contains($0) }) else { return nil }
      if let annotated = try annotations(location.path, name, classNames) { return annotated }
      guard try !isUnlabelled(location.file(name), classNames) else {
        warnings.append("the images in '\(name)' have no classes, and are not used")
        return nil
      }
      return try list(location.path, below: name, classNames)
    }
    let test = try part(["test", "testing"]), validation = try part(["val", "valid", "validation"])
    for (index, name) in classNames.enumerated() where !train.labels.contains(Int32(index)) {
      throw Failure(
        .badInput, "the class folder '\(isSplit ? "train/" : "")\(name)' in '\(location.path)' holds no images.",
        why: "every class needs training samples.", fix: "fill the folder, or remove it.")
    }

    let files = train.files + (test?.files ?? []) + (validation?.files ?? [])
    let loaded = try ImageLoader.load(files, options: options, source: location.path)
    func samples(_ part: Listing, _ range: Range<Int>) -> LabelledSet {
      LabelledSet(
        images: loaded.images(range),
        labels: zip(part.labels, loaded.isBad[range]).map { $1 ? LabelledSet.noLabel : $0 },
        paths: part.files.map(\.name))
    }
    let testStart = train.files.count, validationStart = testStart + (test?.files.count ?? 0)
    let held = validation.map { samples($0, validationStart..<validationStart + $0.files.count) }
    var dataset = Dataset(
      name: location.name, classNames: classNames, train: samples(train, 0..<testStart),
      test: test.map { samples($0, testStart..<validationStart) } ?? held,
      source: "the image folder \(location.path)", badImages: loaded.badImages)
    if test != nil { dataset.heldOut = held }
    dataset.warnings = warnings
    return dataset
  }

  /// The images of a part whose classes stand in a table; nil where there is none.
  ///
  /// Tiny ImageNet's `val/val_annotations.txt` has a line `NAME<tab>CLASS<tab>…` for each image of `val/images`.
  private static func annotations(_ root: String, _ part: String, _ classNames: [String]) throws -> Listing? {
    let table = "\(root)/\(part)/\(part)_annotations.txt"
    guard FileBytes.kind(of: table) == .file else { return nil }
    let folder = FileBytes.kind(of: "\(root)/\(part)/images") == .folder ? part + "/images" : part
    var found: [(name: String, label: Int32)] = []
    let lines = String(decoding: try FileBytes.read(table), as: UTF8.self).split(whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let fields = line.split(separator: "\t")
      guard fields.count >= 2, let label = classNames.firstIndex(of: String(fields[1])),
        !fields[0].utf8.contains(UInt8(ascii: "/"))
      else {
        throw Failure(
          .badInput, "line \(index + 1) of '\(table)' does not name an image and a class.",
          why: "it must be a file, a tab and the name of a class in train.", fix: "download the file again.")
      }
      found.append(("\(folder)/\(fields[0])", Int32(label)))
    }
    found.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return Listing(
      files: found.map { ImageFile(path: root + "/" + $0.name, name: $0.name, origin: nil) }, labels: found.map(\.label)
    )
  }

  /// Whether a part holds images, and none of its folders is a class: the test sets of competitions.
  private static func isUnlabelled(_ folder: String, _ classNames: [String]) throws -> Bool {
    let folders = try classes(folder)
    guard !folders.contains(where: classNames.contains) else { return false }
    return folders.isEmpty ? try FileBytes.names(in: folder).contains { hasImageSuffix($0) } : folders == ["images"]
  }

  private struct Listing {
    var files: [ImageFile] = []
    var labels: [Int32] = []
  }

  /// The images below one part of the data set, in the order of their paths.
  private static func list(_ root: String, below part: String, _ classNames: [String]) throws -> Listing {
    let folder = part.isEmpty ? root : root + "/" + part
    var found: [(name: String, label: Int32)] = []
    for name in try classes(folder) {
      guard let label = classNames.firstIndex(of: name) else {
        throw Failure(
          .badInput, "the class '\(name)' in '\(folder)' has no training samples.",
          why: "the classes are those in train: \(classNames.prefix(20).joined(separator: ", ")).",
          fix: "rename or remove the folder.")
      }
      try walk(root, part.isEmpty ? name : part + "/" + name, level: 0) { found.append(($0, Int32(label))) }
    }
    found.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return Listing(
      files: found.map { ImageFile(path: root + "/" + $0.name, name: $0.name, origin: nil) }, labels: found.map(\.label)
    )
  }

  private static func classes(_ folder: String) throws -> [String] {
    try FileBytes.names(in: folder).filter { name in
      FileBytes.kind(of: folder + "/" + name) == .folder && !holdsRuns(folder + "/" + name)
    }
  }

  /// Whether a folder is one that training wrote, or holds such, as `runs` does: it is no class.
  private static func holdsRuns(_ folder: String) -> Bool {
    func isRun(_ folder: String) -> Bool {
      ["config.toml", "run.json"].allSatisfy { FileBytes.kind(of: folder + "/" + $0) == .file }
    }
    guard !isRun(folder) else { return true }
    let names = (try? FileBytes.names(in: folder).prefix(16)) ?? []
    return names.contains { FileBytes.kind(of: folder + "/" + $0) == .folder && isRun(folder + "/" + $0) }
  }

  private static func walk(_ root: String, _ folder: String, level: Int, found: (String) -> Void) throws {
    guard level <= deepestLevel else {
      throw Failure(
        .badInput, "'\(root)/\(folder)' is nested more than \(deepestLevel) folders deep.",
        why: "a link may lead back to a parent folder.", fix: "remove the link, or flatten the folders.")
    }
    for name in try FileBytes.names(in: root + "/" + folder) {
      let path = folder + "/" + name
      switch FileBytes.kind(of: root + "/" + path) {
      case .folder: try walk(root, path, level: level + 1, found: found)
      case .file: if isImage(root + "/" + path) { found(path) }
      case .other: break
      // A link to nothing; decoding it will say so.
      case .missing: found(path)
      }
    }
  }

  /// Whether a file means to be an image, by its suffix or else by its first bytes.
  private static func isImage(_ path: String) -> Bool {
    hasImageSuffix(path) || (try? FileBytes.read(path, first: 8)).flatMap { ImageFormat($0) } != nil
  }

  private static func hasImageSuffix(_ path: String) -> Bool {
    guard let point = path.lastIndex(of: ".") else { return false }
    return suffixes.contains(path[path.index(after: point)...].lowercased())
  }

  /// Whether a folder below holds an image, at any allowed depth.
  private static func holdsClasses(_ folder: String) -> Bool {
    guard let names = try? FileBytes.names(in: folder) else { return false }
    return names.contains { holdsImage(folder + "/" + $0, level: 0) }
  }

  private static func holdsImage(_ folder: String, level: Int) -> Bool {
    guard level <= 2, FileBytes.kind(of: folder) == .folder, let names = try? FileBytes.names(in: folder) else {
      return false
    }
    return names.contains { hasImageSuffix($0) } || names.prefix(16).contains { isImage(folder + "/" + $0) }
      || names.contains { holdsImage(folder + "/" + $0, level: level + 1) }
  }
}
