import ArgumentParser
import Datasets
import Failures
import FileFormats
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
    try CommandInputs(settings).requireSpared(by: [target.output])
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
  let output: OutputPath
  /// Where a folder is made; nil for a file.
  private var temporary: TemporaryFolder?

  /// - Parameter force: take the place of a file, or of a folder that holds nothing but an image folder as we write it.
  /// - Throws: `.cannotCreate`.
  init(_ path: String, layout: DataLayout, force: Bool) throws {
    guard layout == .folder else {
      output = try OutputPath(file: path, option: "--out", replaces: force)
      return
    }
    // A link stays, and what it leads to is replaced.
    let path = FileBytes.withoutLastSlash(path), temporary = TemporaryFolder(for: FileBytes.resolved(path) ?? path)
    output = try OutputPath(folder: path, option: "--out", replaces: force)
    self.temporary = temporary
    try WrittenFolder.require(output.path)
  }

  /// Writes the data set, and says so on standard output.
  func write(_ dataset: Dataset, quiet: Bool) throws {
    if let temporary {
      do {
        try dataset.writeImageFolder(to: temporary.path)
        // Somebody may have put something there in the meantime.
        try WrittenFolder.require(output.path)
        try temporary.finish()
      } catch {
        temporary.delete()
        throw error
      }
    } else {
      try dataset.writeNumPy(to: output.path)
    }
    guard !quiet else { return }
    let counts = "\(dataset.train.labelledIDs.count) training and \(dataset.test?.labelledIDs.count ?? 0) test samples"
    try StandardOutput.write("wrote \(TerminalText.escaped(output.path)): \(counts), \(dataset.classCount) classes\n")
  }
}

/// An image folder as `writeImageFolder` makes it, which may therefore be deleted.
///
/// It has `train` and `test` with folders of PNG files that are named by numbers, and nothing else.
private enum WrittenFolder {
  /// - Throws: `.cannotCreate` if there is anything else in the folder, hidden or a link; a folder that is not there is
  ///   fine.
  static func require(_ path: String) throws {
    guard FileBytes.kind(of: path) == .folder else { return }
    for part in try names(path) {
      guard ["train", "test"].contains(part), isFolder("\(path)/\(part)") else { throw strange(path, part) }
      for name in try names("\(path)/\(part)") {
        let folder = "\(path)/\(part)/\(name)"
        guard isFolder(folder) else { throw strange(path, "\(part)/\(name)") }
        for file in try names(folder) {
          guard file.hasSuffix(".png"), Int(file.dropLast(4)) != nil, !FileBytes.isLink("\(folder)/\(file)"),
            FileBytes.kind(of: "\(folder)/\(file)") == .file
          else { throw strange(path, "\(part)/\(name)/\(file)") }
        }
      }
    }
  }

  private static func names(_ folder: String) throws -> [String] { try FileBytes.names(in: folder, withHidden: true) }

  private static func isFolder(_ path: String) -> Bool {
    !FileBytes.isLink(path) && FileBytes.kind(of: path) == .folder
  }

  private static func strange(_ path: String, _ name: String) -> Failure {
    Failure(
      .cannotCreate, "--out '\(path)' cannot be replaced.",
      why: "it holds '\(name)', which no conversion wrote; --force deletes only what a conversion wrote.",
      fix: "choose a new folder, or remove this one yourself.")
  }
}
