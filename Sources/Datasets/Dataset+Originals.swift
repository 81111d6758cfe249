import Failures
import FileFormats
import Images

extension Dataset {
  /// The file of a training sample; nil where the layout has no files.
  public func trainFile(_ id: Int) -> String? {
    guard let root, train.paths.indices.contains(id) else { return nil }
    let path = train.paths[id]
    return root + "/" + (path.hasPrefix(absentPrefix) ? String(path.dropFirst(absentPrefix.count)) : path)
  }

  /// What `transform` makes of training images as their files have them: whole, turned as they are seen, in their own
  /// shape.
  ///
  /// Several threads read and transform at once. A request to stop ends it early: it is for people to look at, so that
  /// the rest may be missing.
  ///
  /// - Parameters:
  ///   - ids: the samples.
  ///   - side: the longer side that is needed; longer images shrink to it, others stay as they are.
  ///   - threads: how many threads.
  /// - Returns: one result per id; nil where there is no file, or none that can be read.
  public func originals<Result: Sendable>(
    _ ids: [Int], side: Int, threads: Int, _ transform: @Sendable (Image) -> Result
  ) -> [Result?] {
    let files = ids.map { trainFile($0) }, results = Results<Result?>(count: ids.count, first: nil)
    var decoder = ImageDecoder()
    decoder.target = .init(width: side, height: side, fit: .pad)
    // Parts of an image are better than a small copy of these parts.
    decoder.repairs = true
    let reader = decoder
    try? ParallelLoop(threads: threads).run(files.count) { index in
      guard let path = files[index], let bytes = try? FileBytes.read(path),
        let image = try? reader.decode(bytes, name: path).image
      else { return }
      results.set(index, transform(image.shrunk(to: side)))
    }
    return results.values
  }
}

extension Image {
  /// The image in its shape, with a longer side of at most so many pixels.
  public func shrunk(to side: Int) -> Image {
    let longer = max(width, height)
    guard longer > side else { return self }
    func scaled(_ length: Int) -> Int { max(1, (length * side + longer / 2) / longer) }
    return resized(width: scaled(width), height: scaled(height))
  }
}
