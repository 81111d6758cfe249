import Detection
import FileFormats
import Testing

/// What the packages `aum` and `cleanlab` made of small cases once, as `Frozen/frozen.py` wrote it down with their
/// versions: the judges of every machine, with and without Python.
enum Frozen {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let json: JSONValue

    func member(_ name: String) throws -> JSONValue { try #require(json[name], "\(name)") }
    func integer(_ name: String) throws -> Int { try #require(member(name).integer, "\(name)") }
    func integers(_ name: String) throws -> [Int] { try Frozen.integers(member(name)) }
  }

  static let areas = cases("aum.json"), learning = cases("cleanlab.json")

  static func integers(_ value: JSONValue?) throws -> [Int] {
    try #require(value?.array).map { try #require($0.integer) }
  }

  static func doubles(_ value: JSONValue?) throws -> [Double] {
    try #require(value?.array).map { try #require($0.double) }
  }

  /// None where the file cannot be read, which a test notices.
  private static func cases(_ name: String) -> [Case] {
    let folder = String((#filePath as String).dropLast("FrozenOracleTests.swift".count)) + "Frozen/"
    let document = try? JSONText.parse(FileBytes.read(folder + name), named: name)
    return (document?["cases"]?.array ?? []).map { Case(testDescription: $0["name"]?.string ?? "", json: $0) }
  }
}

@Suite("Frozen results of other packages")
struct FrozenOracleTests {
  /// Means of sums of a few numbers in another order, in double precision.
  private static let tolerance = 1e-14
  /// Logarithms and exponentials of other libraries, some roundings each.
  private static let entropyTolerance = 1e-13

  @Test("are there")
  func files() { #expect(Frozen.areas.count == 3 && Frozen.learning.count == 5) }

  @Test("aum: the area under the margin of every sample, and of none that was not seen", arguments: Frozen.areas)
  func areas(_ example: Frozen.Case) throws {
    let labels = try example.integers("labels").map { Int32($0) }, K = try example.integer("classes")
    var dynamics = SampleDynamics(count: labels.count, outputs: K, classes: K, kind: .logits)
    for step in try #require(example.member("steps").array) {
      let logits = try Frozen.integers(step["logits_times_8"]).map { Float($0) / 8 }
      let ids = try Frozen.integers(step["ids"]).map { Int32($0) }
      let isFinite = dynamics.add(logits: logits, ids: ids, labels: labels, counts: true)
      #expect(isFinite)
    }
    let expected = try #require(example.member("aum").array).map(\.double)
    #expect(expected.count == labels.count && expected.contains(nil))
    for (id, area) in expected.enumerated() {
      guard let area, let ours = dynamics.area(id) else {
        #expect(area == nil && dynamics.area(id) == nil, "\(id)")
        continue
      }
      #expect(abs(ours - area) <= Self.tolerance * max(1, area.magnitude), "\(id): \(ours) instead of \(area)")
    }
  }

  private func learning(_ example: Frozen.Case) throws -> ConfidentLearning {
    ConfidentLearning(
      labels: try example.integers("labels"),
      probabilities: try example.integers("probabilities_times_4096").map { Double($0) / 4096 },
      classes: try example.integer("classes"))
  }

  @Test("cleanlab: thresholds and joint counts", arguments: Frozen.learning)
  func joint(_ example: Frozen.Case) throws {
    let ours = try learning(example), thresholds = try Frozen.doubles(example.member("thresholds"))
    #expect(ours.thresholds.count == thresholds.count)
    #expect(zip(ours.thresholds, thresholds).allSatisfy { abs($0 - $1) < Self.tolerance })
    #expect(try ours.confidentCounts == example.integers("confident_counts"))
    #expect(try ours.joint == example.integers("joint"))
  }

  @Test(
    "cleanlab: which samples each filter flags", arguments: Frozen.learning, ConfidentLearning.Filter.allCases)
  func issues(_ example: Frozen.Case, filter: ConfidentLearning.Filter) throws {
    let flags = try learning(example).issues(filter)
    #expect(try flags.indices.filter { flags[$0] } == Frozen.integers(example.member("issues")[filter.rawValue]))
  }

  @Test("cleanlab: every quality of every label", arguments: Frozen.learning, ConfidentLearning.Quality.allCases)
  func quality(_ example: Frozen.Case, quality: ConfidentLearning.Quality) throws {
    let scores = try learning(example).quality(quality)
    let theirs = try Frozen.doubles(example.member("quality")[quality.rawValue])
    #expect(scores.count == theirs.count)
    let tolerance = quality == .confidenceWeightedEntropy ? Self.entropyTolerance : Self.tolerance
    for (index, (ours, expected)) in zip(scores, theirs).enumerated() {
      #expect(abs(ours - expected) < tolerance, "\(index): \(ours) instead of \(expected)")
    }
  }
}
