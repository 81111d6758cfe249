import FileFormats

/// Random draws that can be made again: their seed is printed, and `GPUNOISY_FUZZ_SEED` chooses it.
public struct SeededDraws: RandomNumberGenerator {
  private var state: UInt64

  /// - Parameter name: what draws, for the line that names the seed.
  public init(_ name: String) {
    let chosen = FileBytes.environment("GPUNOISY_FUZZ_SEED").flatMap { UInt64($0) }
    state = chosen ?? UInt64.random(in: 0...(.max))
    print("\(name): GPUNOISY_FUZZ_SEED=\(state) makes the same draws again")
  }

  /// SplitMix64.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// A whole number from 0 to `bound` - 1.
  public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  /// One of these.
  public mutating func choice<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
