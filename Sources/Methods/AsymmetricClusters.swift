import Compute
import Datasets
import Failures
import FileFormats
import Sessions
import Statistics

/// Asymmetric co-teaching of images without labels: clusters by the main network's features are the labels.
///
/// Every `every` epochs, a round, images are clustered anew: k-reciprocal Jaccard distances, and DBSCAN with the radius of
/// the first round. Images in a cluster are inliers; outliers take the cluster of the nearest inlier. Networks learn
/// batch-hard triplets of features, from batches of few clusters with four images of each; the last layer is not trained.
/// The second network learns from the inliers of a batch that are easy for the main one, the main network from inliers and
/// those outliers that are easy for the second one (`AsymmetricCoTeaching`). The labels of the data are not looked at but to
/// say how good clusters are.
/// - Source: Yang et al., "Asymmetric co-teaching for unsupervised cross-domain person re-identification", AAAI 2020, and
///   its code, FlyingRoastDuck/ACT_AAAI20; without the term for the distance from the source domain, with triplets on one
///   level of features, and with outliers in half of a batch.
final class AsymmetricClusters<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures = ClusterSearch.figures
  private let setup: MethodSetup<D>, choice: MethodChoice, rounds: Rounds, search: ClusterSearch.Settings
  private let judges: [Judge<D>], outliers: D.Buffer
  private let featureCount: Int
  private var isMixed = false
  /// The radius of the first round, and what the last search found.
  private var radius: Double?
  private var quality: [Double?] = []

  /// 1 for images that were learned from when they were last seen, 0 for others.
  private static var kept: Column { Column("kept", start: .float(1), range: 0...1) }
  private static var inlier: Column { Column("inlier", start: .float(1), range: 0...1) }
  private static var cluster: Column { Column("cluster", start: .integer(0)) }
  private static var lossesOfOther: Store { .column("other's losses") }
  /// Images of a cluster that a batch has.
  private static var each: Int { 4 }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages) = (setup, choice, [setup.stage])
    (rounds, search) = (Rounds(choice, warm: 0, epochs: setup.stage.epochs), ClusterSearch.Settings(choice))
    guard setup.session.precision.activations == .float32 else {
      throw Failure(
        .configuration, "--precision \(setup.session.precision.rawValue) cannot be used with labels=clusters.",
        why: "distances of features need float32.", fix: "use --precision fp32.")
    }
    let N = setup.train.set.count, exchanges = choice["exchange"] == 1
    // Images that are left out have no label here either.
    let none = setup.train.set.labels.map { $0 >= 0 ? 0 : LabelledSet.noLabel }
    let members = try [[Self.kept, Self.inlier, Self.cluster], [Self.kept]].prefix(exchanges ? 2 : 1).enumerated().map {
      try setup.member($0, columns: $1, labels: none, evaluates: false)
    }
    self.members = members
    let device = members[0].device
    let all = try device.allocate(byteCount: 4 * max(N, 1)), outliers = try device.allocate(byteCount: 4 * max(N, 1))
    try device.write([Float](repeating: 1, count: N), to: all)
    self.outliers = outliers
    var judges: [Judge<D>] = []
    for (number, own) in members.enumerated() {
      let losses = try device.allocate(byteCount: 4 * max(N, 1))
      try own.prepare(lent: [Self.lossesOfOther: losses]) { step, slot in
        step.rows(
          .smallestAfter(of: Self.lossesOfOther, into: Self.kept.store, slot: 2 * slot))
        step.images(own.settings.augmentation)
        step.forward(.batch)
        try Self.triplets(&step, of: own) { step, features, pair in
          let dfeatures = step.featureGradient()
          step.rows(
            .tripletBackward(
              features, farthest: pair.0, nearest: pair.1, dfeatures: dfeatures, chosen: Self.kept.store,
              D: step.program.width(of: features)))
          step.backward(features: dfeatures)
        }
        own.update(&step)
      }
      guard exchanges else { continue }
      // Outliers are judged among themselves.
      let chosen = [Self.kept.store: number == 0 ? outliers : all]
      judges.append(
        try Judge(members[1 - number], of: own, into: losses, lent: chosen) { step in
          try Self.triplets(&step, of: own) { _, _, _ in }
        })
    }
    self.judges = judges
    featureCount = try members[0].prepareFeatures()
    let images = members[0].sampleIDs.count
    try MemoryLimit.require(
      search.byteCount(images: images, features: featureCount), of: Self.room(device),
      for: "the features of \(images) images", fix: "use fewer images with --limit-train.")
  }

  private static func triplets(
    _ step: inout StepBuilder, of member: TrainingSession<D>,
    _ then: (inout StepBuilder, Value, (Value, Value)) throws -> Void
  ) throws {
    guard let features = step.features else { throw member.noFeatures }
    let pair = (step.rowNumbers(), step.rowNumbers()), program = step.program
    step.rows(
      .triplet(
        features, farthest: pair.0, nearest: pair.1, chosen: kept.store, D: program.width(of: features),
        slot: 4))
    try then(&step, features, pair)
  }

  private static func room(_ device: D) -> Int {
    device.memory.flatMap { $0.isHost ? $0.left : nil } ?? MemoryLimit.left(besides: 0)
  }

  // MARK: - Epochs

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let main = members[0], sizes = main.batchSizes
    if epoch.step == 0, rounds.begins(epoch.epoch) { try decide(isFirst: epoch.epoch == 0) }
    let isInlier = try main.floats(Self.inlier.name), labels = try main.integers(Self.cluster.name)
    let parts = InliersAndOutliers(main.sampleIDs, isInlier: isInlier), exchanges = members.count > 1
    let share = rounds.share(epoch.epoch) ?? 1
    isMixed = exchanges && !parts.outliers.isEmpty
    try main.device.write(isInlier.map { 1 - $0 }, to: outliers)
    for (number, member) in members.enumerated() {
      try member.device.write(labels, to: member.buffer(.labels))
      let isMain = number == 0, hasBoth = isMain && isMixed
      func batches(_ ids: [Int32], _ seed: UInt64) -> ClusterBatches {
        ClusterBatches(ids, labels: labels, each: Self.each, epoch: epoch.epoch, seed: seed)
      }
      let seeds = members.map(\.settings.memberSeed)
      var first = batches(parts.inliers, seeds[number]), second = batches(parts.outliers, seeds[members.count - 1])
      let order = sizes.flatMap { size -> [Int32] in
        let some = hasBoth ? parts.outliers(of: size) : 0
        return first.take(size - some) + (some > 0 ? second.take(some) : [])
      }
      let numbers = [sizes.first ?? 1, sizes.last ?? 1].flatMap { size -> [Float] in
        let judged = isMain ? (hasBoth ? parts.outliers(of: size) : 0) : exchanges ? size : 0
        return [Float(size - judged), Float(Rounds.kept(of: judged, share))]
      }
      try member.begin(
        epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate, recordsMargins: false,
        methodNumbers: numbers + [Float(choice["margin"])], order: order)
    }
    for judge in judges { try judge.begin() }
    return sizes
  }

  func step(_ step: Int) throws {
    if members.count > 1 {
      try judges[1].run(step: step)
      try members[1].run(step: step)
    }
    if isMixed { try judges[0].run(step: step) }
    try members[0].run(step: step)
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    let isEnd = epoch.epoch + 1 == setup.stage.epochs, ids = Set(epoch.ids).sorted()
    // What the last round has led to is looked at, too.
    let figures = isEnd ? try found().quality(classes: classes) : quality
    let losses = try members[0].sampleResults().losses
    let ordered = ids.count { Double(losses[Int($0)]) < choice["margin"] }
    return EpochOutcome(
      figures: figures, scored: ids, accuracy: ids.isEmpty ? 0 : Double(ordered) / Double(ids.count))
  }

  // MARK: - Clusters

  /// By which clusters are scored, of the images that have features.
  private var classes: [Int32] {
    let all = setup.train.set.trueLabels ?? setup.train.set.labels
    return members[0].sampleIDs.map { all[Int($0)] }
  }

  private func found() throws -> ClusterSearch {
    let features = try members[0].features(), device = members[0].device
    return try ClusterSearch(features, width: featureCount, search, radius: radius) { Self.room(device) }
  }

  /// Begins a round; one that finds too few clusters or inliers goes on with those of the round before.
  private func decide(isFirst: Bool) throws {
    let main = members[0], found = try found(), need = main.batchSizes.max() ?? 0
    let inliers = found.isInlier.count { $0 > 0 }
    guard found.count >= 2, inliers >= need else {
      guard isFirst else { return }
      throw Failure(
        .configuration,
        "labels=clusters finds \(found.count) clusters with \(inliers) of \(found.labels.count) images.",
        why: "at least two are needed, with as many images as a batch has, \(need).",
        fix:
          "begin with the weights of a trained network (--init), use a larger share=\(choice["share"]), or a smaller "
          + "--batch-size.")
    }
    (radius, quality) = (found.radius, found.quality(classes: classes))
    var isInlier = [Float](repeating: 1, count: main.sampleCount)
    var labels = [Int32](repeating: 0, count: main.sampleCount)
    for (place, id) in main.sampleIDs.map({ Int($0) }).enumerated() {
      (isInlier[id], labels[id]) = (found.isInlier[place], found.labels[place])
    }
    try main.device.write(isInlier, to: main.buffer(Self.inlier.store))
    try main.device.write(labels, to: main.buffer(Self.cluster.store))
  }

  // MARK: - What a resumed run needs

  private static var radiusName: String { "method.radius" }
  private static var qualityName: String { "method.quality" }

  func store(in file: inout SafetensorsFile) {
    guard let radius else { return }
    file[Self.radiusName] = .init([radius], shape: [1])
    file[Self.qualityName] = .init(quality.map { $0 ?? -1 }, shape: [quality.count])
  }

  func restore(from file: SafetensorsFile) throws {
    guard file[Self.radiusName] != nil else { return }
    let known = try file.doubles(Self.radiusName, shape: [1])[0]
    let numbers = try file.doubles(Self.qualityName, shape: [figures.count])
    (radius, quality) = (known, numbers.map { $0 >= 0 ? $0 : nil })
    let isInlier = try members[0].floats(Self.inlier.name)
    let inliers = members[0].sampleIDs.count { isInlier[Int($0)] > 0 }
    let labels = try members[0].integers(Self.cluster.name)
    // Clusters are counted; the other numbers are shares, or -1.
    guard inliers >= members[0].batchSizes.max() ?? 0, labels.allSatisfy({ (0..<Int32(labels.count)).contains($0) }),
      known.isFinite, known >= 0, (0...Double(labels.count)).contains(numbers[0]),
      numbers.dropFirst().allSatisfy({ $0 == -1 || (0...1.001).contains($0) })
    else { throw Failure.damagedCheckpoint(file.path, why: "what it says of clusters cannot be.") }
  }
}
