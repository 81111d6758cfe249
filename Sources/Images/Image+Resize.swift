extension Image {
  /// The image at another size, by a triangle filter that widens when the image shrinks (antialiased bilinear).
  ///
  /// The result is a pure function of the bytes: weights are computed in Double by the four basic operations only,
  /// rounded to 22 binary places, and summed in integers, across first and then down. It equals Pillow's `BILINEAR`
  /// byte for byte, as far as Pillow takes the axes in that order.
  public func resized(height: Int, width: Int) -> Image {
    precondition(height > 0 && width > 0, "an image of \(height) by \(width) pixels")
    var image = self
    if width != image.width { image = image.resizedAcross(to: width) }
    if height != image.height { image = image.resizedDown(to: height) }
    return image
  }

  private func resizedAcross(to width: Int) -> Image {
    let filter = ResizeFilter(from: self.width, to: width)
    let pixels = [UInt8](unsafeUninitializedCapacity: height * width * channels) { buffer, count in
      for y in 0..<height {
        for x in 0..<width {
          for channel in 0..<channels {
            let start = (y * self.width + filter.starts[x]) * channels + channel
            buffer[count] = filter.sum(self.pixels, at: start, stride: channels, output: x)
            count += 1
          }
        }
      }
    }
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }

  private func resizedDown(to height: Int) -> Image {
    let filter = ResizeFilter(from: self.height, to: height)
    let row = width * channels
    let pixels = [UInt8](unsafeUninitializedCapacity: height * row) { buffer, count in
      for y in 0..<height {
        for column in 0..<row {
          buffer[count] = filter.sum(self.pixels, at: filter.starts[y] * row + column, stride: row, output: y)
          count += 1
        }
      }
    }
    return Image(height: height, width: width, channels: channels, pixels: pixels)
  }
}

/// The weights of a one-dimensional resize: for each output, a run of inputs.
private struct ResizeFilter {
  private static let binaryPlaces = 22

  /// The first input of each output.
  var starts: [Int] = []
  /// Where the weights of each output begin; one more at the end.
  var offsets: [Int] = [0]
  /// Weights times 2^22.
  var weights: [Int32] = []

  init(from inputs: Int, to outputs: Int) {
    let scale = Double(inputs) / Double(outputs)
    let support = max(scale, 1)
    for output in 0..<outputs {
      let centre = (Double(output) + 0.5) * scale
      // Rounded half up, then truncated, as Pillow does.
      let first = max(0, Int(centre - support + 0.5))
      let end = min(inputs, Int(centre + support + 0.5))
      var raw: [Double] = []
      for input in first..<end {
        let distance = (Double(input - first) + Double(first) - centre + 0.5) * (1 / support)
        raw.append(max(0, 1 - abs(distance)))
      }
      let total = raw.reduce(0, +)
      starts.append(first)
      for weight in raw {
        let share = total != 0 ? weight / total : weight
        weights.append(Int32(0.5 + share * Double(1 << Self.binaryPlaces)))
      }
      offsets.append(weights.count)
    }
  }

  func sum(_ pixels: [UInt8], at start: Int, stride: Int, output: Int) -> UInt8 {
    var sum = 1 << (Self.binaryPlaces - 1)
    var position = start
    for index in offsets[output]..<offsets[output + 1] {
      sum += Int(pixels[position]) * Int(weights[index])
      position += stride
    }
    return UInt8(min(255, sum >> Self.binaryPlaces))
  }
}
