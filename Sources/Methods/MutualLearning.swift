import Compute
import Sessions

/// Networks that see the same batches, and learn from one another's predictions as well as from the labels.
///
/// The loss of network i of M is L_i = loss(z_i, y) + 1/(M − 1) Σ_{j ≠ i} KL(p_j ‖ p_i), with the predictions p_j of the
/// others as constants. All networks predict before any is updated, as in the authors' code; the paper updates them in
/// turn. With one network, or without exchange, it is plain training. Networks may be of different kinds, and have
/// nothing in common but images and classes.
/// - Source: Zhang, Xiang, Hospedales and Lu, "Deep mutual learning", CVPR 2018, arXiv:1706.00384, and its code,
///   YingZhangDUT/Deep-Mutual-Learning.
final class MutualLearning<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  let answer: Answer
  private let setup: MethodSetup<D>

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    let networks = try choice.memberNetworks(of: setup.session.network)
    let members = try networks.enumerated().map { number, network in
      try setup.member(number, network: number == 0 ? nil : network, of: choice)
    }
    let logits = try members.map { member in
      try member.device.allocate(byteCount: 4 * setup.classes * (member.batchSizes.max() ?? 1))
    }
    (self.setup, self.members, stages) = (setup, members, [setup.stage])
    figures = MemberAccuracies.figures(of: members.count)
    answer = choice["sum"] == 1 ? .sum : .first
    for (number, own) in members.enumerated() {
      let others = choice["exchange"] == 1 ? members.indices.filter { $0 != number } : []
      var lent = [Store.logits(number): logits[number]]
      for other in others { lent[.logits(other)] = logits[other] }
      try own.prepare(lent: lent) { step, _ in
        let program = step.program
        step.images(own.settings.augmentation)
        step.forward(.batch)
        step.keep(program.logits, in: .logits(number))
        step.cut()  // the other networks must have come this far
        let dlogits = step.loss(own.settings.loss.function), scratch = step.scratch()
        for other in others {
          step.rows(
            .distil(
              program.logits, from: .logits(other), scratch: scratch, dlogits: dlogits, K: program.classes))
        }
        if setup.weights != nil { step.scaleRows(by: .sampleWeights) }
        step.backward()
        own.update(&step)
      }
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    // The weight of each of the others, and the temperature.
    let numbers = [1 / Float(max(members.count - 1, 1)), 1]
    for member in members {
      try member.begin(
        epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
        recordsMargins: setup.recordsMargins(epoch.epoch), methodNumbers: numbers)
    }
    return members[0].batchSizes
  }

  func step(_ step: Int) throws {
    for segment in 0..<2 {
      for member in members { try member.run(step: step, segment: segment) }
    }
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    guard answer == .sum else {
      return EpochOutcome(figures: try MemberAccuracies.values(of: members, setup, first: epoch.testAccuracy))
    }
    let missing = [Double?](repeating: nil, count: members.count - epoch.testAccuracies.count)
    return EpochOutcome(figures: MemberAccuracies.values(epoch.testAccuracies + missing))
  }
}
