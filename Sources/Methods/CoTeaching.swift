import Compute
import Glibc
import Sessions

/// Two networks that see the same batches; each learns from what the other finds easy.
///
/// Of each batch a network learns from the samples with the smallest losses of the other; `ForgetSchedule` says how many.
/// - Source: Han et al., "Co-teaching: robust training of deep neural networks with extremely noisy labels", NeurIPS
///   2018.
final class CoTeaching<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice

  /// 1 for samples that were learned from when they were last seen, 0 for others, −1 for those that were never seen.
  private static var kept: Column { Column("kept", start: .float(-1), range: 0...1) }
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
        step.rows(.smallest(of: Self.lossesOfOther, into: Self.kept.store, slot: slot))
        step.scaleRows(by: Self.kept.store)
        step.backward()
        own.update(&step)
      }
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let sizes = members[0].batchSizes
    let schedule = ForgetSchedule(rate: choice["rate"], ramp: Int(choice["ramp"]), power: choice["power"])
    let counts = [sizes.first ?? 1, sizes.last ?? 1].map { Float(schedule.kept(of: $0, epoch: epoch.epoch)) }
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
    return EpochOutcome(figures: selection.values + [try setup.testAccuracy(of: members[1])])
  }

  /// The mean of both networks' losses when they last saw the sample, by which they choose.
  func suspicion() throws -> [Double]? {
    let losses = try members.map { try $0.sampleResults().losses }, kept = try members[0].floats(Self.kept.name)
    return losses[0].indices.map { kept[$0] < 0 ? .nan : (Double(losses[0][$0]) + Double(losses[1][$0])) / 2 }
  }
}

/// How much of a batch co-teaching leaves out, epoch by epoch.
///
/// F = rate^power · (e + 1) / ramp in the epochs e (from 0) of the ramp, and the rate after it; a batch of B samples
/// keeps ⌊(1 − F) B⌋ of them, computed in double precision, but at least one. The authors' table has ten points and never
/// uses its first: a ramp of 9.
public struct ForgetSchedule: Sendable {
  let rate: Double, ramp: Int, power: Double

  /// A schedule.
  ///
  /// - Parameters:
  ///   - rate: the share that is left out in the end, 0 ..< 1.
  ///   - ramp: epochs over which it rises.
  ///   - power: the power of the rate at which the rise ends.
  public init(rate: Double, ramp: Int, power: Double) { (self.rate, self.ramp, self.power) = (rate, ramp, power) }

  /// The share of a batch that is left out in an epoch, from 0.
  public func share(epoch: Int) -> Double {
    epoch + 1 <= ramp ? pow(rate, power) * Double(epoch + 1) / Double(ramp) : rate
  }

  /// How many of `B` samples are learned from in an epoch.
  public func kept(of B: Int, epoch: Int) -> Int { max(1, Int((1 - share(epoch: epoch)) * Double(B))) }
}
