import Datasets
import Failures
import FileFormats
import Glibc
import Reports
import Training

/// What a command reads, so that none of its outputs takes the place of that.
struct CommandInputs {
  /// Single files, with what each is, as in "the checkpoint".
  private var files: [(path: String, what: String)] = []
  /// Images, and tables of them.
  private var images: [UnlabelledImages] = [], tables: [String] = []
  /// Folders of data.
  private var folders: [String] = []
  private var runs: [String] = []
  /// Whether the pages of the runs must stay, too: not where the command writes such pages.
  var sparesPages = true

  /// The data and the files of these settings.
  init(_ settings: RunSettings? = nil) {
    if let settings { add(settings) }
  }

  /// Adds the data, and what options name besides.
  mutating func add(_ settings: RunSettings) {
    for place in Dataset.places(of: settings.data, root: settings.dataRoot) {
      if FileBytes.kind(of: place) == .folder {
        folders.append(place)
      } else {
        add(place, "the data")
        if [".csv", ".jsonl"].contains(where: place.lowercased().hasSuffix) { tables.append(place) }
      }
    }
    for (setting, path) in settings.inputFiles {
      add(path, "the file of \(RunSettings.option(ofInput: setting))")
    }
  }

  /// Adds a file.
  mutating func add(_ path: String, _ what: String) { files.append((path, what)) }

  /// Adds images.
  mutating func add(_ images: UnlabelledImages) { self.images.append(images) }

  /// Adds the folder of a run.
  mutating func add(run: String) { runs.append(run) }

  /// Adds a checkpoint, with the run in whose folder it lies.
  mutating func add(checkpoint path: String) {
    add(path, "the checkpoint")
    if let run = CheckpointRun.folder(of: path) { add(run: run) }
  }

  /// Checks outputs before anything is computed for them.
  ///
  /// Files are compared by what they are (device and inode): one file may have many paths.
  ///
  /// - Throws: `.cannotCreate` for an output that would replace what is read; `.usage` for two outputs that are one file.
  func requireSpared(by outputs: [OutputPath]) throws {
    var places: [OutputPlace: OutputPath] = [:]
    for output in outputs {
      guard let place = OutputPlace(output.path), let other = places.updateValue(output, forKey: place) else {
        continue
      }
      throw Failure(
        .usage, "\(other.option) and \(output.option) are the same file, '\(output.path)'.",
        why: "one would overwrite the other.", fix: "use two files.")
    }
    let replaced = outputs.filter { FileBytes.kind(of: $0.path) == .file }
    guard !replaced.isEmpty else { return }
    let listed = (images + tables.compactMap { try? UnlabelledImages($0) }).flatMap { $0.files ?? [] }
      .map { (path: $0, what: "one of the images") }
    let known = Dictionary(
      (files + listed).compactMap { path, what in FileIdentity(path).map { ($0, what) } },
      uniquingKeysWith: { first, _ in first })
    for output in replaced {
      if let what = FileIdentity(output.path).flatMap({ known[$0] }) ?? meaning(of: output.path) {
        throw Failure(
          .cannotCreate, "\(output.option) '\(output.path)' is \(what).",
          why: "what the command reads must not change.", fix: "choose another name.")
      }
    }
  }

  /// What people write beside their images, and no layout of data takes for a part of itself.
  private static let ownEndings = [".csv", ".tsv", ".json", ".jsonl", ".npy", ".html"]

  /// What a file is that exists, by the folder in which it lies; nil for one that may be replaced.
  private func meaning(of path: String) -> String? {
    guard let real = FileBytes.resolved(path) else { return nil }
    if let data = folders.first(where: { FileBytes.lies(real, within: $0) }),
      !Self.ownEndings.contains(where: real.lowercased().hasSuffix)
    {
      return "a file of the data '\(data)'"
    }
    let run = runs.first { run in
      !RunFolder.ownFiles(among: [real], in: run).isEmpty
        && (sparesPages || FileBytes.resolved(run + "/" + RunFolder.pageName) != real)
    }
    return run.map { "a file of the run '\($0)'" }
  }
}

/// Which file a path leads to, links followed.
private struct FileIdentity: Hashable {
  let device: UInt64, inode: UInt64

  /// nil where there is nothing.
  init?(_ path: String) {
    var information = stat()
    guard !path.utf8.contains(0), stat(path, &information) == 0 else { return nil }
    (device, inode) = (UInt64(information.st_dev), UInt64(information.st_ino))
  }
}

/// Where an output goes: into a file that is there, or to a name in a folder.
private struct OutputPlace: Hashable {
  let file: FileIdentity
  /// Its bytes; none for a file that is there.
  let name: [UInt8]

  init?(_ path: String) {
    let name = FileIdentity(path) == nil ? FileBytes.parts(of: path).last ?? "" : ""
    guard let file = FileIdentity(name.isEmpty ? path : FileBytes.folder(of: path)) else { return nil }
    (self.file, self.name) = (file, Array(name.utf8))
  }
}
