import Statistics

/// The built-in synthetic data set: ten shapes on textured grounds, 32×32 RGB, 10,000 + 2,000 images.
///
/// Goals, in this order: 1. the same bytes for the same seed on every platform, so everything is integer arithmetic on
/// counter-based random words; 2. the shape alone tells the class: colours, place, size, angle and ground say
/// nothing; 3. a small network learns it within a few epochs.
public enum Shapes {
  /// The classes in alphabetical order; sample i shows class i mod 10.
  public static let classNames = [
    "arrow", "bars", "circle", "crescent", "cross", "hourglass", "ring", "square", "star", "triangle",
  ]
  /// The height and width of an image.
  public static let side = 32
  /// The number of training samples.
  public static let trainCount = 10_000
  /// The number of test samples.
  public static let testCount = 2_000
  /// The bytes of all its pixels.
  public static let byteCount = (trainCount + testCount) * side * side * 3

  /// The whole data set for a seed.
  public static func dataset(seed: UInt64) -> Dataset {
    Dataset(
      name: "shapes", kind: .shapes, classNames: classNames,
      train: samples(seed: seed, count: trainCount, isTest: false),
      test: samples(seed: seed, count: testCount, isTest: true), source: "built-in shapes with seed \(seed)")
  }

  /// The first `count` samples of the training or the test part.
  public static func samples(seed: UInt64, count: Int, isTest: Bool) -> LabelledSet {
    let random = CounterRandom(seed: seed)
    let size = side * side * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, filled in
      for id in 0..<count {
        let scene = ShapeScene(random, sample: UInt32(id) | (isTest ? 1 << 31 : 0), shape: id % classNames.count)
        scene.draw(into: UnsafeMutableBufferPointer(rebasing: buffer[id * size..<(id + 1) * size]))
      }
      filled = count * size
    }
    return LabelledSet(
      images: ImageSet(count: count, height: side, width: side, channels: 3, pixels: pixels),
      labels: (0..<count).map { Int32($0 % classNames.count) })
  }
}

/// One image of the data set: everything random about it is drawn at once.
private struct ShapeScene {
  /// Lengths are in quarters of a pixel, so that the 2 × 2 samples of a pixel have whole coordinates.
  private static let unit = 4

  let random: CounterRandom
  let sample: UInt32
  let shape: Int
  let foreground: SIMD4<Int32>
  let grounds: (SIMD4<Int32>, SIMD4<Int32>)
  let centre: (x: Int, y: Int)
  let radius: Int
  /// Turns a distance from the centre into the shape's own coordinates, in which its size is 1024: in 2^-14.
  let turn: (cosine: Int, sine: Int)
  let slope: (x: Int, y: Int)
  let blots: [(x: Int, y: Int, radius: Int, colour: SIMD4<Int32>)]

  init(_ random: CounterRandom, sample: UInt32, shape: Int) {
    (self.random, self.sample, self.shape) = (random, sample, shape)
    func draw(_ index: UInt32) -> SIMD4<UInt32> { random.words(.shapes, sample, index) }
    func between(_ word: UInt32, _ low: Int, _ high: Int) -> Int {
      low + CounterRandom.integer(word, below: high - low + 1)
    }
    func colour(_ word: UInt32) -> SIMD4<Int32> {
      SIMD4(Int32(word & 0xFF), Int32(word >> 8 & 0xFF), Int32(word >> 16 & 0xFF), 0)
    }

    let place = draw(0)
    radius = between(place.x, 9 * Self.unit, 14 * Self.unit)
    let freedom = 16 * Self.unit - radius
    centre = (
      16 * Self.unit + between(place.y, -freedom, freedom), 16 * Self.unit + between(place.z, -freedom, freedom)
    )
    let angle = between(place.w, -30, 30)
    turn = (IntegerSine.cosine(angle) * 1024 / radius, IntegerSine.sine(angle) * 1024 / radius)

    let ground = draw(1)
    grounds = (colour(ground.x), colour(ground.y))
    let direction = between(ground.z, 0, 359)
    slope = (IntegerSine.cosine(direction), IntegerSine.sine(direction))

    blots = (0..<3).map { index in
      let word = draw(UInt32(2 + index))
      return (
        between(word.x, 0, 32 * Self.unit), between(word.y, 0, 32 * Self.unit),
        between(word.z, Self.unit, 3 * Self.unit), colour(word.w)
      )
    }

    // The shape must stand out from both ends of the ground; after some attempts, the opposite of the ground does.
    var chosen = SIMD4<Int32>(255, 255, 255, 0) &- ((grounds.0 &+ grounds.1) / 2)
    for attempt in 0..<UInt32(8) {
      let candidate = colour(draw(8 + attempt).x)
      if Self.contrast(candidate, grounds.0) >= 112, Self.contrast(candidate, grounds.1) >= 112 {
        chosen = candidate
        break
      }
    }
    foreground = chosen
  }

  /// The largest difference of a channel.
  private static func contrast(_ one: SIMD4<Int32>, _ other: SIMD4<Int32>) -> Int32 {
    max(abs(one.x - other.x), abs(one.y - other.y), abs(one.z - other.z))
  }

  /// Writes the image [32, 32, 3].
  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    var grain = SIMD4<UInt32>()
    for y in 0..<Shapes.side {
      for x in 0..<Shapes.side {
        let value = colour(x, y)
        for channel in 0..<3 {
          let index = (y * Shapes.side + x) * 3 + channel
          if index % 16 == 0 { grain = random.words(.shapes, sample, UInt32(index / 16), 1) }
          let byte = grain[index / 4 % 4] >> UInt32(8 * (index % 4)) & 0xFF
          // Grain of −16...15.
          let noisy = value[channel] + Int32((byte * 32) >> 8) - 16
          pixels[index] = UInt8(max(0, min(255, noisy)))
        }
      }
    }
  }

  /// The colour of a pixel before the grain: the mean of its 2 × 2 samples.
  private func colour(_ x: Int, _ y: Int) -> SIMD4<Int32> {
    let middle = (x: x * Self.unit + 2, y: y * Self.unit + 2)
    // Between −2^14 · 91 and 2^14 · 91; mapped to a share of 0...256.
    let along = (middle.x - 64) * slope.x + (middle.y - 64) * slope.y
    let share = Int32(max(0, min(256, 128 + along * 128 / (91 << 14))))
    // Shifts divide: all values are positive, and a vector has no fast division.
    var ground = (grounds.0 &* (256 - share) &+ grounds.1 &* share) &>> 8
    for blot in blots {
      let (dx, dy) = (middle.x - blot.x, middle.y - blot.y)
      if dx * dx + dy * dy <= blot.radius * blot.radius { ground = (ground &+ blot.colour) &>> 1 }
    }
    // Beyond 1.3 of its size there is nothing of any shape.
    let (cx, cy) = (middle.x - centre.x, middle.y - centre.y)
    guard 100 * (cx * cx + cy * cy) <= 169 * radius * radius + 1600 else { return ground }
    var covered: Int32 = 0
    for (dx, dy) in [(-1, -1), (1, -1), (-1, 1), (1, 1)] {
      let (px, py) = (middle.x + dx - centre.x, middle.y + dy - centre.y)
      let u = (px * turn.cosine + py * turn.sine) >> 14
      let v = (py * turn.cosine - px * turn.sine) >> 14
      if ShapeOutline.contains(shape, u, v) { covered += 1 }
    }
    return (foreground &* covered &+ ground &* (4 - covered)) &>> 2
  }
}

/// Which points belong to a shape, in coordinates in which it reaches about 1024 from its centre.
private enum ShapeOutline {
  static func contains(_ shape: Int, _ u: Int, _ v: Int) -> Bool {
    let square = u * u + v * v
    switch shape {
    case 0: return isInside(arrow, u, v)
    case 1: return abs(v) <= 900 && abs(u) >= 260 && abs(u) <= 720
    case 2: return square <= 900 * 900
    case 3: return square <= 980 * 980 && (u - 430) * (u - 430) + v * v > 760 * 760
    case 4: return (abs(u) <= 290 && abs(v) <= 980) || (abs(v) <= 290 && abs(u) <= 980)
    case 5: return abs(v) <= 900 && abs(u) * 10 <= abs(v) * 9 + 600
    case 6: return square <= 960 * 960 && square >= 560 * 560
    case 7: return max(abs(u), abs(v)) <= 760
    case 8: return isInside(star, u, v)
    default: return v >= -512 && 1774 * abs(u) <= 1024 * (1024 - v)
    }
  }

  private static let arrow = [(0, 1024), (760, 160), (260, 160), (260, -940), (-260, -940), (-260, 160), (-760, 160)]

  private static let star: [(Int, Int)] = (0..<10).map { corner in
    let radius = corner % 2 == 0 ? 1060 : 430
    let angle = 90 + 36 * corner
    return ((IntegerSine.cosine(angle) * radius) >> 14, (IntegerSine.sine(angle) * radius) >> 14)
  }

  /// Whether a polygon holds a point: an odd number of its edges lie to the right.
  private static func isInside(_ corners: [(Int, Int)], _ u: Int, _ v: Int) -> Bool {
    var inside = false
    var (lastU, lastV) = corners[corners.count - 1]
    for (nextU, nextV) in corners {
      if (nextV > v) != (lastV > v) {
        let side = (u - nextU) * (lastV - nextV) - (lastU - nextU) * (v - nextV)
        if (side < 0) == (lastV > nextV) { inside.toggle() }
      }
      (lastU, lastV) = (nextU, nextV)
    }
    return inside
  }
}

/// Sine and cosine of whole degrees, times 2^14, by Bhaskara's rational approximation (error below 0.0017).
private enum IntegerSine {
  static func sine(_ degrees: Int) -> Int { table[(degrees % 360 + 360) % 360] }

  static func cosine(_ degrees: Int) -> Int { sine(degrees + 90) }

  private static let table: [Int] = (0..<360).map { degrees in
    let half = degrees % 180
    let product = half * (180 - half)
    let sine = ((4 * product) << 14) / (40_500 - product)
    return degrees < 180 ? sine : -sine
  }
}
