import Datasets
import Detection
import FileFormats
import Glibc
import Statistics
import TestSupport
import Testing

/// Two classes whose outputs and features are drawn, with wrong labels of which it is known which they are.
private struct Drawn {
  let features: [Float], labels: [Int], wrong: [Bool]
  static let width = 12, count = 400

  init(distance: Double = 5, everyWrong: Int = 10) {
    let random = CounterRandom(seed: 11)
    var features: [Float] = [], labels: [Int] = [], wrong: [Bool] = []
    for i in 0..<Self.count {
      for d in 0..<Self.width {
        let shift = d == 0 ? distance * Double(i % 2) : 0
        features.append(Float(random.normal(.shapes, UInt32(i), UInt32(d), 0) + shift))
      }
      let isWrong = i % everyWrong == 3
      labels.append(isWrong ? 1 - i % 2 : i % 2)
      wrong.append(isWrong)
    }
    (self.features, self.labels, self.wrong) = (features, labels, wrong)
  }

  func table() throws -> FeatureTable {
    try #require(FeatureTable(features, width: Self.width, takesRoots: false))
  }

  func judgement(_ labels: [Int]? = nil, trusted: [Int] = []) throws -> FeatureJudgement {
    let given = Dictionary(uniqueKeysWithValues: trusted.map { ($0, self.labels[$0]) })
    return FeatureJudgement(
      try table(), labels: labels ?? self.labels, classes: 2, given: given, countsMost: true)
  }

  /// How well chances rank wrong labels before right ones, among some samples.
  func area(_ found: FeatureJudgement, among ids: [Int]) throws -> Double {
    try #require(
      DetectionScore(
        isWrong: ids.map { wrong[$0] }, isFlagged: ids.map { _ in false }, suspicion: ids.map { found.chances[$0] }
      ).areaUnderROC)
  }
}

@Suite("Labels that somebody has looked at")
struct TrustedLabelTests {
  @Test("are never listed, count as right, and are left out of the numbers")
  func listed() throws {
    let drawn = Drawn(), before = try drawn.judgement()
    let listed = before.isListed.indices.filter { before.isListed[$0] }
    try #require(before.verdict == .list && listed.count > 20)
    // Somebody looked at half of the list, and found each of these labels right, even the wrong ones.
    let looked = Array(listed.prefix(listed.count / 2))
    try #require(looked.contains { drawn.wrong[$0] })
    let after = try drawn.judgement(trusted: looked)
    #expect(looked.allSatisfy { !after.isListed[$0] && after.chances[$0] == 0 && after.isTrusted[$0] })
    #expect(after.questioned == Drawn.count - looked.count)
    let rest = (0..<Drawn.count).filter { !looked.contains($0) }
    let share = rest.reduce(0) { $0 + after.chances[$1] } / Double(rest.count)
    #expect(abs(after.share - share) < 1e-12)
    #expect(after.estimate < before.estimate)
  }

  @Test(
    "leave the wrong ones among the others to be found, however much of the list was looked at", arguments: [3.0, 5])
  func others(distance: Double) throws {
    let drawn = Drawn(distance: distance), before = try drawn.judgement()
    let order = FeatureJudgement.order(before.chances)
    for count in [5, 10, 20, 30] {
      // Somebody looked at the most suspicious, and said of each what is right.
      let looked = Array(order.prefix(count)), rest = order.dropFirst(count)
      var labels = drawn.labels
      for id in looked where drawn.wrong[id] { labels[id] = 1 - labels[id] }
      let after = try drawn.judgement(labels, trusted: looked)
      #expect(try drawn.area(after, among: Array(rest)) > drawn.area(before, among: Array(rest)) - 0.005)
      let hits = { (found: FeatureJudgement) in rest.count { drawn.wrong[$0] && found.isListed[$0] } }
      let left = rest.count { drawn.wrong[$0] }
      #expect(hits(after) >= hits(before) - 1, "\(count): \(hits(before)) and \(hits(after)) of \(left)")
      #expect(abs(after.share * Double(rest.count) - Double(left)) < 9, "\(after.share * Double(rest.count)), \(left)")
      #expect(after.verdict == .list || left < 4, "\(after.verdict) \(count) \(left)")
    }
  }

  @Test("that are right make nothing worse for the others")
  func right() throws {
    let drawn = Drawn(distance: 3), before = try drawn.judgement()
    let looked = (0..<Drawn.count).filter { $0 % 2 == 0 && !drawn.wrong[$0] }
    let rest = (0..<Drawn.count).filter { !looked.contains($0) }, after = try drawn.judgement(trusted: looked)
    let (old, new) = (try drawn.area(before, among: rest), try drawn.area(after, among: rest))
    #expect(new > old - 0.002 && after.chances != before.chances, "\(old) \(new)")
  }

  @Test("correct the fit where they were wrong")
  func corrected() throws {
    let drawn = Drawn(distance: 3), before = try drawn.judgement()
    let listed = before.isListed.indices.filter { before.isListed[$0] && drawn.wrong[$0] }
    var labels = drawn.labels
    for id in listed { labels[id] = 1 - labels[id] }
    let after = try drawn.judgement(labels, trusted: listed)
    #expect(after.explained > before.explained)
    // Enough is known not to say that there is no sign of wrong labels.
    #expect(after.share < before.share && [.few, .list].contains(after.verdict))
  }

  @Test("enter the likelihood with the class that is known, and the label that was given")
  func likelihood() throws {
    let drawn = Drawn(distance: 3)
    let ridge = RidgeRegression(try drawn.table(), labels: drawn.labels, classes: 2)
    let calibration = Calibration(ridge.outputs, labels: drawn.labels)
    // Where all are known to be right, what images show follows from the log loss alone.
    let all = LabelErrorModel(
      ridge.outputs, labels: drawn.labels, calibration: calibration, spread: 1,
      given: Dictionary(uniqueKeysWithValues: drawn.labels.enumerated().map { ($0, $1) }))
    let differences = zip(all.shown.values, calibration.probabilities.values).map { abs($0 - $1) }
    #expect(differences.allSatisfy { $0 < 1e-4 } && all.gain < 0 && all.share == 0)
    #expect(all.chances.allSatisfy { $0 == 0 } && all.rates.allSatisfy { $0 < 0.01 })

    // Of some, the rates are where the sum of log Σ_c q T(c, g), and of log q T(y, g), is largest: of two classes C is known.
    var labels = drawn.labels, given: [Int: Int] = [:]
    for i in stride(from: 0, to: Drawn.count, by: 3) {
      given[i] = drawn.labels[i]
      if drawn.wrong[i] { labels[i] = 1 - labels[i] }
    }
    let model = LabelErrorModel(
      ridge.outputs, labels: labels, calibration: Calibration(ridge.outputs, labels: labels), spread: 1, given: given)
    func objective(_ rates: [Double]) -> Double {
      let logits = rates.map { log(2 * $0 / (1 - 2 * $0)) }, mean = (logits[0] + logits[1]) / 2
      var sum = -((mean + 2) / 3) * ((mean + 2) / 3) / 2
      for logit in logits { sum -= (logit - mean) * (logit - mean) / 2 }
      for (i, y) in labels.enumerated() {
        guard let g = given[i] else {
          sum += log(model.shown[i, y] * (1 - rates[y]) + model.shown[i, 1 - y] * rates[1 - y])
          continue
        }
        sum += log(model.shown[i, y] * (g == y ? 1 - rates[y] : rates[y]))
      }
      return sum
    }
    for c in 0..<2 {
      var (up, down) = (model.rates, model.rates)
      up[c] *= 1.001
      down[c] /= 1.001
      let slope = (objective(up) - objective(down)) / (2 * log(1.001))
      #expect(abs(slope) < 1e-3, "\(slope)")
    }
  }

  @Test("no trusted label changes nothing")
  func none() throws {
    let drawn = Drawn(), before = try drawn.judgement(), again = try drawn.judgement(trusted: [])
    #expect(before.chances == again.chances && before.gain == again.gain && before.questioned == Drawn.count)
  }

  @Test("are in the file of findings, and in what is said")
  func file() throws {
    let drawn = Drawn(), data = DetectionSamples.set(labels: drawn.labels.map { Int32($0) })
    let found = FeatureFindings(
      drawn.features, width: Drawn.width, of: Array(0..<Drawn.count), in: data, classCount: 2, source: .lite0,
      copies: [[1, 5], [8, 9, 12]],
      given: [0: drawn.labels[0], 3: drawn.labels[3], 13: drawn.labels[13]])
    #expect(found.nearDuplicates == [[1, 5], [8, 9, 12]] && found.groups == found.nearDuplicates)
    let judgement = try #require(found.judgement)
    #expect(judgement.isTrusted.indices.filter { judgement.isTrusted[$0] } == [0, 3, 13])
    let file = try SafetensorsFile(parsing: found.file.encoded(), path: "features.safetensors")
    let read = try FeatureFindings(file, of: data, classCount: 2)
    #expect(read.judgement?.isTrusted == judgement.isTrusted && read.nearDuplicates == found.nearDuplicates)
    let said = FeatureStatement(read, classNames: ["ant", "bee"]).text
    #expect(said.contains("of the 397 labels that nobody has looked at are wrong"), "\(said)")
  }

  // MARK: - The whole result

  /// Verdicts in a file, about samples of a set.
  private static func reviewed(_ rows: String, _ set: LabelledSet) throws -> ReviewedLabels {
    let folder = ScratchFolder()
    try AtomicFile.write("id,verdict,label\n" + rows, to: folder("v.csv"))
    let subjects = Dictionary(
      uniqueKeysWithValues: set.labelledIDs.map { id in
        (Int(id), Verdicts.Subject(id: Int(id), path: "", given: Int(set.labels[Int(id)])))
      })
    let data = Dataset(name: "drawn", classNames: ["ant", "bee"], train: set, test: nil, source: "the test")
    let verdicts = try Verdicts(from: SampleList(folder("v.csv"), of: data), about: subjects, for: .data)
    return ReviewedLabels(verdicts, of: set)
  }

  @Test("by margins they are not suspected either, and come last")
  func margins() throws {
    let set = DetectionSamples.set(labels: [0, 1, 0, 1, 0, 1, 0, 1])
    let stage = DetectionStage(name: "pass1", kind: .pass(thresholds: [6, 7]), seed: 1)
    var dynamics = stage.emptyDynamics(samples: 8, classes: 2, margin: .logits)
    dynamics.marginSum = [-3, -2, -1, 0, 3, 4, 1, 2]
    dynamics.marginCount = .init(repeating: 1, count: 8)
    dynamics.probabilitySum = .init(repeating: 0.45, count: 16)
    let reviewed = try Self.reviewed("0,keep,\n1,wrong,ant\n2,drop,\n3,unsure,\n", set)
    #expect(reviewed.summary == "3 labels: 1 right, 1 changed, 1 left out; 1 undecided")
    #expect(reviewed.followed(in: set).labels == [0, 0, -1, 1, 0, 1, 0, 1])
    var settings = DetectionSettings()
    (settings.detector, settings.passes) = (.aum, 1)
    let found = DetectionResult(
      settings, set, classes: 2, stages: [stage], results: [DetectionStageResult(dynamics)], reviewed: reviewed)
    #expect(found.samples.map(\.isIssue) == [false, false, false, true, false, false, false, false])
    #expect(found.samples.map(\.rank) == [4, 5, 6, 1, 2, 3, 7, 8])
    #expect(found.samples.map(\.quality) == [1, 1, nil, 0, 1, 1, nil, nil])
    #expect(found.samples[1].suggested == 0 && found.samples[2].area == nil)
    #expect(found.extraClassShare == 0)
  }

  @Test("an extra class that wins nearly everywhere makes a list rough")
  func extraClass() {
    let labels = (0..<60).map { Int32($0 % 2) }, set = DetectionSamples.set(labels: labels)
    let stage = DetectionStage(name: "pass1", kind: .pass(thresholds: [0, 1, 2, 3]), seed: 1)
    func found(extra: Int) -> DetectionResult {
      var dynamics = stage.emptyDynamics(samples: 60, classes: 2, margin: .logits)
      dynamics.marginSum = (0..<60).map { $0 < 4 ? 4.5 : Double($0) }
      dynamics.marginCount = .init(repeating: 2, count: 60)
      // Sums over two epochs: of the extra class 0.6, or 0.2, is left.
      dynamics.probabilitySum = (0..<60).flatMap { $0 >= 4 && $0 < 4 + extra ? [0.5, 0.3] : [1.2, 0.4] }
      var settings = DetectionSettings()
      (settings.detector, settings.passes) = (.aum, 1)
      return DetectionResult(settings, set, classes: 2, stages: [stage], results: [DetectionStageResult(dynamics)])
    }
    #expect(found(extra: 20).verdict == .list && found(extra: 20).extraClassShare == 20.0 / 56)
    let taken = found(extra: 40)
    #expect(taken.verdict == .rough && taken.extraClassShare == 40.0 / 56 && !taken.issues.isEmpty)
  }
}
