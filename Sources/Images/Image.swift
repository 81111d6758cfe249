import Failures

/// An image of bytes: grey (one channel) or red, green and blue (three), rows from the top, channels last.
public struct Image: Sendable, Equatable {
  /// The number of rows, H.
  public let height: Int
  /// The number of columns, W.
  public let width: Int
  /// 1 or 3.
  public let channels: Int
  /// The values [H, W, C].
  public let pixels: [UInt8]

  /// An image with these values [H, W, C].
  public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    precondition(
      height > 0 && width > 0 && (channels == 1 || channels == 3), "an image [\(height), \(width), \(channels)]")
    precondition(
      pixels.count == height * width * channels, "[\(height), \(width), \(channels)] with \(pixels.count) values")
    (self.height, self.width, self.channels, self.pixels) = (height, width, channels, pixels)
  }

  /// The most pixels that an image may have: 64 × 2^20.
  public static let mostPixels = 64 << 20

  /// Decodes a JPEG or PNG file, told apart by its first bytes.
  ///
  /// 16-bit values keep their upper 8 bits; transparent pixels are laid over white; palettes are resolved. An
  /// orientation noted beside the image (EXIF) is not applied.
  ///
  /// - Parameter name: how failures name the file.
  /// - Throws: `.badInput` for other formats, damaged or cut-off files, CMYK, and more than `mostPixels`.
  public init(decoding bytes: [UInt8], name: String) throws {
    switch ImageFormat(bytes) {
    case .jpeg: self = try JPEG.decode(bytes, name: name)
    case .png: self = try PNG.decode(bytes, name: name)
    case nil:
      throw Failure(
        .badInput, "'\(name)' is not a JPEG or PNG image.",
        why: bytes.isEmpty ? "the file is empty." : "its first bytes match neither format.",
        fix: "convert it to PNG, or remove it.")
    }
  }

  /// The same image with three channels.
  public var inColour: Image {
    guard channels == 1 else { return self }
    let pixels = [UInt8](unsafeUninitializedCapacity: self.pixels.count * 3) { buffer, count in
      for value in self.pixels {
        (buffer[count], buffer[count + 1], buffer[count + 2]) = (value, value, value)
        count += 3
      }
    }
    return Image(height: height, width: width, channels: 3, pixels: pixels)
  }
}

/// The image formats that are read.
public enum ImageFormat: Sendable, Equatable {
  case jpeg
  case png

  /// The format that the first bytes of a file belong to.
  public init?(_ bytes: some Collection<UInt8>) {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else {
      return nil
    }
  }
}

/// What the head of an image file says, read without decoding the image.
public struct ImageHeader: Sendable, Equatable {
  /// The number of rows, H.
  public let height: Int
  /// The number of columns, W.
  public let width: Int
  /// Whether the image has no colour.
  public let isGrey: Bool

  /// Reads the head of a JPEG or PNG file; a few kilobytes from the start usually suffice.
  ///
  /// - Returns: nil when the head is not among these bytes, or is wrong.
  public init?(_ bytes: [UInt8]) {
    switch ImageFormat(bytes) {
    case .png: self.init(png: bytes)
    case .jpeg: self.init(jpeg: bytes)
    case nil: return nil
    }
  }

  private init?(png bytes: [UInt8]) {
    guard bytes.count >= 26, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
    func word(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    (width, height) = (word(16), word(20))
    isGrey = bytes[25] == 0 || bytes[25] == 4
    guard width > 0 && height > 0 else { return nil }
  }

  /// Walks over the markers to the start-of-frame one (ITU T.81, section B.2.2).
  private init?(jpeg bytes: [UInt8]) {
    var position = 2
    while position + 9 < bytes.count {
      guard bytes[position] == 0xFF else { return nil }
      let marker = bytes[position + 1]
      if marker == 0xFF || marker == 0x01 || (0xD0...0xD8).contains(marker) {
        position += marker == 0xFF ? 1 : 2
        continue
      }
      if (0xC0...0xCF).contains(marker), marker != 0xC4, marker != 0xC8, marker != 0xCC {
        height = Int(bytes[position + 5]) << 8 | Int(bytes[position + 6])
        width = Int(bytes[position + 7]) << 8 | Int(bytes[position + 8])
        isGrey = bytes[position + 9] == 1
        guard width > 0 && height > 0 else { return nil }
        return
      }
      guard marker != 0xD9, marker != 0xDA else { return nil }
      position += 2 + max(2, Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]))
    }
    return nil
  }
}
