import Compute
import Datasets
import Failures
import FileFormats
import Losses
import Sessions

/// One network that learns parameters Λ of its loss, too, from trusted samples (ARL).
///
/// Λ is good where a step by it makes the network better on trusted samples. In every `every`-th step, before the network
/// moves: θ' = θ − α ∇L(θ, Λ), a virtual step over the batch; G = ∇L_trusted(θ'), by cross entropy over a batch of trusted
/// samples; Λ ← Λ − rate dL_trusted/dΛ, within the loss's own ranges. Since θ' moves with Λ by −α ∂²L / ∂θ ∂Λ,
///
///     dL_trusted/dΛ = −α ‖G‖ [∂L/∂Λ (θ + ε u) − ∂L/∂Λ (θ − ε u)] / 2ε,  u = G / ‖G‖,
///
/// which takes two forward passes and no second derivative; ∂L/∂Λ is the difference of the loss, by its own kernel, at two
/// values beside Λ. The virtual step is a plain one, as in the paper (its successor's code has momentum and weight decay),
/// and virtual passes leave no trace: neither running statistics nor the table of samples move. They are computed in
/// float32, since ε u is lost in coarser numbers.
/// - Source: Shu, Zhao, Chen, Xu and Meng, "Learning adaptive loss for robust learning with noisy labels",
///   arXiv:2002.06482, 2020; xjtushujun/NARL-Adjuster, the code of their next paper (arXiv:2301.07306), whose hyper-gradient
///   is exact and whose parameters are functions of the sample.
final class AdaptiveLoss<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  let figures: [Figure]
  private let setup: MethodSetup<D>, choice: MethodChoice, learned: LearnedParameters, trusted: TrustedBatches
  private let buffers: Buffers, passes: [Int: Passes], ofTrusted: Plan<D>
  /// Λ.
  private var values: [Float]
  private var start = EpochStart(epoch: 0, step: 0, learningRate: 0)

  /// What virtual passes read and write in place of the session's own.
  private struct Buffers {
    let parameters: D.Buffer, norm: D.Buffer, running: D.Buffer, counters: D.Buffer, numbers: D.Buffer
    let losses: D.Buffer, predictions: D.Buffer, order: D.Buffer, labels: D.Buffer
  }

  /// The passes over training images: the virtual step, and the loss beside the network's parameters.
  private struct Passes { let step: Plan<D>, look: Plan<D> }

  /// ε, the distance from θ at which derivatives are taken.
  private static var distance: Float { 0.01 }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    guard let samples = setup.trusted else { preconditionFailure("\(choice) has no trusted samples") }
    (self.setup, self.choice, stages) = (setup, choice, [setup.stage])
    learned = try LearnedParameters(choice.text("learn"), of: setup.session.loss)
    values = learned.start
    figures = learned.names.map { Figure("learned_\($0)", "the learned parameter \($0) at the epoch's end") }
    let member = try setup.member(), device = member.device, parameters = member.buffer(.parameters)
    members = [member]
    try member.prepare { step, _ in member.plainStep(&step) }
    trusted = TrustedBatches(
      count: samples.ids.count, batch: min(samples.ids.count, setup.session.batchSize), seed: setup.session.seed)
    func floats(_ count: Int) throws -> D.Buffer { try device.allocate(byteCount: 4 * max(count, 1)) }
    let N = member.sampleCount
    buffers = Buffers(
      parameters: try floats(member.parameters.packedCount), norm: try floats(1),
      running: try setup.session.keepsStatistics ? member.buffer(.running) : floats(member.running.packedCount),
      counters: try floats(StepState.counterCount), numbers: try floats(StepState.numberCount), losses: try floats(N),
      predictions: try floats(N), order: try floats(trusted.batch), labels: try floats(N))
    var labels = [Int32](repeating: LabelledSet.noLabel, count: N)
    for (id, label) in zip(samples.ids, samples.labels) { labels[Int(id)] = label }
    try device.write(labels, to: buffers.labels)
    let own: [Store: D.Buffer] = [
      .running: buffers.running, .counters: buffers.counters, .numbers: buffers.numbers, .sampleLoss: buffers.losses,
      .samplePrediction: buffers.predictions,
    ]
    func plan(_ batch: Int, _ lent: [Store: D.Buffer], _ write: (inout StepBuilder) -> Void) throws -> Plan<D> {
      try member.plan(of: batch, precision: .fp32, lent: own.merging(lent) { $1 }, write)
    }
    let augmentation = setup.session.augmentation, function = setup.session.loss.function
    let away: [Store: D.Buffer] = [.parameters: buffers.parameters, .anchor: parameters, .norm: buffers.norm]
    var passes: [Int: Passes] = [:]
    for batch in Set(member.batchSizes).sorted() {
      passes[batch] = Passes(
        step: try plan(batch, [.stepped: buffers.parameters]) { step in
          step.gradients(augmentation, function, peer: false, weighted: setup.weights != nil)
          step.flat(.step(to: .stepped, isUnit: false))
        },
        look: try plan(batch, away) { step in
          step.flat(.step(from: .anchor, to: .parameters, isUnit: true))
          step.images(augmentation)
          step.forward(.batch)
          step.cut()  // the loss alone runs again
          step.loss(function)
        })
    }
    self.passes = passes
    ofTrusted = try plan(
      trusted.batch, away.merging([.order: buffers.order, .labels: buffers.labels]) { $1 }
    ) { step in
      step.gradients(augmentation, RowFunction(kernel: "loss_ce_rows"), peer: false, weighted: false)
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    start = epoch
    try members[0].begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
      recordsMargins: setup.recordsMargins(epoch.epoch))
    try takeUp()
    return members[0].batchSizes
  }

  /// Lets the network's steps compute the loss by Λ.
  private func takeUp() throws {
    try members[0].set(lossParameters: learned.kernelParameters(values, epoch: start.epoch))
  }

  func step(_ step: Int) throws {
    let (turn, rest) = (start.epoch * members[0].batchSizes.count + step)
      .quotientAndRemainder(dividingBy: Int(choice["every"]))
    if rest == 0, choice["rate"] > 0 { try learn(step, turn: turn) }
    try members[0].run(step: step)
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome { EpochOutcome(figures: values.map { Double($0) }) }

  // MARK: - Λ

  /// Moves Λ, before a step of the network.
  private func learn(_ step: Int, turn: Int) throws {
    let base = setup.stage.rate.base, rate = base > 0 ? choice["rate"] * start.learningRate / base : 0
    for (index, slope) in try slopes(step, turn: turn).enumerated() where slope.isFinite {
      let range = learned.range(index), moved = Float(Double(values[index]) - rate * slope)
      values[index] = min(max(moved, range.lowerBound), range.upperBound)
    }
    try takeUp()
  }

  /// dL_trusted/dΛ over the batch of a step and the batch of trusted samples of a turn.
  ///
  /// Waits.
  private func slopes(_ step: Int, turn: Int) throws -> [Double] {
    let member = members[0], device = member.device, size = member.batchSizes[step], passes = passes[size]!
    // The virtual step: the images, crops and dropped channels of the step that follows.
    var state = member.state
    state.offset = member.batchSizes[..<step].reduce(0, +)
    (state.recordsMargins, state.countsDynamics) = (false, false)
    try write(state)
    try passes.step.run()
    // G, at other crops each time that all trusted samples have come.
    var other = state
    (other.offset, other.epoch) = (0, trusted.round(turn))
    try write(other)
    let ids = setup.trusted?.ids ?? []
    try device.write(trusted.places(turn).map { ids[Int($0)] }, to: buffers.order)
    try ofTrusted.run()
    let batch = member.ids(ofFirst: step + 1).suffix(size), alpha = Double(state.learningRate)
    var differences = [Double](repeating: 0, count: values.count)
    for sign in [Float(1), -1] {
      state.learningRate = -sign * Self.distance
      try write(state)
      try passes.look.run(segment: 0)
      for index in values.indices {
        let (below, above) = learned.neighbours(of: values[index], index)
        let ends = try [below, above].map { value in
          var other = values
          other[index] = value
          state.lossParameters = learned.kernelParameters(other, epoch: start.epoch)
          try device.write(state.numbers, to: buffers.numbers)
          try passes.look.run(segment: 1)
          return try mean(batch)
        }
        differences[index] += Double(sign) * (ends[1] - ends[0]) / (Double(above) - Double(below))
      }
    }
    let norm = Double(try device.read(Float.self, count: 1, from: buffers.norm)[0])
    return differences.map { -alpha * norm * $0 / (2 * Double(Self.distance)) }
  }

  private func write(_ state: StepState) throws {
    try members[0].device.write(state.counters, to: buffers.counters)
    try members[0].device.write(state.numbers, to: buffers.numbers)
  }

  /// The mean loss of a batch, in double precision.
  private func mean(_ ids: ArraySlice<Int32>) throws -> Double {
    let losses = try members[0].device.read(Float.self, count: members[0].sampleCount, from: buffers.losses)
    let weights = ids.map { Double(setup.weights?[Int($0)] ?? 1) }, sum = weights.reduce(0, +)
    return sum > 0 ? zip(ids, weights).reduce(0) { $0 + $1.1 * Double(losses[Int($1.0)]) } / sum : 0
  }

  // MARK: - What a resumed run needs

  private static var name: String { "state.learned" }

  func store(in file: inout SafetensorsFile) { file[Self.name] = .init(values, shape: [values.count]) }

  func restore(from file: SafetensorsFile) throws {
    values = try file.floats(Self.name, shape: [values.count])
    for (index, value) in values.enumerated() where !learned.range(index).contains(value) {
      throw Failure.damagedCheckpoint(
        file.path, why: "it has \(learned.names[index])=\(value), which is out of range.")
    }
  }
}
