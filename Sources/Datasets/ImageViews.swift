import Failures

/// How images are taken apart into views, each of which a network of its own sees.
public enum ImageViews: String, Sendable, CaseIterable {
  /// The left and the right half: of `pairs:NAME` the two images.
  case halves
  /// The columns with even and those with odd numbers, from 0.
  case columns
  /// One view: the image as it is.
  case whole

  /// How many views there are of an image.
  public var count: Int { self == .whole ? 1 : 2 }

  /// The width of a view of images of a width; nil for images that cannot be taken apart.
  public func width(of width: Int) -> Int? { width % count == 0 ? width / count : nil }

  /// The columns of view `number` of images of a width.
  func columns(_ number: Int, of width: Int) -> [Int] {
    switch self {
    case .halves: (0..<width / 2).map { number * (width / 2) + $0 }
    case .columns: (0..<width / 2).map { 2 * $0 + number }
    case .whole: Array(0..<width)
    }
  }
}

extension ImageSet {
  /// View `number` of each image.
  ///
  /// - Throws: `.configuration` for features in place of images, and for a width that cannot be taken apart.
  public func view(_ number: Int, of views: ImageViews) throws(Failure) -> ImageSet {
    guard views != .whole else { return self }
    guard element == .byte, let part = views.width(of: width) else {
      throw Failure(
        .configuration, "images of \(width)×\(height) pixels have no views=\(views.rawValue).",
        why: element == .byte
          ? "their width is odd, and both views must be equally wide." : "there are features alone.",
        fix: element == .byte ? "resize with --image-size." : "remove --freeze.")
    }
    let size = PixelSize(width: part, height: height)
    // An outline, for counting memory, has no pixels.
    guard !pixels.isEmpty else { return outline(size) }
    var chosen: [UInt8] = []
    chosen.reserveCapacity(count * height * part * channels)
    let columns = views.columns(number, of: width)
    for row in 0..<count * height {
      for column in columns {
        let start = (row * width + column) * channels
        for channel in 0..<channels { chosen.append(pixels[start + channel]) }
      }
    }
    return ImageSet(count: count, height: height, width: part, channels: channels, pixels: chosen)
  }
}
