import Failures
import FileFormats

/// NumPy's `.npz`: `images` uint8 [N, H, W] or [N, H, W, C], `labels` integers [N], and optionally `test_images`,
/// `test_labels`, `class_names` (text [K]), `true_labels` and `test_true_labels`.
enum NumPyBundle: DatasetFormat {
  static let lookedFor = "a NumPy .npz file with images and labels"

  static func recognizes(_ location: DataLocation) -> Bool {
    ZipArchive.isZip(location.start) && !Pickle.isPickle(location.start, path: location.path)
  }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let archive = try ZipArchive(decoding: FileBytes.read(location.path), name: location.path)
    if archive.members.contains(where: { $0.name.hasSuffix("data.pkl") }) {
      throw Pickle.refusal(location.path, fix: "save its arrays with numpy.savez('data.npz', images=..., labels=...).")
    }
    let train = try samples(location, archive, "")
    let test = archive["test_images.npy"] != nil ? try samples(location, archive, "test_") : nil
    if let test {
      let (one, other) = (train.images, test.images)
      guard one.height == other.height, one.width == other.width, one.channels == other.channels else {
        throw Failure(
          .badInput, "test_images in '\(location.path)' differ in shape from images.",
          why: "they are [\(other.height), \(other.width), \(other.channels)] and "
            + "[\(one.height), \(one.width), \(one.channels)].",
          fix: "resize them to one size.")
      }
    }
    let labels = [train.labels, train.trueLabels, test?.labels, test?.trueLabels].compactMap { $0?.max() }
    let highest = Int(labels.max() ?? 0)
    let names = try classNames(location, archive, highest: highest)
    return Dataset(
      name: location.stem, classNames: names, train: train, test: test, source: "NumPy arrays in \(location.path)")
  }

  private static func classNames(_ location: DataLocation, _ archive: ZipArchive, highest: Int) throws -> [String] {
    guard archive["class_names.npy"] != nil else { return (0...max(1, highest)).map(String.init) }
    let array = try array(location, archive, "class_names")
    guard let names = array.texts, array.shape.count == 1, names.count > highest, Set(names).count == names.count else {
      throw Failure(
        .badInput, "class_names in '\(location.path)' do not match the labels.",
        why: "there must be at least \(highest + 1) different names, since labels go up to \(highest).",
        fix: "write them as a numpy.array([...]) of strings, or leave them out.")
    }
    return names
  }

  private static func samples(_ location: DataLocation, _ archive: ZipArchive, _ prefix: String) throws -> LabelledSet {
    let images = try array(location, archive, prefix + "images")
    let shape = images.shape
    guard images.element == .unsigned(1), shape.count == 3 || shape.count == 4, !shape.contains(0) else {
      throw Failure(
        .badInput,
        "\(prefix)images in '\(location.path)' have the shape \(shape) and type \(images.element.descriptor).",
        why: "images must be unsigned bytes [N, H, W] or [N, H, W, C], with N at least 1.",
        fix: "save them with numpy as images.astype('uint8').")
    }
    let channels = shape.count == 3 ? 1 : shape[3]
    guard channels == 1 || channels == 3 else {
      let isPlanar = shape[1] == 1 || shape[1] == 3
      throw Failure(
        .badInput, "\(prefix)images in '\(location.path)' have the shape \(shape).",
        why: "the last axis must be the channels, 1 or 3.",
        fix: isPlanar ? "save images.transpose(0, 2, 3, 1)." : "save grey or RGB images, channels last.")
    }
    let labels = try labels(location, archive, prefix + "labels", count: shape[0])
    let hasTruth = archive[prefix + "true_labels.npy"] != nil
    return LabelledSet(
      images: ImageSet(count: shape[0], height: shape[1], width: shape[2], channels: channels, pixels: images.bytes),
      labels: labels,
      trueLabels: hasTruth ? try Self.labels(location, archive, prefix + "true_labels", count: shape[0]) : nil)
  }

  private static func labels(
    _ location: DataLocation, _ archive: ZipArchive, _ name: String, count: Int
  ) throws -> [Int32] {
    let array = try array(location, archive, name)
    guard let values = array.integers, array.shape == [count] || array.shape == [count, 1] else {
      throw Failure(
        .badInput, "\(name) in '\(location.path)' have the shape \(array.shape) and type \(array.element.descriptor).",
        why: "\(count) images need \(count) integers.",
        fix: "save labels.reshape(-1).astype('int64').")
    }
    return try ClassLabels.checked(values, classCount: ClassLabels.maxLabel + 1) {
      "entry \($0) of \(name) in '\(location.path)'"
    }
  }

  private static func array(_ location: DataLocation, _ archive: ZipArchive, _ name: String) throws -> NumPyArray {
    guard let member = archive[name + ".npy"] else {
      throw Failure(
        .badInput, "'\(location.path)' has no array '\(name)'.",
        why: "it holds \(archive.members.prefix(10).map(\.name).joined(separator: ", ")).",
        fix: "write it with numpy.savez(file, images=images, labels=labels).")
    }
    // What the array's own header promises bounds what may be unpacked.
    let label = "\(name) in '\(location.path)'"
    let header = try NumPyArray.header(of: archive.prefix(of: member, count: 10_012), name: label)
    // Unpacked bytes become an array; for a moment there are both.
    try MemoryLimit.require(
      header.dataCount > Int.max / 2 ? Int.max : 2 * header.dataCount, for: label, fix: "use fewer or smaller images.")
    return try NumPyArray(
      decoding: archive.contents(of: member, limit: header.dataOffset + header.dataCount), name: label)
  }
}
