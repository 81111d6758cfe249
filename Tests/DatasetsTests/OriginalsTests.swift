import Datasets
import FileFormats
import Images
import TestSupport
import Testing

@Suite("Training images as their files have them")
struct OriginalsTests {
  /// A photograph whose columns rise and whose rows fall.
  private static func photograph(width: Int, height: Int) throws -> [UInt8] {
    let pixels = (0..<height * width).flatMap { place -> [UInt8] in
      let x = place % width, y = place / width
      return [UInt8(255 * x / width), UInt8(255 * (height - y) / height), 0]
    }
    return try JPEG.encode(Image(height: height, width: width, channels: 3, pixels: pixels))
  }

  /// A JPEG file with an EXIF orientation.
  private static func turned(_ jpeg: [UInt8], _ orientation: UInt8) -> [UInt8] {
    let tiff: [UInt8] =
      Array("II".utf8) + [42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
    let body = Array("Exif\0\0".utf8) + tiff
    return Array(jpeg[..<2]) + [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body + Array(jpeg[2...])
  }

  @Test("are whole, turned, in their shape, and no larger than asked; what cannot be read is missing")
  func files() throws {
    let scratch = ScratchFolder()
    let wide = try Self.photograph(width: 1000, height: 500)
    try write(
      [
        "a/1.jpg": wide, "a/2.jpg": Self.turned(wide, 6), "b/3.png": png(height: 30, width: 40),
        "b/4.png": png(height: 70, width: 7), "b/5.jpg": wide,
      ], below: scratch)
    let data = try Dataset.open(scratch.path, options: DatasetOptions(imageSize: PixelSize(parsing: "16x16")))
    try FileBytes.write(Array("no image".utf8), to: scratch("b/4.png"))
    try FileBytes.write(Array(wide.prefix(wide.count / 2)), to: scratch("b/5.jpg"))
    #expect(data.trainFile(1) == scratch("a/2.jpg") && data.trainFile(5) == nil)
    let ids = [2, 0, 1, 3, 4, 7]
    let images = data.originals(ids, side: 100, threads: 3) { $0 }
    #expect(
      images.map { $0.map { [$0.width, $0.height] } } == [[40, 30], [100, 50], [50, 100], nil, [100, 50], nil])
    #expect(images[0]?.pixels == someBytes(40 * 30 * 3))
    // Red grows to the right, and after a quarter turn downwards.
    let upright = try #require(images[1]), turned = try #require(images[2])
    #expect(upright.pixels[0] < 10 && upright.pixels[99 * 3] > 245)
    #expect(turned.pixels[0] < 10 && turned.pixels[99 * 50 * 3] > 245)
    #expect(data.originals(ids, side: 100, threads: 1) { $0 } == images)
  }

  @Test("there are none without files")
  func noFiles() throws {
    let data = Shapes.dataset(seed: 1)
    #expect(data.trainFile(0) == nil && data.originals([0, 1], side: 64, threads: 2) { $0 } == [nil, nil])
  }
}
