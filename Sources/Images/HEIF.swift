import CHEIF
import Failures

/// HEIC and AVIF files through libheif, where it is on the machine.
enum HEIF {
  /// libheif's functions; nil where it cannot be opened, or lacks one.
  private static let functions: HEIFFunctions? = {
    for name in ["libheif.so.1", "libheif.so", "libheif.1.dylib", "libheif.dylib"] {
      guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
      var functions = HEIFFunctions()
      return heif_find_functions(library, &functions) == nil ? functions : nil
    }
    return nil
  }()

  /// Whether the first bytes of a file name one of the brands of still images (ISO/IEC 23008-12, annex B).
  static func recognizes(_ bytes: some Collection<UInt8>) -> Bool {
    let start = Array(bytes.prefix(12))
    guard start.count == 12, start[4..<8].elementsEqual("ftyp".utf8) else { return false }
    let brands = ["heic", "heix", "heim", "heis", "hevc", "mif1", "avif"]
    return brands.contains { start[8..<12].elementsEqual($0.utf8) }
  }

  /// Decodes the file's primary image to RGB, turned as the file says; transparency is laid over white.
  static func decode(_ bytes: [UInt8], name: String) throws -> Image {
    guard let functions else {
      throw Failure(
        .badInput, "'\(name)' is a HEIC or AVIF image.", why: "reading it takes libheif, which is not on this machine.",
        fix: "install it (Debian: apt-get install libheif1), or convert the image to JPEG.")
    }
    return try withHandle(bytes, name, functions) { handle in
      let (width, height) = size(of: handle, functions)
      guard width > 0, height > 0 else { throw damaged(name, "it has no pixels") }
      guard width * height <= Image.mostPixels else { throw Image.tooLarge(name, width, height) }
      let isOpaque = functions.image_handle_has_alpha_channel(handle) == 0
      let chroma = isOpaque ? HEIF_CHROMA_RGB : HEIF_CHROMA_RGBA
      var decoded: UnsafeMutableRawPointer?
      try check(
        functions.decode_image(handle, &decoded, Int32(HEIF_COLORSPACE_RGB), Int32(chroma), nil), name)
      guard let decoded else { throw damaged(name, "it has no pixels") }
      defer { functions.image_release(decoded) }
      let channel = Int32(HEIF_CHANNEL_INTERLEAVED)
      let columns = Int(functions.image_get_width(decoded, channel))
      let rows = Int(functions.image_get_height(decoded, channel))
      var stride: Int32 = 0
      guard columns > 0, rows > 0, columns * rows <= Image.mostPixels,
        let plane = functions.image_get_plane_readonly(decoded, channel, &stride)
      else { throw damaged(name, "it has no pixels") }
      let row = columns * (isOpaque ? 3 : 4)
      let values = [UInt8](unsafeUninitializedCapacity: rows * row) { buffer, count in
        for y in 0..<rows {
          for column in 0..<row { buffer[y * row + column] = plane[y * Int(stride) + column] }
        }
        count = rows * row
      }
      return Image(
        height: rows, width: columns, channels: 3, pixels: isOpaque ? values : Image.overWhite(values, channels: 3))
    }
  }

  /// Width and height as they are seen; nil when the head is not among these bytes, or libheif is not there.
  static func size(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
    guard let functions else { return nil }
    let found = try? withHandle(bytes, "", functions) { handle in Self.size(of: handle, functions) }
    return found.flatMap { $0.width > 0 && $0.height > 0 ? $0 : nil }
  }

  private static func size(of handle: UnsafeRawPointer, _ functions: HEIFFunctions) -> (width: Int, height: Int) {
    (Int(functions.image_handle_get_width(handle)), Int(functions.image_handle_get_height(handle)))
  }

  /// Calls `body` with the handle of the file's primary image.
  private static func withHandle<Result>(
    _ bytes: [UInt8], _ name: String, _ functions: HEIFFunctions, _ body: (UnsafeRawPointer) throws -> Result
  ) throws -> Result {
    guard let context = functions.context_alloc() else {
      throw Failure(.outOfMemory, "libheif could not start.", why: "out of memory.", fix: "close other programs.")
    }
    defer { functions.context_free(context) }
    // The library reads from these bytes until the context is freed.
    return try bytes.withUnsafeBytes { buffer in
      try check(
        functions.context_read_from_memory_without_copy(context, buffer.baseAddress, buffer.count, nil), name)
      var handle: UnsafeMutableRawPointer?
      try check(functions.context_get_primary_image_handle(context, &handle), name)
      guard let handle else { throw damaged(name, "it has no primary image") }
      defer { functions.image_handle_release(handle) }
      return try body(handle)
    }
  }

  private static func check(_ error: HEIFError, _ name: String) throws {
    guard error.code != 0 else { return }
    throw damaged(name, "libheif says: \(error.message.map { String(cString: $0) } ?? "error \(error.code)")")
  }

  private static func damaged(_ name: String, _ why: String) -> Failure {
    Failure(
      .badInput, "'\(name)' is a HEIC or AVIF image that cannot be decoded.", why: why + ".",
      fix: "replace the image, convert it to JPEG, or remove it.")
  }
}
