import CTurboJPEG
import Failures

/// JPEG files through libjpeg-turbo.
public enum JPEG {
  /// Refuses progressive files with hundreds of scans, which take a minute each to decode and hold nothing.
  private static let scanLimit = Int32(TJFLAG_LIMITSCANS)

  /// Decodes a file.
  ///
  /// CMYK, as Adobe's programs write it, becomes (255 - c) · (255 - k) / 255 and so on, rounded, as Pillow does.
  ///
  /// - Parameters:
  ///   - denominator: 1, 2, 4 or 8: both sides become so many times shorter, rounded up.
  ///   - repairs: whether the decoder's warnings (cut-off or corrupt data) are returned, not thrown.
  /// - Returns: the image, and what the decoder found wrong with the file.
  static func decode(
    _ bytes: [UInt8], name: String, denominator: (_ width: Int, _ height: Int) -> Int, repairs: Bool
  ) throws -> (image: Image, warning: String?) {
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
    let divisor = Int32(denominator(Int(width), Int(height)))
    (width, height) = ((width + divisor - 1) / divisor, (height + divisor - 1) / divisor)
    let isGrey = colours == Int32(TJCS_GRAY.rawValue)
    let isPrint = colours == Int32(TJCS_CMYK.rawValue) || colours == Int32(TJCS_YCCK.rawValue)
    let format = Int32((isGrey ? TJPF_GRAY : isPrint ? TJPF_CMYK : TJPF_RGB).rawValue)
    let channels = isGrey ? 1 : 3
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * (isPrint ? 4 : channels))
    var warning: String?
    if tjDecompress2(decoder, bytes, size, &pixels, width, 0, height, format, scanLimit) != 0 {
      let text = String(cString: tjGetErrorStr2(decoder))
      let isWhole = text.contains("extraneous bytes before marker 0xd9")
      guard tjGetErrorCode(decoder) == Int32(TJERR_WARNING.rawValue), repairs || isWhole else {
        throw damaged(name, decoder)
      }
      // Bytes between the last pixel and the end mark, which nobody misses.
      if !isWhole { warning = "libjpeg-turbo says: \(text)." }
    }
    let image = Image(
      height: Int(height), width: Int(width), channels: channels, pixels: isPrint ? fromPrint(pixels) : pixels)
    return (image, warning)
  }

  /// Inverted cyan, magenta, yellow and black as red, green and blue: the light that is left of the paper's white.
  private static func fromPrint(_ values: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: values.count / 4 * 3) { buffer, count in
      for pixel in stride(from: 0, to: values.count, by: 4) {
        let white = Int(values[pixel + 3])
        for channel in 0..<3 {
          // Division by 255, rounded, in integers.
          let product = (255 - Int(values[pixel + channel])) * white + 128
          buffer[count] = UInt8(max(0, white - (product >> 8 + product) >> 8))
          count += 1
        }
      }
    }
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
