import Images

/// Which sizes the images of a data set have in their files, and what they were brought to.
public struct ImageSizing: Sendable, Equatable {
  /// The number of images whose size could be read.
  public let count: Int
  /// The most frequent size as it is seen; of equally frequent ones, the smallest.
  public let common: PixelSize
  /// How many have it.
  public let commonCount: Int
  /// The size of all images now.
  public let size: PixelSize
  /// How images of another shape were brought to it.
  public let fit: ImageFit

  /// The longest side of images that stay as they are.
  public static let smallSide = 48

  /// The sizes of images in files, brought to the one asked for, or else chosen.
  ///
  /// Where at least half of all images are small, it is the most frequent small size; else the square that the network
  /// asks for. Most photographs having one size says nothing about what can be trained on.
  ///
  /// - Parameter sizes: one per image that could be read, as it is seen.
  /// - Returns: nil where there are none.
  init?(_ sizes: [PixelSize], options: DatasetOptions) {
    guard let common = Self.mostFrequent(sizes) else { return nil }
    let small = sizes.filter { max($0.width, $0.height) <= Self.smallSide }
    count = sizes.count
    (self.common, commonCount) = common
    fit = options.followsFirstSchema ? .stretch : options.fit
    if let asked = options.imageSize {
      size = asked
    } else if options.followsFirstSchema {
      size = Self.mostFrequentOfFirstSchema(sizes)
    } else if 2 * small.count >= sizes.count, let frequent = Self.mostFrequent(small) {
      size = frequent.size
    } else {
      size = PixelSize(width: options.side, height: options.side)
    }
  }

  /// Images that are stored as pixels, all of one size, brought to another.
  init(_ images: ImageSet, count: Int, to size: PixelSize, fit: ImageFit) {
    (self.count, commonCount, self.size, self.fit) = (count, count, size, fit)
    common = PixelSize(width: images.width, height: images.height)
  }

  private static func counts(_ sizes: [PixelSize]) -> [PixelSize: Int] {
    sizes.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  private static func mostFrequent(_ sizes: [PixelSize]) -> (size: PixelSize, count: Int)? {
    counts(sizes).max { one, other in
      (one.value, -one.key.width * one.key.height, -one.key.width) < (
        other.value, -other.key.width * other.key.height, -other.key.width
      )
    }.map { ($0.key, $0.value) }
  }

  /// Of equally frequent sizes, that of the largest area and then the greatest height.
  private static func mostFrequentOfFirstSchema(_ sizes: [PixelSize]) -> PixelSize {
    counts(sizes).max { one, other in
      (one.value, one.key.width * one.key.height, one.key.height) < (
        other.value, other.key.width * other.key.height, other.key.height
      )
    }?.key ?? PixelSize(width: 1, height: 1)
  }

  private var isUniform: Bool { commonCount == count }

  /// `600, most 500×375`: what lies in the files.
  public var filesText: String { "\(count), \(isUniform ? "all" : "most") \(common.text)" }

  /// `600, most 500×375, cropped to 64×64; --image-size`, for the head of a run.
  public var text: String {
    guard !isUniform || common != size else { return filesText }
    let isSameShape = isUniform && common.width * size.height == common.height * size.width
    let ways: [ImageFit: String] = [.crop: "cropped", .pad: "padded", .stretch: "stretched"]
    let way = isSameShape ? "resized" : ways[fit] ?? ""
    return "\(filesText), \(way) to \(size.text); --image-size"
  }
}
