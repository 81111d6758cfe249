import CTurboJPEG
import Failures

/// JPEG files through libjpeg-turbo.
public enum JPEG {
  /// Refuses progressive files with hundreds of scans, which take a minute each to decode and hold nothing.
  private static let scanLimit = Int32(TJFLAG_LIMITSCANS)

  /// Decodes a file; warnings of the decoder (cut-off or corrupt data) are failures.
  static func decode(_ bytes: [UInt8], name: String) throws -> Image {
    guard let decoder = tjInitDecompress() else {
      throw Failure(
        .outOfMemory, "the JPEG decoder could not start.", why: "out of memory.", fix: "close other programs."
      )
    }
    defer { tjDestroy(decoder) }
    var (width, height, subsampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    let size = UInt(bytes.count)
    guard tjDecompressHeader3(decoder, bytes, size, &width, &height, &subsampling, &colours) == 0, width > 0, height > 0
    else {
      throw damaged(name, decoder)
    }
    guard Int(width) * Int(height) <= Image.mostPixels else { throw Image.tooLarge(name, Int(width), Int(height)) }
    guard colours != Int32(TJCS_CMYK.rawValue), colours != Int32(TJCS_YCCK.rawValue) else {
      throw Failure(
        .badInput, "'\(name)' is a CMYK image, made for printing.", why: "only grey and RGB images are supported.",
        fix: "convert it to RGB, or remove it.")
    }
    let isGrey = colours == Int32(TJCS_GRAY.rawValue)
    let format = Int32(isGrey ? TJPF_GRAY.rawValue : TJPF_RGB.rawValue)
    let channels = isGrey ? 1 : 3
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * channels)
    guard tjDecompress2(decoder, bytes, size, &pixels, width, 0, height, format, scanLimit) == 0 else {
      throw damaged(name, decoder)
    }
    return Image(height: Int(height), width: Int(width), channels: channels, pixels: pixels)
  }

  /// An image as a JPEG file, colours at half the resolution.
  ///
  /// - Parameter quality: 1…100.
  /// - Throws: `.outOfMemory`.
  public static func encode(_ image: Image, quality: Int = 85) throws -> [UInt8] {
    precondition((1...100).contains(quality), "a JPEG quality of \(quality)")
    let noMemory = Failure(
      .outOfMemory, "the JPEG encoder could not continue.", why: "out of memory.", fix: "close other programs.")
    guard let encoder = tjInitCompress() else { throw noMemory }
    defer { tjDestroy(encoder) }
    let format = Int32(image.channels == 1 ? TJPF_GRAY.rawValue : TJPF_RGB.rawValue)
    let subsampling = Int32(image.channels == 1 ? TJSAMP_GRAY.rawValue : TJSAMP_420.rawValue)
    var (buffer, size): (UnsafeMutablePointer<UInt8>?, UInt) = (nil, 0)
    defer { tjFree(buffer) }
    guard
      tjCompress2(
        encoder, image.pixels, Int32(image.width), 0, Int32(image.height), format, &buffer, &size, subsampling,
        Int32(quality), 0) == 0, let buffer
    else { throw noMemory }
    return [UInt8](UnsafeBufferPointer(start: buffer, count: Int(size)))
  }

  private static func damaged(_ name: String, _ decoder: tjhandle) -> Failure {
    Failure(
      .badInput, "'\(name)' is a damaged JPEG image.",
      why: "libjpeg-turbo says: \(String(cString: tjGetErrorStr2(decoder))).",
      fix: "replace or remove the image.")
  }
}

extension Image {
  static func tooLarge(_ name: String, _ width: Int, _ height: Int) -> Failure {
    Failure(
      .badInput, "'\(name)' is too large: \(width) by \(height) pixels.",
      why: "at most \(mostPixels) pixels are decoded.",
      fix: "make it smaller, or remove it.")
  }
}
