import Failures
import FileFormats

extension Dataset {
  /// Opens a data set by a name or a path.
  ///
  /// Names: `shapes` (built in), and `cifar10`, `cifar100`, `mnist`, `fashion-mnist` below the data root; `pairs:` and one
  /// of these is made of two images of a class side by side; `classes:0-4,7:` and one of these has some of its classes. A
  /// path is recognised by what is in it: CIFAR binary, IDX, `.npz`, a manifest, or an image folder.
  ///
  /// - Throws: `.missingInput` for a path or named data set that is not there; `.badInput` for a layout that is not
  ///   recognised and for damaged data; `.outOfMemory`.
  public static func open(_ text: String, options: DatasetOptions = DatasetOptions()) throws -> Dataset {
    var dataset = try read(text, options)
    // What has files is known again by their paths.
    dataset.opened = dataset.parts.map { part, samples in
      let size = PixelSize(width: samples.images.width, height: samples.images.height)
      return (part, samples.paths.isEmpty ? samples : samples.outline(size))
    }
    // They stand in checkpoints, tables and messages.
    if let name = dataset.classNames.first(where: { $0.utf8.count > longestClassName }) {
      throw Failure(
        .badInput, "the class '\(name.shortened(to: 40))' of '\(text)' has a name of \(name.utf8.count) bytes.",
        why: "a class's name may have \(longestClassName).", fix: "shorten it.")
    }
    return try dataset.resizingArrays(options, source: text)
  }

  /// The most bytes of a class's name: as many as a folder's.
  private static let longestClassName = 255

  private static func read(_ text: String, _ options: DatasetOptions) throws -> Dataset {
    if text == "shapes" {
      try MemoryLimit.require(
        2 * Shapes.byteCount, for: "the built-in data set shapes", fix: "raise the limit (ulimit -v).")
      return Shapes.dataset(seed: options.seed)
    }
    if isMadeOfAnother(text) {
      if let base = ImagePairs.base(of: text) { return try ImagePairs.open(base, options) }
      guard let parts = ClassSubset.parts(of: text) else {
        throw Failure(
          .usage, "'\(text)' names no data set.",
          why: "classes are followed by a colon and the name of their data set.",
          fix: "write it as in \(ClassSubset.prefix)5-9:mnist.")
      }
      return try ClassSubset.open(parts.classes, of: parts.base, options)
    }
    if let entry = KnownNames.all.first(where: { $0.name == text }) { return try KnownNames.open(entry, options) }
    let location = try DataLocation(text)
    if let dataset = try recognized(location, options) { return dataset }
    if options.takesUnlabelled, let dataset = try UnlabelledFolder.open(location, options) { return dataset }
    throw notRecognized(location)
  }

  /// Whether a text names a data set, or a path in which a layout of samples with labels is recognised; nothing is read
  /// but what tells layouts apart.
  ///
  /// - Throws: `.missingInput` for a path that is not there.
  public static func isRecognized(_ text: String) throws -> Bool {
    if isName(text) { return true }
    let location = try DataLocation(text)
    return DatasetFormats.all.contains { $0.recognizes(location) }
  }

  /// Whether a text asks for a data set that is made of one with a name, known or not, and is no path that exists.
  public static func isMadeOfAnother(_ text: String) -> Bool {
    [ImagePairs.prefix, ClassSubset.prefix].contains { text.hasPrefix($0) } && FileBytes.kind(of: text) == .missing
  }

  /// Whether a text names a data set, and no path.
  public static func isName(_ text: String) -> Bool {
    if let base = ImagePairs.base(of: text) ?? ClassSubset.parts(of: text)?.base { return isName(base) }
    return text == "shapes" || KnownNames.all.contains { $0.name == text }
  }

  /// The data set at a location, or nil when no layout fits.
  static func recognized(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset? {
    guard var dataset = try DatasetFormats.all.first(where: { $0.recognizes(location) })?.open(location, options) else {
      return nil
    }
    if !dataset.train.paths.isEmpty { dataset.root = location.isFolder ? location.path : location.folder }
    dataset.warnings += [dataset.colourWarning].compactMap { $0 }
    return dataset
  }

  /// The failure for a path in which no layout is recognised.
  static func notRecognized(_ location: DataLocation) -> Failure {
    if !location.isFolder {
      // A file that cannot be read, or is only a pointer, says so itself.
      do { _ = try FileBytes.read(location.path, first: 2048) } catch let failure as Failure { return failure } catch {}
    }
    if let table = tableOfImages(location) {
      return Failure(
        .badInput, "'\(location.path)' has its labels in a table.",
        why: "'\(table)' lists the images, and no folder is named after a class.", fix: "give the table: '\(table)'")
    }
    if location.isFolder, let images = try? FolderSurvey(location.path).images, let first = images.first {
      return Failure(
        .badInput, "'\(location.path)' has images, but no folder for each class.",
        why: "nothing says what its \(images.count) images show, as '\(first)'.",
        fix:
          "put the images of each class into a folder that is named after it (cat/1.jpg), or list them in a table with "
          + "the columns path,label; gpunoisy predict RUN DATA takes images without labels.")
    }
    let lookedFor = DatasetFormats.all.map { "       - " + $0.lookedFor }.joined(separator: "\n")
    return Failure(
      .badInput, "no known data layout was found in '\(location.path)'.",
      why: "\(location.isFolder ? "the folder" : "the file") matches none of these layouts:\n\(lookedFor)",
      fix: "give the folder or file that holds the data itself.")
  }

  /// The table of images in which a folder has its labels, as those of Hugging Face do; nil where there is none.
  static func tableOfImages(_ location: DataLocation) -> String? {
    let tables = ["metadata.csv", "metadata.jsonl"].flatMap { [$0, "train/" + $0] }.map { location.file($0) }
    return tables.first { FileBytes.kind(of: $0) == .file }
  }
}
