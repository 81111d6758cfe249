import Failures
import FileFormats
import Images

extension Dataset {
  /// The data set with images of the size that was asked for, where its layout stores pixels and not files.
  ///
  /// Files have that size from the start; and runs of the first schema left arrays as they were.
  ///
  /// - Throws: `.outOfMemory`; where the process was asked to stop.
  func resizingArrays(_ options: DatasetOptions, source: String) throws -> Dataset {
    let images = train.images
    guard let size = options.imageSize, sizing == nil, !options.followsFirstSchema,
      size != PixelSize(width: images.width, height: images.height)
    else { return self }
    let count = train.count + (test?.count ?? 0) + (heldOut?.count ?? 0)
    let (total, overflow) = (size.width * size.height * images.channels).multipliedReportingOverflow(by: count)
    try MemoryLimit.require(
      overflow || total > Int.max / 2 ? Int.max : 2 * total,
      for: "the set of \(count) images of \(size.text) pixels in '\(source)'",
      fix: "make the images smaller with --image-size.")
    var dataset = self
    dataset.train = try train.resized(to: size, options)
    dataset.test = try test?.resized(to: size, options)
    dataset.heldOut = try heldOut?.resized(to: size, options)
    dataset.sizing = ImageSizing(images, count: count, to: size, fit: options.fit)
    return dataset
  }
}

extension LabelledSet {
  fileprivate func resized(to size: PixelSize, _ options: DatasetOptions) throws -> LabelledSet {
    let before = images, imageSize = size.width * size.height * before.channels
    let pixels = try [UInt8](unsafeUninitializedCapacity: imageSize * count) { buffer, filled in
      // Every image has a place of its own, which one thread writes.
      nonisolated(unsafe) let places = buffer
      try ParallelLoop(threads: options.threads).run(count) { index in
        let image = before.image(index).fitted(options.fit, width: size.width, height: size.height)
        let place = UnsafeMutableBufferPointer(rebasing: places[index * imageSize..<(index + 1) * imageSize])
        _ = place.initialize(fromContentsOf: image.pixels)
      }
      filled = imageSize * count
    }
    return with(
      images: ImageSet(
        count: count, height: size.height, width: size.width, channels: before.channels, pixels: pixels))
  }
}
