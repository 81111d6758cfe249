import FileFormats
import Images

/// Images of one size, as bytes: [N, H, W, C], channels last.
///
/// Or features in their place, as floats: [N, 1, 1, C].
public struct ImageSet: Sendable, Equatable {
  /// What one value is.
  public enum Element: Sendable {
    /// A pixel's brightness, 0…255.
    case byte
    /// Any number.
    case float32

    /// Bytes of a value.
    var byteCount: Int { self == .byte ? 1 : 4 }
  }

  /// The number of images, N.
  public let count: Int
  /// The number of rows of each, H.
  public let height: Int
  /// The number of columns of each, W.
  public let width: Int
  /// 1 for grey, 3 for red, green and blue.
  public let channels: Int
  /// What the values are.
  public let element: Element
  /// The values [N, H, W, C], as they lie in memory.
  public let pixels: [UInt8]

  /// The images with these values [N, H, W, C].
  public init(count: Int, height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    precondition(
      pixels.count == count * height * width * channels,
      "[\(count), \(height), \(width), \(channels)] with \(pixels.count) values")
    (self.count, self.height, self.width, self.channels) = (count, height, width, channels)
    (self.pixels, element) = (pixels, .byte)
  }

  /// Features [N, C] in place of images.
  public init(features: [Float], width: Int) {
    precondition(width > 0 && features.count % width == 0, "\(features.count) values are no rows of \(width)")
    (count, height, self.width, channels) = (features.count / width, 1, 1, width)
    (pixels, element) = (features.withUnsafeBytes { Array($0) }, .float32)
  }

  /// A part of other images.
  private init(_ images: ImageSet, count: Int, _ pixels: [UInt8]) {
    (self.count, height, width, channels) = (count, images.height, images.width, images.channels)
    (self.pixels, element) = (pixels, images.element)
  }

  /// The number of values of one image, H · W · C.
  public var imageSize: Int { height * width * channels }

  /// The bytes of all images, which an outline has not.
  public var byteCount: Int { count * imageByteCount }

  private var imageByteCount: Int { imageSize * element.byteCount }

  /// Images of another size without any pixels: for what only counts memory.
  private init(outlineOf images: ImageSet, _ size: PixelSize) {
    (count, height, width, channels) = (images.count, size.height, size.width, images.channels)
    (pixels, element) = ([], images.element)
  }

  /// As many images of another size, without their pixels: for what only counts memory.
  func outline(_ size: PixelSize) -> ImageSet { ImageSet(outlineOf: self, size) }

  /// Checks that so many images fit into memory.
  ///
  /// - Throws: `.outOfMemory`, with the largest size that fits.
  static func requireMemory(count: Int, of size: PixelSize, channels: Int, source: String) throws {
    let (total, overflow) = (size.width * size.height * channels).multipliedReportingOverflow(by: count)
    // The device keeps a second copy of them.
    try MemoryLimit.require(
      overflow || total > Int.max / 2 ? Int.max : 2 * total,
      for: "the set of \(count) images of \(size.text) pixels in '\(source)'",
      fix: fix(room: MemoryLimit.available / 2 / max(1, count * channels), size))
  }

  /// The option that makes images fit.
  ///
  /// - Parameter room: pixels that there is room for in each image.
  private static func fix(room: Int, _ size: PixelSize) -> String {
    size.smaller.first { $0.width * $0.height <= room }.map { "use --image-size \($0.option) or smaller." }
      ?? "no --image-size makes them fit: use fewer images, or raise the limit (ulimit -v)."
  }

  /// One image.
  public func image(_ index: Int) -> Image {
    precondition(element == .byte, "features are no image")
    let start = index * imageSize
    return Image(height: height, width: width, channels: channels, pixels: Array(pixels[start..<start + imageSize]))
  }

  /// The images in grey (one channel) or in colour (three).
  ///
  /// Grey becomes three equal channels; colour becomes its luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded.
  public func converted(channels wanted: Int) -> ImageSet {
    precondition(element == .byte, "features have no colour")
    precondition(wanted == 1 || wanted == 3, "\(wanted) channels")
    guard wanted != channels else { return self }
    var values: [UInt8] = []
    values.reserveCapacity(count * height * width * wanted)
    if wanted == 3 {
      for value in pixels { values += [value, value, value] }
    } else {
      for start in stride(from: 0, to: pixels.count, by: 3) {
        let (red, green, blue) = (Int(pixels[start]), Int(pixels[start + 1]), Int(pixels[start + 2]))
        values.append(UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000))
      }
    }
    return ImageSet(count: count, height: height, width: width, channels: wanted, pixels: values)
  }

  /// These images and then others of the same size.
  func followed(by others: ImageSet) -> ImageSet {
    precondition(
      (height, width, channels) == (others.height, others.width, others.channels), "images of different sizes")
    return ImageSet(
      count: count + others.count, height: height, width: width, channels: channels, pixels: pixels + others.pixels)
  }

  /// The first `count` images.
  public func first(_ count: Int) -> ImageSet {
    guard count < self.count else { return self }
    return ImageSet(self, count: count, Array(pixels[..<(count * imageByteCount)]))
  }

  /// The images with these indices, in this order.
  public func selecting(_ indices: [Int32]) -> ImageSet {
    var chosen: [UInt8] = []
    let size = imageByteCount
    chosen.reserveCapacity(indices.count * size)
    for index in indices { chosen += pixels[Int(index) * size..<(Int(index) + 1) * size] }
    return ImageSet(self, count: indices.count, chosen)
  }
}
