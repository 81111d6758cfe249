import CWebP
import Failures

/// WebP files through libwebp.
enum WebP {
  /// Decodes a file to RGB; transparency is laid over white.
  static func decode(_ bytes: [UInt8], name: String) throws -> Image {
    var features = WebPBitstreamFeatures()
    guard WebPGetFeatures(bytes, bytes.count, &features) == VP8_STATUS_OK else { throw damaged(name) }
    guard features.has_animation == 0 else {
      throw Failure(
        .badInput, "'\(name)' is an animated WebP image.", why: "it has several frames; only still images are read.",
        fix: "save one frame as an image of its own, or remove it.")
    }
    let (width, height) = (Int(features.width), Int(features.height))
    guard width * height <= Image.mostPixels else { throw Image.tooLarge(name, width, height) }
    let values = features.has_alpha == 0 ? 3 : 4
    var pixels = [UInt8](repeating: 0, count: width * height * values)
    let row = Int32(width * values)
    let result =
      values == 3
      ? WebPDecodeRGBInto(bytes, bytes.count, &pixels, pixels.count, row)
      : WebPDecodeRGBAInto(bytes, bytes.count, &pixels, pixels.count, row)
    guard result != nil else { throw damaged(name) }
    return Image(
      height: height, width: width, channels: 3,
      pixels: values == 3 ? pixels : Image.overWhite(pixels, channels: 3))
  }

  /// Width and height; nil when the head is not among these bytes, or is wrong.
  static func size(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
    var features = WebPBitstreamFeatures()
    guard WebPGetFeatures(bytes, bytes.count, &features) == VP8_STATUS_OK else { return nil }
    return (Int(features.width), Int(features.height))
  }

  private static func damaged(_ name: String) -> Failure {
    Failure(
      .badInput, "'\(name)' is a damaged WebP image.", why: "libwebp cannot decode it: it is truncated or corrupt.",
      fix: "replace or remove the image.")
  }
}
