import Datasets
import Detection
import Statistics
import Testing

@Suite("The verdicts of a detection")
struct DetectionResultTests {
  /// Samples of one pixel each, no two of them alike.
  private static func set(_ labels: [Int32], truth: [Int32]? = nil) -> LabelledSet {
    LabelledSet(
      images: ImageSet(
        count: labels.count, height: 1, width: 1, channels: 1,
        pixels: labels.indices.map { UInt8(truncatingIfNeeded: $0) }),
      labels: labels, trueLabels: truth)
  }

  /// What a stage leaves that measured these areas, once for each sample.
  private static func result(
    _ stage: DetectionStage, areas: [Double], loss: Double = 0, classes: Int, probabilities: [Double]? = nil
  ) -> DetectionStageResult {
    var dynamics = stage.emptyDynamics(samples: areas.count, classes: classes, margin: .logits)
    dynamics.marginSum = areas
    dynamics.marginCount = areas.map { _ in 1 }
    dynamics.lossSum = areas.map { _ in loss }
    return DetectionStageResult(dynamics, probabilities: probabilities)
  }

  private static let passes = [
    DetectionStage(name: "pass1", kind: .pass(thresholds: [0, 1]), seed: 1),
    DetectionStage(name: "pass2", kind: .pass(thresholds: [2, 3]), seed: 2),
  ]
  /// Sample 6 has no label.
  private static let labels: [Int32] = [0, 1, 0, 1, 0, 1, -1], truth: [Int32] = [1, 1, 1, 1, 0, 1, 0]
  /// Threshold samples have 9 and 8 in the first pass, 6 and 4 in the second.
  private static let areas: [[Double]] = [[9, 8, 1, 7, 2, 12, 0], [5, 20, 6, 4, 10, 3, 0]]

  private static func verdicts(_ combine: PassCombination, passes count: Int = 2) -> DetectionResult {
    var settings = DetectionSettings()
    (settings.passes, settings.combine) = (count, combine)
    let stages = Array(passes.prefix(count))
    return DetectionResult(
      settings, set(labels, truth: truth), classes: 2, stages: stages,
      results: zip(stages, areas).enumerated().map { index, stage in
        result(stage.0, areas: stage.1, loss: Double(2 * index + 1), classes: 2)
      })
  }

  @Test("by the pass in which a sample had its own label, where it posed as a threshold sample in the other")
  func thresholdSamples() {
    let found = Self.verdicts(.intersection)
    #expect(found.samples.map(\.id) == [0, 1, 2, 3, 4, 5])
    #expect(found.samples.map(\.passAreas) == [[nil, 5], [nil, 20], [1, nil], [7, nil], [2, 10], [12, 3]])
    #expect(found.samples.map(\.area) == [5, 20, 1, 7, 6, 7.5])
    // At the 99th percentile a sample is flagged if any threshold sample lies above it.
    #expect(found.samples.map(\.isIssue) == [true, false, true, true, false, false])
    #expect(found.samples.map(\.quality) == [0.5, 1, 0, 0, 1, 1])
    #expect(found.samples.map(\.loss) == [3, 3, 1, 1, 2, 2])
    #expect(found.passes.map(\.ids) == [[0, 1], [2, 3]] && found.passes.map(\.areas) == [[9, 8], [6, 4]])
    #expect(found.passes.map(\.cutoff.area) == [9, 6])
    // Samples 4 and 5, which the passes rank the other way round.
    #expect(found.passCorrelation == -1)
  }

  @Test("ranked by area, and scored by the ranks")
  func ranks() throws {
    let found = Self.verdicts(.intersection)
    #expect(found.samples.map(\.rank) == [2, 6, 1, 4, 3, 5])
    #expect(found.issues.map(\.id) == [2, 0, 3])
    let score = try #require(found.score)
    #expect(score.samples == 6 && score.wrong == 2 && score.flagged == 3 && score.hits == 2)
    #expect(score.areaUnderROC == 1)
    let tables = DetectionTables(found, classCount: 2)
    #expect(tables.classes.map(\.size) == [3, 3] && tables.classes.map(\.flagged) == [2, 1])
    #expect(tables.classes.map(\.wrong) == [2, 0] && tables.classes.map(\.meanArea) == [4, 11.5])
  }

  @Test("of several passes become one as the settings say")
  func combinations() {
    #expect(Self.verdicts(.union).samples.map(\.isIssue) == [true, false, true, true, true, true])
    #expect(Self.verdicts(.single).samples.map(\.isIssue) == [true, false, true, true, true, false])
  }

  @Test("leave the threshold samples of a single pass unjudged, last of all")
  func singlePass() {
    let found = Self.verdicts(.intersection, passes: 1)
    #expect(found.samples.map(\.quality) == [nil, nil, 0, 0, 0, 1])
    #expect(found.samples.map(\.rank) == [5, 6, 1, 3, 2, 4])
    #expect(found.passCorrelation == nil && found.score?.samples == 4)
  }

  @Test(
    "by both detectors are as many as these find on average, those with the lowest mean of both ranks",
    arguments: [5.0, 30, 90])
  func combined(percentile: Double) throws {
    let N = 30, K = 3, random = CounterRandom(seed: 5)
    func uniform(_ sample: Int, _ draw: Int) -> Double { random.uniform(.noise, UInt32(sample), UInt32(draw)) }
    let set = Self.set((0..<N).map { Int32($0 % K) })
    let halves: [[Int32]] = (0..<2).map { half in (0..<Int32(N)).filter { Int($0) % 2 == half } }
    let passes = (0..<2).map { pass in
      DetectionStage(
        name: "pass\(pass + 1)", kind: .pass(thresholds: (0..<4).map { Int32(4 * pass + $0) }), seed: UInt64(pass))
    }
    let folds = halves.enumerated().map { fold, ids in
      DetectionStage(name: "fold\(fold + 1)", kind: .fold(heldOut: ids), seed: 16 + UInt64(fold))
    }
    let passResults = passes.enumerated().map { pass, stage in
      Self.result(stage, areas: (0..<N).map { 4 * uniform($0, pass) - 2 }, classes: K)
    }
    let foldResults = zip(folds, halves).map { stage, ids in
      let rows = ids.flatMap { id -> [Double] in
        let row = (0..<K).map { uniform(Int(id), 8 + $0) + 1e-3 }, sum = row.reduce(0, +)
        return row.map { $0 / sum }
      }
      return Self.result(stage, areas: .init(repeating: 0, count: N), classes: K, probabilities: rows)
    }
    func found(
      _ detector: DetectionSettings.Detector, _ stages: [DetectionStage], _ results: [DetectionStageResult]
    ) -> DetectionResult {
      var settings = DetectionSettings()
      (settings.detector, settings.folds, settings.percentile) = (detector, 2, percentile)
      return DetectionResult(settings, set, classes: K, stages: stages, results: results)
    }
    let aum = found(.aum, passes, passResults), cl = found(.confidentLearning, folds, foldResults)
    let both = found(.combined, passes + folds, passResults + foldResults)
    try #require(aum.issues.count != cl.issues.count, "\(aum.issues.count) and \(cl.issues.count)")
    let count = (aum.issues.count + cl.issues.count) / 2
    #expect(both.issues.count == count && count > 0)
    // Every sample has an area and a quality here, no two of them equal.
    let shares = zip(aum.samples, cl.samples).map {
      (Double($0.rank) / Double(N) + Double($1.rank) / Double(N)) / 2
    }
    #expect(both.samples.map(\.quality) == shares)
    let order = shares.indices.sorted { (shares[$0], $0) < (shares[$1], $1) }
    #expect(both.samples.sorted { $0.rank < $1.rank }.map(\.id) == order)
    #expect(both.issues.map(\.id) == Array(order.prefix(count)))
    // Areas are those of the margins, suggestions those of the folds.
    #expect(both.samples.map(\.area) == aum.samples.map(\.area))
    #expect(both.samples.map(\.predicted) == cl.samples.map(\.predicted))
    // A suggestion is the most likely class besides the given one, which the networks may find more likely still.
    let rows = try #require(both.confident).probabilities
    for (index, sample) in both.samples.enumerated() {
      let row = rows[index * K..<(index + 1) * K], others = (0..<K).filter { $0 != sample.given }
      let best = try #require(others.max { row[row.startIndex + $0] < row[row.startIndex + $1] })
      #expect(sample.suggested == best && sample.suggestedConfidence == row[row.startIndex + best], "\(sample)")
    }
    #expect(both.samples.contains { $0.predicted == $0.given } && both.samples.contains { $0.predicted != $0.given })
    #expect(DetectionTables(both, classCount: K).pairs.reduce(0) { $0 + $1.count } == both.issues.count)
    #expect(both.confident?.labels == (0..<N).map { $0 % K })
  }

  @Test("by a method's suspicion list what it does not believe, alone and by the mean of two ranks")
  func selection() throws {
    let N = 30, K = 3, random = CounterRandom(seed: 8)
    func uniform(_ sample: Int, _ draw: Int) -> Double { random.uniform(.noise, UInt32(sample), UInt32(draw)) }
    let set = Self.set((0..<N).map { Int32($0 % K) })
    let pass = DetectionStage(name: "pass1", kind: .pass(thresholds: [0, 1, 2]), seed: 1)
    let areas = Self.result(pass, areas: (0..<N).map { 4 * uniform($0, 0) - 2 }, classes: K)
    let method = DetectionStage(name: "dividemix", kind: .selection, seed: 2)
    var judged = Self.result(method, areas: .init(repeating: 0, count: N), classes: K)
    judged.suspicion = (0..<N).map { $0 == 4 ? .nan : uniform($0, 1) }
    judged.threshold = 0.5
    // The networks are sure of the given class, but for the most suspicious.
    let isSure = (0..<N).map { !(uniform($0, 1) > 0.8) }
    judged.probabilities = (0..<N).flatMap { id in (0..<K).map { $0 == (isSure[id] ? id : id + 1) % K ? 0.8 : 0.1 } }
    func found(
      _ detector: DetectionSettings.Detector, _ stages: [DetectionStage], _ results: [DetectionStageResult]
    ) -> DetectionResult {
      var settings = DetectionSettings()
      (settings.detector, settings.percentile) = (detector, 60)
      return DetectionResult(settings, set, classes: K, stages: stages, results: results)
    }
    let alone = found(.divideMix, [method], [judged]), suspicion = try #require(judged.suspicion)
    let order = (0..<N).filter { $0 != 4 }.sorted { suspicion[$0] > suspicion[$1] }
    #expect(alone.samples.sorted { $0.rank < $1.rank }.prefix(N - 1).map(\.id) == order)
    #expect(alone.issues.map(\.id) == order.filter { suspicion[$0] >= 0.5 } && alone.issues.count > 3)
    #expect(alone.samples[4].quality == nil && !alone.samples[4].isIssue && alone.samples[4].rank == N)
    #expect(alone.samples[5].quality == 1 - suspicion[5] && alone.samples[5].suggested == 0)
    #expect(alone.passes.isEmpty && alone.confident == nil && alone.verdict == .list)
    let agreement = try #require(alone.selectionAgreement)
    let shares = (0..<K).map { k in
      let ids = (0..<N).filter { $0 % K == k && $0 != 4 }
      return Double(ids.count { isSure[$0] }) / Double(ids.count)
    }
    #expect(abs(agreement.share - shares.reduce(0, +) / 3) < 1e-12 && agreement.guessing == 1 / 3.0)
    #expect(agreement.isLearnt)

    let aum = found(.aum, [pass], [areas]), both = found(.divideMixAndMargins, [pass, method], [areas, judged])
    let count = (aum.issues.count + alone.issues.count) / 2
    #expect(both.issues.count == count && aum.issues.count != alone.issues.count)
    // Ranks from the most suspicious on, as shares: of 29 by suspicion, of 27 by area, since three were threshold samples.
    let places = (0..<N).filter { aum.samples[$0].area != nil }.sorted {
      (aum.samples[$0].area ?? 0) < (aum.samples[$1].area ?? 0)
    }
    for sample in both.samples {
      let shares = [order, places].compactMap { list in
        list.firstIndex(of: sample.id).map { Double($0 + 1) / Double(list.count) }
      }
      #expect(abs((sample.quality ?? -1) - shares.reduce(0, +) / Double(shares.count)) < 1e-12)
    }
  }

  @Test("by networks that predict labels no better than guessing list nothing, and leave another detector alone")
  func unlearnt() throws {
    let N = 30, K = 3, random = CounterRandom(seed: 8), set = Self.set((0..<N).map { Int32($0 % K) })
    let pass = DetectionStage(name: "pass1", kind: .pass(thresholds: [0, 1, 2]), seed: 1)
    let margins = (0..<N).map { $0 < 3 ? -0.2 : Double(random.uniform(.noise, UInt32($0), 0)) - 0.5 }
    let areas = Self.result(pass, areas: margins, classes: K)
    let method = DetectionStage(name: "co-teaching", kind: .selection, seed: 2)
    var judged = Self.result(method, areas: .init(repeating: 0, count: N), classes: K)
    judged.suspicion = (0..<N).map { $0 < 5 ? 3 : 0.1 }
    judged.probabilities = (0..<N).flatMap { _ in [0.8, 0.1, 0.1] }
    func found(
      _ detector: DetectionSettings.Detector, _ stages: [DetectionStage], _ results: [DetectionStageResult],
      trusts: Bool = false
    ) -> DetectionResult {
      var settings = DetectionSettings()
      (settings.detector, settings.percentile, settings.trusts) = (detector, 60, trusts)
      return DetectionResult(settings, set, classes: K, stages: stages, results: results)
    }
    let alone = found(.coTeaching, [method], [judged])
    #expect(alone.verdict == .notLearnt && alone.issues.isEmpty && alone.selectionAgreement?.share == 1 / 3.0)
    #expect(found(.coTeaching, [method], [judged], trusts: true).issues.map(\.id) == [0, 1, 2, 3, 4])
    let aum = found(.aum, [pass], [areas]), both = found(.coTeachingAndMargins, [pass, method], [areas, judged])
    #expect(!aum.issues.isEmpty && both.issues.map(\.id) == aum.issues.map(\.id) && both.verdict == aum.verdict)
    #expect(both.samples.map(\.quality) == aum.samples.map(\.quality) && both.ranksByArea)
    #expect(both.samples.map(\.suggested) == aum.samples.map(\.suggested))
    #expect(both.samples.map(\.rank) == aum.samples.map(\.rank))
    #expect(both.selectionStatement?.contains("decides alone") == true && aum.selectionStatement == nil)
    #expect(alone.selectionStatement?.contains("33% of a class's labels") == true)
  }

  @Test("by networks that know a rare class, too, are taken for learnt, and equal suspicions are ranked by losses")
  func rareClass() throws {
    // 3 of 103 labels are of the rare class, all of them predicted; as many of the others are as 90 %.
    let labels = (0..<103).map { Int32($0 < 100 ? 0 : 1) }, set = Self.set(labels)
    let method = DetectionStage(name: "dividemix", kind: .selection, seed: 2)
    var judged = Self.result(method, areas: .init(repeating: 0, count: 103), classes: 2)
    judged.suspicion = (0..<103).map { $0 < 10 ? 1 : 0 }
    (judged.threshold, judged.losses) = (0.5, (0..<103).map { Float($0) })
    judged.probabilities = (0..<103).flatMap { $0 < 10 || $0 >= 100 ? [0.2, 0.8] : [0.8, 0.2] }
    var settings = DetectionSettings()
    settings.detector = .divideMix
    let found = DetectionResult(settings, set, classes: 2, stages: [method], results: [judged])
    #expect(found.verdict == .list && found.issues.map(\.id) == (0..<10).reversed())
    #expect(found.selectionAgreement?.share == 0.95)
    // The same where a constant prediction is right for nearly all.
    judged.probabilities = (0..<103).flatMap { _ in [0.8, 0.2] }
    let constant = DetectionResult(settings, set, classes: 2, stages: [method], results: [judged])
    #expect(constant.verdict == .notLearnt && constant.selectionAgreement?.share == 0.5)
  }

  @Test("take a loss for large by a mixture of small and large ones")
  func threshold() {
    let small = (0..<80).map { 0.1 + 0.002 * Double($0 % 10) }, large = (0..<20).map { 3 + 0.05 * Double($0 % 10) }
    #expect(SelectionMethod.coTeaching.threshold(small + large) == 3)
    #expect(SelectionMethod.coTeaching.threshold([2, 2, 2]) == .infinity)
    #expect(SelectionMethod.coTeaching.threshold([]) == .infinity)
  }
}
