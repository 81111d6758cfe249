import Failures
import FileFormats
import FoundationEssentials
import Images
import TestSupport
import Testing

/// An 11 by 9 image: red grows to the right, green downwards; written by Pillow at quality 50 with subsampled colour.
let tinyJPEG = [UInt8](
  Data(
    base64Encoded: """
      /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk\
      eFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAJAAsD\
      ASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABQT/xAAcEAABBQADAAAAAAAAAAAAAAAAAQIEBSIxMkH/xAAUAQEAAAAAAAAAAAAAAAAAAAAC\
      /8QAGREAAwADAAAAAAAAAAAAAAAAAAMEAhES/9oADAMBAAIRAxEAPwAqLU8ZE21OUyXxfBJvVANpz2GCxnB//9k=
      """) ?? Data())

/// An image of pseudo-random values.
func noiseImage(height: Int, width: Int, channels: Int) -> Image {
  var state: UInt32 = 1
  let pixels = (0..<height * width * channels).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return UInt8(state >> 24)
  }
  return Image(height: height, width: width, channels: channels, pixels: pixels)
}

@Suite("Image")
struct ImageTests {
  @Test("a strip that is longer than floats can count is cut to a square all the same")
  func strip() {
    let strip = Image(height: 1, width: 40_000_001, channels: 1, pixels: [UInt8](repeating: 7, count: 40_000_001))
    #expect(strip.fitted(.crop, width: 4, height: 4).pixels == [UInt8](repeating: 7, count: 16))
  }

  @Test("PNG gives back what was written", arguments: [(1, 1, 1), (1, 1, 3), (7, 13, 1), (13, 7, 3), (64, 1, 3)])
  func pngRoundTrip(height: Int, width: Int, channels: Int) throws {
    let image = noiseImage(height: height, width: width, channels: channels)
    let file = try PNG.encode(image)
    #expect(try Image(decoding: file, name: "image") == image)
    let header = try #require(ImageHeader(file))
    #expect(header.height == height && header.width == width && header.isGrey == (channels == 1))
  }

  @Test("JPEG gives back nearly what was written, in fewer bytes", arguments: [1, 3])
  func jpegRoundTrip(channels: Int) throws {
    // Slopes: channel 1 falls from left to right where the others rise.
    let pixels: [UInt8] = (0..<96 * 64).flatMap { place -> [UInt8] in
      let (row, column) = place.quotientAndRemainder(dividingBy: 64)
      return (0..<channels).map { UInt8(20 + row + ($0 == 1 ? 63 - column : 2 * column)) }
    }
    let image = Image(height: 96, width: 64, channels: channels, pixels: pixels)
    let file = try JPEG.encode(image, quality: 90)
    #expect(ImageFormat(file) == .jpeg && file.count < pixels.count / 3)
    let decoded = try Image(decoding: file, name: "image")
    #expect([decoded.height, decoded.width, decoded.channels] == [96, 64, channels])
    let error = zip(decoded.pixels, pixels).map { abs(Int($0) - Int($1)) }.max() ?? 256
    #expect(error <= 16, "a value is off by \(error)")
  }

  @Test("JPEG gives Pillow's values")
  func jpeg() throws {
    let image = try Image(decoding: tinyJPEG, name: "image")
    #expect((image.height, image.width, image.channels) == (9, 11, 3))
    #expect(image.pixels[0..<3] == [1, 4, 109])
    #expect(image.pixels[image.pixels.count - 3..<image.pixels.count] == [199, 199, 139])
    #expect(image.pixels.reduce(0) { $0 + Int($1) } == 32_359)
    let header = try #require(ImageHeader(tinyJPEG))
    #expect((header.height, header.width, header.isGrey) == (9, 11, false))
  }

  @Test(
    "files of other kinds are refused",
    arguments: [[], [1, 2, 3], Array("GIF89a......".utf8), Array("<svg/>".utf8)] as [[UInt8]])
  func otherFormats(bytes: [UInt8]) {
    #expect(ImageHeader(bytes) == nil)
    #expect { try Image(decoding: bytes, name: "image") } throws: { ($0 as? Failure)?.kind == .badInput }
  }

  @Test("a file cut off anywhere is refused")
  func truncated() throws {
    let png = try PNG.encode(noiseImage(height: 5, width: 6, channels: 3))
    // The last four bytes are the checksum of the end mark; without it, the image is still whole.
    for length in 0..<png.count - 4 {
      #expect(throws: Failure.self) { try Image(decoding: Array(png[..<length]), name: "image") }
      _ = ImageHeader(Array(png[..<length]))
    }
    // The last two bytes of a JPEG file are its end mark, which libjpeg-turbo can do without only with a warning.
    for length in 0..<tinyJPEG.count - 1 {
      #expect(throws: Failure.self) { try Image(decoding: Array(tinyJPEG[..<length]), name: "image") }
      _ = ImageHeader(Array(tinyJPEG[..<length]))
    }
  }

  @Test("a file with any byte changed never crashes")
  func changed() throws {
    let png = try PNG.encode(noiseImage(height: 5, width: 6, channels: 3))
    for file in [png, tinyJPEG] {
      for index in file.indices {
        for value: UInt8 in [0, 0x7F, 0x80, 0xFF] {
          var changed = file
          changed[index] = value
          _ = ImageHeader(changed)
          if let image = try? Image(decoding: changed, name: "image") {
            #expect(image.pixels.count == image.height * image.width * image.channels)
          }
        }
      }
    }
  }

  @Test("a huge image is refused by its head")
  func bomb() throws {
    var png = try PNG.encode(Image(height: 1, width: 1, channels: 1, pixels: [0]))
    // 30,000 by 30,000 pixels, with the head's checksum put right.
    png.replaceSubrange(16..<24, with: [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30])
    let checksum = ZipArchive.checksum(Array(png[12..<29]))
    png.replaceSubrange(29..<33, with: (0..<4).map { UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * $0)) })
    #expect {
      try Image(decoding: png, name: "image")
    } throws: {
      ($0 as? Failure)?.what.contains("30000 by 30000") == true
    }
  }

  @Test("a constant image stays constant at any size", arguments: [(1, 1), (3, 50), (50, 3), (200, 200)])
  func constant(height: Int, width: Int) {
    let image = Image(height: 20, width: 30, channels: 3, pixels: [UInt8](repeating: 77, count: 1800))
    let resized = image.resized(width: width, height: height)
    #expect((resized.height, resized.width) == (height, width))
    #expect(resized.pixels.allSatisfy { $0 == 77 })
  }

  @Test("halving averages by the triangle's weights 1 3 3 1")
  func halving() {
    let image = Image(height: 1, width: 8, channels: 1, pixels: [0, 0, 0, 80, 80, 80, 0, 0])
    // (0·1 + 0·3 + 80·3 + 80·1) / 8 = 40 and (80·1 + 80·3 + 80·3 + 0·1) / 8 = 70; at the ends, where one neighbour
    // is missing, the weights that remain are scaled up: (80·1 + 0·3 + 0·3) / 7.
    #expect(image.resized(width: 4, height: 1, by: .bilinear).pixels == [0, 40, 70, 11])
  }

  @Test("the same size leaves an image alone, and grey becomes three equal channels")
  func trivial() {
    let image = noiseImage(height: 3, width: 4, channels: 1)
    #expect(image.resized(width: 4, height: 3) == image)
    #expect(image.inColour.pixels == image.pixels.flatMap { [$0, $0, $0] })
    #expect(image.inColour.inColour == image.inColour)
  }
}
