import Failures
import FileFormats
import Methods
import Sessions
import Testing

/// What a checkpoint may hold of the per-sample table, and of what methods keep beside it.
@Suite("Numbers of a method in a checkpoint")
struct ColumnTests {
  @Test("are in the range of their column, or what they began with")
  func ranges() {
    let most = Float.greatestFiniteMagnitude
    let chances = Column("chances", start: .float(-1), range: 0...1)
    for value in [-1, 0, 0.5, 1] as [Float] { #expect(chances.allows(.floats([0.5, value])), "\(value)") }
    for value in [-0.5, 1.5, .nan, .infinity, -.infinity, most] as [Float] {
      #expect(!chances.allows(.floats([0.5, value])), "\(value)")
    }
    let unknown = Column("unknown", start: .float(.nan))
    #expect(unknown.allows(.floats([.nan, most, -most, 0])) && !unknown.allows(.floats([.infinity])))
    #expect(!Column("sums", start: .float(0)).allows(.floats([.nan])))
    let labels = Column("labels", start: .integer(-1), range: 0...9)
    #expect(labels.allows(.integers([-1, 0, 9])) && !labels.allows(.integers([-2])) && !labels.allows(.integers([10])))
    #expect(Column("counts", start: .integer(0)).allows(.integers([.min, .max])))
    #expect(!labels.allows(.floats([0])) && !chances.allows(.integers([0])))
  }

  @Test("are two weights that sum to 1, with means of normalised losses")
  func mixtures() throws {
    let sound = [0.25, 7, 0.75, 0.125, 0.01, 0.25, 0.5, 0.0625]
    func read(_ numbers: [Double]) throws -> [LossMixture] {
      var file = SafetensorsFile()
      file[LossMixture.name] = .init(numbers, shape: [1, LossMixture.count])
      return try LossMixture.read(file, networks: 1)
    }
    let mixture = try #require(read(sound).first)
    #expect(mixture.low?.weight == 0.75 && mixture.high?.mean == 0.5 && mixture.most == 7)
    // Where all losses are equal there are none.
    #expect(try read([2, 2, 0, 0, 0, 0, 0, 0]).first?.low == nil)
    for index in sound.indices {
      for value in [.nan, .infinity, 1e308, -1e308] as [Double] {
        var damaged = sound
        damaged[index] = value
        let failure = #expect(throws: Failure.self, "\(index) \(value)") { try read(damaged) }
        #expect(failure?.kind == .badInput)
      }
    }
    for (index, value) in [(0, 8.0), (2, 0.5), (3, 1.5), (4, 0), (5, -0.25), (6, -1), (7, 2)] {
      var damaged = sound
      damaged[index] = value
      #expect(throws: Failure.self, "\(index) \(value)") { try read(damaged) }
    }
  }
}
