import Failures
import FileFormats
import Images
import TestSupport
import Testing

/// Pillow as the oracle of decoding and resizing.
@Suite("Images against Pillow", .enabled(if: PythonOracle.has("PIL"), Comment(rawValue: PythonOracle.absence)))
struct PillowTests {
  private let scratch = ScratchFolder()

  private func decoded(_ name: String) throws -> Image {
    try Image(decoding: FileBytes.read(scratch(name)), name: name)
  }

  private func run(_ script: String) throws {
    let (code, output) = try PythonOracle.run(
      "import sys, numpy as np\nfrom PIL import Image, ImageOps\nf = sys.argv[1]\n" + script, [scratch.path])
    #expect(code == 0, "\(output)")
  }

  /// How far the values of two images of one size are apart, at most and in the mean.
  private func difference(_ one: Image, _ other: Image) -> (most: Int, mean: Double) {
    guard one.pixels.count == other.pixels.count, one.width == other.width else { return (256, 256) }
    let all = zip(one.pixels, other.pixels).map { abs(Int($0) - Int($1)) }
    return (all.max() ?? 0, Double(all.reduce(0, +)) / Double(all.count))
  }

  @Test("resizes byte for byte, bicubic and bilinear, and fits by cropping, padding and stretching")
  func resize() throws {
    let image = noiseImage(height: 37, width: 53, channels: 3)
    try FileBytes.write(PNG.encode(image), to: scratch("source.png"))
    let sizes = [(32, 32), (20, 100), (120, 37), (53, 5), (17, 37), (1, 1), (64, 64), (7, 31)]
    try run(
      """
      source = Image.open(f + '/source.png')
      for w, h in [(32, 32), (20, 100), (120, 37), (53, 5), (17, 37), (1, 1), (64, 64), (7, 31)]:
          source.resize((w, h), Image.BILINEAR).save(f'{f}/{w}x{h}-bilinear.png')
          source.resize((w, h), Image.BICUBIC).save(f'{f}/{w}x{h}-stretch.png')
          ImageOps.fit(source, (w, h), Image.BICUBIC).save(f'{f}/{w}x{h}-crop.png')
          ImageOps.pad(source, (w, h), Image.BICUBIC).save(f'{f}/{w}x{h}-pad.png')
      """)
    for (width, height) in sizes {
      let name = "\(width)x\(height)"
      #expect(try image.resized(width: width, height: height, by: .bilinear) == decoded(name + "-bilinear.png"))
      for fit in ImageFit.allCases {
        #expect(
          try image.fitted(fit, width: width, height: height) == decoded("\(name)-\(fit.rawValue).png"),
          "\(name) \(fit)")
      }
    }
  }

  @Test("decodes all kinds of PNG and JPEG, CMYK among them, byte for byte")
  func decode() throws {
    try FileBytes.write(PNG.encode(noiseImage(height: 37, width: 53, channels: 3)), to: scratch("source.png"))
    try run(
      """
      source = Image.open(f + '/source.png')
      for mode in 'LP1': source.convert(mode).save(f'{f}/{mode}.png')
      alpha = source.convert('RGBA'); alpha.putalpha(source.getchannel(0)); alpha.save(f + '/RGBA.png')
      white = Image.new('RGBA', source.size, 'white'); white.alpha_composite(alpha)
      white.convert('RGB').save(f + '/over.png')
      grey = source.convert('LA'); grey.putalpha(source.getchannel(1)); grey.save(f + '/LA.png')
      white = Image.new('RGBA', source.size, 'white'); white.alpha_composite(grey.convert('RGBA'))
      white.convert('L').save(f + '/LA.over.png')
      Image.fromarray(np.array(source.convert('L')).astype('u2') * 257).save(f + '/I16.png')
      source.convert('L').save(f + '/L.jpg')
      for name, options in dict(q90=dict(quality=90), s444=dict(subsampling=0), s422=dict(subsampling=1),
                                progressive=dict(progressive=True)).items():
          source.save(f'{f}/{name}.jpg', **options); Image.open(f'{f}/{name}.jpg').save(f'{f}/{name}.jpg.png')
      Image.open(f + '/L.jpg').save(f + '/L.jpg.png'); Image.open(f + '/P.png').convert('RGB').save(f + '/P.rgb.png')
      Image.open(f + '/1.png').convert('L').save(f + '/1.L.png')
      c, m, y = source.split(); k = source.convert('L').point(lambda v: v // 2)
      Image.merge('CMYK', (c, m, y, k)).save(f + '/cmyk.jpg', quality=95)
      Image.open(f + '/cmyk.jpg').convert('RGB').save(f + '/cmyk.jpg.png')
      """)
    for name in ["q90", "s444", "s422", "progressive", "L", "cmyk"] {
      #expect(try decoded("\(name).jpg") == decoded("\(name).jpg.png"), "\(name)")
    }
    #expect(try decoded("P.png") == decoded("P.rgb.png"))
    #expect(try decoded("1.png") == decoded("1.L.png"))
    #expect(try decoded("I16.png") == decoded("L.png"))
    // Pillow composes with another rounding, which may differ by one.
    #expect(try difference(decoded("RGBA.png"), decoded("over.png")).most <= 1)
    #expect(try difference(decoded("LA.png"), decoded("LA.over.png")).most <= 1)
  }

  @Test("WebP without losses is exact, with losses as good as; with and without transparency")
  func webp() throws {
    try FileBytes.write(PNG.encode(noiseImage(height: 37, width: 53, channels: 3)), to: scratch("source.png"))
    try run(
      """
      source = Image.open(f + '/source.png')
      source.save(f + '/exact.webp', lossless=True); source.resize((90, 70)).save(f + '/lossy.webp', quality=80)
      Image.open(f + '/lossy.webp').convert('RGB').save(f + '/lossy.png')
      alpha = source.convert('RGBA'); alpha.putalpha(source.getchannel(0))
      alpha.save(f + '/alpha.webp', lossless=True, exact=True)
      white = Image.new('RGBA', source.size, 'white'); white.alpha_composite(alpha)
      white.convert('RGB').save(f + '/over.png')
      source.save(f + '/moving.webp', save_all=True, append_images=[source.transpose(Image.FLIP_LEFT_RIGHT)])
      """)
    #expect(try decoded("exact.webp") == decoded("source.png"))
    #expect(try difference(decoded("lossy.webp"), decoded("lossy.png")).most <= 2)
    #expect(try difference(decoded("alpha.webp"), decoded("over.png")).most <= 1)
    let header = try #require(ImageHeader(FileBytes.read(scratch("lossy.webp"), first: 64)))
    #expect((header.width, header.height) == (90, 70))
    #expect(throws: (any Error).self) { try decoded("moving.webp") }
    let bytes = try FileBytes.read(scratch("exact.webp"))
    for length in stride(from: 0, to: bytes.count, by: 97) {
      #expect(throws: (any Error).self) { try Image(decoding: Array(bytes[..<length]), name: "cut") }
    }
  }

  @Test("AVIF is read as Pillow reads it, where libheif is there, and is refused with a reason where it is not")
  func avif() throws {
    try FileBytes.write(PNG.encode(noiseImage(height: 37, width: 53, channels: 3)), to: scratch("source.png"))
    try run(
      """
      from PIL import features
      if not features.check('avif'): sys.exit()
      source = Image.open(f + '/source.png').resize((106, 74), Image.BICUBIC)
      source.save(f + '/a.avif', quality=90, subsampling='4:4:4')
      Image.open(f + '/a.avif').convert('RGB').save(f + '/a.png')
      """)
    guard FileBytes.kind(of: scratch("a.avif")) == .file else { return print("SKIPPED: Pillow writes no AVIF") }
    let bytes = try FileBytes.read(scratch("a.avif"))
    #expect(ImageFormat(bytes) == .heif)
    do {
      #expect(try difference(Image(decoding: bytes, name: "a.avif"), decoded("a.png")).most <= 3)
      let header = try #require(ImageHeader(bytes))
      #expect((header.width, header.height) == (106, 74))
      // Cut within the pixels; and a head alone.
      for length in [bytes.count / 2, 64] {
        #expect(throws: Failure.self) { try Image(decoding: Array(bytes[..<length]), name: "cut") }
      }
    } catch let failure as Failure where failure.why.contains("not on this machine") {
      print("SKIPPED: there is no libheif")
    }
  }

  @Test("every EXIF orientation is applied, in JPEG, PNG and WebP, whatever the order of its bytes")
  func orientation() throws {
    try FileBytes.write(PNG.encode(noiseImage(height: 5, width: 9, channels: 3)), to: scratch("source.png"))
    try run(
      """
      source = Image.open(f + '/source.png')
      for o in range(1, 9):
          for big in (0, 1):
              e = Image.Exif(); e[0x0112] = o; e.endian = '>' if big else '<'
              e[0x010F] = 'maker'
              source.save(f'{f}/{o}{big}.png', exif=e); source.save(f'{f}/{o}{big}.jpg', exif=e, quality=90)
              source.save(f'{f}/{o}{big}.webp', exif=e, lossless=True)
              for s in ('png', 'jpg', 'webp'):
                  ImageOps.exif_transpose(Image.open(f'{f}/{o}{big}.{s}')).convert('RGB').save(f'{f}/{o}{big}.{s}.png')
      """)
    for orientation in 1...8 {
      for order in 0...1 {
        for suffix in ["png", "jpg", "webp"] {
          let name = "\(orientation)\(order).\(suffix)"
          #expect(try decoded(name) == decoded(name + ".png"), "\(name)")
          let header = try #require(ImageHeader(FileBytes.read(scratch(name))))
          #expect(header.orientation.rawValue == orientation && header.width == 9, "\(name)")
        }
      }
    }
  }

  @Test("a photograph for a small square is decoded at a reduced scale, nearly as if decoded whole")
  func reduced() throws {
    try run(
      """
      y, x = np.mgrid[0:600, 0:800]
      a = np.stack([x * 255 / 800, y * 255 / 600, 128 + 100 * np.sin(x / 40) * np.cos(y / 30)], 2)
      Image.fromarray(a.astype('u1')).save(f + '/photo.jpg', quality=92)
      im = Image.open(f + '/photo.jpg')
      ImageOps.fit(im, (64, 64), Image.BICUBIC).save(f + '/whole.png')
      im = Image.open(f + '/photo.jpg'); im.draft(None, (200, 150)); assert im.size == (200, 150)
      ImageOps.fit(im, (64, 64), Image.BICUBIC).save(f + '/reduced.png')
      """)
    var decoder = ImageDecoder()
    decoder.target = .init(width: 64, height: 64, fit: .crop)
    let (image, repair) = try decoder.decode(FileBytes.read(scratch("photo.jpg")), name: "photo")
    // 75 pixels would be fewer than twice 64.
    #expect((image.width, image.height) == (200, 150) && repair == nil)
    let small = image.fitted(.crop, width: 64, height: 64)
    #expect(try small == decoded("reduced.png"))
    // The mean of a block in place of the cubic's weights; a smooth picture hardly shows it.
    #expect(try difference(small, decoded("whole.png")).mean < 1)
  }

  @Test("a JPEG file cut off is repaired when that is asked for; superfluous bytes before its end do no harm")
  func repair() throws {
    try run(
      """
      y, x = np.mgrid[0:96, 0:128]
      Image.fromarray((x + y).astype('u1')).save(f + '/whole.jpg', quality=90)
      b = open(f + '/whole.jpg', 'rb').read()
      open(f + '/cut.jpg', 'wb').write(b[:len(b) * 2 // 3])
      open(f + '/longer.jpg', 'wb').write(b[:-2] + b'x' * 40 + b[-2:])
      """)
    let whole = try decoded("whole.jpg")
    #expect(try decoded("longer.jpg") == whole)
    #expect(throws: (any Error).self) { try decoded("cut.jpg") }
    var decoder = ImageDecoder()
    decoder.repairs = true
    let (image, repair) = try decoder.decode(FileBytes.read(scratch("cut.jpg")), name: "cut")
    #expect(repair?.contains("Premature end") == true)
    // The upper half is there.
    #expect(image.pixels.prefix(128 * 40) == whole.pixels.prefix(128 * 40))
    #expect(throws: (any Error).self) { try decoder.decode([0xFF, 0xD8, 0xFF], name: "nothing") }
  }
}
