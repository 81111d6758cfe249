import ArgumentParser
import Datasets
import Failures
import FileFormats
import Glibc
import Reports
import Training

struct DataConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write a data set in another layout.",
    discussion: """
      folder: train/CLASS/ID.png and test/CLASS/ID.png. npz: images, labels, class_names and, if they exist, \
      test_images, test_labels, true_labels. Samples without a label are left out. The result is written completely or \
      not at all.

      Examples:
        gpunoisy data convert ./photos --image-size 32 --to npz --out photos.npz
        gpunoisy data convert cifar10 --labels noisy.npy --to folder --out ./cifar10-noisy
      """)

  @OptionGroup var options: JobOptions<ConvertJob>
  @Option(help: ArgumentHelp("folder or npz.", valueName: "layout"))
  var to: DataLayout
  @Option(help: ArgumentHelp("The folder or file to write.", valueName: "path"))
  var out: String
  @Flag(help: "Overwrite the file, or the folder of an earlier conversion.")
  var force = false
  @Flag(name: [.customShort("q"), .long], help: "Print only errors.")
  var quiet = false

  func run() throws {
    let target = try DataTarget(out, layout: to, force: force), settings = try options.settings()
    try DataPlace.requireOutside(settings.data, out, option: "--out")
    let dataset = try Dataset.opened(by: settings)
    for note in dataset.notes { EvaluationNotes.show(note, quiet: quiet) }
    try target.write(dataset, quiet: quiet)
  }
}

struct DataShapesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shapes", abstract: "Write the built-in synthetic data set to disk.",
    discussion: """
      32 x 32 RGB images of ten shapes, 10,000 for training and 2,000 for testing: the same bytes for the same seed \
      on every platform. A name ending in .npz becomes a NumPy file, any other a folder of images.

      Examples:
        gpunoisy data shapes --out shapes.npz
        gpunoisy data shapes --seed 7 --limit-train 500 --out ./shapes
      """)

  @Option(help: ArgumentHelp("The folder, or the .npz file, to write.", valueName: "path"))
  var out: String
  @OptionGroup var options: JobOptions<ShapesJob>
  @Flag(help: "Replace the file, or the folder of an earlier conversion, if it is there.")
  var force = false
  @Flag(name: [.customShort("q"), .long], help: "Print only errors.")
  var quiet = false

  func run() throws {
    let layout: DataLayout = out.lowercased().hasSuffix(".npz") ? .npz : .folder
    try DataTarget(out, layout: layout, force: force).write(Dataset.opened(by: options.settings()), quiet: quiet)
  }
}

/// The layouts that can be written.
enum DataLayout: String, ExpressibleByArgument, CaseIterable {
  case folder, npz
}

/// A place for a data set, checked before the data are read; the result appears there whole or not at all.
struct DataTarget {
  private let target: OutputPath
  private let layout: DataLayout

  /// - Parameter force: take the place of a file, or of a folder that holds nothing but an image folder as we write it.
  /// - Throws: `.cannotCreate`.
  init(_ path: String, layout: DataLayout, force: Bool) throws {
    self.layout = layout
    switch layout {
    case .npz: target = try OutputPath(file: path, option: "--out", replaces: force)
    case .folder:
      target = try OutputPath(folder: path, option: "--out", replaces: force)
      if force, FileBytes.kind(of: target.path) == .folder { _ = try WrittenFolder(target.path) }
    }
  }

  /// Writes the data set, and says so on standard output.
  func write(_ dataset: Dataset, quiet: Bool) throws {
    switch layout {
    case .npz: try dataset.writeNumPy(to: target.path)
    case .folder: try writeFolder(dataset)
    }
    guard !quiet else { return }
    let counts = "\(dataset.train.labelledIDs.count) training and \(dataset.test?.labelledIDs.count ?? 0) test samples"
    try StandardOutput.write("wrote \(TerminalText.escaped(target.path)): \(counts), \(dataset.classCount) classes\n")
  }

  /// Writes beside the place and moves there at the end.
  private func writeFolder(_ dataset: Dataset) throws {
    let path = target.path
    let temporary = "\(path).gpunoisy-\(getpid()).tmp"
    do {
      try dataset.writeImageFolder(to: temporary)
      if FileBytes.kind(of: path) == .folder { try WrittenFolder(path).remove() }
      guard rename(temporary, path) == 0 else {
        throw Failure(
          .cannotCreate, "'\(path)' cannot be created.", why: String(cString: strerror(errno)) + ".",
          fix: "choose another --out.")
      }
    } catch {
      try? WrittenFolder(temporary).remove()
      throw error
    }
  }
}

/// An image folder as `writeImageFolder` makes it, which may therefore be deleted.
///
/// It has `train` and `test` with folders of PNG files that are named by numbers, and nothing else.
private struct WrittenFolder {
  private let root: String
  private var files: [String] = []
  /// Inner folders before those around them.
  private var folders: [String] = []

  /// - Throws: `.cannotCreate` if there is anything else in the folder.
  init(_ path: String) throws {
    root = path
    for part in try Self.names(path) {
      guard ["train", "test"].contains(part), FileBytes.kind(of: "\(path)/\(part)") == .folder else {
        throw Self.strange(path, part)
      }
      for name in try Self.names("\(path)/\(part)") {
        let folder = "\(path)/\(part)/\(name)"
        guard FileBytes.kind(of: folder) == .folder else { throw Self.strange(path, "\(part)/\(name)") }
        for file in try Self.names(folder) {
          guard file.hasSuffix(".png"), Int(file.dropLast(4)) != nil, FileBytes.kind(of: "\(folder)/\(file)") == .file
          else { throw Self.strange(path, "\(part)/\(name)/\(file)") }
          files.append("\(folder)/\(file)")
        }
        folders.append(folder)
      }
      folders.append("\(path)/\(part)")
    }
    folders.append(path)
  }

  /// Deletes the folder.
  func remove() throws {
    for file in files { unlink(file) }
    for folder in folders {
      guard rmdir(folder) == 0 else {
        throw Failure(
          .cannotCreate, "'\(root)' cannot be replaced.",
          why: "'\(folder)' cannot be removed: \(String(cString: strerror(errno))).", fix: "choose another --out.")
      }
    }
  }

  /// The names in a folder; with hidden files in it, removing the folder fails, which is as it should be.
  private static func names(_ folder: String) throws -> [String] { try FileBytes.names(in: folder) }

  private static func strange(_ path: String, _ name: String) -> Failure {
    Failure(
      .cannotCreate, "--out '\(path)' cannot be replaced.",
      why: "it holds '\(name)', which no conversion wrote; --force deletes only what a conversion wrote.",
      fix: "choose a new folder, or remove this one yourself.")
  }
}
