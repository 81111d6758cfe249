/// Images without what makes them images: the inputs of experiments on memorisation.
///
/// - Source: Zhang, Bengio, Hardt, Recht, Vinyals: Understanding deep learning requires rethinking generalization,
///   ICLR 2017, section 2.2.
public enum PixelScramble: String, Sendable, CaseIterable {
  /// Images stay as they are.
  case none
  /// One random order of pixels for all images, training and test alike.
  case shuffled
  /// Another random order of pixels for each image.
  case random
  /// Normal numbers with each channel's mean and deviation over the training set, rounded and cut to 0...255.
  case gaussian
}

extension Dataset {
  /// The data set with changed images; a pixel's channels stay together when it moves.
  ///
  /// A function of the seed and the ids: another limit does not move it, except for the mean of `gaussian`.
  public func changingPixels(_ change: PixelScramble, seed: UInt64) -> Dataset {
    guard change != .none, !train.labelledIDs.isEmpty else { return self }
    let draws = NoiseDraws(seed: seed), normalization = normalization
    var changed = self
    changed.opened = openedParts
    func replaced(_ set: LabelledSet, from first: Int) -> LabelledSet {
      let images = set.images
      let pixels =
        change == .gaussian
        ? Self.gaussian(images, normalization, draws, from: first)
        : Self.moved(images, draws, from: change == .random ? first : nil)
      return set.with(
        images: ImageSet(
          count: images.count, height: images.height, width: images.width, channels: images.channels, pixels: pixels))
    }
    changed.train = replaced(train, from: 0)
    // Training ids are below 2^30.
    changed.test = test.map { replaced($0, from: 1 << 30) }
    return changed
  }

  /// Pixels in a random order: that of each image's number from `first` on, or one for all.
  private static func moved(_ images: ImageSet, _ draws: NoiseDraws, from first: Int?) -> [UInt8] {
    let size = images.height * images.width, C = images.channels
    var order = draws.permutation(of: size, .pixels, 1 << 31), pixels: [UInt8] = []
    pixels.reserveCapacity(images.pixels.count)
    for index in 0..<images.count {
      if let first { order = draws.permutation(of: size, .pixels, first + index) }
      let start = index * images.imageSize
      for place in order { pixels += images.pixels[start + place * C..<start + (place + 1) * C] }
    }
    return pixels
  }

  private static func gaussian(
    _ images: ImageSet, _ normalization: Normalization, _ draws: NoiseDraws, from first: Int
  ) -> [UInt8] {
    let mean = normalization.mean.map { 255 * Double($0) }
    let deviation = normalization.standardDeviation.map { 255 * Double($0) }
    return images.pixels.indices.map { index in
      let channel = index % images.channels
      let number = draws.normal(.pixels, first + index / images.imageSize, index % images.imageSize)
      return UInt8(min(255, max(0, (mean[channel] + deviation[channel] * number).rounded())))
    }
  }
}
