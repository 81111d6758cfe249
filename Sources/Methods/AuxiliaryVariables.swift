import Compute
import Sessions

/// One network, and for every training sample an offset to its logits that may explain a wrong label instead (AUX).
///
/// The loss sees z + λ b_i. The offset b_i [K] of a sample begins with 0 and moves by plain gradient descent at the
/// network's own rate, without momentum and weight decay, whenever the sample is seen: b_i ← b_i − η λ ∂L/∂z_i, L the
/// batch's mean. Nothing else sees it: predictions and margins are the network's own. Over a run of T epochs with batches
/// of B, λ b grows with λ² η T / B, which is why λ follows the epochs.
/// - Source: Hu, Li and Yu, "Simple and effective regularization methods for training on noisily labeled data with
///   generalization guarantee", ICLR 2020, arXiv:1905.11368; no code of theirs could be read.
final class AuxiliaryVariables<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice
  private static var name: String { "offset" }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], choice.entry.figures)
    let offset = Column(Self.name, start: .float(0), width: setup.classes)
    let member = try setup.member(columns: [offset])
    members = [member]
    try member.prepare { step, _ in
      step.images(member.settings.augmentation)
      step.forward(.batch)
      let logits = step.program.logits, K = step.program.classes, shifted = step.scratch()
      step.rows(.shift(logits, by: offset.store, into: shifted, K: K))
      let dlogits = step.loss(member.settings.loss.function, of: shifted)
      if setup.weights != nil { step.scaleRows(by: .sampleWeights) }
      step.rows(.offset(logits, dlogits: dlogits, offset: offset.store, K: K))
      step.backward()
      member.update(&step)
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    // Margins are recorded where the offsets move: those of the loss are shifted.
    try members[0].begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate, recordsMargins: false,
      countsDynamics: setup.recordsMargins(epoch.epoch), methodNumbers: [Float(choice["lambda"])])
    return members[0].batchSizes
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    EpochOutcome(figures: [setup.train.set.areaUnderROC(ofSuspicion: try offsets())])
  }

  /// The offset of the given class: what the network lacked of it, summed up over the run.
  func suspicion() throws -> [Double]? { try offsets() }

  private func offsets() throws -> [Double] {
    setup.train.set.ofGivenClass(try members[0].floats(Self.name), classes: setup.classes)
  }
}
