import Compute
import Sessions

/// One network that is held to what it predicted early, before it memorised (ELR).
///
/// Each sample has a target t [K], which begins with 0 and moves when the sample is seen: t ← β t + (1 − β) p. To the loss
/// comes λ log(1 − ⟨t, p⟩), whose gradient weighs against the given label where target and prediction agree on another.
/// Probabilities are kept within 1e-4 and 1 − 1e-4, and the target moves before it is used, as in the authors' code.
/// - Source: Liu, Niles-Weed, Razavian and Fernandez-Granda, "Early-learning regularization prevents memorization of
///   noisy labels", NeurIPS 2020, arXiv:2007.00151, and its code, shengliu66/ELR.
final class EarlyLearning<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice
  private static var name: String { "target" }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], choice.entry.figures)
    let target = Column(Self.name, start: .float(0), width: setup.classes, range: Column.probabilities)
    let member = try setup.member(columns: [target])
    members = [member]
    try member.prepare { step, _ in
      step.images(member.settings.augmentation)
      step.forward(.batch)
      let dlogits = step.loss(member.settings.loss.function), scratch = step.scratch(), program = step.program
      step.rows(
        .earlyLearning(
          program.logits, scratch: scratch, dlogits: dlogits, target: target.store, K: program.classes))
      if setup.weights != nil { step.scaleRows(by: .sampleWeights) }
      step.backward()
      member.update(&step)
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    try members[0].begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
      recordsMargins: setup.recordsMargins(epoch.epoch),
      methodNumbers: [Float(choice["momentum"]), Float(choice["lambda"])])
    return members[0].batchSizes
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    let targets = try members[0].floats(Self.name), set = setup.train.set
    return EpochOutcome(
      figures: set.targetShares(targets, classes: setup.classes, of: epoch.ids)
        + [set.areaUnderROC(ofSuspicion: try beliefs())])
  }

  /// How little of its target is the given class.
  func suspicion() throws -> [Double]? { try beliefs() }

  private func beliefs() throws -> [Double] {
    let targets = try members[0].floats(Self.name)
    return setup.train.set.ofGivenClass(targets, classes: setup.classes).map { $0 > 0 ? 1 - $0 : .nan }
  }
}
