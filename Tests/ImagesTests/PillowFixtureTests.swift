import Failures
import FileFormats
import Images
import TestSupport
import Testing

/// Files of all kinds that Python writes, and what Pillow reads of them: PillowFixture.py.
@Suite("Odd files against Pillow", .enabled(if: PythonOracle.has("PIL"), Comment(rawValue: PythonOracle.absence)))
struct PillowFixtureTests {
  /// How far values may be from Pillow's, by the beginning and the end of the file's name; 0 for all others.
  private static let tolerances: [(start: String, end: String, most: Int)] = [
    // Pillow composes over white with another rounding.
    ("alpha-lossless", ".webp", 1), ("grey-alpha", ".png", 1), ("palette-transparent", ".png", 1), ("rgba", ".png", 1),
    ("alpha-lossy", ".webp", 3), ("", ".webp", 2),
    // The colours of 4:2:0 lie between pixels: libheif and libavif interpolate them in two ways.
    ("420", ".avif", 24), ("", ".avif", 4),
  ]
  /// Files that are refused, with a word of the reason.
  private static let refused = [
    "cut.png": "", "cut.webp": "", "cut.jpg": "Premature end", "cut-progressive.jpg": "Premature end",
  ]

  private func tolerance(_ name: String) -> Int {
    Self.tolerances.first { name.hasPrefix($0.start) && name.hasSuffix($0.end) }?.most ?? 0
  }

  @Test("60 and more files, of every format, kind and orientation, have the values that Pillow reads")
  func all() throws {
    let scratch = ScratchFolder(), here = String((#filePath as String).dropLast("PillowFixtureTests.swift".count))
    let script = String(decoding: try FileBytes.read(here + "PillowFixture.py"), as: UTF8.self)
    let (code, output) = try PythonOracle.run(script, [scratch.path])
    try #require(code == 0, "\(output)")
    let names = try FileBytes.names(in: scratch.path).filter { !$0.hasSuffix(".pillow.png") }
    #expect(names.count { !$0.hasSuffix(".avif") } == 64, "\(names)")
    var hasHEIF = true
    for name in names {
      let bytes = try FileBytes.read(scratch(name))
      if let reason = Self.refused[name] {
        let found = #expect(throws: Failure.self, "\(name)") { try Image(decoding: bytes, name: name) }
        #expect(found?.why.contains(reason) == true, "\(name): \(found?.why ?? "")")
        continue
      }
      do {
        let image = try Image(decoding: bytes, name: name), expected = scratch(name + ".pillow.png")
        let pillow = try Image(decoding: FileBytes.read(expected), name: name)
        let size = "\(image.width)×\(image.height)×\(image.channels)"
        try #require(size == "\(pillow.width)×\(pillow.height)×\(pillow.channels)", "\(name)")
        let most = zip(image.pixels, pillow.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect(most <= tolerance(name), "\(name): \(most)")
      } catch let failure as Failure where failure.why.contains("not on this machine") {
        hasHEIF = false
      }
    }
    if !hasHEIF { print("SKIPPED: there is no libheif") }
    // A damaged file that is to be repaired becomes what Pillow makes of it where it is told to go on.
    var decoder = ImageDecoder()
    decoder.repairs = true
    let (image, repair) = try decoder.decode(FileBytes.read(scratch("cut.jpg")), name: "cut.jpg")
    let pillow = try Image(decoding: FileBytes.read(scratch("cut.jpg.pillow.png")), name: "cut.jpg")
    #expect(repair != nil && image.width == pillow.width && image.height == pillow.height)
    let most = zip(image.pixels, pillow.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
    #expect(most == 0, "cut.jpg, repaired: \(most)")
  }
}
