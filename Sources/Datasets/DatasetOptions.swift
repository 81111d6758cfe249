import Failures

/// How a data set is to be opened.
public struct DatasetOptions: Sendable {
  /// What to do with images that cannot be decoded.
  public enum BadImagePolicy: String, Sendable, CaseIterable {
    /// Fail before training starts, with the list of files.
    case fail
    /// Keep the sample's id, give it no label, and never draw it.
    case skip
  }

  /// The folder in which `cifar10` and other names are looked for; nil stands for `$GPUNOISY_DATA`.
  public var dataRoot: String?
  /// The size that images in files are brought to; nil stands for the size that most have.
  public var imageSize: PixelSize?
  /// What to do with images that cannot be decoded.
  public var onBadImage: BadImagePolicy
  /// The seed of `shapes`.
  public var seed: UInt64
  /// How many threads decode images; the result does not depend on it.
  public var threads: Int

  /// The options; those left out take their defaults.
  public init(
    dataRoot: String? = nil, imageSize: PixelSize? = nil, onBadImage: BadImagePolicy = .fail, seed: UInt64 = 1,
    threads: Int = 1
  ) {
    (self.dataRoot, self.imageSize, self.onBadImage) = (dataRoot, imageSize, onBadImage)
    (self.seed, self.threads) = (seed, threads)
  }
}

/// The height and width of an image in pixels.
public struct PixelSize: Sendable, Hashable, CustomStringConvertible {
  /// The number of rows.
  public let height: Int
  /// The number of columns.
  public let width: Int

  /// The longest side that images can be brought to.
  public static let longestSide = 4096

  /// A size; its sides are not checked.
  public init(height: Int, width: Int) {
    (self.height, self.width) = (height, width)
  }

  /// Reads `64` (a square) or `48x64` (height x width).
  ///
  /// - Throws: `.usage` for anything else, and for sides outside of 1...4096.
  public init(parsing text: String) throws {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 1 || sides.count == 2, let height = sides[0], let width = sides[sides.count - 1],
      (1...Self.longestSide).contains(height), (1...Self.longestSide).contains(width)
    else {
      throw Failure(
        .usage, "'\(text)' is not an image size.", why: "width and height must be 1 to \(Self.longestSide) pixels.",
        fix: "write one number, such as 64, or height and width, such as 48x64.")
    }
    self.init(height: height, width: width)
  }

  /// The size as `init(parsing:)` reads it.
  public var description: String { "\(height)x\(width)" }
}
