import Compute
import Sessions

/// A network that looks at the batches of another one, without learning from them: its losses choose for the other.
///
/// It normalises by the batch, which moves its running statistics, as in training. Crops and flips are those that the other
/// network sees, dropped channels its own.
final class Judge<D: Device> {
  /// Its last loss of every sample [N], by id.
  let losses: D.Buffer
  private let session: TrainingSession<D>, other: TrainingSession<D>, counters: D.Buffer
  private let plans: [Int: Plan<D>]

  /// Prepares the passes, in the memory of the session's own plans.
  ///
  /// - Parameters:
  ///   - losses: [N] floats.
  ///   - lent: other buffers of the passes.
  ///   - judge: writes what follows the forward pass, and leaves losses in `sampleLoss`.
  init(
    _ session: TrainingSession<D>, of other: TrainingSession<D>, into losses: D.Buffer, lent: [Store: D.Buffer] = [:],
    _ judge: (inout StepBuilder) throws -> Void
  ) throws {
    let device = session.device
    (self.session, self.other, self.losses) = (session, other, losses)
    counters = try device.allocate(byteCount: 4 * StepState.counterCount)
    let own: [Store: D.Buffer] = [
      .order: other.buffer(.order), .counters: counters, .sampleLoss: losses,
      .samplePrediction: try device.allocate(byteCount: 4 * max(session.sampleCount, 1)),
    ]
    var plans: [Int: Plan<D>] = [:]
    for size in Set(other.batchSizes).sorted() {
      plans[size] = try session.plan(of: size, precision: session.settings.precision, lent: own.merging(lent) { $1 }) {
        step in
        step.images(session.settings.augmentation)
        step.forward(.batch)
        try judge(&step)
        step.advance()
      }
    }
    self.plans = plans
  }

  /// Makes the device ready for the epoch that both networks have begun, at the same step.
  func begin() throws {
    var state = other.state
    (state.recordsMargins, state.countsDynamics, state.member) = (false, false, session.settings.member)
    try session.device.write(state.counters, to: counters)
  }

  /// Enqueues the pass over the other network's batch of step `step`; passes must follow one another.
  func run(step: Int) throws { try plans[other.batchSizes[step]]?.run() }
}
