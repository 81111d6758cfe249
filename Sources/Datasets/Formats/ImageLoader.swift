import Dispatch
import Failures
import FileFormats
import Images
import Synchronization

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
    let size: PixelSize
    let channels: Int
    /// All images [N, H, W, C]; black where one could not be read.
    let pixels: [UInt8]
    let isBad: [Bool]
    let badImages: [Dataset.BadImage]

    func images(_ range: Range<Int>) -> ImageSet {
      let count = size.height * size.width * channels
      let isAll = range.count * count == pixels.count
      return ImageSet(
        count: range.count, height: size.height, width: size.width, channels: channels,
        pixels: isAll ? pixels : Array(pixels[range.lowerBound * count..<range.upperBound * count]))
    }
  }

  /// The most bad images that a failure lists.
  private static let mostListed = 20
  /// How many images are decoded before they are put together.
  private static let portion = 1024

  /// Reads all files; the result does not depend on the number of threads.
  ///
  /// - Throws: `.badInput` with the list of files that cannot be read, unless they are to be skipped; `.outOfMemory`.
  static func load(_ files: [ImageFile], options: DatasetOptions, source: String) throws -> Loaded {
    let headers = try parallel(files.count, threads: options.threads) { header(files[$0].path) }
    let size = options.imageSize ?? commonSize(headers)
    let channels = headers.allSatisfy { $0?.isGrey ?? true } && headers.contains { $0 != nil } ? 1 : 3
    guard let size else { throw failure(files.map { ($0, reason(of: $0)) }, of: files.count, source) }
    let imageSize = size.height * size.width * channels
    let (total, overflow) = imageSize.multipliedReportingOverflow(by: files.count)
    // The device keeps a second copy of them.
    try MemoryLimit.require(
      overflow || total > Int.max / 2 ? Int.max : 2 * total,
      for: "the set of \(files.count) images of \(size.width)×\(size.height) pixels in '\(source)'",
      fix: "make the images smaller with --image-size.")

    var pixels: [UInt8] = []
    pixels.reserveCapacity(total)
    var reasons: [String?] = []
    // In portions, so that decoded images do not wait in memory for long.
    for start in stride(from: 0, to: files.count, by: portion) {
      let decoded = try parallel(min(portion, files.count - start), threads: options.threads) { index in
        decode(files[start + index], size, channels: channels)
      }
      for image in decoded {
        pixels += image.pixels ?? [UInt8](repeating: 0, count: imageSize)
        reasons.append(image.reason)
      }
    }
    let bad = zip(files, reasons).compactMap { file, reason in reason.map { (file, $0) } }
    if !bad.isEmpty, options.onBadImage == .fail || bad.count == files.count {
      throw failure(bad, of: files.count, source)
    }
    return Loaded(
      size: size, channels: channels, pixels: pixels, isBad: reasons.map { $0 != nil },
      badImages: bad.map { Dataset.BadImage(path: $0.0.name, reason: $0.1) })
  }

  /// One image at the wanted size, or the reason why there is none.
  private static func decode(_ file: ImageFile, _ size: PixelSize, channels: Int) -> (pixels: [UInt8]?, reason: String?)
  {
    do {
      var image = try Image(decoding: FileBytes.read(file.path), name: file.name)
      image = image.resized(height: size.height, width: size.width)
      if channels == 3 { image = image.inColour }
      // Only in a damaged file does the head say grey and the body something else.
      return image.channels == channels ? (image.pixels, nil) : (nil, "its header contradicts its contents.")
    } catch let failure as Failure {
      return (nil, failure.kind == .missingInput ? "the file does not exist." : failure.why)
    } catch {
      return (nil, "\(error)")
    }
  }

  /// The head of a file; the whole file is read only when the head is far behind its start.
  private static func header(_ path: String) -> ImageHeader? {
    guard let start = try? FileBytes.read(path, first: 1 << 16) else { return nil }
    if let header = ImageHeader(start) { return header }
    guard start.count == 1 << 16, ImageFormat(start) != nil else { return nil }
    return (try? FileBytes.read(path)).flatMap { ImageHeader($0) }
  }

  /// The size that most images have; among equally frequent ones the largest area, then the greatest height.
  private static func commonSize(_ headers: [ImageHeader?]) -> PixelSize? {
    var counts: [PixelSize: Int] = [:]
    for case let header? in headers where header.height * header.width <= Image.mostPixels {
      counts[PixelSize(height: header.height, width: header.width), default: 0] += 1
    }
    return counts.max { one, other in
      (one.value, one.key.height * one.key.width, one.key.height) < (
        other.value, other.key.height * other.key.width, other.key.height
      )
    }?.key
  }

  private static func reason(of file: ImageFile) -> String {
    do {
      _ = try Image(decoding: FileBytes.read(file.path), name: file.name)
      return "its header is damaged."
    } catch {
      return (error as? Failure)?.why ?? "\(error)"
    }
  }

  private static func failure(_ bad: [(file: ImageFile, reason: String)], of count: Int, _ source: String) -> Failure {
    let missing = bad.filter { FileBytes.kind(of: $0.file.path) == .missing }.count
    var lines = bad.prefix(mostListed).map { bad in
      let folder = bad.file.name.lastIndex(of: "/").map { bad.file.name[...$0] } ?? ""
      let other = otherCapitals(bad.file.path).map { " '\(folder)\($0)' does." } ?? ""
      return
        "       \(bad.file.origin.map { $0 + ": " } ?? "")\(bad.file.name.shortened(to: 200)): \(bad.reason)\(other)"
    }
    if bad.count > mostListed { lines.append("       and \(bad.count - mostListed) more") }
    let isAll = bad.count == count
    guard missing < bad.count else {
      return Failure(
        .badInput, "\(bad.count) of \(count) images in '\(source)' are not there.",
        why: "these files do not exist:\n" + lines.joined(separator: "\n"),
        fix: "correct the paths, which are relative to the folder of the table, or restore the files.")
    }
    return Failure(
      .badInput, "\(bad.count) of \(count) images in '\(source)' cannot be read.",
      why: "these files are damaged, or not JPEG or PNG:\n" + lines.joined(separator: "\n"),
      fix: isAll
        ? "check whether this is the right folder; JPEG and PNG are read."
        : "replace or remove them, or skip them with --on-bad-image skip.")
  }

  /// A file with the same name but for capitals, where a path leads to nothing.
  private static func otherCapitals(_ path: String) -> String? {
    guard FileBytes.kind(of: path) == .missing, let slash = path.lastIndex(of: "/") else { return nil }
    let folder = String(path[..<slash]), name = path[path.index(after: slash)...].lowercased()
    return (try? FileBytes.names(in: folder))?.first { $0.lowercased() == name }
  }

  /// The results of `body` for 0..<count, in order, computed in several threads.
  ///
  /// - Throws: where the process was asked to stop.
  private static func parallel<Result: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
  ) throws -> [Result] {
    let chunks = max(1, min(threads, count)), parts = Mutex([[Result]](repeating: [], count: chunks))
    @Sendable func compute(_ chunk: Int) {
      let range = count * chunk / chunks..<count * (chunk + 1) / chunks
      var part: [Result] = []
      part.reserveCapacity(range.count)
      for index in range where StopRequest.kind == nil { part.append(body(index)) }
      parts.withLock { $0[chunk] = part }
    }
    if chunks > 1 { DispatchQueue.concurrentPerform(iterations: chunks, execute: compute) } else { compute(0) }
    try StopRequest.check("the images were not read.")
    return parts.withLock { Array($0.joined()) }
  }
}
