import Compute
import Datasets
import Failures
import FileFormats
import Sessions
import Statistics

/// Two networks with different tasks: the main one learns from inliers and from outliers that the other finds easy, the
/// other from inliers that the main one finds easy.
///
/// After `warm` epochs of plain training of both, and then every `every` epochs, a sample is an inlier if no label is more
/// frequent than its own among its nearest neighbours by the main network's features; an outlier takes over the most frequent
/// label. In a step the second network learns from a batch of inliers, of which only those with the smallest losses of the
/// main one count; then the main network learns from a batch whose first half are inliers, and whose second half are
/// outliers, of which only those with the smallest losses of the second one count. The share that counts in round r of R is
/// keep + (1 − keep) (r + 1) / R. With fewer inliers than a batch, all samples are inliers. Without exchange, for comparison,
/// there is the main network alone, and learns from all inliers.
/// - Source: Yang, Li, Zhong, Luo, Sun, Zhong, Cheng et al., "Asymmetric co-teaching for unsupervised cross-domain person
///   re-identification", AAAI 2020, arXiv:1912.01349, and its code, FlyingRoastDuck/ACT_AAAI20. There, labels are clusters;
///   neighbours of given labels are our own reading of it.
final class AsymmetricCoTeaching<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice, rounds: Rounds
  /// Of each network's batches: the other one.
  private let judges: [Judge<D>]
  private let featureCount: Int
  /// Whether the epoch's steps look at losses, and whether the main network's batches have outliers.
  private var isChoosing = false, isMixed = false

  /// 1 for samples that were learned from when they were last seen, 0 for others.
  private static var kept: Column { Column("kept", start: .float(1), range: 0...1) }
  /// 1 for inliers; and the new label of outliers, −1 for the others.
  private static var inlier: Column { Column("inlier", start: .float(1), range: 0...1) }
  private static var relabelled: Column { Column("relabelled", start: .integer(-1)) }
  private static var lossesOfOther: Store { .column("other's losses") }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], InliersAndOutliers.figures)
    rounds = Rounds(choice, warm: Int(choice["warm"]), epochs: setup.stage.epochs)
    let columns = [[Self.kept, Self.inlier, Self.relabelled], [Self.kept]]
    let members = try columns.prefix(choice["exchange"] == 1 ? 2 : 1).enumerated().map {
      try setup.member($0, columns: $1)
    }
    self.members = members
    var judges: [Judge<D>] = []
    for (number, own) in members.enumerated() {
      let losses = try own.device.allocate(byteCount: 4 * max(own.sampleCount, 1))
      try own.prepare(lent: [Self.lossesOfOther: losses]) { step, slot in
        step.images(own.settings.augmentation)
        step.forward(.batch)
        step.loss(own.settings.loss.function)
        step.rows(
          .smallestAfter(of: Self.lossesOfOther, into: Self.kept.store, slot: 2 * slot))
        step.scaleRows(by: Self.kept.store)
        step.backward()
        own.update(&step)
      }
      guard members.count > 1 else { continue }
      let judge = members[1 - number]
      judges.append(
        try Judge(judge, of: own, into: losses) { step in step.loss(judge.settings.loss.function) })
    }
    self.judges = judges
    featureCount = try members[0].prepareFeatures()
    try requireRoom()
  }

  /// - Throws: `.outOfMemory` where features and neighbours do not fit into this machine's memory.
  private func requireRoom() throws {
    let N = members[0].sampleIDs.count, k = Int(choice["neighbours"])
    let need = 8 * N * featureCount + NearestNeighbours.byteCount(points: N, features: featureCount, k)
    let own = members[0].device.memory.flatMap { $0.isHost ? $0.left : nil }
    try MemoryLimit.require(
      need, of: own ?? MemoryLimit.left(besides: 0), for: "the features of \(N) samples",
      fix: "use fewer images with --limit-train.")
  }

  // MARK: - Epochs

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let main = members[0], sizes = main.batchSizes
    if epoch.step == 0, rounds.begins(epoch.epoch) { try decide() }
    let new = try main.integers(Self.relabelled.name), labels = Self.labels(setup.train.set, new)
    let parts = InliersAndOutliers(main.sampleIDs, isInlier: try main.floats(Self.inlier.name))
    let share = members.count > 1 ? rounds.share(epoch.epoch) : nil, isDecided = rounds.share(epoch.epoch) != nil
    isChoosing = share != nil
    isMixed = isChoosing && !parts.outliers.isEmpty
    for (number, member) in members.enumerated() {
      try member.device.write(labels, to: member.buffer(.labels))
      // Before anything is chosen, both see the batches of plain training.
      let isMain = number == 0, seed = isMain || !isChoosing ? main.settings.seed : member.settings.memberSeed
      let order = parts.order(
        batches: sizes, isMixed: isMain && isMixed, epoch: epoch.epoch, shuffles: main.settings.shuffles, seed: seed,
        outlierSeed: members[members.count - 1].settings.memberSeed)
      let numbers = [sizes.first ?? 1, sizes.last ?? 1].flatMap { size -> [Float] in
        guard let share else { return [Float(size), 0] }
        let judged = isMain ? (isMixed ? parts.outliers(of: size) : 0) : size
        return [Float(size - judged), Float(Rounds.kept(of: judged, share))]
      }
      try member.begin(
        epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
        // Later epochs do not see every sample once.
        recordsMargins: setup.recordsMargins(epoch.epoch) && !isDecided, methodNumbers: numbers, order: order)
    }
    for judge in judges { try judge.begin() }
    return sizes
  }

  func step(_ step: Int) throws {
    if isChoosing { try judges[1].run(step: step) }
    for other in members.dropFirst() { try other.run(step: step) }
    if isMixed { try judges[0].run(step: step) }
    try members[0].run(step: step)
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    let main = members[0], inliers = try main.floats(Self.inlier.name), set = setup.train.set
    var selection = Selection(of: set)
    selection.add(main.sampleIDs, weights: inliers)
    let parts = InliersAndOutliers(main.sampleIDs, isInlier: inliers)
    let right = parts.shareRight(Self.labels(set, try main.integers(Self.relabelled.name)), of: set)
    let second = try members.dropFirst().first.flatMap { try setup.testAccuracy(of: $0) }
    return EpochOutcome(
      figures: selection.values + [right, second],
      scored: Set(epoch.ids).sorted())
  }

  /// The given labels, but for those of outliers.
  private static func labels(_ set: LabelledSet, _ new: [Int32]) -> [Int32] {
    zip(set.labels, new).map { $1 >= 0 ? $1 : $0 }
  }

  // MARK: - Decisions

  /// What the neighbours of every sample with a label say of it, by the main network's features.
  private func votes() throws -> NeighbourVotes {
    let main = members[0], labels = main.sampleIDs.map { setup.train.set.labels[Int($0)] }
    let points = Matrix(directionsOf: try main.features(), width: featureCount)
    return NeighbourVotes(NearestNeighbours(of: points, Int(choice["neighbours"])), labels: labels)
  }

  /// Begins a round: who is an inlier, and what outliers are called.
  private func decide() throws {
    let main = members[0], votes = try votes()
    var isInlier = [Float](repeating: 1, count: main.sampleCount)
    var new = [Int32](repeating: -1, count: main.sampleCount)
    if votes.rows.count(where: { $0.label == nil }) >= main.batchSizes.max() ?? 0 {
      for (id, vote) in zip(main.sampleIDs, votes.rows) {
        guard let label = vote.label else { continue }
        (isInlier[Int(id)], new[Int(id)]) = (0, label)
      }
    }
    try main.device.write(isInlier, to: main.buffer(Self.inlier.store))
    try main.device.write(new, to: main.buffer(Self.relabelled.store))
  }

  /// The share of a sample's neighbours that have another label.
  func suspicion() throws -> [Double]? {
    var values = [Double](repeating: .nan, count: members[0].sampleCount)
    for (id, vote) in zip(members[0].sampleIDs, try votes().rows) { values[Int(id)] = vote.disagreement }
    return values
  }

  func restore(from file: SafetensorsFile) throws {
    let new = try members[0].integers(Self.relabelled.name), inliers = try members[0].floats(Self.inlier.name)
    let parts = InliersAndOutliers(members[0].sampleIDs, isInlier: inliers)
    guard new.allSatisfy({ (-1..<Int32(setup.classes)).contains($0) }),
      parts.inliers.count >= members[0].batchSizes.max() ?? 0
    else {
      throw Failure.damagedCheckpoint(file.path, why: "what it says of inliers and of new labels cannot be.")
    }
  }
}

/// When asymmetric co-teaching decides, and how much of what is chosen from counts.
struct Rounds {
  private let warm: Int, every: Int, count: Int, keep: Double

  /// - Parameters:
  ///   - warm: epochs before the first round.
  ///   - epochs: of the run.
  init(_ choice: MethodChoice, warm: Int, epochs: Int) {
    (self.warm, every, keep) = (warm, Int(choice["every"]), choice["keep"])
    count = max(0, (epochs - warm + every - 1) / every)
  }

  /// Whether an epoch (from 0) begins a round.
  func begins(_ epoch: Int) -> Bool { epoch >= warm && (epoch - warm) % every == 0 }

  /// The share that counts in an epoch; nil before the first round.
  func share(_ epoch: Int) -> Double? {
    guard epoch >= warm, count > 0 else { return nil }
    let round = min((epoch - warm) / every, count - 1)
    return min(1, keep + (1 - keep) * Double(round + 1) / Double(count))
  }

  /// How many of `size` samples count: at least one, where there are some.
  static func kept(of size: Int, _ share: Double) -> Int {
    // 0.2 + 0.8 · 2 / 3 must not lose one to rounding.
    size == 0 ? 0 : max(1, Int(share * Double(size) + 1e-9))
  }
}
