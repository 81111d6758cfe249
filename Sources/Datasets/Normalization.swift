/// The mean and spread of each channel, by which bytes become inputs: (byte / 255 − mean) / standardDeviation.
public struct Normalization: Sendable, Equatable {
  /// [C], of byte / 255.
  public let mean: [Float]
  /// [C], of byte / 255: the population standard deviation, and 1 for a channel that is constant.
  public let standardDeviation: [Float]

  /// These means and deviations, one for each channel.
  public init(mean: [Float], standardDeviation: [Float]) {
    (self.mean, self.standardDeviation) = (mean, standardDeviation)
  }

  /// The exact mean and population standard deviation over all pixels of the samples with these ids.
  ///
  /// Sums are integers, so the result depends neither on their order nor on the number of samples.
  public init(of images: ImageSet, ids: [Int32]) {
    precondition(!ids.isEmpty, "the mean of no images")
    guard images.element == .byte else {
      self.init(ofFeatures: images, ids)
      return
    }
    let channels = images.channels
    var sums = [UInt64](repeating: 0, count: channels)
    var squares = [UInt64](repeating: 0, count: channels)
    images.pixels.withUnsafeBufferPointer { pixels in
      for id in ids {
        // An image has at most 2^26 pixels, so these cannot overflow within 2^20 images of that size.
        for channel in 0..<channels {
          var sum: UInt64 = 0, square: UInt64 = 0
          let start = Int(id) * images.imageSize + channel
          for index in stride(from: start, to: (Int(id) + 1) * images.imageSize, by: channels) {
            let value = UInt64(pixels[index])
            sum += value
            square += value * value
          }
          sums[channel] += sum
          squares[channel] += square
        }
      }
    }
    let count = UInt128(ids.count * images.height * images.width)
    var mean: [Float] = [], standardDeviation: [Float] = []
    for channel in 0..<channels {
      let sum = UInt128(sums[channel])
      // count² · variance, exactly.
      let spread = count * UInt128(squares[channel]) - sum * sum
      mean.append(Float(Double(sums[channel]) / (Double(count) * 255)))
      standardDeviation.append(spread == 0 ? 1 : Float(Double(spread).squareRoot() / (Double(count) * 255)))
    }
    self.init(mean: mean, standardDeviation: standardDeviation)
  }

  /// The mean and population standard deviation of every column of features [N, C], in double precision; 1 for a column
  /// that is constant.
  private init(ofFeatures images: ImageSet, _ ids: [Int32]) {
    let (width, count) = (images.channels, Double(ids.count))
    var sums = [Double](repeating: 0, count: width), squares = sums
    images.pixels.withUnsafeBytes { bytes in
      func addUp(_ sums: inout [Double], _ term: (Double, Int) -> Double) {
        for id in ids {
          for column in 0..<width {
            let value = bytes.loadUnaligned(fromByteOffset: 4 * (Int(id) * width + column), as: Float.self)
            sums[column] += term(Double(value), column)
          }
        }
      }
      addUp(&sums) { value, _ in value }
      let means = sums.map { $0 / count }
      addUp(&squares) { value, column in (value - means[column]) * (value - means[column]) }
    }
    self.init(
      mean: sums.map { Float($0 / count) },
      standardDeviation: squares.map { $0 == 0 ? 1 : Float(($0 / count).squareRoot()) })
  }
}

extension Dataset {
  /// The normalisation by the training samples in use.
  public var normalization: Normalization { Normalization(of: train.images, ids: train.labelledIDs) }
}
