import Statistics
import Testing

@Suite("NumPy's legacy generator")
struct MersenneTwisterTests {
  @Test("words, integers and permutations are NumPy's")
  func numPy() {
    // numpy.random.RandomState(1).bytes(8): 25f4c16a eb8047ff, little-endian.
    var words = MersenneTwister(seed: 1)
    #expect(words.next() == 0x6AC1_F425 && words.next() == 0xFF47_80EB)
    // numpy.random.seed(12345), five numpy.random.randint(1000), numpy.random.permutation(12).
    var numbers = MersenneTwister(seed: 12_345)
    #expect((0..<5).map { _ in numbers.integer(below: 1000) } == [482, 485, 285, 129, 420])
    #expect(numbers.permutation(of: 12) == [4, 0, 11, 10, 7, 3, 8, 6, 1, 2, 5, 9])
  }

  @Test("the ten-thousandth word is the standard's")
  func standard() {
    // The C++ standard, [rand.predef]: mt19937 with its default seed 5489.
    var random = MersenneTwister(seed: 5489)
    for _ in 1..<10_000 { _ = random.next() }
    #expect(random.next() == 4_123_659_995)
  }
}
