/// How an image of another shape is brought to a size.
public enum ImageFit: String, Sendable, CaseIterable {
  /// The largest part of the wanted shape around the centre.
  case crop
  /// The whole image, with black bars at two sides.
  case pad
  /// Each axis by itself, which distorts.
  case stretch

  /// The factor by which an image of one size shrinks or grows to fit another; for `stretch`, that of the axis which
  /// keeps more.
  func scale(width: Int, height: Int, toWidth: Int, toHeight: Int) -> Double {
    let across = Double(toWidth) / Double(width), down = Double(toHeight) / Double(height)
    return self == .pad ? min(across, down) : max(across, down)
  }
}

extension Image {
  /// The image at a size, by bicubic resampling: what Pillow's `ImageOps.fit`, `ImageOps.pad` and `resize` make of it.
  public func fitted(_ fit: ImageFit, width: Int, height: Int) -> Image {
    switch fit {
    case .stretch: return resized(width: width, height: height)
    case .crop:
      let wanted = Double(width) / Double(height), ratio = Double(self.width) / Double(self.height)
      let wide = ratio > wanted ? wanted * Double(self.height) : Double(self.width)
      let high = ratio < wanted ? Double(self.width) / wanted : Double(self.height)
      let left = (Double(self.width) - wide) * 0.5, top = (Double(self.height) - high) * 0.5
      return resized(
        width: width, height: height,
        of: ImageBox(left: left, top: top, right: left + wide, bottom: top + high, in: self))
    case .pad:
      let wanted = Double(width) / Double(height), ratio = Double(self.width) / Double(self.height)
      func rounded(_ side: Double) -> Int { max(1, Int(side.rounded(.toNearestOrEven))) }
      let wide = ratio < wanted ? rounded(ratio * Double(height)) : width
      let high = ratio > wanted ? rounded(Double(self.height) / Double(self.width) * Double(width)) : height
      return resized(width: wide, height: high).padded(width: width, height: height)
    }
  }

  /// The image in the middle of a larger black one.
  private func padded(width: Int, height: Int) -> Image {
    guard (width, height) != (self.width, self.height) else { return self }
    func margin(_ whole: Int, _ part: Int) -> Int { Int((Double(whole - part) * 0.5).rounded(.toNearestOrEven)) }
    let left = margin(width, self.width), top = margin(height, self.height), row = self.width * channels
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    for y in 0..<self.height {
      let start = ((top + y) * width + left) * channels
      pixels.replaceSubrange(start..<start + row, with: self.pixels[y * row..<(y + 1) * row])
    }
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }
}
