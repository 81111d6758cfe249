import Statistics
import Testing

@Suite("CounterRandom")
struct CounterRandomTests {
  @Test(
    "gives the known answers of Random123",
    arguments: [
      (
        SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
        SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
      ),
      (
        SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
        SIMD4<UInt32>(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
      ),
      (
        SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2<UInt32>(0xa409_3822, 0x299f_31d0),
        SIMD4<UInt32>(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
      ),
    ])
  func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, answer: SIMD4<UInt32>) {
    #expect(CounterRandom.philox(counter: counter, key: key) == answer)
  }

  @Test("puts the seed into the key and the purpose into the first counter word")
  func keyAndCounter() {
    let random = CounterRandom(seed: 0x299f_31d0_a409_3822)
    let direct = CounterRandom.philox(counter: SIMD4(3, 7, 8, 9), key: SIMD2(0xa409_3822, 0x299f_31d0))
    #expect(random.words(.noise, 7, 8, 9) == direct)
  }

  @Test("draws for each purpose by a number of its own, which never changes")
  func purposes() {
    let purposes: [CounterRandom.Purpose] = [
      .shuffle, .augment, .noise, .initialization, .peerImage, .peerLabel, .peerAugment, .thresholdSample, .shapes,
      .split, .blindCheck, .reportSample, .madeUpLabel, .patch, .dropout, .peerDropout, .mixFactor, .mixPartner,
      .trustedSample, .trustedOrder, .labelledOrder, .unlabelledOrder,
    ]
    let numbers: [UInt32] = [
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 24, 25, 26, 27,
    ]
    #expect(purposes.map(\.rawValue) == numbers)
  }

  @Test("integers stay in range and reach both ends")
  func integers() {
    #expect(CounterRandom.integer(0, below: 10) == 0)
    #expect(CounterRandom.integer(.max, below: 10) == 9)
    #expect(CounterRandom.integer(.max, below: 1) == 0)
    let random = CounterRandom(seed: 5)
    var seen = [Int](repeating: 0, count: 9)
    for index in 0..<9000 { seen[random.integer(below: 9, .augment, 0, UInt32(index))] += 1 }
    // Each count is binomial(9000, 1/9): mean 1000, deviation 29.8; six deviations never occur by chance.
    for count in seen { #expect(abs(count - 1000) < 180) }
  }

  @Test("uniform numbers have 24 bits and lie in [0, 1)")
  func uniforms() {
    #expect(CounterRandom.uniform(.max) == 1 - 0x1p-24)
    #expect(CounterRandom.uniform(255) == 0)
    let random = CounterRandom(seed: 9)
    var sum = 0.0
    for index in 0..<UInt32(10000) {
      let value = random.uniform(.noise, index, 0)
      #expect(Float(value) == random.uniformFloat(.noise, index, 0))
      sum += value
    }
    #expect(abs(sum / 10000 - 0.5) < 6 * 0.00289)
  }

  @Test("normal numbers have mean 0, variance 1 and the normal tails")
  func normals() {
    let random = CounterRandom(seed: 2)
    var (sum, squares, beyondTwo) = (0.0, 0.0, 0)
    for index in 0..<UInt32(20000) {
      let value = random.normal(.initialization, 1, index)
      sum += value
      squares += value * value
      if abs(value) > 2 { beyondTwo += 1 }
    }
    #expect(abs(sum / 20000) < 6 * 0.0071)
    #expect(abs(squares / 20000 - 1) < 0.06)
    #expect(abs(Double(beyondTwo) / 20000 - 0.0455) < 0.009)
  }

  @Test(
    "a permutation holds every element once, repeats with the seed and differs between epochs",
    arguments: [0, 1, 2, 7, 1000])
  func permutations(n: Int) {
    let random = CounterRandom(seed: 1)
    let order = random.permutation(of: n, .shuffle, 3)
    #expect(order.sorted() == [Int32](0..<Int32(n)))
    #expect(order == CounterRandom(seed: 1).permutation(of: n, .shuffle, 3))
    if n >= 7 {
      #expect(order != random.permutation(of: n, .shuffle, 4))
      #expect(order != CounterRandom(seed: 2).permutation(of: n, .shuffle, 3))
    }
  }
}
