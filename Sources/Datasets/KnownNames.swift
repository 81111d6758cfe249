import Failures
import FileFormats

/// Data sets that can be called by name; they are looked for below one root folder.
enum KnownNames {
  struct Entry {
    let name: String
    /// Where it may lie below the root, most usual first.
    let folders: [String]
    let kind: Dataset.Kind
    /// The official numbers of training and test samples.
    let counts: (train: Int, test: Int)
    /// Where to get it.
    let address: String
    /// What the download must hash to.
    let checksum: String
    /// How to unpack it into the first folder.
    let unpacking: String
  }

  static let all = [
    Entry(
      name: "cifar10", folders: ["cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin"], kind: .cifar10,
      counts: (50_000, 10_000), address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      checksum: "md5 c32a1d4ab5d03f1284b67883e8d87530", unpacking: "unpack it (tar -xzf) there"),
    Entry(
      name: "cifar100", folders: ["cifar100", "cifar100/cifar-100-binary", "cifar-100-binary"], kind: .cifar100,
      counts: (50_000, 10_000), address: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
      checksum: "md5 03b5dce01913d631647c71ecec9e9cb8", unpacking: "unpack it (tar -xzf) there"),
    Entry(
      name: "mnist", folders: ["mnist", "mnist/MNIST/raw", "MNIST/raw", "MNIST"], kind: .mnist,
      counts: (60_000, 10_000),
      address: "https://ossci-datasets.s3.amazonaws.com/mnist/ (four files *-ubyte.gz)",
      checksum: "train-images md5 f68b3c2dcbeaaa9fbdd348bbdeb94873", unpacking: "put them there, packed or not"),
    Entry(
      name: "fashion-mnist", folders: ["fashion-mnist", "fashion-mnist/FashionMNIST/raw", "FashionMNIST/raw"],
      kind: .fashionMNIST, counts: (60_000, 10_000),
      address: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/ (four files *-ubyte.gz)",
      checksum: "train-images md5 8d4fb7e6c68d591d4c3dfef9ec88bf0d", unpacking: "put them there, packed or not"),
  ]

  /// Opens a data set by its name.
  ///
  /// - Throws: `.missingInput` when it is not there, `.badInput` when it is not whole.
  static func open(_ entry: Entry, _ options: DatasetOptions) throws -> Dataset {
    let root = options.dataRoot ?? FileBytes.environmentPath("GPUNOISY_DATA")
    var dataset: Dataset?
    if let root {
      let existing = entry.folders.map { root + "/" + $0 }.filter { FileBytes.kind(of: $0) == .folder }
      for folder in existing where dataset == nil {
        dataset = try Dataset.recognized(DataLocation(folder), options)
      }
      if dataset == nil, let folder = existing.first { throw Dataset.notRecognized(try DataLocation(folder)) }
    }
    guard let dataset else {
      throw Failure(
        .missingInput, "the data set '\(entry.name)' was not found.",
        why: root.map { "there is no folder '\($0)/\(entry.name)'." }
          ?? "no folder for data sets is set (GPUNOISY_DATA or --data-root).",
        fix:
          "download \(entry.address), \(entry.checksum), and \(entry.unpacking): "
          + "\(root ?? "$GPUNOISY_DATA")/\(entry.name)."
          + (FileBytes.kind(of: entry.name) == .missing
            ? "" : " To use what is called so in the current folder, write ./\(entry.name)."))
    }
    guard dataset.kind == .other || dataset.kind == entry.kind || entry.kind == .mnist && dataset.kind != .fashionMNIST
    else {
      throw Failure(
        .badInput, "the folder for '\(entry.name)' holds \(dataset.kind.rawValue).",
        why: "its files belong to that data set.",
        fix: "put each data set into the folder with its name.")
    }
    let test = dataset.test?.count ?? 0
    guard dataset.train.count == entry.counts.train, test == entry.counts.test else {
      throw Failure(
        .badInput, "'\(entry.name)' has \(dataset.train.count) training and \(test) test samples.",
        why: "the official data set has \(entry.counts.train) and \(entry.counts.test).",
        fix: "download it again from \(entry.address), or give the folder's path to use it as it is.")
    }
    var named = Dataset(
      name: entry.name, kind: entry.kind, classNames: dataset.classNames, train: dataset.train, test: dataset.test,
      source: dataset.source, badImages: dataset.badImages)
    named.root = dataset.root
    (named.warnings, named.remarks, named.passedOver) = (dataset.warnings, dataset.remarks, dataset.passedOver)
    return named
  }
}

extension Dataset {
  /// Where the data is that a text asks for: its path, or the folders in which a named data set is looked for, there or
  /// not; none for `shapes`.
  ///
  /// - Parameter root: the folder of named data sets; nil for `$GPUNOISY_DATA`.
  public static func places(of text: String, root: String? = nil) -> [String] {
    if isMadeOfAnother(text), let base = ImagePairs.base(of: text) ?? ClassSubset.parts(of: text)?.base {
      return places(of: base, root: root)
    }
    if text == "shapes" { return [] }
    guard let entry = KnownNames.all.first(where: { $0.name == text }) else { return [text] }
    guard let root = root ?? FileBytes.environmentPath("GPUNOISY_DATA") else { return [] }
    return entry.folders.map { root + "/" + $0 }
  }
}
