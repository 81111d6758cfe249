import FileFormats
import TestSupport

/// Stripes across and stripes down, all a little different: classes that patches distinguish.
enum Stripes {
  /// Writes 120 of each class to stripes.npz.
  ///
  /// - Parameters:
  ///   - tests: how many test images there are.
  ///   - copies: how many of these are training images, in their order.
  ///   - wrong: the training ids whose label is the other one.
  static func write(to folder: ScratchFolder, tests: Int = 0, copies: Int = 0, wrong: Set<Int> = []) throws {
    var arrays = [
      ("images.npy", NumPyArray((0..<240).flatMap(image), shape: [240, 32, 32, 3]).encoded()),
      ("labels.npy", NumPyArray((0..<240).map { Int64(($0 + (wrong.contains($0) ? 1 : 0)) % 2) }).encoded()),
    ]
    if tests > 0 {
      let sources = (0..<tests).map { $0 < copies ? $0 : 240 + $0 }
      arrays.append(("test_images.npy", NumPyArray(sources.flatMap(image), shape: [tests, 32, 32, 3]).encoded()))
      arrays.append(("test_labels.npy", NumPyArray(sources.map { Int64($0 % 2) }).encoded()))
    }
    try AtomicFile.write(ZipArchive.stored(arrays), to: folder("stripes.npz"))
  }

  /// The image of that number, down where it is odd.
  private static func image(_ id: Int) -> [UInt8] {
    let isDown = id % 2 == 1, width = 3 + id / 2 % 4, shift = id / 8
    var pixels: [UInt8] = []
    for y in 0..<32 {
      for x in 0..<32 {
        let stripe = ((isDown ? x : y) + shift) / width % 2 == 0,
          grain = (id * 31 + x * x * 7 + y * y * 13 + x * y) % 61
        for channel in 0..<3 { pixels.append(UInt8((stripe ? 150 : 60) + grain + channel * (id % 5))) }
      }
    }
    return pixels
  }

  /// A detection in them.
  static let detect = ["detect", "stripes.npz", "--device", "cpu", "-q"]
}
