import Datasets
import Detection
import Statistics
import Testing

@Suite("What a detection by features says")
struct FeatureStatementTests {
  /// Findings about two classes at this distance, with so many of the labels of 300 samples changed.
  private func findings(
    distance: Double, wrong: Int, source: FeatureSource = .lite0, more: [Int32] = []
  ) -> FeatureFindings {
    let random = CounterRandom(seed: 2), width = 12, count = 300
    var labels = (0..<count).map { Int32($0 % 2) }
    var features: [Float] = []
    for i in 0..<count {
      for d in 0..<width {
        let shift = d == 0 ? distance * Double(i % 2) : 0
        features.append(Float(random.normal(.shapes, UInt32(i), UInt32(d), 0) + shift))
      }
    }
    for i in 0..<wrong { labels[7 * i + i % 2] = 1 - labels[7 * i + i % 2] }
    for label in more { for d in 0..<width { features.append(Float(d) * Float(label)) } }
    return FeatureFindings(
      features, width: width, of: Array(0..<count + more.count),
      in: DetectionSamples.set(labels: labels + more), classCount: 4, source: source)
  }

  private func text(_ findings: FeatureFindings) -> String {
    FeatureStatement(findings, classNames: ["ant", "bee", "cow", "dog"]).text
  }

  @Test("a list: how many are wrong, how many of the listed should be, what it finds")
  func list() throws {
    let found = findings(distance: 9, wrong: 30), judgement = try #require(found.judgement)
    #expect(found.verdict == .list && found.verdict.isTrusted)
    #expect((27...33).contains(judgement.estimate) && judgement.isListed.count { $0 } == judgement.estimate)
    let said = text(found)
    #expect(said.hasPrefix("About \(judgement.estimate) of 300 labels are wrong, and listed; some "))
    #expect(
      said.contains("made-up wrong labels, the list finds ") && said.hasSuffix("Look at each before you change it."))
  }

  @Test("no sign of wrong labels; never that all are right")
  func none() {
    let found = findings(distance: 9, wrong: 0)
    #expect(found.verdict == .none)
    #expect(text(found).hasPrefix("No sign of wrong labels (at most 0 of 300). Held out, 100% of the images"))
  }

  @Test("classes that cannot be distinguished, and what would help")
  func notLearnt() {
    let found = findings(distance: 0, wrong: 0)
    #expect(found.verdict == .notLearnt && !found.verdict.isTrusted)
    #expect(text(found).hasPrefix("These images could not be distinguished: held out, "))
    #expect(!text(found).contains("gpunoisy weights"))
    #expect(text(findings(distance: 0, wrong: 0, source: .patches)).contains("gpunoisy weights"))
    #expect(found.judgement?.isListed.contains(true) == false)
  }

  @Test("small classes are named, the smallest are not judged")
  func small() {
    let found = findings(distance: 9, wrong: 30, more: [2, 2, 2] + [Int32](repeating: 3, count: 8))
    #expect(found.tooSmall == [2] && found.small == [3] && found.classes == [0, 1, 3])
    #expect(text(found).contains("Not judged, with fewer than 5 images: 'cow'."))
    #expect(text(found).contains("With fewer than 20 images, less sure: 'dog'."))
  }

  @Test("images that are all alike, or of one class, say nothing")
  func alike() {
    let set = DetectionSamples.set(labels: (0..<40).map { Int32($0 % 2) })
    let found = FeatureFindings(
      [Float](repeating: 1, count: 80), width: 2, of: Array(0..<40), in: set, classCount: 2, source: .lite0)
    #expect(found.judgement == nil && found.verdict == .cannotTell)
    #expect(text(found).hasPrefix("Nothing can be said about these labels"))
  }

  @Test("lists that are not sure are refused unless they are trusted", arguments: DetectionVerdict.allCases)
  func trust(verdict: DetectionVerdict) throws {
    try verdict.requireTrust(true, in: "x.csv", for: "--exclude")
    guard !verdict.isTrusted else { return try verdict.requireTrust(false, in: "x.csv", for: "--exclude") }
    #expect(throws: (any Error).self) { try verdict.requireTrust(false, in: "x.csv", for: "--exclude") }
  }
}
