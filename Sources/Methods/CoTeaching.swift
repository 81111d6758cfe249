import Compute

#if canImport(Glibc)
  import Glibc
#endif
import Sessions

/// Two networks that see the same batches; each learns from what the other finds easy.
///
/// In epoch e (from 0) each batch of B samples is learned from by its ⌊(1 − F) B⌋ smallest losses of the other network,
/// F = rate^power · (e + 1) / ramp before the ramp ends and rate after it, as in the authors' code.
/// - Source: Han et al., "Co-teaching: robust training of deep neural networks with extremely noisy labels", NeurIPS
///   2018.
final class CoTeaching<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice

  private static var kept: Column { Column("kept", start: .float(1)) }
  private static var lossesOfOther: Store { .column("other's losses") }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], choice.entry.figures)
    let members = try (0..<2).map { try setup.member($0, columns: [Self.kept]) }
    self.members = members
    let exchanges = choice["exchange"] == 1
    for (own, other) in [(members[0], members[1]), (members[1], members[0])] {
      let losses = (exchanges ? other : own).buffer(.sampleLoss)
      try own.prepare(lent: [Self.lossesOfOther: losses]) { step, slot in
        step.images(own.settings.augmentation)
        step.forward(.batch)
        step.loss(own.settings.loss.function)
        step.cut()  // the other network must have come this far
        step.rows(.smallest(of: Self.lossesOfOther, into: Self.kept.store, B: step.program.batch, slot: slot))
        step.scaleRows(by: Self.kept.store)
        step.backward()
        own.update(&step)
      }
    }
  }

  /// The share of a batch that is left out in epoch `epoch`, from 0.
  static func forgetRate(_ choice: MethodChoice, epoch: Int) -> Double {
    let rate = choice["rate"], ramp = Int(choice["ramp"])
    guard epoch + 1 < ramp else { return rate }
    return pow(rate, choice["power"]) * Double(epoch + 1) / Double(ramp)
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let kept = 1 - Self.forgetRate(choice, epoch: epoch.epoch), sizes = members[0].batchSizes
    // Of whole batches, and of the last one: one at least.
    let counts = [sizes.first ?? 1, sizes.last ?? 1].map { Float(max(1, Int(kept * Double($0)))) }
    for member in members {
      try member.begin(
        epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
        recordsMargins: setup.recordsMargins(epoch.epoch), methodNumbers: counts)
    }
    return sizes
  }

  func step(_ step: Int) throws {
    for segment in 0..<2 {
      for member in members { try member.run(step: step, segment: segment) }
    }
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    var selection = Selection(of: setup.train.set)
    for member in members { selection.add(epoch.ids, weights: try member.floats(Self.kept.name)) }
    return EpochOutcome(figures: selection.values + [try accuracyOfSecond()])
  }

  private func accuracyOfSecond() throws -> Double? {
    guard let labels = setup.test?.set.labels, let results = try members[1].evaluate() else { return nil }
    let ids = labels.indices.filter { labels[$0] >= 0 }
    return ids.isEmpty ? nil : Double(ids.count { results.predictions[$0] == labels[$0] }) / Double(ids.count)
  }

  /// The mean of both networks' losses when they last saw the sample, by which they choose.
  func suspicion() throws -> [Double]? {
    let losses = try members.map { try $0.sampleResults().losses }
    let known = Set(members[0].sampleIDs)
    return losses[0].indices.map { id in
      known.contains(Int32(id)) ? (Double(losses[0][id]) + Double(losses[1][id])) / 2 : .nan
    }
  }
}
