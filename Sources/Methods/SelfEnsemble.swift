import Compute
import Failures
import FileFormats
import Glibc
import Sessions

/// One network that learns labels only of samples whose labels its own average has come to predict (SELF).
///
/// A teacher, the moving average of the network's parameters with running statistics of its own, sees every batch in
/// another view. Of its probabilities an average over the epochs is kept for each sample, z ← m z + (1 − m) p. After every
/// `every` epochs those samples alone keep their label whose z is largest for it; each time all labels are looked at
/// again. Every sample, with or without label, teaches consistency with the teacher, c / K · ‖p − p̄‖², c rising over the
/// first epochs; the cross entropy of those with a label is divided by the whole batch. Where something was held out, each
/// such round begins with the best average so far and its z. The teacher is what is evaluated. Without rounds
/// (`every=0`) this is a mean teacher.
/// - Source: Nguyen, Mummadi, Ngo, Nguyen, Beggel and Brox, "SELF: learning to filter noisy labels with self-ensembling",
///   ICLR 2020, arXiv:1910.01842, whose code is not public: reconstructed from its abstract and figures, what others wrote
///   of it, and the mean teacher's code (Tarvainen and Valpola, NeurIPS 2017, CuriousAI/mean-teacher). There, rounds end
///   by the held-out accuracy, and the student has a second head; here, rounds have a fixed length.
final class SelfEnsemble<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  let answer = Answer.average
  private let setup: MethodSetup<D>, choice: MethodChoice
  private let average: NetworkAverage<D>
  /// Whether the average has weights.
  private var isBegun = false
  private var best: Best?

  /// The best average so far, by what was held out.
  private struct Best {
    let accuracy: Double, weights: NetworkWeights, ensemble: [Float]
  }

  private static var ensemble: String { "ensemble" }
  /// 1 for samples whose label is learned from, 0 for the others.
  private static var kept: Column { Column("kept", start: .float(1), range: 0...1) }
  /// The teacher's probabilities of the batch.
  private static var guesses: Store { .column("teacher's probabilities") }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], choice.entry.figures)
    let ensemble = Column(Self.ensemble, start: .float(-1), width: setup.classes, range: Column.probabilities)
    let member = try setup.member(columns: [ensemble, Self.kept]), average = try NetworkAverage(of: member)
    (members, self.average) = ([member], average)
    let guesses = try member.device.allocate(byteCount: 4 * member.settings.batchSize * setup.classes)
    let own = average.stores
    try member.prepare(lent: [Self.guesses: guesses, .average: own[.parameters]!], evaluating: own) { step, _ in
      step.images(member.settings.augmentation)
      step.forward(.batch)
      let dlogits = step.loss(member.settings.loss.function), scratch = step.scratch(), program = step.program
      step.rows(
        .consistency(
          program.logits, with: Self.guesses, scratch: scratch, dlogits: dlogits, weight: Self.kept.store,
          K: program.classes))
      step.backward()
      member.update(&step)
      step.flat(.average(slot: 2))
    }
    try average.prepare(lent: [Self.guesses: guesses]) { step in
      step.images(member.settings.augmentation)
      step.forward(.batch)
      let program = step.program
      step.rows(.ensemble(program.logits, into: Self.guesses, ensemble: ensemble.store, K: program.classes))
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    // Not when the network is made: `--init` replaces its weights later.
    if !isBegun { try begin(with: members[0].readPackedWeights()) }
    let every = Int(choice["every"]), member = members[0]
    if every > 0, epoch.epoch > 0, epoch.epoch % every == 0, epoch.step == 0 { try filter() }
    let strength = choice["consistency"] * Self.ramp(epoch.epoch, over: choice["ramp"])
    try member.begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
      recordsMargins: setup.recordsMargins(epoch.epoch),
      methodNumbers: [Float(choice["momentum"]), Float(strength), Float(1 - choice["decay"])])
    try average.begin()
    return member.batchSizes
  }

  private func begin(with weights: NetworkWeights) throws {
    isBegun = true
    try average.write(weights)
  }

  /// The share of the consistency's strength in an epoch (from 0): exp(−5 (1 − e / ramp)²), then 1.
  private static func ramp(_ epoch: Int, over epochs: Double) -> Double {
    guard Double(epoch) < epochs else { return 1 }
    let left = 1 - Double(epoch) / epochs
    return exp(-5 * left * left)
  }

  func step(_ step: Int) throws {
    try average.run(step: step)
    try members[0].run(step: step)
  }

  /// Begins a round: with the best so far, and the labels that it agrees with.
  private func filter() throws {
    let member = members[0], K = setup.classes
    if let best {
      try average.write(best.weights)
      try member.write(best.weights)
      try member.device.write(best.ensemble, to: member.buffer(.column(Self.ensemble)))
    }
    let ensemble = try member.floats(Self.ensemble)
    let kept = setup.train.set.labels.enumerated().map { id, label -> Float in
      let row = ensemble[id * K..<(id + 1) * K]
      // What was not seen is not judged, and a tie is no disagreement.
      guard label >= 0, let most = row.max(), most >= 0 else { return 1 }
      return row[row.startIndex + Int(label)] == most ? 1 : 0
    }
    try member.device.write(kept, to: member.buffer(Self.kept.store))
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    let member = members[0]
    if choice["every"] > 0, let accuracy = epoch.heldOutAccuracy, accuracy > best?.accuracy ?? -1 {
      best = Best(
        accuracy: accuracy, weights: try average.readWeights(), ensemble: try member.floats(Self.ensemble))
    }
    var selection = Selection(of: setup.train.set)
    selection.add(epoch.ids, weights: try member.floats(Self.kept.name))
    return EpochOutcome(
      figures: selection.values + [setup.train.set.areaUnderROC(ofSuspicion: try disbeliefs())])
  }

  /// How little of its ensemble of predictions is the given class.
  func suspicion() throws -> [Double]? { try disbeliefs() }

  private func disbeliefs() throws -> [Double] {
    let ensemble = try members[0].floats(Self.ensemble)
    return setup.train.set.ofGivenClass(ensemble, classes: setup.classes).map { $0 >= 0 ? 1 - $0 : .nan }
  }

  func store(in file: inout SafetensorsFile) throws {
    if !isBegun { try begin(with: members[0].readPackedWeights()) }
    store(try average.readWeights(), answer.prefix, in: &file)
    guard let best else { return }
    store(best.weights, Self.prefix, in: &file)
    file[Self.prefix + Self.ensemble] = .init(best.ensemble, shape: [setup.train.set.count, setup.classes])
    file[Self.prefix + "accuracy"] = .init([best.accuracy], shape: [1])
  }

  func restore(from file: SafetensorsFile) throws {
    try begin(with: weights(answer.prefix, in: file))
    guard file[Self.prefix + "accuracy"] != nil else { return }
    let accuracy = try file.doubles(Self.prefix + "accuracy", shape: [1])[0]
    let ensemble = try file.floats(Self.prefix + Self.ensemble, shape: [setup.train.set.count, setup.classes])
    let isPossible = members[0].settings.columns.first { $0.name == Self.ensemble }?.allows(.floats(ensemble))
    guard (0...1).contains(accuracy), isPossible == true else {
      throw Failure.damagedCheckpoint(
        file.path, why: "its best average has the accuracy \(accuracy), or predictions that are no probabilities.")
    }
    best = Best(accuracy: accuracy, weights: try weights(Self.prefix, in: file), ensemble: ensemble)
  }

  private static var prefix: String { "method.best." }

  private func store(_ weights: NetworkWeights, _ prefix: String, in file: inout SafetensorsFile) {
    file.store(weights.parameters, of: members[0].parameters, prefix: prefix)
    file.store(weights.running, of: members[0].running, prefix: prefix)
  }

  private func weights(_ prefix: String, in file: SafetensorsFile) throws -> NetworkWeights {
    NetworkWeights(
      parameters: try file.packed(members[0].parameters, prefix: prefix),
      running: try file.packed(members[0].running, prefix: prefix))
  }
}
