import Failures
import FileFormats
import Images

extension Dataset {
  /// Writes the data set as a NumPy `.npz` file that can be opened again.
  ///
  /// Arrays: `images`, `labels`, `class_names`, and where it has them `test_images`, `test_labels`, `true_labels`,
  /// `test_true_labels`. Samples without a label are left out.
  ///
  /// - Throws: `.cannotCreate` also above 4 GiB; `.inputOutput`.
  public func writeNumPy(to path: String) throws {
    var files: [(name: String, bytes: [UInt8])] = []
    for (prefix, set) in [("", train), ("test_", test)] {
      guard let set = set?.withoutUnlabelled else { continue }
      let images = set.images
      let shape = [images.count, images.height, images.width] + (images.channels == 1 ? [] : [images.channels])
      files.append((prefix + "images.npy", NumPyArray(.unsigned(1), shape: shape, bytes: images.pixels).encoded()))
      files.append((prefix + "labels.npy", NumPyArray(set.labels.map { Int64($0) }).encoded()))
      if let truth = set.trueLabels {
        files.append((prefix + "true_labels.npy", NumPyArray(truth.map { Int64($0) }).encoded()))
      }
    }
    files.append(("class_names.npy", NumPyArray(classNames).encoded()))
    try AtomicFile.write(ZipArchive.stored(files), to: path)
  }

  /// Writes the data set as a new image folder of PNG files: `train/CLASS/ID.png` and `test/CLASS/ID.png`.
  ///
  /// Folders are sorted by name when they are read, so classes may get other numbers, and samples other ids. Samples
  /// without a label are left out, and so are true labels.
  ///
  /// - Throws: `.cannotCreate` when the folder exists and is not empty, or a class name cannot be a folder's.
  public func writeImageFolder(to path: String) throws {
    if FileBytes.kind(of: path) != .missing, try !FileBytes.names(in: path).isEmpty {
      throw Failure(
        .cannotCreate, "the folder '\(path)' is not empty.", why: "existing images would mix with the new ones.",
        fix: "choose a new folder, or remove this one.")
    }
    let folders = try Self.folderNames(of: classNames, fix: "rename the class, or write a NumPy file.")
    for (part, set) in [("train", train), ("test", test)] {
      guard let set else { continue }
      for folder in folders { try FileBytes.makeFolder("\(path)/\(part)/\(folder)") }
      let digits = String(set.count - 1).count
      for id in set.labelledIDs.map({ Int($0) }) {
        let number = String(id)
        let name = String(repeating: "0", count: digits - number.count) + number
        try FileBytes.write(
          PNG.encode(set.images.image(id)), to: "\(path)/\(part)/\(folders[Int(set.labels[id])])/\(name).png")
      }
    }
  }

  /// Class names as folders; whole numbers are filled up with zeros, so that they sort as numbers.
  ///
  /// - Parameter fix: what to do about a name that no folder can have.
  /// - Throws: `.cannotCreate` also for two classes that would be one folder.
  public static func folderNames(of classNames: [String], fix: String) throws -> [String] {
    let areNumbers = classNames.allSatisfy { Int($0).map { $0 >= 0 } ?? false }
    let digits = classNames.map(\.count).max() ?? 1
    let folders = try classNames.map { name in
      if areNumbers { return String(repeating: "0", count: digits - name.count) + name }
      guard FileBytes.isName(name) else {
        throw Failure(
          .cannotCreate, "the class '\(name)' cannot be a folder.",
          why: "its name is empty, hidden or too long, or has a slash.", fix: fix)
      }
      return name
    }
    var classes: [String: String] = [:]
    for (folder, name) in zip(folders, classNames) {
      if let other = classes.updateValue(name, forKey: folder) {
        throw Failure(
          .cannotCreate, "the classes '\(other)' and '\(name)' would be one folder.",
          why: "numbers are filled up with zeros, and both become '\(folder)'.", fix: fix)
      }
    }
    return folders
  }
}

extension LabelledSet {
  /// Only the samples with a label.
  fileprivate var withoutUnlabelled: LabelledSet {
    let usable = labelledIDs
    return usable.count == count ? self : selecting(usable)
  }
}
