import Failures
import FileFormats

/// Two different images of a class side by side, as one image: `pairs:mnist`.
///
/// Given the class, the two halves say nothing of each other, which is what co-training asks of its two views (Blum and
/// Mitchell, 1998). Of each class the first image is joined with the second, the third with the fourth, and so on, so that
/// no image is in two pairs; pairs stand in the order of their first images, and an odd one at a class's end is left out.
enum ImagePairs {
  static let prefix = "pairs:"

  /// The data set of whose images pairs are made; nil for a text that asks for no pairs.
  static func base(of text: String) -> String? {
    text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
  }

  /// Opens the data set that a text names.
  ///
  /// - Throws: `.usage` for a name that is not known; `.badInput` for a data set without two images of a class; what
  ///   opening that data set throws.
  static func open(_ base: String, _ options: DatasetOptions) throws -> Dataset {
    guard Dataset.isName(base), Self.base(of: base) == nil else {
      throw Failure.unknown(
        "named data set", base, names: ["shapes"] + KnownNames.all.map(\.name),
        fix: "write one of these after \(prefix), as in pairs:mnist.")
    }
    var plain = options
    // Pairs are resized, not their images.
    plain.imageSize = nil
    let single = try Dataset.open(base, options: plain)
    let train = pairs(of: single.train), test = single.test.map(pairs)
    guard train.count > 0 else {
      throw Failure(
        .badInput, "'\(base)' has no two training images of one class.", why: "a pair needs two.",
        fix: "use another data set.")
    }
    return Dataset(
      name: "pairs-\(single.name)", kind: .other, classNames: single.classNames, train: train, test: test,
      source: "pairs of images of a class, of \(single.source)")
  }

  private static func pairs(of set: LabelledSet) -> LabelledSet {
    var open: [Int32: Int] = [:], chosen: [(left: Int, right: Int)] = []
    for (id, label) in set.labels.enumerated() where label >= 0 {
      if let left = open.removeValue(forKey: label) { chosen.append((left, id)) } else { open[label] = id }
    }
    chosen.sort { $0.left < $1.left }
    let images = set.images, row = images.width * images.channels
    var pixels: [UInt8] = []
    pixels.reserveCapacity(2 * chosen.count * images.imageSize)
    for pair in chosen {
      for line in 0..<images.height {
        for id in [pair.left, pair.right] {
          let start = id * images.imageSize + line * row
          pixels += images.pixels[start..<start + row]
        }
      }
    }
    return LabelledSet(
      images: ImageSet(
        count: chosen.count, height: images.height, width: 2 * images.width, channels: images.channels, pixels: pixels),
      labels: chosen.map { set.labels[$0.left] })
  }
}
