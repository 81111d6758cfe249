import Datasets
import Detection
import Failures
import FileFormats
import Statistics
import Testing

@Suite("Samples that are left out together")
struct NearDuplicateTests {
  @Test("groups that share a sample become one, in order")
  func joined() {
    #expect(NearDuplicates.joined([[4, 5], [1, 3], [3, 0], [7]], count: 9) == [[0, 1, 3], [4, 5]])
    #expect(NearDuplicates.joined([], count: 3).isEmpty)
  }

  @Test("rows are near by their direction, whatever their length")
  func cosine() throws {
    // Two directions, each twice; the third row of the first is turned away.
    let rows: [[Float]] = [[1, 0, 0], [-1, 0.05, 0], [0, 1, 0.02], [3, 0, 0.1], [0, -2, 0], [0, 0, 1]]
    let table = try #require(FeatureTable(rows.flatMap { $0 }, width: 3, takesRoots: false))
    func cosine(_ i: Int, _ j: Int) -> Double {
      let s = table.scaled
      return s.product(i, j) / (s.product(i, i) * s.product(j, j)).squareRoot()
    }
    for bound in [0.5, 0.9, 0.99] {
      let groups = NearDuplicates.joined(NearDuplicates(table, cosine: bound).links, count: 6)
      let pairs = (0..<6).flatMap { i in (0..<i).map { [$0, i] } }.filter { cosine($0[0], $0[1]) >= bound }
      #expect(groups == NearDuplicates.joined(pairs, count: 6))
    }
  }

  @Test("copies are connected by as many links as it takes, over blocks of rows, too")
  func links() throws {
    // Two images, 300 and 299 times, in turn.
    let rows = (0..<599).flatMap { i -> [Float] in i % 2 == 0 ? [1, 0, 0.1] : [0, 1, 0.1] }
    let table = try #require(FeatureTable(rows, width: 3, takesRoots: false))
    let found = NearDuplicates(table, cosine: 0.99, firstPart: 2)
    let groups = NearDuplicates.joined(found.links, count: 599)
    #expect(groups == [Array(stride(from: 0, to: 599, by: 2)), Array(stride(from: 1, to: 599, by: 2))])
    #expect(found.links.count < 3 * 599)
    #expect(found.nearest.map(\.second) == Array(2..<599))
    #expect(found.nearest.allSatisfy { $0.first == $0.second % 2 })
  }

  /// 60 scenes of each of two classes, six shots each: the shots of a scene differ by 2 % of what scenes differ by.
  private func bursts() -> (features: [Float], labels: [Int32], wrong: [Bool]) {
    let random = CounterRandom(seed: 5), width = 60
    var features: [Float] = [], labels: [Int32] = [], wrong: [Bool] = []
    for scene in 0..<120 {
      // All shots of every tenth scene were moved to the other class.
      let truth = scene % 2, isMoved = scene % 10 == 3
      var centre: [Double] = []
      for d in 0..<width {
        let shift = d < 4 ? Double(4 * truth) : 0
        centre.append(random.normal(.shapes, UInt32(scene), UInt32(d), 0) + shift)
      }
      for shot in 0..<6 {
        for d in 0..<width {
          features.append(Float(centre[d] + 0.02 * random.normal(.shapes, UInt32(scene), UInt32(d), UInt32(1 + shot))))
        }
        labels.append(Int32(isMoved ? 1 - truth : truth))
        wrong.append(isMoved)
      }
    }
    return (features, labels, wrong)
  }

  @Test("bursts that were moved together are found, though their shots vouch for each other")
  func found() throws {
    let (features, labels, wrong) = bursts(), ids = Array(labels.indices)
    func found(cosine: Double?, groups: [[Int]] = []) throws -> (hits: Int, listed: Int, findings: FeatureFindings) {
      let findings = FeatureFindings(
        features, width: 60, of: ids, in: DetectionSamples.set(labels: labels), classCount: 2, source: .lite0,
        groups: groups, cosine: cosine)
      let judgement = try #require(findings.judgement)
      let hits = ids.count { judgement.isListed[$0] && wrong[$0] }
      return (hits, judgement.isListed.count { $0 }, findings)
    }
    let scenes = stride(from: 0, to: 720, by: 6).map { Array($0..<$0 + 6) }
    let together = try found(cosine: 0.9)
    #expect(together.findings.groups == scenes)
    #expect(together.hits > 60 && together.listed < 90, "\(together.hits) of \(together.listed), 72 are wrong")
    // By directories it is the same.
    let byDirectory = try found(cosine: nil, groups: scenes)
    #expect(byDirectory.findings.judgement?.chances == together.findings.judgement?.chances)
    // Each shot by itself is vouched for by the others of its scene.
    let alone = try found(cosine: nil)
    #expect(alone.findings.groups.isEmpty && alone.hits < 20, "\(alone.hits)")
  }

  @Test("images of another part that are nearly the same as training images are found, with the nearest one")
  func acrossParts() throws {
    let (features, labels, _) = bursts()
    // All of each scene but its last shot come first: the training part.
    let order = (0..<720).filter { $0 % 6 != 5 } + (0..<720).filter { $0 % 6 == 5 }
    let rows = order.flatMap { features[$0 * 60..<($0 + 1) * 60] }
    let findings = FeatureFindings(
      rows, width: 60, of: Array(0..<720), in: DetectionSamples.set(labels: order.map { labels[$0] }), classCount: 2,
      source: .lite0, trainCount: 600, cosine: 0.9)
    #expect(findings.twins.map(\.id) == Array(600..<720))
    #expect(findings.twins.allSatisfy { order[$0.training] / 6 == order[$0.id] / 6 && $0.cosine > 0.99 })
    #expect(findings.nearDuplicates.count == 120)
    let file = try SafetensorsFile(parsing: findings.file.encoded(), path: "features.safetensors")
    let set = DetectionSamples.set(labels: order.map { labels[$0] })
    #expect(try FeatureFindings(file, of: set, classCount: 2).twins == findings.twins)
    for (name, values) in [
      ("seconds", ["nan", "inf", "1e300", "-5", ""]), ("cosine", ["nan", "2", "-inf", "1e300", "x"]),
    ] {
      for value in values {
        var damaged = file
        damaged.metadata[name] = value
        let failure = #expect(throws: Failure.self, "\(name) \(value)") {
          try FeatureFindings(damaged, of: set, classCount: 2)
        }
        #expect(failure?.kind == .badInput)
      }
    }
  }

  @Test("a group of nearly the whole set is none")
  func whole() {
    let (features, labels, _) = bursts()
    let findings = FeatureFindings(
      features, width: 60, of: Array(labels.indices), in: DetectionSamples.set(labels: labels), classCount: 2,
      source: .lite0, groups: [Array(0..<400)])
    #expect(findings.groups.isEmpty && findings.judgement != nil)
  }
}
