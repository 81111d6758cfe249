import Failures
import FileFormats

/// A layout of data sets on disk.
///
/// A conformer must pass: what it recognises and nothing else, it opens; a file cut off at any place is a `.badInput`
/// failure, never a crash; opening twice gives equal data sets.
protocol DatasetFormat: Sendable {
  /// What is looked for, as a phrase for the failure when nothing is found.
  static var lookedFor: String { get }

  /// Whether the path looks like this layout; cheap, by names and first bytes only.
  static func recognizes(_ location: DataLocation) -> Bool

  /// Reads the data set.
  ///
  /// - Throws: `.badInput` for damaged or contradictory data, `.missingInput` for files that the layout needs.
  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset

  /// Whether what was recognised says of which of these classes its images are; cheap, too.
  ///
  /// - Throws: `.badInput` where that cannot be found out.
  static func hasLabels(_ location: DataLocation, of classNames: [String]) throws -> Bool
}

extension DatasetFormat {
  static func hasLabels(_ location: DataLocation, of classNames: [String]) throws -> Bool { true }
}

/// The layouts, in the order in which they are tried.
enum DatasetFormats {
  static let all: [any DatasetFormat.Type] = [
    CIFAR10Binary.self, CIFAR100Binary.self, IDXFiles.self, NumPyBundle.self, Manifest.self, Pickle.self,
    Clothing1M.self,
    ImageFolder.self,
  ]
}

/// A path that exists, with what is known about it before it is read.
struct DataLocation {
  let path: String
  let isFolder: Bool
  /// The names in a folder, sorted; empty for a file.
  let names: [String]
  /// The first bytes of a file; empty for a folder.
  let start: [UInt8]

  /// Looks at a path.
  ///
  /// - Throws: `.missingInput` when there is nothing.
  init(_ path: String) throws {
    switch FileBytes.kind(of: path) {
    case .missing:
      throw Failure(
        .missingInput, "'\(path)' does not exist.",
        why: "it is neither a path nor one of the names \(KnownNames.all.map(\.name).joined(separator: ", ")), shapes.",
        fix: "check the spelling, or try the built-in data set: shapes.")
    case .folder: (isFolder, names, start) = (true, try FileBytes.names(in: path), [])
    case .file, .other: (isFolder, names, start) = (false, [], try FileBytes.read(path, first: 16))
    }
    self.path = FileBytes.withoutLastSlash(path)
  }

  /// The last part of the path.
  var name: String {
    let resolved = path == "." || path.hasSuffix("..") ? FileBytes.resolved(path) ?? path : path
    return resolved.split(separator: "/").last.map(String.init) ?? "data"
  }

  /// The last part of the path without its suffix.
  var stem: String {
    guard let point = name.lastIndex(of: "."), point != name.startIndex else { return name }
    return String(name[..<point])
  }

  /// The folder that a file lies in.
  var folder: String { FileBytes.folder(of: path) }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { path + "/" + name }

  /// Whether the file's name ends so, in small or capital letters.
  func hasSuffix(_ suffix: String) -> Bool { name.lowercased().hasSuffix(suffix) }
}
