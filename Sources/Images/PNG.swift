import CSPNG
import Failures

/// PNG files through libspng.
public enum PNG {
  /// Decodes a file to grey where it is stored as grey, else to RGB; transparency is laid over white.
  static func decode(_ bytes: [UInt8], name: String) throws -> Image {
    guard let context = spng_ctx_new(0) else { throw noMemory }
    defer { spng_ctx_free(context) }
    // The decoder reads from its own copy's address, so the buffer must outlive every call.
    return try bytes.withUnsafeBytes { buffer in
      try check(spng_set_image_limits(context, UInt32(Image.mostPixels), UInt32(Image.mostPixels)), name)
      try check(spng_set_chunk_limits(context, 1 << 26, 1 << 26), name)
      try check(spng_set_png_buffer(context, buffer.baseAddress, buffer.count), name)
      var header = spng_ihdr()
      try check(spng_get_ihdr(context, &header), name)
      let (width, height) = (Int(header.width), Int(header.height))
      guard width * height <= Image.mostPixels else { throw Image.tooLarge(name, width, height) }
      var values = [UInt8](repeating: 0, count: width * height * 4)
      let flags = Int32(SPNG_DECODE_TRNS.rawValue)
      try check(spng_decode_image(context, &values, values.count, Int32(SPNG_FMT_RGBA8.rawValue), flags), name)
      // Reads on to the end mark, so that a file cut off behind the pixels is noticed.
      try check(spng_decode_chunks(context), name)
      let type = UInt32(header.color_type)
      let isGrey = type == SPNG_COLOR_TYPE_GRAYSCALE.rawValue || type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA.rawValue
      return Image(
        height: height, width: width, channels: isGrey ? 1 : 3,
        pixels: Image.overWhite(values, channels: isGrey ? 1 : 3))
    }
  }

  /// An image as a PNG file.
  ///
  /// - Throws: `.outOfMemory`.
  public static func encode(_ image: Image) throws -> [UInt8] {
    guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else { throw noMemory }
    defer { spng_ctx_free(context) }
    var header = spng_ihdr()
    (header.width, header.height, header.bit_depth) = (UInt32(image.width), UInt32(image.height), 8)
    header.color_type = UInt8(
      image.channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE.rawValue : SPNG_COLOR_TYPE_TRUECOLOR.rawValue)
    try check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1), "a PNG image")
    try check(spng_set_ihdr(context, &header), "a PNG image")
    let flags = Int32(SPNG_ENCODE_FINALIZE.rawValue)
    try check(
      spng_encode_image(context, image.pixels, image.pixels.count, Int32(SPNG_FMT_PNG.rawValue), flags), "a PNG image"
    )
    var (count, status): (Int, Int32) = (0, 0)
    guard let buffer = spng_get_png_buffer(context, &count, &status) else { throw noMemory }
    defer { release(buffer) }
    return [UInt8](UnsafeRawBufferPointer(start: buffer, count: count))
  }

  private static var noMemory: Failure {
    Failure(
      .outOfMemory, "the PNG library could not continue.", why: "out of memory.", fix: "close other programs.")
  }

  private static func check(_ status: Int32, _ name: String) throws {
    guard status != 0 else { return }
    throw Failure(
      .badInput, "'\(name)' is a damaged PNG image.", why: "libspng says: \(String(cString: spng_strerror(status))).",
      fix: "replace or remove the image.")
  }
}
