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

  /// Decodes a whole JPEG, PNG, WebP, HEIC or AVIF file, told apart by its first bytes.
  ///
  /// 16-bit values keep their upper 8 bits; transparent pixels are laid over white; palettes are resolved; CMYK becomes
  /// RGB; the image is turned as its EXIF orientation says.
  ///
  /// - Parameter name: how failures name the file.
  /// - Throws: `.badInput` for other formats, damaged or cut-off files, animations, and more than `mostPixels`.
  public init(decoding bytes: [UInt8], name: String) throws {
    self = try ImageDecoder().decode(bytes, name: name).image
  }

  /// RGBA values over a white ground, rounded.
  static func overWhite(_ values: [UInt8], channels: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: values.count / 4 * channels) { buffer, count in
      for pixel in stride(from: 0, to: values.count, by: 4) {
        let alpha = Int(values[pixel + 3])
        for channel in 0..<channels {
          let value = Int(values[pixel + channel])
          buffer[count] = alpha == 255 ? UInt8(value) : UInt8((value * alpha + 255 * (255 - alpha) + 127) / 255)
          count += 1
        }
      }
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
