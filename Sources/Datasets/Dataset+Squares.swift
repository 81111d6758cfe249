import FileFormats
import Images

extension Dataset {
  /// Training images as squares of one size, in colour, made from their files where there are files: what features are
  /// computed from, whatever size the set's own images were brought to.
  ///
  /// - Parameters:
  ///   - ids: the samples.
  ///   - side: the side of the squares.
  ///   - share: the part of the shorter side that the square around the centre takes, in 0…1.
  ///   - usesFiles: whether files are read; else, and for files that cannot be read, the set's own images are resized.
  ///   - threads: how many threads.
  ///   - progress: told how many images are done of how many.
  /// - Returns: the values [ids, side, side, 3].
  /// - Throws: where the process was asked to stop.
  public func squares(
    _ ids: [Int], side: Int, share: Double = 1, usesFiles: Bool = true, threads: Int,
    progress: (@Sendable (_ done: Int, _ count: Int) -> Void)? = nil
  ) throws -> [UInt8] {
    let files = ids.map { usesFiles ? trainFile($0) : nil }, images = train.images
    var decoder = ImageDecoder()
    let whole = Int((Double(side) / share).rounded(.up))
    decoder.target = .init(width: whole, height: whole, fit: .crop)
    decoder.repairs = true
    let reader = decoder
    return try ParallelLoop(threads: threads, progress: progress).pixels(count: ids.count, imageSize: side * side * 3) {
      index, place in
      let read = files[index].flatMap { path -> Image? in
        guard let bytes = try? FileBytes.read(path) else { return nil }
        return try? reader.decode(bytes, name: path).image
      }
      let image = (read ?? images.image(ids[index])).square(side: side, share: share)
      if image.channels == 3 {
        _ = place.initialize(from: image.pixels)
      } else {
        _ = place.initialize(from: image.pixels.flatMap { [$0, $0, $0] })
      }
    }
  }

  /// The length of most images' shorter side, in their files.
  public var shorterSide: Int {
    let size = sizing?.common ?? PixelSize(width: train.images.width, height: train.images.height)
    return min(size.width, size.height)
  }
}

extension Image {
  /// The square around the centre that takes a share of the shorter side, at a size.
  func square(side: Int, share: Double) -> Image {
    let length = Double(min(width, height)) * share
    let left = (Double(width) - length) / 2, top = (Double(height) - length) / 2
    return resized(
      width: side, height: side,
      of: ImageBox(left: left, top: top, right: left + length, bottom: top + length, in: self))
  }
}
