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
    try ImageSet.requireMemory(count: count, of: size, channels: images.channels, source: source)
    var dataset = self
    dataset.opened = openedParts
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
    let pixels = try ParallelLoop(threads: options.threads).pixels(count: count, imageSize: imageSize) { index, place in
      let image = before.image(index).fitted(options.fit, width: size.width, height: size.height)
      _ = place.initialize(fromContentsOf: image.pixels)
    }
    return with(
      images: ImageSet(
        count: count, height: size.height, width: size.width, channels: before.channels, pixels: pixels))
  }
}
