import Compute
import Sessions

/// One network that learns from all samples alike.
final class Plain<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  private let setup: MethodSetup<D>, numbers: [Float]

  convenience init(_ setup: MethodSetup<D>) throws { try self.init(setup, try setup.member()) }

  /// Plain training with something added to each step.
  ///
  /// - Parameters:
  ///   - lent: buffers that it reads.
  ///   - numbers: what it reads of `StepState.methodNumbers`.
  ///   - add: writes what is added between backward pass and update.
  ///   - teach: writes what is added to the gradient of the logits, between loss and backward pass; the loss is then one of
  ///     single samples.
  init(
    _ setup: MethodSetup<D>, _ member: TrainingSession<D>, lent: [Store: D.Buffer] = [:], numbers: [Float] = [],
    adding add: (inout StepBuilder) -> Void = { _ in },
    teaching teach: ((inout StepBuilder, _ dlogits: Value) -> Void)? = nil
  ) throws {
    (self.setup, self.numbers) = (setup, numbers)
    try member.prepare(lent: lent) { step, _ in
      member.plainGradients(&step, teaching: teach)
      add(&step)
      member.update(&step)
    }
    if let transition = setup.transition {
      try member.correct(by: transition.matrix(for: setup.train.set, classNames: setup.classNames))
    }
    (members, stages) = ([member], [setup.stage])
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let member = members[0]
    if case .anchors(epoch.epoch) = setup.transition, epoch.step == 0 {
      // From now on labels are corrected by what the network has learned of them.
      try member.correct(
        by: TransitionSource.estimate(
          fromLogits: member.trainingLogits(), classes: setup.classes,
          quantile: TransitionSource.quantile(classes: setup.classes)))
    }
    try member.begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
      recordsMargins: setup.recordsMargins(epoch.epoch), methodNumbers: numbers)
    return member.batchSizes
  }
}
