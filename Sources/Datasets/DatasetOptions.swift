import Images

/// How a data set is to be opened.
public struct DatasetOptions: Sendable {
  /// What to do with images that cannot be decoded.
  public enum BadImagePolicy: String, Sendable, CaseIterable {
    /// Fail before training starts, with the list of files.
    case fail
    /// Keep the sample's id, give it no label, and never draw it.
    case skip
    /// Decode damaged JPEG files as far as that goes, and fail as `fail` does for what nothing can be made of.
    case repair
  }

  /// The folder in which `cifar10` and other names are looked for; nil stands for `$GPUNOISY_DATA`.
  public var dataRoot: String?
  /// The size that images in files are brought to; nil stands for what `ImageSizing` chooses.
  public var imageSize: PixelSize?
  /// How images of another shape are brought to that size.
  public var fit: ImageFit
  /// The side of the square that images of more than 48 pixels are brought to, unless a size is asked for.
  public var side: Int
  /// Whether images are read as versions did whose run.json has the first schema.
  ///
  /// They are brought to the most frequent size, each axis by itself and bilinearly, and not turned: a run of those
  /// versions can go on with no other bytes.
  public var followsFirstSchema = false
  /// What to do with images that cannot be decoded.
  public var onBadImage: BadImagePolicy
  /// Whether images need no classes.
  public var takesUnlabelled = false
  /// The seed of `shapes`.
  public var seed: UInt64
  /// How many threads decode images; the result does not depend on it.
  public var threads: Int
  /// Told how many of how many images are read, now and then, by one thread at a time.
  public var progress: (@Sendable (_ done: Int, _ count: Int) -> Void)?

  /// The options; those left out take their defaults.
  public init(
    dataRoot: String? = nil, imageSize: PixelSize? = nil, fit: ImageFit = .crop, side: Int = 64,
    onBadImage: BadImagePolicy = .fail, seed: UInt64 = 1, threads: Int = 1
  ) {
    (self.dataRoot, self.imageSize, self.fit, self.side) = (dataRoot, imageSize, fit, side)
    (self.onBadImage, self.seed, self.threads) = (onBadImage, seed, threads)
  }
}
