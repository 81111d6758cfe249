/// The image formats that are read.
public enum ImageFormat: Sendable, Equatable {
  case jpeg
  case png
  case webp
  /// HEIC and AVIF, where libheif is on the machine.
  case heif

  /// The names of all, for messages.
  public static let names = "JPEG, PNG, WebP, HEIC and AVIF"

  /// The format that the first bytes of a file belong to.
  public init?(_ bytes: some Collection<UInt8>) {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webp
    } else if HEIF.recognizes(bytes) {
      self = .heif
    } else {
      return nil
    }
  }
}

/// What the head of an image file says, read without decoding the image.
public struct ImageHeader: Sendable, Equatable {
  /// The number of rows of pixels in the file, H.
  public let height: Int
  /// The number of columns of pixels in the file, W.
  public let width: Int
  /// Whether the image has no colour.
  public let isGrey: Bool
  /// How the pixels lie to what is seen, as far as these bytes tell.
  public let orientation: Orientation

  /// Reads the head of an image file; a few kilobytes from the start usually suffice.
  ///
  /// - Returns: nil when the head is not among these bytes, or is wrong.
  public init?(_ bytes: [UInt8]) {
    switch ImageFormat(bytes) {
    case .png: self.init(png: bytes)
    case .jpeg: self.init(jpeg: bytes)
    case .webp: self.init(size: WebP.size(bytes), Orientation(of: bytes))
    case .heif: self.init(size: HEIF.size(bytes), .upright)
    case nil: return nil
    }
  }

  private init?(size: (width: Int, height: Int)?, _ orientation: Orientation) {
    guard let size else { return nil }
    (width, height, isGrey, self.orientation) = (size.width, size.height, false, orientation)
  }

  private init?(png bytes: [UInt8]) {
    guard bytes.count >= 26, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
    func word(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    (width, height) = (word(16), word(20))
    isGrey = bytes[25] == 0 || bytes[25] == 4
    orientation = Orientation(of: bytes)
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
        orientation = Orientation(of: bytes)
        guard width > 0 && height > 0 else { return nil }
        return
      }
      guard marker != 0xD9, marker != 0xDA else { return nil }
      position += 2 + max(2, Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]))
    }
    return nil
  }
}
