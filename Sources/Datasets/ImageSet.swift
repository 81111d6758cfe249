import Images

/// Images of one size, as bytes: [N, H, W, C], channels last.
public struct ImageSet: Sendable, Equatable {
  /// The number of images, N.
  public let count: Int
  /// The number of rows of each, H.
  public let height: Int
  /// The number of columns of each, W.
  public let width: Int
  /// 1 for grey, 3 for red, green and blue.
  public let channels: Int
  /// The values [N, H, W, C].
  public let pixels: [UInt8]

  /// The images with these values [N, H, W, C].
  public init(count: Int, height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    precondition(
      pixels.count == count * height * width * channels,
      "[\(count), \(height), \(width), \(channels)] with \(pixels.count) values")
    (self.count, self.height, self.width, self.channels) = (count, height, width, channels)
    self.pixels = pixels
  }

  /// The number of values of one image, H · W · C.
  public var imageSize: Int { height * width * channels }

  /// One image.
  public func image(_ index: Int) -> Image {
    let start = index * imageSize
    return Image(height: height, width: width, channels: channels, pixels: Array(pixels[start..<start + imageSize]))
  }

  /// The first `count` images.
  public func first(_ count: Int) -> ImageSet {
    guard count < self.count else { return self }
    return ImageSet(
      count: count, height: height, width: width, channels: channels, pixels: Array(pixels[..<(count * imageSize)]))
  }

  /// The images with these indices, in this order.
  public func selecting(_ indices: [Int32]) -> ImageSet {
    var chosen: [UInt8] = []
    chosen.reserveCapacity(indices.count * imageSize)
    for index in indices { chosen += pixels[Int(index) * imageSize..<(Int(index) + 1) * imageSize] }
    return ImageSet(count: indices.count, height: height, width: width, channels: channels, pixels: chosen)
  }
}
