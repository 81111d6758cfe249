import Compute
import Sessions

/// One network that learns from all samples alike.
final class Plain<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  private let setup: MethodSetup<D>

  init(_ setup: MethodSetup<D>) throws {
    self.setup = setup
    let member = try setup.member()
    try member.prepare { step, _ in member.plainStep(&step) }
    if let transition = setup.transition {
      try member.correct(by: transition.matrix(for: setup.train.set, classes: setup.classes))
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
      recordsMargins: setup.recordsMargins(epoch.epoch))
    return member.batchSizes
  }
}
