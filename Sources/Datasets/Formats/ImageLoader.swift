import Failures
import FileFormats
import Images

/// An image that is to be read.
struct ImageFile: Sendable {
  /// Where it is.
  let path: String
  /// How tables and failures name it.
  let name: String
  /// Where it is listed, if that helps to find it.
  let origin: String?
}

/// Reads images from files and brings them to one size.
enum ImageLoader {
  struct Loaded {
    let sizing: ImageSizing
    let channels: Int
    /// All images [N, H, W, C]; black where one could not be read.
    let pixels: [UInt8]
    let isBad: [Bool]
    let badImages: [Dataset.BadImage]
    /// Images that were read although their files are damaged.
    let repairedImages: [Dataset.BadImage]

    func images(_ range: Range<Int>) -> ImageSet {
      let size = sizing.size, count = size.height * size.width * channels
      let isAll = range.count * count == pixels.count
      return ImageSet(
        count: range.count, height: size.height, width: size.width, channels: channels,
        pixels: isAll ? pixels : Array(pixels[range.lowerBound * count..<range.upperBound * count]))
    }
  }

  /// What became of one file.
  enum Outcome {
    case read
    case repaired(String)
    case bad(String)
  }

  /// Reads all files; the result does not depend on the number of threads.
  ///
  /// Only the pixels that are kept stay in memory, and of each thread the image that it is at.
  ///
  /// - Throws: `.badInput` with the list of files that cannot be read, unless they are to be skipped; `.outOfMemory`.
  static func load(_ files: [ImageFile], options: DatasetOptions, source: String) throws -> Loaded {
    let headers = Results<ImageHeader?>(count: files.count, first: nil)
    try ParallelLoop(threads: options.threads).run(files.count) { headers.set($0, header(files[$0].path)) }
    let known = headers.values.compactMap { $0 }
    let channels = known.allSatisfy(\.isGrey) && !known.isEmpty ? 1 : 3
    guard let sizing = ImageSizing(known.compactMap { seen($0, options) }, options: options) else {
      throw failure(files.map { ($0, reason(of: $0)) }, of: files.count, source)
    }
    let size = sizing.size, imageSize = size.height * size.width * channels
    let target = ImageDecoder.Target(width: size.width, height: size.height, fit: sizing.fit)
    try ImageSet.requireMemory(count: files.count, of: size, channels: channels, source: source)

    let outcomes = Results<Outcome>(count: files.count, first: .read)
    let loop = ParallelLoop(threads: options.threads, progress: options.progress)
    let pixels = try loop.pixels(count: files.count, imageSize: imageSize) { index, place in
      let (image, outcome) = decode(files[index], target, channels: channels, options)
      if let image { _ = place.initialize(fromContentsOf: image.pixels) } else { place.initialize(repeating: 0) }
      outcomes.set(index, outcome)
    }
    var bad: [(file: ImageFile, reason: String)] = [], repaired: [Dataset.BadImage] = []
    for (file, outcome) in zip(files, outcomes.values) {
      switch outcome {
      case .read: break
      case .repaired(let reason): repaired.append(Dataset.BadImage(path: file.name, reason: reason))
      case .bad(let reason): bad.append((file, reason))
      }
    }
    if !bad.isEmpty, options.onBadImage != .skip || bad.count == files.count {
      throw failure(bad, of: files.count, source)
    }
    return Loaded(
      sizing: sizing, channels: channels, pixels: pixels,
      isBad: outcomes.values.map { if case .bad = $0 { true } else { false } },
      badImages: bad.map { Dataset.BadImage(path: $0.file.name, reason: $0.reason) }, repairedImages: repaired)
  }

  /// An image's size as it is seen; nil for more pixels than are decoded.
  private static func seen(_ header: ImageHeader, _ options: DatasetOptions) -> PixelSize? {
    // Each for itself first: a head may say anything.
    guard header.height <= Image.mostPixels, header.width <= Image.mostPixels,
      header.height * header.width <= Image.mostPixels
    else { return nil }
    let isTurned = header.orientation.swapsSides && !options.followsFirstSchema
    return isTurned
      ? PixelSize(width: header.height, height: header.width) : PixelSize(width: header.width, height: header.height)
  }

  /// One image at the wanted size; none where the outcome is bad.
  ///
  /// - Parameter channels: those of all images; nil for as many as the file has.
  static func decode(
    _ file: ImageFile, _ target: ImageDecoder.Target, channels: Int?, _ options: DatasetOptions
  ) -> (image: Image?, outcome: Outcome) {
    let (width, height) = (target.width, target.height)
    var decoder = ImageDecoder()
    decoder.repairs = options.onBadImage == .repair
    decoder.turns = !options.followsFirstSchema
    if !options.followsFirstSchema { decoder.target = target }
    do {
      var (image, repair) = try decoder.decode(FileBytes.read(file.path), name: file.name)
      image =
        options.followsFirstSchema
        ? image.resized(width: width, height: height, by: .bilinear)
        : image.fitted(target.fit, width: width, height: height)
      if channels == 3 { image = image.inColour }
      // Only in a damaged file does the head say grey and the body something else.
      guard channels == nil || image.channels == channels else {
        return (nil, .bad("its header contradicts its contents."))
      }
      return (image, repair.map { .repaired($0) } ?? .read)
    } catch let failure as Failure {
      return (nil, .bad(failure.kind == .missingInput ? "the file does not exist." : failure.why))
    } catch {
      return (nil, .bad("\(error)"))
    }
  }

  /// The head of a file; the whole file is read only when the head is far behind its start.
  private static func header(_ path: String) -> ImageHeader? {
    guard let start = try? FileBytes.read(path, first: 1 << 16) else { return nil }
    if let header = ImageHeader(start) { return header }
    guard start.count == 1 << 16, ImageFormat(start) != nil else { return nil }
    return (try? FileBytes.read(path)).flatMap { ImageHeader($0) }
  }

  private static func reason(of file: ImageFile) -> String {
    do {
      _ = try Image(decoding: FileBytes.read(file.path), name: file.name)
      return "its header is damaged."
    } catch {
      return (error as? Failure)?.why ?? "\(error)"
    }
  }
}

extension Dataset {
  /// The data set with what is known of its image files besides their pixels.
  func with(_ loaded: ImageLoader.Loaded) -> Dataset {
    var dataset = self
    (dataset.sizing, dataset.repairedImages) = (loaded.sizing, loaded.repairedImages)
    if !loaded.repairedImages.isEmpty {
      let names = loaded.repairedImages.prefix(5).map { "'\($0.path)'" }.joined(separator: ", ")
      let count = loaded.repairedImages.count
      dataset.warnings.append(
        (count == 1
          ? "1 damaged image is used as far as it can be read: "
          : "\(count) damaged images are used as far as they can be read: ")
          + names + (count > 5 ? " and \(count - 5) more" : "") + " (data info --on-bad-image repair lists them)")
    }
    return dataset
  }
}
