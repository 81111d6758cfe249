import Datasets
import Failures
import FileFormats
import Images
import TestSupport

/// The kind of the failure that `body` throws, or nil when it does not.
func failureKind<Result>(_ body: () throws -> Result) -> Failure.Kind? { failure(body)?.kind }

/// The failure that `body` throws, or nil when it does not.
func failure<Result>(_ body: () throws -> Result) -> Failure? {
  do { _ = try body() } catch { return error as? Failure }
  return nil
}

/// Bytes that repeat with the seed.
func someBytes(_ count: Int, seed: UInt32 = 1) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return UInt8(state >> 24)
  }
}

/// A data set in memory with given labels, of 2 by 2 grey images.
func labelled(_ labels: [Int32], kind: Dataset.Kind = .other, classNames: [String]) -> Dataset {
  let images = ImageSet(count: labels.count, height: 2, width: 2, channels: 1, pixels: someBytes(labels.count * 4))
  return Dataset(
    name: "test", kind: kind, classNames: classNames, train: LabelledSet(images: images, labels: labels), test: nil,
    source: "a test")
}

/// An image file of one grey value or of noise.
func png(height: Int = 4, width: Int = 4, channels: Int = 3, seed: UInt32 = 1) throws -> [UInt8] {
  let pixels = someBytes(height * width * channels, seed: seed)
  return try PNG.encode(Image(height: height, width: width, channels: channels, pixels: pixels))
}

/// Writes files below a folder, making the folders between.
func write(_ files: [String: [UInt8]], below folder: ScratchFolder) throws {
  for (name, bytes) in files {
    if let slash = name.lastIndex(of: "/") { try FileBytes.makeFolder(folder(String(name[..<slash]))) }
    try FileBytes.write(bytes, to: folder(name))
  }
}

/// The IDX file of bytes with these lengths of axes.
func idx(_ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
  var file: [UInt8] = [0, 0, 8, UInt8(shape.count)]
  for length in shape {
    for shift in [24, 16, 8, 0] { file.append(UInt8(truncatingIfNeeded: length >> shift)) }
  }
  return file + bytes
}
