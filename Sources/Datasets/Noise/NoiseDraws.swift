import Statistics

/// The random numbers of a noise model: functions of the seed, of what they are for, and of the sample.
public struct NoiseDraws: Sendable {
  /// What a draw decides; different uses never share words.
  enum Use: UInt32 {
    /// Whether a sample's label changes (first word) and to what (second).
    case label = 0
    /// The same for the steps of a noise that goes through the classes one after another.
    case step = 1
    /// The structure of a matrix.
    case matrix = 2
    /// A sample's own rate.
    case rate = 3
    /// The weights that turn pixels into chances.
    case weight = 4
    /// Where pixels go.
    case pixels = 5
  }

  private let random: CounterRandom
  /// The place in a chain of noises, so that each part of it has draws of its own.
  private let stage: UInt32

  /// The draws of a seed, for one part of a chain of noises.
  public init(seed: UInt64, stage: Int = 0) {
    precondition((0..<1 << 16).contains(stage), "stage \(stage) of a chain of noises")
    self.init(CounterRandom(seed: seed), UInt32(stage))
  }

  private init(_ random: CounterRandom, _ stage: UInt32) { (self.random, self.stage) = (random, stage) }

  /// The draws of a part of a chain; those of the first part are the ones that it has alone.
  func part(_ stage: Int) -> NoiseDraws { NoiseDraws(random, UInt32(stage)) }

  /// Four random words.
  func words(_ use: Use, _ a: Int, _ b: Int = 0) -> SIMD4<UInt32> {
    random.words(.noise, UInt32(a), UInt32(b), counter(use))
  }

  /// A number in [0, 1) with 32 bits.
  func uniform(_ use: Use, _ a: Int, _ b: Int = 0) -> Double { Double(words(use, a, b).x) * 0x1p-32 }

  /// A standard normal number.
  func normal(_ use: Use, _ a: Int, _ b: Int = 0) -> Double {
    random.normal(.noise, UInt32(a), UInt32(b), counter(use))
  }

  /// Two numbers in [0, 1): whether a sample's label changes, and to what.
  func flipAndTarget(_ id: Int, _ use: Use = .label, _ step: Int = 0) -> (flip: Double, target: Double) {
    let words = words(use, id, step)
    return (Double(words.x) * 0x1p-32, Double(words.y) * 0x1p-32)
  }

  /// A random order of 0..<n.
  func permutation(of n: Int, _ use: Use, _ a: Int) -> [Int] {
    var order = Array(0..<n)
    for position in stride(from: n - 1, to: 0, by: -1) {
      order.swapAt(position, CounterRandom.integer(words(use, a, position).x, below: position + 1))
    }
    return order
  }

  /// Of these ids the `count` with the largest flips, in ascending order: so a larger count adds ids, and takes none.
  func chosen(_ count: Int, of ids: [Int], _ use: Use = .label, _ step: Int = 0) -> [Int] {
    let flips = ids.map { (flip: words(use, $0, step).x, id: $0) }
    return flips.sorted { ($0.flip, $1.id) > ($1.flip, $0.id) }.prefix(count).map(\.id).sorted()
  }

  private func counter(_ use: Use) -> UInt32 { stage << 8 | use.rawValue }
}
