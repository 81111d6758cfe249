import Compute
import Sessions

/// One network that also says of each sample how sure it is, and learns from unsure ones less (CAR).
///
/// A second head gives each image a confidence τ. The prediction is mixed with what it is compared with, q = τ p + (1 − τ) s,
/// in L = −Σ s log q − λ log τ − β Σ q log s: where τ is small, s explains itself, and the classifier's gradient is scaled by
/// τ. s is the given label, and from epoch `start` on (from 1) a target of K numbers, which in every `every`-th epoch moves
/// before it is used, t ← m t + (1 − m) p, where τ is above the threshold. All of s is at least 1e-4, so that s sums to a
/// little more than 1, as in that code; there the targets of the first batch that moves have zeros before it.
/// - Source: Lu, Bo and He, "Confidence adaptive regularization for deep learning with noisy labels", arXiv:2108.08212,
///   2021, of which no code was found; reconstructed from the code of its authors' next paper, MacLLL/NAL (NeurIPS 2022),
///   which matches the abstract item by item.
final class ConfidenceAdaptive<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice

  private static var name: String { "target" }
  private static var confidence: Column { Column("confidence", start: .float(.nan), range: 0...1) }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], choice.entry.figures)
    let target = Column(Self.name, start: .float(0), width: setup.classes, range: Column.probabilities)
    let confidence = Self.confidence
    let member = try setup.member(columns: [target, confidence], hasIndicator: true)
    members = [member]
    try member.prepare { step, _ in
      step.images(member.settings.augmentation)
      step.forward(.batch)
      // Predictions and margins are those by the given label.
      let dlogits = step.loss(member.settings.loss.function), scratch = step.scratch(), dindicator = step.rowNumbers()
      let program = step.program
      guard let indicator = program.indicator else { preconditionFailure("the network has no second head") }
      step.rows(
        .confidence(
          logits: (program.logits, dlogits), indicator: (indicator, dindicator), scratch: scratch,
          target: target.store, confidence: confidence.store, K: program.classes))
      step.backward(dindicator: dindicator)
      member.update(&step)
    }
    // Each target begins as the given label.
    var first = [Float](repeating: Self.least, count: setup.train.set.count * setup.classes)
    for (id, label) in setup.train.set.labels.enumerated() where label >= 0 {
      first[id * setup.classes + Int(label)] = 1
    }
    try member.device.write(first, to: member.buffer(target.store))
  }

  /// The least number in a target.
  private static var least: Float { 1e-4 }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let number = epoch.epoch + 1, isLate = number >= Int(choice["start"])
    let moves = isLate && number % Int(choice["every"]) == 0
    let numbers = ["lambda", "beta", "momentum", "threshold"].map { Float(choice[$0]) }
    try members[0].begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
      recordsMargins: setup.recordsMargins(epoch.epoch),
      methodNumbers: numbers + [moves ? 1 : 0, isLate ? 1 : 0, Float(choice["learned"])])
    return members[0].batchSizes
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    let targets = try members[0].floats(Self.name), set = setup.train.set
    let confidence = try members[0].floats(Self.confidence.name)
    // The means over samples with right and with wrong labels.
    var sums = [0.0, 0], counts = [0, 0]
    for id in epoch.ids.lazy.map({ Int($0) }) {
      guard let truth = set.trueLabels?[id], truth >= 0 else { continue }
      let kind = truth == set.labels[id] ? 0 : 1
      sums[kind] += Double(confidence[id])
      counts[kind] += 1
    }
    let means = zip(sums, counts).map { $1 > 0 ? $0 / Double($1) : nil }
    return EpochOutcome(
      figures: means + set.targetShares(targets, classes: setup.classes, of: epoch.ids)
        + [set.areaUnderROC(ofSuspicion: try unsureness())])
  }

  /// How unsure the network was when it last saw the sample: 1 − τ.
  func suspicion() throws -> [Double]? { try unsureness() }

  private func unsureness() throws -> [Double] { try members[0].floats(Self.confidence.name).map { 1 - Double($0) } }
}
