/// NumPy's legacy generator, as `numpy.random.seed` starts it: for matrices of published code that must be repeated.
///
/// MT19937 with 32-bit words. Everything else draws from `CounterRandom`.
///
/// - Source: Matsumoto and Nishimura, ACM Transactions on Modeling and Computer Simulation 8, 1998.
public struct MersenneTwister: Sendable {
  private var state: [UInt32]
  private var place = 624

  /// The generator after `numpy.random.seed(seed)`.
  public init(seed: UInt32) {
    state = [seed]
    for index in 1..<624 {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
    }
  }

  /// The next 32 bits.
  public mutating func next() -> UInt32 {
    if place == 624 {
      for index in 0..<624 {
        let bits = state[index] & 0x8000_0000 | state[(index + 1) % 624] & 0x7FFF_FFFF
        state[index] = state[(index + 397) % 624] ^ bits >> 1 ^ (bits & 1 == 0 ? 0 : 0x9908_B0DF)
      }
      place = 0
    }
    var word = state[place]
    place += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9D2C_5680
    word ^= word << 15 & 0xEFC6_0000
    return word ^ word >> 18
  }

  /// `numpy.random.randint(n)`, and the index that `numpy.random.choice` takes of n: words are masked, and drawn again
  /// until one is below n.
  public mutating func integer(below n: Int) -> Int {
    precondition(n > 0 && n <= 1 << 32, "a random integer below \(n)")
    guard n > 1 else { return 0 }
    let largest = UInt32(truncatingIfNeeded: n - 1)
    let mask = UInt32.max >> UInt32(largest.leadingZeroBitCount)
    while true {
      let word = next() & mask
      if word <= largest { return Int(word) }
    }
  }

  /// `numpy.random.permutation(n)`, of which `numpy.random.choice(n, m, replace=False)` is the start.
  public mutating func permutation(of n: Int) -> [Int] {
    var order = Array(0..<n)
    for position in stride(from: n - 1, to: 0, by: -1) { order.swapAt(position, integer(below: position + 1)) }
    return order
  }
}
