import Compute
import Sessions

/// One network that abandons samples whose margin stays negative.
///
/// After `warm` epochs a sample's margin of probabilities, p_y minus the largest other, is looked at whenever it is
/// trained on. Below the threshold for `patience` epochs in a row, its weight becomes 0 for good. MARVEL+ gives the
/// others the weight 1 + gain (1 − margin) / 2. The loss is the weighted mean over the batch.
/// - Source: Lin and Bradic, "Learning to combat noisy labels via classification margins", arXiv 2102.00751, 2021; the
///   threshold 0 and weight 0 are its first abstract's, patience, warm-up and the weights of MARVEL+ are reconstructed.
final class Marvel<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice

  private static var streak: Column { Column("streak", start: .integer(0), range: 0...1_000_000) }
  /// At most 1 + gain, the largest gain being 100.
  private static var weight: Column { Column("weight", start: .float(1), range: 0...101.001) }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], choice.entry.figures)
    let member = try setup.member(columns: [Self.streak, Self.weight])
    members = [member]
    try member.prepare { step, _ in
      step.images(member.settings.augmentation)
      step.forward(.batch)
      step.loss(member.settings.loss.function)
      let scratch = step.scratch(), program = step.program
      step.rows(
        .streak(
          program.logits, scratch: scratch, K: program.classes, streak: Self.streak.store, weight: Self.weight.store))
      step.scaleRows(by: Self.weight.store)
      step.backward()
      member.update(&step)
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let gain = choice.entry.name == "marvel+" ? choice["gain"] : 0
    try members[0].begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
      recordsMargins: setup.recordsMargins(epoch.epoch), countsDynamics: epoch.epoch >= Int(choice["warm"]),
      methodNumbers: [Float(choice["threshold"]), Float(choice["patience"]), Float(gain)])
    return members[0].batchSizes
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    var selection = Selection(of: setup.train.set)
    selection.add(epoch.ids, weights: try members[0].floats(Self.weight.name))
    return EpochOutcome(figures: selection.values)
  }

  /// How far the sample's streak has come: 1 for one that is abandoned.
  func suspicion() throws -> [Double]? {
    let streaks = try members[0].integers(Self.streak.name), known = Set(members[0].sampleIDs)
    return streaks.indices.map { id in
      known.contains(Int32(id)) ? min(Double(streaks[id]) / choice["patience"], 1) : .nan
    }
  }
}
