import Failures
import FileFormats
import Images

extension ImageLoader {
  /// Some of many images, each read by itself: what is in the other files has no effect on it.
  struct Portion {
    /// The images; black where one could not be read.
    let images: ImageSet
    /// What happened to each [N].
    let outcomes: [Outcome]
  }

  /// Reads some images at one size, with as many channels as are wanted.
  ///
  /// - Throws: where the process was asked to stop.
  static func portion(
    of files: ArraySlice<ImageFile>, as target: ImageDecoder.Target, channels: Int, options: DatasetOptions
  ) throws -> Portion {
    let imageSize = target.height * target.width * channels
    let outcomes = Results<Outcome>(count: files.count, first: .read)
    let loop = ParallelLoop(threads: options.threads)
    let pixels = try loop.pixels(count: files.count, imageSize: imageSize) { index, place in
      let (image, outcome) = decode(files[files.startIndex + index], target, channels: nil, options)
      if let image, channels == 3 {
        _ = place.initialize(fromContentsOf: image.inColour.pixels)
      } else if let image {
        let set = ImageSet(
          count: 1, height: image.height, width: image.width, channels: image.channels, pixels: image.pixels)
        _ = place.initialize(fromContentsOf: set.converted(channels: channels).pixels)
      } else {
        place.initialize(repeating: 0)
      }
      outcomes.set(index, outcome)
    }
    return Portion(
      images: ImageSet(
        count: files.count, height: target.height, width: target.width, channels: channels, pixels: pixels),
      outcomes: outcomes.values)
  }
}
