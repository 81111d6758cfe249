import Failures
import FileFormats
import Glibc

/// A folder of symbolic links to images, in a folder for each class; what is there already stays as it is.
final class SortedLinks {
  private let folder: String
  private let files: [String]
  private let classNames: [String]
  /// The folder of the unsure, which is named like no class; nil where nobody asked for it.
  private let unsureFolder: String?
  private(set) var count = 0
  /// What the next file of a name is numbered with, and which files are linked, by folder.
  private var next: [String: Int] = [:]
  private var linked: Set<String> = []

  /// Checks the folder, without making anything.
  ///
  /// - Parameter files: the images, by the index that `make` counts them with.
  /// - Throws: `.cannotCreate` for a folder that is not empty, unless it is forced, and for class names that no folder
  ///   can have.
  init(
    _ path: String, of files: [String], classNames: [String], separatesUnsure: Bool, isForced: Bool
  ) throws {
    folder = try OutputPath(folder: path, option: "--sort-into", replaces: true).path
    (self.files, self.classNames) = (files, classNames)
    if FileBytes.kind(of: folder) == .folder, !isForced, try !FileBytes.names(in: folder, withHidden: true).isEmpty {
      throw Failure(
        .cannotCreate, "--sort-into '\(folder)' is not empty.", why: "what is in it would mix with the new links.",
        fix: "choose a new folder, or add --force to put the links beside what is there.")
    }
    if let name = classNames.first(where: { !FileBytes.isName($0) }) {
      throw Failure(
        .cannotCreate, "the class '\(name.shortened())' cannot have a folder in --sort-into.",
        why: "its name cannot be the name of a folder.", fix: "use --out for a table.")
    }
    var name = "unsure"
    let known = Set(classNames.map { $0.lowercased() })
    while known.contains(name) { name = "_" + name }
    unsureFolder = separatesUnsure ? name : nil
  }

  /// Makes a link for each image that has a class.
  ///
  /// - Throws: `.cannotCreate`.
  func make(_ rows: [(label: Int?, isUnsure: Bool?)]) throws {
    try FileBytes.makeFolder(folder)
    for (file, row) in zip(files, rows) {
      guard let label = row.label else { continue }
      let place = folder + "/" + (row.isUnsure == true ? unsureFolder ?? classNames[label] : classNames[label])
      try link(FileBytes.absolute(file), in: place)
    }
  }

  /// A link with the file's name, or one with a number where that is taken.
  private func link(_ target: String, in place: String) throws {
    guard linked.insert(place + "/" + target).inserted else { return }
    try FileBytes.makeFolder(place)
    let name = FileBytes.parts(of: target).last ?? "image"
    while true {
      let number = next[place + "/" + name, default: 1]
      next[place + "/" + name] = number + 1
      let path = place + "/" + (number == 1 ? name : Self.numbered(name, number))
      if symlink(target, path) == 0 || errno == EEXIST && Self.target(of: path) == target {
        count += 1
        return
      }
      guard errno == EEXIST else {
        throw Failure(
          .cannotCreate, "the link '\(path)' cannot be made.", why: String(cString: strerror(errno)) + ".",
          fix: "choose a folder on a file system with symbolic links, that you can write to.")
      }
    }
  }

  /// `a-2.jpg`.
  private static func numbered(_ name: String, _ number: Int) -> String {
    guard let point = name.lastIndex(of: "."), point != name.startIndex else { return "\(name)-\(number)" }
    return "\(name[..<point])-\(number)\(name[point...])"
  }

  /// What a link leads to; nil for what is no link.
  private static func target(of path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = buffer.withUnsafeMutableBytes {
      readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return length < 0 ? nil : String(validating: buffer[..<length], as: UTF8.self)
  }

  /// `linked 12 images in sorted/, the unsure in sorted/unsure/`.
  var summary: String {
    "linked \(count) image\(count == 1 ? "" : "s") in \(folder)/"
      + (unsureFolder.map { ", the unsure in \(folder)/\($0)/" } ?? "")
  }
}
