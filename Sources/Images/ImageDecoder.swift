import Failures

/// How image files are decoded.
public struct ImageDecoder: Sendable {
  /// A size that the image is brought to afterwards.
  public struct Target: Sendable {
    /// The size, and how other shapes are brought to it.
    public var width: Int, height: Int, fit: ImageFit

    /// A size.
    public init(width: Int, height: Int, fit: ImageFit) {
      (self.width, self.height, self.fit) = (width, height, fit)
    }
  }

  /// What the image is brought to afterwards, if that allows to decode less of it; nil for the whole image.
  public var target: Target?
  /// Whether the image is turned as its EXIF orientation says.
  public var turns = true
  /// Whether a damaged JPEG file is decoded as far as libjpeg-turbo can: what is missing is grey.
  public var repairs = false

  /// A decoder of whole images, which turns them and refuses damaged files.
  public init() {}

  /// Decodes a file.
  ///
  /// JPEG files are decoded at 1/2, 1/4 or 1/8 of their size where the image remains at least twice as large as the
  /// target wants it: of a telephone's photograph, 1/64 of the pixels.
  ///
  /// - Parameter name: how failures name the file.
  /// - Returns: the image, and what was wrong with a file that was repaired.
  /// - Throws: `.badInput` for other formats, damaged or cut-off files, animations, and more than `Image.mostPixels`.
  public func decode(_ bytes: [UInt8], name: String) throws -> (image: Image, repair: String?) {
    let orientation = turns ? Orientation(of: bytes) : .upright
    let image: Image, repair: String?
    switch ImageFormat(bytes) {
    case .jpeg:
      (image, repair) = try JPEG.decode(
        bytes, name: name, denominator: { denominator(width: $0, height: $1, orientation) }, repairs: repairs)
    case .png: (image, repair) = (try PNG.decode(bytes, name: name), nil)
    case .webp: (image, repair) = (try WebP.decode(bytes, name: name), nil)
    case .heif: (image, repair) = (try HEIF.decode(bytes, name: name), nil)
    case nil:
      throw Failure(
        .badInput, "'\(name)' is not a \(ImageFormat.names.replacing(" and ", with: " or ")) image.",
        why: bytes.isEmpty ? "the file is empty." : "its first bytes match none of these formats.",
        fix: "convert it to PNG, or remove it.")
    }
    return (image.turned(from: orientation), repair)
  }

  /// The largest denominator that leaves twice the pixels that are wanted on both axes.
  private func denominator(width: Int, height: Int, _ orientation: Orientation) -> Int {
    guard let target else { return 1 }
    let (across, down) = orientation.swapsSides ? (target.height, target.width) : (target.width, target.height)
    let scale = target.fit.scale(width: width, height: height, toWidth: across, toHeight: down)
    return [8, 4, 2].first { Double($0) * 2 * scale <= 1 } ?? 1
  }
}
