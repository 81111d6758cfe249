import Compute
import Failures
import FileFormats
import Sessions
import Statistics

/// Two networks, each of which divides the samples for the other into those whose label is believed and the others, whose
/// label is guessed.
///
/// After `warm` epochs of plain training, each by itself, every epoch ends with both networks' losses ℓ of the training
/// images as they are, (ℓ − min) / (max − min), to which a mixture of two normal distributions is fitted: w is the chance
/// to be of the one with the smaller mean. In the next epoch the first network, and then the other, learns by the other's w
/// (`Division`): labels with w above the threshold are believed. Each step has b = half a batch of these and b of the
/// others, in two crops each. With p̄ the mean of the network's own predictions of a labelled image in both crops, and q̄
/// that of both networks' of an unlabelled one, targets are w · label + (1 − w) · p̄, and q̄, both sharpened by a temperature
/// T: v^(1/T) / Σ v^(1/T). All 4 b images are mixed with one another, and so are their targets: f ~ Beta(α, α), at least
/// 1/2, once a step. The loss is
///
///     CE(labelled) + unlabelled · r · mean of (p − target)² (unlabelled) + prior · Σ 1/K log((1/K) / mean p),
///
/// r rising from 0 to 1 over `ramp` epochs. With asymmetric noise, `penalty` adds Σ p log p to the loss of the first
/// epochs, so that losses differ more. Both networks answer together. What is written of training samples is about their
/// images as they are, once there is a mixture.
/// - Source: Li, Socher and Hoi, "DivideMix: learning with noisy labels as semi-supervised learning", ICLR 2020,
///   arXiv:2002.07394, and its code, LiJunnan1992/DivideMix, where the last steps of an epoch have fewer images.
final class DivideMix<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  let answer = Answer.sum
  private let setup: MethodSetup<D>, choice: MethodChoice
  private let phases: [Phase], evaluations: [EvaluationPlans<D>]
  /// Of each network, how the epoch under way is divided for it; none before the first mixture.
  private var divisions: [Division] = []
  /// Steps that are done of the epoch, and those that it has.
  private var steps = (done: 0, all: 0)
  /// Of each network, the mixture of its losses, once there is one.
  private var mixtures: [LossMixture] = []

  /// What a network's own phase of an epoch reads and runs.
  private struct Phase {
    /// Two crops of the unlabelled and of the labelled images by the network itself, and of the former by the other one.
    let guess: Plan<D>, judge: Plan<D>
    /// The step proper.
    let mixed: Plan<D>
    let order: D.Buffer, partners: D.Buffer, factors: D.Buffer, guessCounters: D.Buffer, judgeCounters: D.Buffer
  }

  /// The chance that a label is right, by the network's own losses; −1 for samples that were not judged yet.
  private static var clean: Column { Column("clean", start: .float(-1), range: 0...1) }
  private static var cleanByOther: Store { .column("other's clean") }
  private static var unlabelled: Store { .column("guesses of unlabelled images") }
  private static var labelled: Store { .column("guesses of labelled images") }
  /// The normalised losses of the last epochs, the newest first; −1 where there is none.
  private static func history(_ epochs: Int) -> Column {
    Column("losses", start: .float(-1), width: epochs, range: 0...1)
  }

  /// - Throws: `.configuration` where there are fewer samples than a batch.
  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, self.choice, stages, figures) = (setup, choice, [setup.stage], choice.entry.figures)
    let epochs = Int(choice["history"]), columns = [Self.clean] + (epochs > 1 ? [Self.history(epochs)] : [])
    let members = try (0..<2).map { try setup.member($0, columns: columns, hasOwnBatches: true) }
    self.members = members
    let b = setup.session.batchSize / 2, count = members[0].sampleIDs.count
    guard b > 0, count >= 2 * b else {
      throw Failure(
        .configuration, "\(choice.entry.name) needs at least a batch of samples, and batches of two at least.",
        why: "there are \(count) training samples, and a batch has \(setup.session.batchSize).",
        fix: "use another --batch-size\(count > 1 ? ", such as \(min(count, 128))" : " and more samples").")
    }
    for member in members {
      try member.prepare { step, _ in
        step.images(member.settings.augmentation)
        step.forward(.batch)
        let dlogits = step.loss(member.settings.loss.function), scratch = step.scratch(), program = step.program
        step.rows(
          .entropy(program.logits, scratch: scratch, dlogits: dlogits, K: program.classes))
        step.backward()
        member.update(&step)
      }
    }
    phases = try [0, 1].map { try Self.phase(of: members[$0], with: members[1 - $0], batch: b) }
    evaluations = try members.map { try $0.trainingEvaluation() }
  }

  /// Prepares the phase of an epoch in which `own` learns.
  private static func phase(
    of own: TrainingSession<D>, with other: TrainingSession<D>, batch b: Int
  ) throws -> Phase {
    let device = own.device, K = own.classes, images = own.settings.augmentation
    let rows = 2 * Division.views * b * Division.stepLimit(samples: own.sampleIDs.count, batch: b)
    func words(_ count: Int) throws -> D.Buffer { try device.allocate(byteCount: 4 * count) }
    let order = try words(rows), partners = try words(rows), factors = try words(rows)
    let counters = try (0..<2).map { _ in try words(StepState.counterCount) }
    let lent: [Store: D.Buffer] = [
      .peerOrder: order, .partners: partners, .factors: factors, unlabelled: try words(b * K),
      labelled: try words(b * K), cleanByOther: other.buffer(clean.store),
    ]
    /// Adds predictions of two crops to guesses, of which they are so many parts.
    func look(_ step: inout StepBuilder, _ guesses: Store, parts: Int, isFirst: Bool, _ scratch: Value) {
      for view in 0..<Division.views {
        step.images(images, peer: true)
        step.forward(isFirst ? .batch : .running, peer: true)
        step.rows(
          .guess(
            step.program.logits, scratch: scratch, into: guesses, parts: parts, isFirst: isFirst && view == 0, K: K))
        step.advance()
      }
    }
    func plan(
      _ session: TrainingSession<D>, of batch: Int, counters: D.Buffer, drops: Bool = true,
      _ write: (inout StepBuilder) -> Void
    ) throws -> Plan<D> {
      try session.plan(
        of: batch, precision: own.settings.precision, drops: drops, lent: lent.merging([.counters: counters]) { $1 },
        write)
    }
    return Phase(
      guess: try plan(own, of: b, counters: counters[0]) { step in
        let scratch = step.scratch()
        look(&step, unlabelled, parts: 2 * Division.views, isFirst: true, scratch)
        look(&step, labelled, parts: Division.views, isFirst: true, scratch)
      },
      judge: try plan(other, of: b, counters: counters[1], drops: false) { step in
        let scratch = step.scratch()
        look(&step, unlabelled, parts: 2 * Division.views, isFirst: false, scratch)
        for _ in 0..<Division.views { step.advance() }
      },
      mixed: try plan(own, of: 2 * Division.views * b, counters: own.buffer(.counters)) { step in
        let targets = step.scratch(), probabilities = step.scratch(), mean = step.scratch()
        step.rows(
          .dividedTargets(targets, unlabelled: unlabelled, labelled: labelled, clean: cleanByOther, K: K))
        step.images(images, peer: true, mixed: true)
        step.forward(.batch)
        let dlogits = step.gradient()
        step.rows(
          .dividedLoss(
            step.program.logits, targets: targets, probabilities: probabilities, dlogits: dlogits, K: K))
        step.rows(.mean(of: probabilities, into: mean, K: K))
        step.rows(.prior(probabilities, mean: mean, dlogits: dlogits, K: K))
        step.backward()
        own.update(&step)
      }, order: order, partners: partners, factors: factors, guessCounters: counters[0], judgeCounters: counters[1])
  }

  var stepLimit: Int { choice.stepLimit(samples: members[0].sampleIDs.count, batch: setup.session.batchSize) }

  var firstEvenEpoch: Int { Int(choice["warm"]) }

  // MARK: - An epoch

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let sizes: [Int]
    if epoch.epoch < Int(choice["warm"]) {
      divisions = []
      for member in members {
        try member.begin(
          epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
          recordsMargins: setup.recordsMargins(epoch.epoch), methodNumbers: numbers(epoch.epoch, steps: 1))
      }
      sizes = members[0].batchSizes
    } else {
      // What is decided follows from columns, which change when the epoch is done: a resumed epoch goes on with it.
      let b = setup.session.batchSize / 2
      divisions = try members.indices.map { index in
        Division(
          clean: try members[1 - index].floats(Self.clean.name), ids: members[index].sampleIDs,
          threshold: choice["threshold"], batch: b, alpha: choice["alpha"], seed: members[index].settings.seed,
          epoch: epoch.epoch)
      }
      for index in members.indices { try begin(epoch, index, rows: 2 * Division.views * b) }
      sizes = [Int](repeating: 2 * Division.views * b, count: divisions[0].steps + divisions[1].steps)
    }
    steps = (epoch.step, sizes.count)
    return sizes
  }

  /// Uploads what a network's phase of an epoch reads.
  private func begin(_ epoch: EpochStart, _ index: Int, rows: Int) throws {
    let member = members[index], device = member.device, division = divisions[index], phase = phases[index]
    try member.begin(
      epoch: epoch.epoch, learningRate: epoch.learningRate, recordsMargins: false,
      methodNumbers: numbers(epoch.epoch, steps: division.steps))
    let done = index == 0 ? epoch.step : epoch.step - divisions[0].steps
    var state = member.state
    state.offset = rows * min(max(done, 0), division.steps)
    state.updates += state.offset / rows
    for counters in [member.buffer(.counters), phase.guessCounters, phase.judgeCounters] {
      try device.write(state.counters, to: counters)
    }
    try device.write(division.order, to: phase.order)
    try device.write(division.mixtures.partners.map { Int32($0) }, to: phase.partners)
    try device.write(division.mixtures.factors, to: phase.factors)
  }

  /// What the kernels of an epoch read (`RowKernel.dividedLoss` and others).
  private func numbers(_ epoch: Int, steps: Int) -> [Float] {
    let ramp = choice["ramp"], since = Double(epoch) - choice["warm"]
    let (share, rise) = ramp > 0 ? (since / ramp, 1 / (ramp * Double(steps))) : (1, 0)
    let weights = (choice["unlabelled"], choice["prior"], choice["penalty"])
    return [choice["temperature"], weights.0, share, rise, weights.1, weights.2].map { Float($0) }
  }

  func step(_ step: Int) throws {
    if divisions.isEmpty {
      for member in members { try member.run(step: step) }
    } else {
      let phase = phases[step < divisions[0].steps ? 0 : 1]
      for plan in [phase.guess, phase.judge, phase.mixed] { try plan.run() }
    }
    steps.done = step + 1
  }

  func isFinite(afterStep step: Int) throws -> Bool {
    guard !divisions.isEmpty else { return try members.allSatisfy { try $0.isFinite(afterStep: step) } }
    return try phases[step < divisions[0].steps ? 0 : 1].mixed.readLogits().allSatisfy(\.isFinite)
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    if steps.done == steps.all, epoch.epoch + 1 >= Int(choice["warm"]) { try judge() }
    var selection = Selection(of: setup.train.set)
    for division in divisions {
      var believed = [Float](repeating: 0, count: setup.train.set.count)
      for id in division.labelled { believed[Int(id)] = 1 }
      selection.add(division.labelled + division.unlabelled, weights: believed)
    }
    let ranking = try suspicion().flatMap { setup.train.set.areaUnderROC(ofSuspicion: $0) }
    return EpochOutcome(figures: selection.values + [ranking, MemberAccuracies.mean(epoch.testAccuracies)])
  }

  /// Fits mixtures to both networks' losses; nothing is changed before all is computed.
  private func judge() throws {
    let results = try evaluations.map { try $0.run(on: members[0].device) }
    let judged = try zip(members, results).map { member, result in
      let epochs = Int(choice["history"]), before = epochs > 1 ? try member.floats("losses") : []
      return try LossMixture.judge(result.losses, of: member.sampleIDs, history: before, epochs: epochs)
    }
    for ((member, result), judged) in zip(zip(members, results), judged) {
      try member.write(sampleLosses: result.losses, predictions: result.predictions)
      try member.device.write(judged.clean, to: member.buffer(Self.clean.store))
      if !judged.history.isEmpty {
        try member.device.write(judged.history, to: member.buffer(Self.history(Int(choice["history"])).store))
      }
    }
    mixtures = judged.map(\.mixture)
  }

  /// 1 − the mean of both networks' chances that the label is right.
  func suspicion() throws -> [Double]? {
    let clean = try members.map { try $0.floats(Self.clean.name) }
    return clean[0].indices.map { clean[0][$0] < 0 ? .nan : 1 - (Double(clean[0][$0]) + Double(clean[1][$0])) / 2 }
  }

  // MARK: - What a resumed run needs, and reports read

  func store(in file: inout SafetensorsFile) {
    guard !mixtures.isEmpty else { return }
    file[LossMixture.name] = .init(mixtures.flatMap(\.numbers), shape: [mixtures.count, LossMixture.count])
  }

  func restore(from file: SafetensorsFile) throws {
    mixtures = try LossMixture.read(file, networks: members.count)
  }
}
