/// How the pixels of a file lie to what is seen: EXIF's tag 0x0112, which a camera writes instead of turning the pixels.
public enum Orientation: Int, Sendable, CaseIterable {
  case upright = 1
  case mirrored = 2
  case upsideDown = 3
  case flipped = 4
  case transposed = 5
  /// To be turned by a quarter clockwise.
  case clockwise = 6
  case transversed = 7
  /// To be turned by a quarter counterclockwise.
  case counterclockwise = 8

  /// Whether width and height change places.
  public var swapsSides: Bool { rawValue >= 5 }

  /// The orientation that an image file notes; upright where there is none, or none that can be read.
  init(of bytes: [UInt8]) {
    self = Self.block(of: bytes).flatMap { Self.init(exif: bytes[$0]) } ?? .upright
  }

  /// Reads the first directory of a TIFF structure (EXIF 2.32, section 4.6.2); nil where it has no valid tag.
  private init?(exif: ArraySlice<UInt8>) {
    let start = exif.startIndex
    guard exif.count >= 8 else { return nil }
    let isLittle = exif[start] == 0x49
    guard isLittle ? exif[start + 1] == 0x49 : exif[start] == 0x4D && exif[start + 1] == 0x4D else { return nil }
    func number(_ at: Int, bytes: Int) -> Int? {
      guard at >= 0, at + bytes <= exif.count else { return nil }
      let range = exif[(start + at)..<(start + at + bytes)]
      return isLittle ? range.reversed().reduce(0) { $0 << 8 | Int($1) } : range.reduce(0) { $0 << 8 | Int($1) }
    }
    guard number(2, bytes: 2) == 42, let directory = number(4, bytes: 4), let count = number(directory, bytes: 2) else {
      return nil
    }
    for entry in 0..<count {
      let at = directory + 2 + 12 * entry
      guard let tag = number(at, bytes: 2) else { return nil }
      guard tag == 0x0112 else { continue }
      // A short, as the standard says; some programs write a long.
      let value = number(at + 2, bytes: 2) == 4 ? number(at + 8, bytes: 4) : number(at + 8, bytes: 2)
      self.init(rawValue: value ?? 0)
      return
    }
    return nil
  }

  /// Where the TIFF structure lies in a file.
  private static func block(of bytes: [UInt8]) -> Range<Int>? {
    switch ImageFormat(bytes) {
    case .jpeg: jpegBlock(bytes)
    case .png: chunk("eXIf", in: bytes, from: 8, bigEndian: true)
    case .webp: chunk("EXIF", in: bytes, from: 12, bigEndian: false).map { withoutMark(bytes, $0) }
    // The file has its own transformations, which libheif applies; EXIF's may repeat them.
    case .heif, nil: nil
    }
  }

  /// The first application segment that is marked as EXIF's, before the image data (ITU T.81, section B.1.1.4).
  private static func jpegBlock(_ bytes: [UInt8]) -> Range<Int>? {
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xFF {
      let marker = bytes[position + 1]
      if marker == 0xFF || marker == 0x01 || (0xD0...0xD8).contains(marker) {
        position += marker == 0xFF ? 1 : 2
        continue
      }
      guard marker != 0xD9, marker != 0xDA else { return nil }
      let end = position + 2 + max(2, Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]))
      if marker == 0xE1, end <= bytes.count {
        let range = position + 4..<end, rest = withoutMark(bytes, range)
        if rest != range { return rest }
      }
      position = end
    }
    return nil
  }

  /// What follows the mark `Exif`, 0, 0, which JPEG needs and some WebP files have, too.
  private static func withoutMark(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
    bytes[range].starts(with: Array("Exif".utf8) + [0, 0]) ? range.lowerBound + 6..<range.upperBound : range
  }

  /// The contents of the first chunk with this name: length and name in PNG (and a checksum behind), name and length,
  /// padded to even, in RIFF.
  private static func chunk(_ name: String, in bytes: [UInt8], from start: Int, bigEndian: Bool) -> Range<Int>? {
    var position = start
    while position + 8 <= bytes.count {
      let first = bytes[position..<position + 4], second = bytes[position + 4..<position + 8]
      let length =
        bigEndian ? first.reduce(0) { $0 << 8 | Int($1) } : second.reversed().reduce(0) { $0 << 8 | Int($1) }
      let end = position + 8 + length
      guard end <= bytes.count else { return nil }
      if (bigEndian ? second : first).elementsEqual(name.utf8) { return position + 8..<end }
      position = bigEndian ? end + 4 : end + length % 2
    }
    return nil
  }
}

extension Image {
  /// The image as it is to be seen, with the pixels of a file that has this orientation.
  public func turned(from orientation: Orientation) -> Image {
    guard orientation != .upright else { return self }
    let (W, H, C) = (width, height, channels)
    let width = orientation.swapsSides ? H : W, height = orientation.swapsSides ? W : H
    // The place in the file of the pixel at the left top, and the steps to the next one to the right and downwards.
    let (first, right, down): (Int, Int, Int) =
      switch orientation {
      case .upright: (0, 1, W)
      case .mirrored: (W - 1, -1, W)
      case .upsideDown: (H * W - 1, -1, -W)
      case .flipped: ((H - 1) * W, 1, -W)
      case .transposed: (0, W, 1)
      case .clockwise: ((H - 1) * W, -W, 1)
      case .transversed: (H * W - 1, -W, -1)
      case .counterclockwise: (W - 1, W, -1)
      }
    let pixels = [UInt8](unsafeUninitializedCapacity: self.pixels.count) { buffer, count in
      self.pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<height {
          var place = (first + y * down) * C
          for _ in 0..<width {
            for channel in 0..<C { buffer[count + channel] = pixels[place + channel] }
            count += C
            place += right * C
          }
        }
      }
    }
    return Image(height: height, width: width, channels: C, pixels: pixels)
  }
}
