/// How pixels between pixels are made.
public enum Resampling: Sendable {
  /// A triangle, of two pixels at each place.
  case bilinear
  /// Keys's cubic with a = -1/2, of four pixels (Keys: Cubic convolution interpolation for digital image processing,
  /// IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981).
  case bicubic

  /// The distance in pixels from which on the weight is zero.
  fileprivate var support: Double { self == .bilinear ? 1 : 2 }

  /// The weight at a distance in pixels, in Pillow's order of operations.
  fileprivate func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .bilinear: return max(0, 1 - x)
    case .bicubic:
      if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
    }
  }
}

/// A part of an image, in pixels from its left top corner; corners may lie within pixels.
public struct ImageBox: Sendable, Equatable {
  /// The columns and rows at which it begins and ends.
  public var left: Float, top: Float, right: Float, bottom: Float

  /// A box of these corners, which must lie within the image.
  public init(left: Float, top: Float, right: Float, bottom: Float) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }

  /// The box from a corner to another, cut at the image's edges.
  ///
  /// Beyond 2^24 pixels floats are whole pixels apart, and more: a box is at least one such step wide and high.
  public init(left: Double, top: Double, right: Double, bottom: Double, in image: Image) {
    func end(_ place: Double, _ start: Float, _ side: Int) -> Float {
      max(min(Float(place), Float(side)), start.nextUp)
    }
    self.init(left: Float(left), top: Float(top), right: 0, bottom: 0)
    (self.right, self.bottom) = (end(right, self.left, image.width), end(bottom, self.top, image.height))
  }
}

extension Image {
  /// The image, or a part of it, at another size, by a filter that widens when the image shrinks (antialiased).
  ///
  /// The result is a pure function of the bytes: weights are computed in Double by the four basic operations only,
  /// rounded to 22 binary places, and summed in integers, across first and then down. It equals Pillow's `resize` with
  /// `reducing_gap=None` byte for byte, as far as Pillow takes the axes in that order.
  public func resized(
    width: Int, height: Int, of box: ImageBox? = nil, by resampling: Resampling = .bicubic
  ) -> Image {
    precondition(height > 0 && width > 0, "an image of \(width) by \(height) pixels")
    let box = box ?? ImageBox(left: 0, top: 0, right: Float(self.width), bottom: Float(self.height))
    precondition(
      box.left >= 0 && box.top >= 0 && box.right <= Float(self.width) && box.bottom <= Float(self.height)
        && box.left < box.right && box.top < box.bottom, "a box outside of the image")
    var image = self
    if width != image.width || box.left != 0 || box.right != Float(image.width) {
      image = image.resizedAcross(ResizeFilter(resampling, image.width, from: box.left, to: box.right, outputs: width))
    }
    if height != image.height || box.top != 0 || box.bottom != Float(image.height) {
      image = image.resizedDown(ResizeFilter(resampling, image.height, from: box.top, to: box.bottom, outputs: height))
    }
    return image
  }

  private func resizedAcross(_ filter: ResizeFilter) -> Image {
    let pixels = [UInt8](unsafeUninitializedCapacity: height * filter.count * channels) { buffer, count in
      self.pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<height {
          for x in 0..<filter.count {
            for channel in 0..<channels {
              let start = (y * width + filter.starts[x]) * channels + channel
              buffer[count] = filter.sum(pixels, at: start, stride: channels, output: x)
              count += 1
            }
          }
        }
      }
    }
    return Image(height: height, width: filter.count, channels: channels, pixels: pixels)
  }

  /// Adds rows up weight by weight, since those lie one behind the other in memory.
  private func resizedDown(_ filter: ResizeFilter) -> Image {
    let row = width * channels
    var sums = [Int32](repeating: 0, count: row)
    let pixels = [UInt8](unsafeUninitializedCapacity: filter.count * row) { buffer, count in
      self.pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<filter.count {
          for column in 0..<row { sums[column] = ResizeFilter.half }
          for (index, weight) in filter.weights[filter.offsets[y]..<filter.offsets[y + 1]].enumerated() {
            let start = (filter.starts[y] + index) * row
            for column in 0..<row { sums[column] &+= Int32(pixels[start + column]) &* weight }
          }
          for column in 0..<row { buffer[count + column] = ResizeFilter.value(sums[column]) }
          count += row
        }
      }
    }
    return Image(height: filter.count, width: width, channels: channels, pixels: pixels)
  }
}

/// The weights of a one-dimensional resize: for each output, a run of inputs.
private struct ResizeFilter {
  private static let binaryPlaces = 22
  /// One half, by which a sum is rounded.
  static let half: Int32 = 1 << (binaryPlaces - 1)

  /// The first input of each output.
  var starts: [Int] = []
  /// Where the weights of each output begin; one more at the end.
  var offsets: [Int] = [0]
  /// Weights times 2^22.
  var weights: [Int32] = []

  /// The number of outputs.
  var count: Int { starts.count }

  /// The weights that bring what lies between `from` and `to`, of so many inputs, to so many outputs.
  init(_ resampling: Resampling, _ inputs: Int, from: Float, to: Float, outputs: Int) {
    let scale = Double(to - from) / Double(outputs), widening = max(scale, 1)
    let support = resampling.support * widening
    for output in 0..<outputs {
      let centre = Double(from) + (Double(output) + 0.5) * scale
      // Rounded half up, then truncated, as Pillow does.
      let first = max(0, Int(centre - support + 0.5))
      let end = min(inputs, Int(centre + support + 0.5))
      var raw: [Double] = []
      for input in first..<end { raw.append(resampling.weight((Double(input) - centre + 0.5) * (1 / widening))) }
      let total = raw.reduce(0, +)
      starts.append(first)
      for weight in raw {
        let share = (total != 0 ? weight / total : weight) * Double(1 << Self.binaryPlaces)
        weights.append(Int32(share < 0 ? share - 0.5 : share + 0.5))
      }
      offsets.append(weights.count)
    }
  }

  /// Every partial sum fits: 255 · 2^22 times the sum of the positive weights, at most 1.25.
  func sum(_ pixels: UnsafeBufferPointer<UInt8>, at start: Int, stride: Int, output: Int) -> UInt8 {
    var sum = Self.half
    var position = start
    for index in offsets[output]..<offsets[output + 1] {
      sum &+= Int32(pixels[position]) &* weights[index]
      position += stride
    }
    return Self.value(sum)
  }

  /// A sum as a byte; the cubic's negative weights lead out of the range.
  static func value(_ sum: Int32) -> UInt8 { UInt8(max(0, min(255, sum >> Int32(binaryPlaces)))) }
}
