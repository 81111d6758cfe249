import Datasets

/// What a search for wrong labels found: a verdict on every sample with a label, and what it rests on.
public struct DetectionResult: Sendable {
  /// The samples with a label, in the order of their ids.
  public private(set) var samples: [Sample]
  /// The passes with threshold samples; empty for confident learning alone.
  public private(set) var passes: [Pass] = []
  /// Spearman's correlation of the first two passes' areas, where both judged a sample.
  public private(set) var passCorrelation: Double?
  /// Confident learning's estimate, over the samples in their order; nil where it was not asked for.
  public private(set) var confident: ConfidentLearning?
  /// The ids of the samples of that estimate, in its order: all but those that people left out.
  public private(set) var confidentIDs: [Int] = []
  /// What can be said of the whole set.
  public private(set) var verdict = DetectionVerdict.list
  /// What features said; nil where none were asked for.
  public let features: FeatureFindings?
  /// The share of samples that the extra class of a pass takes from all real ones, in the pass where it takes most.
  public private(set) var extraClassShare = 0.0
  /// How often the networks of a method that selects samples predict the given label; nil without such a method.
  public private(set) var selectionAgreement: SelectionAgreement?
  /// Equal images.
  public let duplicates: [DuplicateGroup]
  /// Near-duplicates, by id, or equal images where no features were computed.
  public let groups: [[Int]]
  /// What people decided in an earlier round; nil where no verdicts were given.
  public let reviewed: ReviewedLabels?
  /// How well suspicion fits, where the true labels are known.
  public private(set) var score: DetectionScore?
  /// The settings that it was found with.
  public let settings: DetectionSettings

  /// Judges the samples of a training set with `classes` classes by what the networks left.
  ///
  /// - Parameters:
  ///   - stages: the networks, in the order of `DetectionStage.stages`.
  ///   - results: what each of them left; of all samples of `set`.
  ///   - features: what features said, where they were asked for.
  ///   - probabilities: those of all samples with a label [M, K], where they were given instead of folds; without those
  ///     that people left out.
  ///   - duplicates: the groups of equal images.
  ///   - reviewed: what people decided in an earlier round.
  public init(
    _ settings: DetectionSettings, _ set: LabelledSet, classes: Int, stages: [DetectionStage],
    results: [DetectionStageResult], features: FeatureFindings? = nil, probabilities: [Double]? = nil,
    duplicates: [DuplicateGroup] = [], reviewed: ReviewedLabels? = nil
  ) {
    precondition(results.count == stages.count, "\(results.count) of \(stages.count) stages are done")
    (self.settings, self.features, self.duplicates, self.reviewed) = (settings, features, duplicates, reviewed)
    let near = features?.nearDuplicates ?? []
    groups = near.isEmpty ? duplicates.map { $0.ids.map { Int($0) } } : near
    samples = set.labelledIDs.map { id in
      Sample(
        id: Int(id), given: Int(set.labels[Int(id)]),
        truth: set.trueLabels.flatMap { $0[Int(id)] >= 0 ? Int($0[Int(id)]) : nil })
    }
    var groupOf: [Int32: Int] = [:]
    for (index, group) in duplicates.filter(\.hasDifferentLabels).enumerated() {
      for id in group.ids { groupOf[id] = index + 1 }
    }
    var nearGroupOf: [Int: Int] = [:]
    for (index, ids) in groups.enumerated() { for id in ids { nearGroupOf[id] = index + 1 } }
    for index in samples.indices {
      samples[index].duplicateGroup = groupOf[Int32(samples[index].id)]
      samples[index].group = nearGroupOf[samples[index].id]
      samples[index].isReviewed = reviewed?.contains(samples[index].id) ?? false
    }

    // What people corrected was trained on as they corrected it, and what they left out was not.
    let fitted = reviewed?.followed(in: set) ?? set
    let own = stages.map { $0.hasOwnLabel(fitted.labels) }
    addDynamics(own, results, isPass: stages.map(\.isPass), classes: classes)
    if settings.detector.usesMargins { judgeByMargins(own, stages, results) }
    if settings.detector.usesFolds {
      judgeByProbabilities(probabilities, fitted.labels, stages, results, classes: classes)
    }
    if let selection = settings.detector.selection, let result = results.last {
      judge(by: selection, result, fitted.labels, classes: classes)
    }
    if let features { judge(by: features, classes: classes) }
    follow(reviewed)
    verdict = features?.verdict ?? networkVerdict
    // More wrong labels than right ones cannot be told from networks that have learned nothing.
    if features == nil, [.cannotTell, .notLearnt].contains(verdict), !settings.trusts {
      for index in samples.indices { samples[index].isIssue = false }
    }
    rank()
    if set.trueLabels != nil {
      // What somebody looked at is no longer found by the detector.
      let judged = samples.filter { $0.truth != nil && $0.quality != nil && !$0.isReviewed }
      score = DetectionScore(
        isWrong: judged.map { $0.truth != $0.given }, isFlagged: judged.map(\.isIssue),
        suspicion: judged.map { -Double($0.rank) })
    }
  }

  /// Takes what people decided: it is not suspected, and its label is as sure as can be.
  private mutating func follow(_ reviewed: ReviewedLabels?) {
    guard let reviewed else { return }
    for index in samples.indices where samples[index].isReviewed {
      let label = reviewed.labels[samples[index].id]
      samples[index].isIssue = false
      samples[index].quality = label.map { _ in 1 }
      if samples[index].chance != nil { samples[index].chance = label.map { _ in 0 } }
      if let label, label != samples[index].given {
        (samples[index].suggested, samples[index].suggestedConfidence) = (label, 1)
      }
    }
  }

  /// Means over the networks that had the sample's own label; passes before folds, as one kind suffices, and none of a
  /// method, which keeps no sums.
  private mutating func addDynamics(
    _ own: [[Bool]], _ results: [DetectionStageResult], isPass: [Bool], classes: Int
  ) {
    let hasPass = isPass.contains(true)
    for index in samples.indices {
      let id = samples[index].id
      let sources = results.indices.filter {
        isPass[$0] == hasPass && own[$0][id] && results[$0].dynamics.marginCount[id] > 0
      }.map { results[$0].dynamics }
      guard !sources.isEmpty else { continue }
      let count = Double(sources.count)
      samples[index].forgettings = sources.reduce(0) { $0 + Double($1.forgettings[id]) } / count
      samples[index].loss = sources.reduce(0) { $0 + ($1.loss(id) ?? 0) } / count
      samples[index].error = sources.reduce(0) { $0 + ($1.error(id) ?? 0) } / count
      var mean = [Double](repeating: 0, count: classes)
      for source in sources {
        for (k, p) in (source.probabilities(id) ?? []).enumerated() { mean[k] += p / count }
      }
      samples[index].take(mean)
    }
  }

  private mutating func judgeByMargins(
    _ own: [[Bool]], _ stages: [DetectionStage], _ results: [DetectionStageResult]
  ) {
    let indices = stages.indices.filter { stages[$0].isPass }
    for stage in indices {
      guard case .pass(let thresholds) = stages[stage].kind else { continue }
      let measured = thresholds.map { Int($0) }.filter { results[stage].dynamics.area($0) != nil }
      let areas = measured.map { results[stage].dynamics.area($0) ?? .nan }
      extraClassShare = max(extraClassShare, share(ofExtraClass: results[stage].dynamics, own[stage]))
      passes.append(
        Pass(ids: measured, areas: areas, cutoff: MarginCutoff(thresholds: areas, percentile: settings.percentile)))
    }
    let pooled = MarginCutoff(
      thresholds: passes.flatMap(\.cutoff.thresholds), percentile: settings.percentile)
    for index in samples.indices {
      let id = samples[index].id
      let areas = indices.map { own[$0][id] ? results[$0].dynamics.area(id) : nil }
      let known = areas.compactMap { $0 }
      samples[index].passAreas = areas
      guard !known.isEmpty else { continue }
      let mean = known.reduce(0, +) / Double(known.count)
      samples[index].area = mean
      guard settings.combine != .mean else {
        (samples[index].isIssue, samples[index].quality) = (pooled.flags(mean), pooled.score(mean))
        continue
      }
      samples[index].isIssue = settings.combine.verdict(
        zip(areas, passes).map { area, pass in area.map(pass.cutoff.flags) })
      samples[index].quality = settings.combine.score(
        zip(areas, passes).map { area, pass in area.map(pass.cutoff.score) })
    }
    if passes.count > 1 {
      let both = samples.compactMap { sample -> (Double, Double)? in
        guard let first = sample.passAreas[0], let second = sample.passAreas[1] else { return nil }
        return (first, second)
      }
      passCorrelation = Ranking.correlation(both.map(\.0), both.map(\.1))
    }
  }

  /// The share of samples with their own label whose mean probability of the extra class is above that of every real one.
  private func share(ofExtraClass dynamics: SampleDynamics, _ own: [Bool]) -> Double {
    let known = samples.filter { own[$0.id] }.compactMap { dynamics.probabilities($0.id) }
    let taken = known.count { 1 - $0.reduce(0, +) > $0.max() ?? 0 }
    return Double(taken) / Double(max(known.count, 1))
  }

  /// Judges by probabilities of networks that have not seen the sample, or that were given.
  ///
  /// - Parameter labels: the labels [N] that are judged; samples without one are passed over.
  private mutating func judgeByProbabilities(
    _ given: [Double]?, _ labels: [Int32], _ stages: [DetectionStage], _ results: [DetectionStageResult], classes: Int
  ) {
    let kept = samples.indices.filter { labels[samples[$0].id] >= 0 }
    var place: [Int: Int] = [:]
    for (row, index) in kept.enumerated() { place[samples[index].id] = row }
    confidentIDs = kept.map { samples[$0].id }
    var probabilities = given ?? [Double](repeating: 0, count: kept.count * classes)
    for (stage, result) in zip(stages, results) {
      guard case .fold(let heldOut) = stage.kind, let rows = result.probabilities else { continue }
      for (row, id) in heldOut.enumerated() {
        guard let index = place[Int(id)] else { continue }
        for k in 0..<classes { probabilities[index * classes + k] = rows[row * classes + k] }
      }
    }
    let found = ConfidentLearning(
      labels: kept.map { Int(labels[samples[$0].id]) }, probabilities: probabilities, classes: classes)
    let flags = found.issues(settings.filter), quality = found.quality(settings.quality)
    confident = found
    for (row, index) in kept.enumerated() { samples[index].take(probabilities[row * classes..<(row + 1) * classes]) }
    take(flags, quality, of: kept)
  }

  /// Judges by the suspicion of a method that selects samples; what it predicts says what labels should be.
  ///
  /// - Parameter labels: the labels [N] that are judged; samples without one are passed over.
  private mutating func judge(
    by selection: SelectionMethod, _ result: DetectionStageResult, _ labels: [Int32], classes: Int
  ) {
    guard let suspicion = result.suspicion else { return }
    let kept = samples.indices.filter { labels[samples[$0].id] >= 0 && suspicion[samples[$0].id].isFinite }
    let found = kept.map { suspicion[samples[$0].id] }, threshold = result.threshold ?? selection.threshold(found)
    let rows = kept.map { index -> ArraySlice<Double> in
      let first = samples[index].id * classes
      return (result.probabilities ?? [])[first..<first + classes]
    }
    let agreement = SelectionAgreement(
      labels: kept.map { Int(labels[samples[$0].id]) },
      predicted: rows.map(ConfidentLearning.top), classes: classes)
    selectionAgreement = agreement
    // Its ranks would be chance: another detector stands for itself.
    guard settings.detector.isAlone || agreement.isLearnt else { return }
    for (index, row) in zip(kept, rows) { samples[index].take(row) }
    if let losses = result.losses, settings.detector.isAlone {
      for index in kept { samples[index].loss = Double(losses[samples[index].id]) }
    }
    take(found.map { $0 >= threshold }, found.map(selection.quality), of: kept)
  }

  /// Takes the verdicts of a detector, and how good it finds labels: alone, or together with a detector before it, by the
  /// mean of a sample's two ranks.
  ///
  /// - Parameter kept: the places of the samples that it judged.
  private mutating func take(_ flags: [Bool], _ quality: [Double], of kept: [Int]) {
    let first = samples.indices.filter { networkKey($0) != nil }
    guard !first.isEmpty else {
      for (row, index) in kept.enumerated() {
        (samples[index].isIssue, samples[index].quality) = (flags[row], quality[row])
      }
      return
    }
    // The mean of the two ranks, each as a share; a sample that only one has judged has only one.
    var shares: [Int: [Double]] = [:]
    for (places, values) in [(kept, quality), (first, first.compactMap(networkKey))] {
      for (index, rank) in zip(places, Ranking.ranks(values)) {
        shares[index, default: []].append(rank / Double(places.count))
      }
    }
    for (index, own) in shares { samples[index].quality = own.reduce(0, +) / Double(own.count) }
    // As many as the two detectors find on average, of those that nobody has looked at.
    let listed = zip(kept, flags).count { !samples[$0].isReviewed && $1 }
    let open = samples.indices.filter { !samples[$0].isReviewed && samples[$0].quality != nil }
    let count = (open.count { samples[$0].isIssue } + listed) / 2
    for index in shares.keys { samples[index].isIssue = false }
    func precedes(_ a: Int, _ b: Int) -> Bool {
      (samples[a].quality ?? 1, a) < (samples[b].quality ?? 1, b)
    }
    for index in open.sorted(by: precedes).prefix(count) { samples[index].isIssue = true }
  }

  /// Takes the chances of features, and their list; together with another detector, by the mean of the two ranks.
  private mutating func judge(by features: FeatureFindings, classes: Int) {
    let isAlone = settings.detector.isAlone || selectionAgreement?.isLearnt == false
    // Without networks, samples that features did not judge are not judged at all.
    if !isAlone { for index in samples.indices { samples[index].isIssue = false } }
    guard let found = features.judgement else { return }
    var place: [Int: Int] = [:]
    for (index, sample) in samples.enumerated() { place[sample.id] = index }
    let judged = features.ids.compactMap { place[$0] }
    let others = isAlone ? nil : ranks(of: judged)
    let chanceRanks = Ranking.ranks(found.chances)
    for (row, index) in judged.enumerated() {
      var probabilities = [Double](repeating: 0, count: classes)
      for (column, label) in features.classes.enumerated() { probabilities[label] = found.shown[row, column] }
      samples[index].take(probabilities)
      let suggested = features.classes[found.suggestions[row]]
      (samples[index].suggested, samples[index].suggestedConfidence) = (suggested, probabilities[suggested])
      samples[index].chance = max(0, found.chances[row])
      samples[index].quality = 1 - max(0, found.chances[row])
      samples[index].isIssue = found.isListed[row]
      if let others {
        samples[index].quality = 1 - (chanceRanks[row] + others[row]) / Double(2 * max(judged.count, 1))
      }
    }
    guard !isAlone else { return }
    // As many as features list, those with the worst mean of both ranks.
    let listed = found.isListed.count { $0 }
    let order = judged.filter { !samples[$0].isReviewed }.sorted {
      (samples[$0].quality ?? 1, $0) < (samples[$1].quality ?? 1, $1)
    }
    for (position, index) in order.enumerated() { samples[index].isIssue = position < listed }
  }

  /// The ranks of some samples by what networks said of them, the highest for the most suspicious.
  private func ranks(of judged: [Int]) -> [Double] {
    Ranking.ranks(judged.map { -(networkKey($0) ?? .infinity) })
  }

  /// What the networks of a detector before another one ranked a sample by; low for suspicious labels.
  private func networkKey(_ index: Int) -> Double? {
    settings.detector.usesMargins ? samples[index].area : samples[index].quality
  }

  /// Whether margins alone decide: beside a method that has learned nothing, too.
  public var ranksByArea: Bool {
    settings.detector == .aum || settings.detector.usesMargins && selectionAgreement?.isLearnt == false
  }

  /// Numbers the samples from the most suspicious on: by area where margins alone decide, else by quality.
  private mutating func rank() {
    let keys = samples.map { sample -> Double in
      sample.isReviewed ? .infinity : (ranksByArea ? sample.area : sample.quality) ?? .infinity
    }
    // Chances of mixtures are often exactly 0 or 1.
    let ties = samples.map { settings.detector.selection != nil && settings.detector.isAlone ? -($0.loss ?? 0) : 0 }
    func precedes(_ a: Int, _ b: Int) -> Bool { (keys[a], ties[a], a) < (keys[b], ties[b], b) }
    for (position, index) in samples.indices.sorted(by: precedes).enumerated() {
      samples[index].rank = position + 1
    }
  }

  /// What networks let say of the whole set, by whether their list can be true and whether passes agree.
  private var networkVerdict: DetectionVerdict {
    if settings.detector.isAlone, selectionAgreement?.isLearnt == false { return .notLearnt }
    let flagged = samples.count(where: \.isIssue)
    // Whoever moves the cut-off far up asks for long lists.
    let isUsual = !settings.detector.usesMargins || settings.percentile > Self.highestOfLongLists
    if samples.count >= Self.fewestForShares, isUsual, 2 * flagged > samples.count { return .cannotTell }
    if extraClassShare > Self.mostForExtraClass { return .rough }
    if let passCorrelation, passCorrelation < Self.leastCorrelation { return .rough }
    return flagged == 0 ? .none : .list
  }

  private static let highestOfLongLists = 90.0
  /// Where the extra class takes more samples than all real ones together, margins say by how much it wins, and nothing of
  /// the labels.
  public static let mostForExtraClass = 0.5
  /// Of fewer samples a share says nothing.
  private static let fewestForShares = 50

  /// Rankings of networks that have learned the data correlate far better than this.
  public static let leastCorrelation = 0.5

  /// The suspected samples, the most suspicious first.
  public var issues: [Sample] { samples.filter(\.isIssue).sorted { $0.rank < $1.rank } }
}
