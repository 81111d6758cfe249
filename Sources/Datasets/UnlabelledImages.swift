import Failures
import FileFormats
import Images

/// Images of which nobody says what they show: those below a folder, one file, those that a table lists, or an array.
///
/// They are read in portions, so that memory does not grow with their number; an array is read whole.
public struct UnlabelledImages: Sendable {
  private enum Source {
    case files([ImageFile])
    case array(ImageSet)
  }

  /// Where they are, as it was given.
  public let place: String
  /// What tables call each [N]: its path, relative to the folder that was given; as a table has it; `data.npz/3`.
  public let names: [String]
  /// What lies below the folder besides images.
  public let passedOver: [PassedOver]
  private let source: Source

  /// The number of images, N.
  public var count: Int { names.count }

  /// The file of each [N]; nil for those of an array.
  public var files: [String]? {
    if case .files(let files) = source { files.map(\.path) } else { nil }
  }

  /// `ignored 3 files: 2 not images, 1 hidden`; nil where nothing is passed over.
  public var note: String? { PassedOver.summary(passedOver) }

  /// Whether data is a data set with labels of these classes: a name, a layout of arrays or bytes, a table with labels,
  /// or a folder whose class folders are all named like one of them.
  ///
  /// - Throws: `.missingInput` for a path that is not there; `.badInput` for a damaged file.
  public static func isLabelled(_ data: String, as classNames: [String]) throws -> Bool {
    if Dataset.isName(data) { return true }
    let location = try DataLocation(data)
    return try DatasetFormats.all.first { $0.recognizes(location) }?.hasLabels(location, of: classNames) ?? false
  }

  /// Finds the images, without decoding any; labels, where there are some, are not looked at.
  ///
  /// - Throws: `.missingInput` for a path that is not there; `.badInput` where there are no images; `.usage` for a
  ///   data set that is named.
  public init(_ data: String) throws {
    guard !Dataset.isName(data) else {
      throw Failure(
        .usage, "the data set \(data) has no image files.", why: "it is known by its name, and has labels.",
        fix: "ask for its samples: --split test --classes FILE.csv")
    }
    let location = try DataLocation(data)
    place = data
    if location.isFolder {
      let survey = try FolderSurvey(location.path), found = survey.images
      guard !found.isEmpty else { throw Self.noImages(location) }
      source = .files(found.map { ImageFile(path: location.path + "/" + $0, name: $0, origin: nil) })
      (names, passedOver) = (found, survey.passedOverBesidesImages)
      return
    }
    passedOver = []
    if NumPyBundle.recognizes(location) {
      let images = try NumPyBundle.images(location)
      (source, names) = (.array(images), (0..<images.count).map { "\(location.name)/\($0)" })
    } else if Manifest.recognizes(location) {
      let files = try Manifest.images(location)
      (source, names) = (.files(files), files.map(\.name))
    } else if Pickle.recognizes(location) {
      _ = try Pickle.open(location, DatasetOptions())
      throw Self.noImages(location)
    } else {
      guard FolderSurvey.isImage(location.path) else { throw Self.noImages(location) }
      (source, names) = (.files([ImageFile(path: location.path, name: location.name, origin: nil)]), [location.name])
    }
  }

  private static func noImages(_ location: DataLocation) -> Failure {
    if !location.isFolder {
      // A file that cannot be read, or is only a pointer, says so itself.
      do { _ = try FileBytes.read(location.path, first: 2048) } catch let failure as Failure { return failure } catch {}
    }
    return Failure(
      .badInput, "no images were found in '\(location.path)'.",
      why: location.isFolder
        ? "neither the folder nor those below it hold image files." : "it is neither an image nor a table of images.",
      fix: "give an image (\(ImageFormat.names) are read), a folder of images, a .csv file with a column path, or a "
        + ".npz file with images.")
  }

  /// What reading left behind.
  public struct Outcome: Sendable {
    /// Whether each could be read [N].
    public fileprivate(set) var isReadable: [Bool] = []
    /// Those that could not be read, and were skipped.
    public fileprivate(set) var bad: [Dataset.BadImage] = []
    /// Those that were read although their files are damaged.
    public fileprivate(set) var repaired: [Dataset.BadImage] = []
  }

  /// The bytes of a portion's images, at most, unless one image has more.
  private static let portionBytes = 32 << 20

  /// Reads all images, in their order, and gives them away in portions.
  ///
  /// Where an unreadable image is to be a failure, the portions behind it are read, for the list, but not given away.
  ///
  /// - Parameters:
  ///   - size: what images in files are brought to; an array has a size of its own.
  ///   - channels: 1 or 3.
  ///   - body: takes a portion; where an image could not be read, it is black, and among the set's `unreadable`.
  /// - Throws: `.badInput` with the list of files that cannot be read, unless they are to be skipped; what `body` throws.
  public func read(
    size: PixelSize, channels: Int, options: DatasetOptions, _ body: (LabelledSet) throws -> Void
  ) throws -> Outcome {
    var outcome = Outcome()
    func give(_ images: ImageSet, unreadable: [Bool]) throws {
      try body(
        LabelledSet(
          images: images, labels: [Int32](repeating: LabelledSet.noLabel, count: images.count), paths: [],
          unreadable: unreadable))
    }
    switch source {
    case .array(let images):
      outcome.isReadable = [Bool](repeating: true, count: images.count)
      let step = max(1, Self.portionBytes / images.imageSize)
      for start in stride(from: 0, to: images.count, by: step) {
        let ids = (start..<min(start + step, images.count)).map { Int32($0) }
        try give(images.selecting(ids).converted(channels: channels), unreadable: ids.map { _ in false })
      }
    case .files(let files):
      let target = ImageDecoder.Target(
        width: size.width, height: size.height, fit: options.followsFirstSchema ? .stretch : options.fit)
      let step = max(1, Self.portionBytes / (size.width * size.height * channels))
      try ImageSet.requireMemory(
        count: min(step, files.count), of: size, channels: channels, source: place)
      var bad: [(file: ImageFile, reason: String)] = []
      for start in stride(from: 0, to: files.count, by: step) {
        let some = files[start..<min(start + step, files.count)]
        let portion = try ImageLoader.portion(of: some, as: target, channels: channels, options: options)
        var unreadable: [Bool] = []
        for (file, found) in zip(some, portion.outcomes) {
          unreadable.append(false)
          switch found {
          case .read: break
          case .repaired(let reason): outcome.repaired.append(Dataset.BadImage(path: file.name, reason: reason))
          case .bad(let reason):
            bad.append((file, reason))
            unreadable[unreadable.count - 1] = true
          }
        }
        outcome.isReadable += unreadable.map { !$0 }
        if bad.isEmpty || options.onBadImage == .skip { try give(portion.images, unreadable: unreadable) }
      }
      if !bad.isEmpty, options.onBadImage != .skip || bad.count == files.count {
        throw ImageLoader.failure(bad, of: files.count, place)
      }
      outcome.bad = bad.map { Dataset.BadImage(path: $0.file.name, reason: $0.reason) }
    }
    return outcome
  }
}
