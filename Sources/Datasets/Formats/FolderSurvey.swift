import Failures
import FileFormats
import Images

/// What lies below a folder of images: the folders right in it with their images, and what is passed over.
struct FolderSurvey {
  /// A folder right below the root: a class, or a part with classes below it.
  struct Folder {
    let name: String
    /// The images right in it, relative to the root.
    fileprivate(set) var loose: [String] = []
    /// The folders below it.
    fileprivate(set) var inner: [Inner] = []

    /// A folder below, whatever its depth may be there.
    struct Inner {
      let name: String
      /// The images in it and deeper, relative to the root.
      let images: [String]
      /// How many files there are no images, though they could have been.
      let others: Int
    }

    /// All images, relative to the root.
    var images: [String] { loose + inner.flatMap(\.images) }
    /// The names of the folders below that hold images.
    var classNames: [String] { inner.filter { !$0.images.isEmpty }.map(\.name) }
  }

  /// The folder that is surveyed.
  let root: String
  /// The folders below that hold anything, sorted by name.
  private(set) var folders: [Folder] = []
  /// What is passed over, in the order in which it was found.
  private(set) var passedOver: [PassedOver] = []
  /// The folders that hold files, but no images.
  private(set) var imageless: [String] = []

  /// Folders nested deeper than this below a class are an error; links can make them endless.
  private static let deepestLevel = 8
  private static let suffixes = [
    "jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff", "heic", "heif", "avif", "jxl", "jp2",
    "ppm", "pgm",
  ]
  /// Names that operating systems, archives and network storage give to what they leave in folders, in small letters.
  private static let systemNames: Set<String> = [
    "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "__macosx", "lost+found", "$recycle.bin",
    "recycler", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini", "__pycache__",
  ]

  /// Looks at everything below a folder.
  ///
  /// - Throws: `.badInput` for folders nested too deep and names that are not UTF-8; `.inputOutput`.
  init(_ root: String) throws {
    self.root = root
    for entry in try entries("") {
      guard entry.kind == .folder else {
        if entry.kind == .file {
          passedOver.append(.init(path: entry.path, reason: reason(of: entry)))
        }
        continue
      }
      let mark = passedOver.count
      var folder = Folder(name: entry.path), tally = Tally(), holdsRun = false
      for below in try entries(entry.path) {
        if below.kind == .folder {
          if Self.isRun(full(below.path)) { holdsRun = true }
          let inner = try walk(below.path, level: 1)
          folder.inner.append(
            .init(name: below.name, images: inner.images, others: inner.others))
          tally.add(inner)
        } else {
          tally.add(look(at: below))
        }
      }
      folder.loose = tally.images.filter { $0.utf8.count { $0 == 0x2F } == 1 }
      if Self.isRun(full(entry.path)) || holdsRun && folder.loose.isEmpty { (tally.images, tally.runs) = ([], 1) }
      if !collapse(entry.path, tally, since: mark) {
        folders.append(folder)
        if tally.images.isEmpty { imageless.append(entry.path) }
      }
    }
  }

  /// Every image, in the order of their paths, for those who need no classes.
  var images: [String] {
    let loose = passedOver.filter { $0.reason == .noClass }.map(\.path)
    return (loose + folders.flatMap(\.images)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// What is passed over besides images.
  var passedOverBesidesImages: [PassedOver] { passedOver.filter { $0.reason != .noClass } }

  /// Adds what the reader of the layout passes over.
  mutating func passOver(_ paths: [String], _ reason: PassedOver.Reason) {
    passedOver += paths.map { PassedOver(path: $0, reason: reason) }
  }

  /// A name in a folder.
  private struct Entry {
    let name: String
    /// Relative to the root.
    let path: String
    let kind: FileBytes.Kind
  }

  /// What was found in a folder.
  private struct Tally {
    var images: [String] = []
    var others = 0, runs = 0

    mutating func add(_ other: Tally) {
      images += other.images
      (others, runs) = (others + other.others, runs + other.runs)
    }
  }

  private func full(_ path: String) -> String { path.isEmpty ? root : root + "/" + path }

  /// What is in a folder, but for what is hidden or the system's, which is noted.
  private mutating func entries(_ folder: String) throws -> [Entry] {
    var found: [Entry] = []
    for name in try FileBytes.names(in: full(folder), withHidden: true) {
      let path = folder.isEmpty ? name : folder + "/" + name
      let reason: PassedOver.Reason? =
        name.utf8.first == UInt8(ascii: ".") ? .hidden : Self.isSystemName(name) ? .system : nil
      let kind = FileBytes.kind(of: full(path))
      guard let reason else {
        found.append(Entry(name: name, path: path, kind: kind))
        continue
      }
      passedOver.append(.init(path: kind == .folder ? path + "/" : path, reason: reason))
    }
    return found
  }

  /// Why a file that is no sample is passed over.
  private func reason(of entry: Entry) -> PassedOver.Reason {
    if entry.path == PassedOver.changesName { return .record }
    return Self.isImage(full(entry.path)) ? .noClass : .noImage
  }

  private mutating func look(at entry: Entry) -> Tally {
    switch entry.kind {
    // A link to nothing; decoding it will say so.
    case .missing: return Tally(images: [entry.path])
    case .file where Self.isImage(full(entry.path)): return Tally(images: [entry.path])
    case .file:
      passedOver.append(.init(path: entry.path, reason: reason(of: entry)))
      return Tally(others: 1)
    case .other, .folder: return Tally()
    }
  }

  private mutating func walk(_ folder: String, level: Int) throws -> Tally {
    guard level <= Self.deepestLevel else {
      throw Failure(
        .badInput, "'\(root)/\(folder)' is nested more than \(Self.deepestLevel) folders deep.",
        why: "a link may lead back to a parent folder.", fix: "remove the link, or flatten the folders.")
    }
    let mark = passedOver.count
    var tally = Tally()
    if Self.isRun(full(folder)) {
      tally.runs = 1
    } else {
      for entry in try entries(folder) {
        try tally.add(entry.kind == .folder ? walk(entry.path, level: level + 1) : look(at: entry))
      }
    }
    return collapse(folder, tally, since: mark) ? Tally(runs: tally.runs) : tally
  }

  /// Notes a folder with runs alone, or with nothing at all, in place of what is in it; tells whether it is one.
  private mutating func collapse(_ folder: String, _ tally: Tally, since mark: Int) -> Bool {
    guard tally.images.isEmpty, tally.runs > 0 || tally.others == 0 else { return false }
    passedOver.removeSubrange(mark...)
    passedOver.append(.init(path: folder + "/", reason: tally.runs > 0 ? .run : .empty))
    return true
  }

  private static func isSystemName(_ name: String) -> Bool { systemNames.contains(name.lowercased()) }

  /// Whether a folder is one that training wrote; a run that was killed early has settings and no record.
  private static func isRun(_ folder: String) -> Bool {
    FileBytes.kind(of: folder + "/config.toml") == .file
      && (FileBytes.kind(of: folder + "/run.json") == .file || FileBytes.kind(of: folder + "/checkpoints") == .folder)
  }

  /// Whether a file means to be an image, by its suffix or else by its first bytes.
  static func isImage(_ path: String) -> Bool {
    hasImageSuffix(path) || (try? FileBytes.read(path, first: 16)).flatMap { ImageFormat($0) } != nil
  }

  private static func hasImageSuffix(_ path: String) -> Bool {
    guard let point = path.lastIndex(of: ".") else { return false }
    return suffixes.contains(path[path.index(after: point)...].lowercased())
  }

  // MARK: - A first look

  /// Whether a folder below holds an image, to a depth of three; a few first bytes are read, and nothing is noted.
  static func holdsImages(below folder: String) -> Bool {
    guard let names = try? FileBytes.names(in: folder) else { return false }
    return names.contains { !isSystemName($0) && holdsImage(folder + "/" + $0, level: 0) }
  }

  private static func holdsImage(_ folder: String, level: Int) -> Bool {
    guard level <= 2, FileBytes.kind(of: folder) == .folder, !isRun(folder),
      let names = try? FileBytes.names(in: folder).filter({ !isSystemName($0) })
    else { return false }
    return names.contains { hasImageSuffix($0) } || names.prefix(16).contains { isImage(folder + "/" + $0) }
      || names.contains { holdsImage(folder + "/" + $0, level: level + 1) }
  }
}
