import Datasets
import Images
import Pages

/// The images of a page about a detection, at the largest size at which the page stays small enough.
///
/// They are read from the data's files, since people see more in a photograph than in what a network was given; where
/// there are no files, or one cannot be read any more, they are what the network was given.
struct DetectionImages {
  /// The longer sides that are tried, in pixels.
  static let sides = [256, 192, 128, 96, 64]
  /// Images with a longer side of at most this many pixels are stored without loss.
  private static let smallSide = 48

  /// The samples, the most important first.
  private let ids: [Int]
  /// Each of these samples' images at each of the sides.
  private let files: [[DetectionPage.Image]]

  /// Reads and encodes the images of these samples.
  ///
  /// - Throws: `.outOfMemory`, when an image cannot be encoded.
  init(of ids: [Int], settings: RunSettings, dataset: Dataset) throws {
    self.ids = ids
    // Images without what makes them images are what such a run is about.
    let read =
      settings.pixels == .none
      ? dataset.originals(ids, side: Self.sides[0], threads: settings.datasetOptions.threads) { Self.encoded($0) }
      : ids.map { _ in nil }
    files = try zip(ids, read).map { id, read in
      try (read ?? Self.encoded(dataset.train.images.image(id))).get()
    }
  }

  /// An image at each of the sides; images that are smaller than a side stay as they are.
  private static func encoded(_ image: Image) -> Result<[DetectionPage.Image], any Error> {
    Result {
      var files: [DetectionPage.Image] = [], image = image
      for side in sides {
        let smaller = image.shrunk(to: side)
        if let last = files.last, smaller.width == image.width, smaller.height == image.height {
          files.append(last)
        } else {
          let isSmall = max(smaller.width, smaller.height) <= smallSide
          files.append(
            try .init(
              type: isSmall ? "image/png" : "image/jpeg", bytes: isSmall ? PNG.encode(smaller) : JPEG.encode(smaller)))
        }
        image = smaller
      }
      return files
    }
  }

  /// The images by id, all at the largest side at which the whole page has at most `mostBytes`.
  ///
  /// Where even the smallest side is too much, the last ones are left out.
  ///
  /// - Parameter page: everything but the images.
  func fitting(_ page: DetectionPage, mostBytes: Int) -> [Int: DetectionPage.Image] {
    var frame = page
    for (id, files) in zip(ids, files) { frame.images[id] = .init(type: files[0].type, bytes: []) }
    let room = mostBytes - frame.html.utf8.count
    let side = Self.sides.indices.first { side in
      files.reduce(0) { $0 + $1[side].encodedCount } <= room
    }
    var images: [Int: DetectionPage.Image] = [:], left = room
    for (id, files) in zip(ids, files) {
      let file = files[side ?? Self.sides.count - 1]
      left -= file.encodedCount
      guard left >= 0 else { break }
      images[id] = file
    }
    return images
  }
}
