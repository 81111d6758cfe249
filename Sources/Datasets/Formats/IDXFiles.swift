import Failures
import FileFormats

/// The MNIST family: IDX files of images and labels, plain or gzipped.
enum IDXFiles: DatasetFormat {
  static let lookedFor = "MNIST family (train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz])"

  static func recognizes(_ location: DataLocation) -> Bool { find(location, "train-images", 3) != nil }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let train = try samples(location, "train")
    let hasTest = find(location, "t10k-images", 3) != nil || find(location, "t10k-labels", 1) != nil
    let test = hasTest ? try samples(location, "t10k") : nil
    if let test, test.images.height != train.images.height || test.images.width != train.images.width {
      throw Failure(
        .badInput, "the test images in '\(location.path)' differ in size from the training images.",
        why: "they are \(test.images.height)x\(test.images.width), not \(train.images.height)x\(train.images.width).",
        fix: "put files of one data set into the folder.")
    }
    let highest = max(train.labels.max() ?? 0, test?.labels.max() ?? 0)
    let kind = kind(location, train.labels, highest)
    let names = kind == .fashionMNIST ? KnownClasses.fashionMNIST : (0...max(1, highest)).map(String.init)
    return Dataset(
      name: kind == .other ? location.name : kind.rawValue, kind: kind, classNames: names, train: train, test: test,
      source: "IDX files in \(location.path)")
  }

  /// The data sets of this family look alike; their first labels, or else the folder's name, tell them apart.
  private static func kind(_ location: DataLocation, _ labels: [Int32], _ highest: Int32) -> Dataset.Kind {
    guard highest == 9 else { return .other }
    if labels.starts(with: [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]) { return .mnist }
    if labels.starts(with: [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]) { return .fashionMNIST }
    switch location.name.lowercased() {
    case "mnist": return .mnist
    case "fashion-mnist", "fashionmnist", "fashion_mnist": return .fashionMNIST
    default: return .other
    }
  }

  /// The name of a file in its usual spellings.
  private static func find(_ location: DataLocation, _ stem: String, _ axes: Int) -> String? {
    let spellings = ["\(stem)-idx\(axes)-ubyte", "\(stem).idx\(axes)-ubyte"]
    return (spellings + spellings.map { $0 + ".gz" }).first { location.names.contains($0) }
  }

  private static func samples(_ location: DataLocation, _ part: String) throws -> LabelledSet {
    guard let imageFile = find(location, "\(part)-images", 3), let labelFile = find(location, "\(part)-labels", 1)
    else {
      throw Failure(
        .missingInput, "'\(location.path)' lacks \(part)-images-idx3-ubyte or \(part)-labels-idx1-ubyte.",
        why: "images and labels are in two files, and only one is there.", fix: "add the other file.")
    }
    let (shape, pixels) = try read(location.file(imageFile), axes: 3)
    let (labelShape, labels) = try read(location.file(labelFile), axes: 1)
    guard shape[0] == labelShape[0], shape[0] > 0 else {
      throw Failure(
        .badInput, "'\(location.file(imageFile))' has \(shape[0]) images and '\(labelFile)' \(labelShape[0]) labels.",
        why: "each image needs one label.", fix: "put files of one data set into the folder.")
    }
    return LabelledSet(
      images: ImageSet(count: shape[0], height: shape[1], width: shape[2], channels: 1, pixels: pixels),
      labels: labels.map { Int32($0) })
  }

  /// A file of unsigned bytes: 0, 0, 8, the number of axes, their lengths (big-endian, 32 bits), the bytes.
  private static func read(_ path: String, axes: Int) throws -> (shape: [Int], bytes: [UInt8]) {
    var file = try FileBytes.read(path)
    let headerSize = 4 + 4 * axes
    let isGzip = Gzip.isGzip(file)
    let header =
      isGzip ? try Gzip.prefix(file[...], count: headerSize, name: "'\(path)'") : Array(file.prefix(headerSize))
    guard header.count == headerSize, header.starts(with: [0, 0, 8, UInt8(axes)]) else {
      throw Failure(
        .badInput, "'\(path)' is not an IDX file of bytes with \(axes) axes.",
        why: "it must start with the bytes 0, 0, 8, \(axes).", fix: "download the file again.")
    }
    let shape = (0..<axes).map { axis in header[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) } }
    var size = headerSize
    if !shape.contains(0) {
      var product = 1
      for length in shape {
        let (next, overflow) = product.multipliedReportingOverflow(by: length)
        product = overflow ? Int.max / 2 : next
      }
      size = headerSize + min(product, Int.max / 2)
    }
    // Deflate shrinks nothing to less than a 1032nd.
    guard !isGzip || size / 1040 <= file.count else {
      throw Failure(
        .badInput, "'\(path)' announces more than it can hold.",
        why: "its header announces \(shape.map(String.init).joined(separator: " x ")) values, in \(file.count) bytes.",
        fix: "download the file again.")
    }
    if isGzip {
      try MemoryLimit.require(
        size > Int.max / 2 ? Int.max : 2 * size, for: "'\(path)'", fix: "use fewer images.")
    }
    var bytes = isGzip ? try Gzip.decompress(file[...], limit: size, name: "'\(path)'") : file
    guard bytes.count == size, axes == 1 || (shape[1] > 0 && shape[2] > 0) else {
      throw Failure(
        .badInput, "'\(path)' holds \(bytes.count) bytes; \(size) were expected.",
        why: "its header declares \(shape.map(String.init).joined(separator: " x ")) values.",
        fix: "the file was probably truncated: download it again.")
    }
    file = []  // so that the bytes have one owner, and the header goes without a copy of the rest
    bytes.removeFirst(headerSize)
    return (shape, bytes)
  }
}
