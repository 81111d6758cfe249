import Failures
import FileFormats

/// NumPy's `.npz`: images [N, H, W] or [N, H, W, C], labels [N], and optionally those of a test and a validation part,
/// `class_names` (text [K]), `true_labels` and `test_true_labels`.
///
/// Arrays may be called as here (`images`, `test_images`), as MedMNIST does (`train_images`) or as Keras does (`x_train`),
/// in any capitals. `ImageArray` says which images are read, `LabelArray` which labels. The validation part is the test
/// set where there is no other.
enum NumPyBundle: DatasetFormat {
  static let lookedFor = "a NumPy .npz file with images and labels"

  /// What the arrays of a part are called, the usual names first.
  private static let names: [SplitPart: [(images: String, labels: String)]] = [
    .train: [
      ("images", "labels"), ("train_images", "train_labels"), ("x_train", "y_train"), ("train_x", "train_y"),
      ("x", "y"),
    ],
    .test: [("test_images", "test_labels"), ("x_test", "y_test"), ("test_x", "test_y")],
    .validation: [
      ("val_images", "val_labels"), ("x_val", "y_val"), ("val_x", "val_y"), ("valid_images", "valid_labels"),
      ("x_valid", "y_valid"), ("validation_images", "validation_labels"),
    ],
  ]

  static func recognizes(_ location: DataLocation) -> Bool {
    ZipArchive.isZip(location.start) && !Pickle.isPickle(location.start, path: location.path)
  }

  static func hasLabels(_ location: DataLocation, of classNames: [String]) throws -> Bool {
    try Arrays(location).hasLabels
  }

  /// The images of a file with one array of them, whatever it is called where there is no other array.
  ///
  /// - Throws: `.badInput` for none, or several.
  static func images(_ location: DataLocation) throws -> ImageSet { try Arrays(location).images() }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let arrays = try Arrays(location)
    guard let train = try arrays.part(.train) else { throw arrays.missing("images") }
    let test = try arrays.part(.test, like: train), validation = try arrays.part(.validation, like: train)
    let parts = [train, test, validation].compactMap { $0 }
    let labels = try ClassesOfArrays(
      parts.flatMap { [$0.labels, $0.trueLabels].compactMap { $0 } }, names: arrays.classNames(), in: location.path)
    func set(_ part: Part) -> LabelledSet {
      LabelledSet(
        images: part.images.images, labels: labels[part.labels],
        trueLabels: part.trueLabels.map { labels[$0] })
    }
    var dataset = Dataset(
      name: location.stem, classNames: labels.classNames, train: set(train), test: (test ?? validation).map(set),
      source: "NumPy arrays in \(location.path)")
    if test != nil { dataset.heldOut = validation.map(set) }
    return dataset
  }

  /// Labels with the name of their array.
  fileprivate struct Labels {
    let name: String
    let values: LabelArray
  }

  /// The arrays of a part.
  private struct Part {
    let images: ImageArray
    let labels: Labels
    let trueLabels: Labels?
  }

  /// The archive's arrays by their names.
  private struct Arrays {
    let location: DataLocation
    let archive: ZipArchive
    private let byName: [String: String]

    init(_ location: DataLocation) throws {
      self.location = location
      archive = try ZipArchive(decoding: FileBytes.read(location.path), name: location.path)
      if archive.members.contains(where: { $0.name.hasSuffix("data.pkl") }) {
        throw Pickle.refusal(
          location.path, fix: "save its arrays with numpy.savez('data.npz', images=..., labels=...).")
      }
      let names = archive.members.map(\.name).filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
      byName = Dictionary(names.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether there is an array of labels.
    var hasLabels: Bool { NumPyBundle.names.values.joined().contains { byName[$0.labels] != nil } }

    /// The images of the only array of images.
    func images() throws -> ImageSet {
      let known = NumPyBundle.names.values.joined().map(\.images).filter { byName[$0] != nil }.sorted()
      guard known.count <= 1 else {
        throw Failure(
          .badInput, "'\(location.path)' has \(known.count) arrays of images.",
          why: "they are \(known.map { "'\(byName[$0] ?? $0)'" }.joined(separator: ", ")).",
          fix: "save the one to predict alone, with numpy.savez(file, images=images).")
      }
      guard let name = known.first ?? (byName.count == 1 ? byName.keys.first : nil) else { throw missing("images") }
      return try ImageArray(array(name), name: label(name), variable: byName[name] ?? name).images
    }

    /// A part of the data set; nil where there are no images of it.
    func part(_ part: SplitPart, like train: Part? = nil) throws -> Part? {
      let pairs = NumPyBundle.names[part] ?? []
      guard let pair = pairs.first(where: { byName[$0.images] != nil }) else { return nil }
      let images = try array(pair.images)
      let read = try ImageArray(
        images, name: label(pair.images), variable: byName[pair.images] ?? pair.images, white: train?.images.white)
      if let one = train?.images.images {
        let other = read.images
        guard one.height == other.height, one.width == other.width, one.channels == other.channels else {
          throw Failure(
            .badInput, "\(label(pair.images)) differs in shape from the training images.",
            why: "it is [\(other.height), \(other.width), \(other.channels)] and not "
              + "[\(one.height), \(one.width), \(one.channels)].", fix: "resize them to one size.")
        }
      }
      let labels = ([pair.labels] + pairs.map(\.labels)).first { byName[$0] != nil } ?? pair.labels
      let truth = part == .train ? "true_labels" : part == .test ? "test_true_labels" : "val_true_labels"
      return Part(
        images: read, labels: try self.labels(labels, count: read.images.count),
        trueLabels: byName[truth] == nil ? nil : try self.labels(truth, count: read.images.count))
    }

    private func labels(_ name: String, count: Int) throws -> Labels {
      Labels(name: label(name), values: try LabelArray(array(name), count: count, name: label(name)))
    }

    /// The names of the classes, if the archive has them.
    func classNames() throws -> [String]? {
      guard byName["class_names"] != nil else { return nil }
      let array = try array("class_names")
      guard let names = array.texts, array.shape.count == 1, Set(names).count == names.count else {
        throw Failure(
          .badInput, "\(label("class_names")) does not name classes.", why: "it must hold different texts [K].",
          fix: "write them as a numpy.array([...]) of strings, or leave them out.")
      }
      return names
    }

    private func label(_ name: String) -> String { "the array '\(byName[name] ?? name)' in '\(location.path)'" }

    private func array(_ name: String) throws -> NumPyArray {
      guard let own = byName[name], let member = archive[own + ".npy"] else { throw missing(name) }
      // What the array's own header promises bounds what may be unpacked.
      let header = try NumPyArray.header(of: archive.prefix(of: member, count: 10_012), name: label(name))
      // Unpacked bytes become an array; for a moment there are both.
      try MemoryLimit.require(
        header.dataCount > Int.max / 2 ? Int.max : 2 * header.dataCount, for: label(name),
        fix: "use fewer or smaller images.")
      return try NumPyArray(
        decoding: archive.contents(of: member, limit: header.dataOffset + header.dataCount), name: label(name))
    }

    func missing(_ name: String) -> Failure {
      let names = archive.members.prefix(10).map { $0.name.shortened(to: 40) }.joined(separator: ", ")
      return Failure(
        .badInput, "'\(location.path)' has no array '\(name)'.",
        why: "it holds \(names)\(archive.members.count > 10 ? ", …" : "").",
        fix: "write it with numpy.savez(file, images=images, labels=labels).")
    }
  }
}

/// The classes that all label arrays of a bundle share.
private struct ClassesOfArrays {
  let classNames: [String]
  private var byArray: [String: [Int32]] = [:]

  /// - Parameter names: the names of the classes [K]; nil where the labels themselves must tell.
  /// - Throws: `.badInput` for labels beyond the names, or that are no labels at all.
  init(_ arrays: [NumPyBundle.Labels], names: [String]?, in path: String) throws {
    func place(_ name: String) -> (Int) -> String { { "entry \($0) of \(name)" } }
    let areNumbers = arrays.allSatisfy { if case .numbers = $0.values { true } else { false } }
    var inferred: (names: [String], label: [String: Int32]) = ([], [:])
    if !areNumbers, names == nil {
      // Where each text stands, for failures.
      let places = arrays.flatMap { array in array.values.texts.indices.map { (array.name, $0) } }
      inferred = try ClassLabels.infer(arrays.flatMap(\.values.texts)) { "entry \(places[$0].1) of \(places[$0].0)" }
    }
    let reader = ClassReader(names ?? [])
    for array in arrays {
      switch (array.values, names) {
      case (.numbers(let values), _) where areNumbers || names != nil:
        byArray[array.name] = try ClassLabels.checked(
          values, classCount: names?.count ?? ClassLabels.maxLabel + 1, place: place(array.name))
      case (_, nil):
        byArray[array.name] = array.values.texts.map { inferred.label[$0] ?? LabelledSet.noLabel }
      case (_, _?):
        byArray[array.name] = try array.values.texts.enumerated().map { index, text in
          try reader.label(text, place(array.name)(index)).map { Int32($0) } ?? LabelledSet.noLabel
        }
      }
    }
    let highest = Int(byArray.values.compactMap { $0.max() }.max() ?? -1)
    guard highest >= 0 else {
      throw Failure(
        .badInput, "no sample in '\(path)' has a label.", why: "all labels are NaN, -1 or empty.", fix: "add labels.")
    }
    classNames = names ?? (areNumbers ? (0...max(1, highest)).map(String.init) : inferred.names)
  }

  subscript(_ array: NumPyBundle.Labels) -> [Int32] { byArray[array.name] ?? [] }
}
