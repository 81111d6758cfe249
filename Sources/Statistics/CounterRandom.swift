import CLayout

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Random numbers without a state: four words are a function of the seed and of what they are for.
///
/// Philox4x32-10: key = (low word, high word of the seed), counter = (purpose, a, b, c). The same function exists in
/// the kernels, so that a random integer is the same on every device, whatever the order or the number of threads in
/// which it is asked for.
///
/// - Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct CounterRandom: Sendable, Equatable {
  /// What a random number is used for; different purposes never share words.
  public struct Purpose: Sendable, Hashable {
    /// The number that words are drawn with (Kernels/layout/include/layout.h).
    public let rawValue: UInt32

    private init(_ number: Int) { rawValue = UInt32(number) }

    /// Of training: the order of an epoch, crops and flips, first weights.
    public static let shuffle = Purpose(PURPOSE_SHUFFLE), augment = Purpose(PURPOSE_AUGMENT),
      initialization = Purpose(PURPOSE_INITIALIZATION)
    /// Of dropout, and of the peer pass: its images, their labels, crops and dropout.
    public static let dropout = Purpose(PURPOSE_DROPOUT), peerImage = Purpose(PURPOSE_PEER_IMAGE),
      peerLabel = Purpose(PURPOSE_PEER_LABEL), peerAugment = Purpose(PURPOSE_PEER_AUGMENT),
      peerDropout = Purpose(PURPOSE_PEER_DROPOUT)
    /// Of mixed images: the share of the first one, and which one is the second.
    public static let mixFactor = Purpose(PURPOSE_MIX_FACTOR), mixPartner = Purpose(PURPOSE_MIX_PARTNER)
    /// Of trusted samples: which these are, and the order in which they come.
    public static let trustedSample = Purpose(PURPOSE_TRUSTED_SAMPLE), trustedOrder = Purpose(PURPOSE_TRUSTED_ORDER)
    /// Of an epoch that is divided: the orders of the samples whose labels are believed, and of the others.
    public static let labelledOrder = Purpose(PURPOSE_LABELLED_ORDER),
      unlabelledOrder = Purpose(PURPOSE_UNLABELLED_ORDER)
    /// Of data: wrong labels, made-up images, what is held out.
    public static let noise = Purpose(PURPOSE_NOISE), shapes = Purpose(PURPOSE_SHAPES), split = Purpose(PURPOSE_SPLIT)
    /// Of a search for wrong labels and of reports: samples that are looked at.
    public static let thresholdSample = Purpose(PURPOSE_THRESHOLD_SAMPLE), blindCheck = Purpose(PURPOSE_BLIND_CHECK),
      reportSample = Purpose(PURPOSE_REPORT_SAMPLE), madeUpLabel = Purpose(PURPOSE_MADE_UP_LABEL)
    /// Of features: which patches become filters.
    public static let patch = Purpose(PURPOSE_PATCH)
  }

  /// The seed that every word depends on.
  public let seed: UInt64

  /// Random numbers that belong to `seed`.
  public init(seed: UInt64) {
    self.seed = seed
  }

  /// Four random words for the counter (purpose, a, b, c).
  public func words(_ purpose: Purpose, _ a: UInt32, _ b: UInt32, _ c: UInt32 = 0) -> SIMD4<UInt32> {
    Self.philox(
      counter: SIMD4(purpose.rawValue, a, b, c), key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)))
  }

  /// The bare function Philox4x32-10, as in the paper's known-answer tests.
  public static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for _ in 0..<10 {
      let p0 = UInt64(0xD251_1F53) * UInt64(c0)
      let p1 = UInt64(0xCD9E_8D57) * UInt64(c2)
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }

  /// Maps a random word to an integer in 0..<n: the high half of word × n.
  ///
  /// The bias is below n / 2^32.
  public static func integer(_ word: UInt32, below n: Int) -> Int {
    precondition(n > 0 && n <= 1 << 32, "a random integer below \(n)")
    return Int((UInt64(word) * UInt64(n)) >> 32)
  }

  /// Maps a random word to a multiple of 2^-24 in [0, 1): exact in Float and in Double.
  public static func uniform(_ word: UInt32) -> Double {
    Double(word >> 8) * 0x1p-24
  }

  /// A random integer in 0..<n, from the first word of the counter.
  public func integer(below n: Int, _ purpose: Purpose, _ a: UInt32, _ b: UInt32, _ c: UInt32 = 0) -> Int {
    Self.integer(words(purpose, a, b, c).x, below: n)
  }

  /// A random number in [0, 1) with 24 bits, from the first word of the counter.
  public func uniform(_ purpose: Purpose, _ a: UInt32, _ b: UInt32, _ c: UInt32 = 0) -> Double {
    Self.uniform(words(purpose, a, b, c).x)
  }

  /// A random number in [0, 1) with 24 bits, as a Float; equals the Double one exactly.
  public func uniformFloat(_ purpose: Purpose, _ a: UInt32, _ b: UInt32, _ c: UInt32 = 0) -> Float {
    Float(words(purpose, a, b, c).x >> 8) * 0x1p-24
  }

  /// A standard normal number: Box–Muller in Double on the first two words of the counter.
  public func normal(_ purpose: Purpose, _ a: UInt32, _ b: UInt32, _ c: UInt32 = 0) -> Double {
    Self.normal(words(purpose, a, b, c))
  }

  /// A standard normal number from the first two of four words, by Box and Muller.
  ///
  /// `sqrt(-2 ln u) · cos(2π v)` with u = (x + 1) / 2^32 in (0, 1] and v = y / 2^32, so the size is at most 6.67.
  static func normal(_ word: SIMD4<UInt32>) -> Double {
    let radius = (-2 * log((Double(word.x) + 1) * 0x1p-32)).squareRoot()
    return radius * cos(2 * Double.pi * Double(word.y) * 0x1p-32)
  }

  /// A random order of 0..<n: Fisher–Yates from the last position down, with a draw of its own for each position.
  ///
  /// Position i (from n - 1 down to 1) changes places with `integer(below: i + 1, purpose, a, i)`.
  public func permutation(of n: Int, _ purpose: Purpose, _ a: UInt32) -> [Int32] {
    precondition(n >= 0 && n <= Int(Int32.max), "a permutation of \(n) elements")
    var order = [Int32](0..<Int32(n))
    for position in stride(from: n - 1, to: 0, by: -1) {
      order.swapAt(position, integer(below: position + 1, purpose, a, UInt32(position)))
    }
    return order
  }
}
