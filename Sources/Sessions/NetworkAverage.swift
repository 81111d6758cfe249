import Compute

/// A copy of a network whose parameters are the moving average of the network's own: a mean teacher.
///
/// Its forward passes see the batches of the session in a view of their own: other crops and flips, and other dropped
/// channels. They normalise by the batch, and move running statistics that are the copy's. Nothing is learned by them: a
/// step of the session moves the parameters with the flat kernel `average` (`Store.average`).
public final class NetworkAverage<D: Device> {
  private let session: TrainingSession<D>
  private let parameters: D.Buffer, running: D.Buffer, counters: D.Buffer
  private var whole: Plan<D>?, rest: Plan<D>?

  /// A copy with memory, but without weights; it is to begin with those of the session (`TrainingSession.readPackedWeights`).
  public init(of session: TrainingSession<D>) throws {
    let device = session.device
    self.session = session
    parameters = try device.allocate(byteCount: 4 * session.parameters.packedCount)
    running = try device.allocate(byteCount: 4 * max(session.running.packedCount, 1))
    counters = try device.allocate(byteCount: 4 * StepState.counterCount)
  }

  /// Its weights under the names of a network's: what an evaluation reads.
  public var stores: [Store: D.Buffer] { [.parameters: parameters, .running: running] }

  /// Prepares the plans of forward passes, in the memory of the session's own plans: what outlives a pass is in `lent`.
  ///
  /// - Parameters:
  ///   - lent: buffers that the passes write, under names of theirs.
  ///   - write: writes a pass, but for the step to the next batch.
  public func prepare(lent: [Store: D.Buffer], _ write: (inout StepBuilder) -> Void) throws {
    var own = stores
    own[.counters] = counters
    (whole, rest) = try session.plans(lent: lent.merging(own) { $1 }) { step, _ in
      write(&step)
      step.advance()
    }
  }

  /// Makes the device ready for the epoch that the session has begun, at the same step.
  public func begin() throws {
    var state = session.state
    (state.member, state.view) = (state.member + 1, 1)
    try session.device.write(state.counters, to: counters)
  }

  /// Enqueues the pass over the batch of step `step`; passes must follow one another.
  public func run(step: Int) throws {
    try (session.batchSizes[step] == session.settings.batchSize ? whole : rest)?.run()
  }

  /// The weights.
  ///
  /// Waits.
  public func readWeights() throws -> NetworkWeights { try session.readPackedWeights(from: stores) }

  /// Replaces the weights.
  public func write(_ weights: NetworkWeights) throws { try session.write(weights, to: stores) }
}

/// What is learned, and batch norm's running statistics, in their packed order.
public struct NetworkWeights: Sendable, Equatable {
  /// By `TrainingSession.parameters` and `running`.
  public var parameters: [Float], running: [Float]

  /// Weights in their packed order.
  public init(parameters: [Float], running: [Float]) { (self.parameters, self.running) = (parameters, running) }
}

extension TrainingSession {
  /// The weights as they lie on the device; `readWeights` gives them by name.
  ///
  /// Waits.
  public func readPackedWeights() throws -> NetworkWeights { try readPackedWeights(from: stores) }

  /// Replaces the weights, but neither momenta nor columns.
  public func write(_ weights: NetworkWeights) throws { try write(weights, to: stores) }

  func readPackedWeights(from stores: [Store: D.Buffer]) throws -> NetworkWeights {
    NetworkWeights(
      parameters: try device.read(Float.self, count: parameters.packedCount, from: stores[.parameters]!),
      running: try device.read(Float.self, count: running.packedCount, from: stores[.running]!))
  }

  func write(_ weights: NetworkWeights, to stores: [Store: D.Buffer]) throws {
    precondition(
      weights.parameters.count == parameters.packedCount && weights.running.count == running.packedCount,
      "the weights are another network's")
    try device.write(weights.parameters, to: stores[.parameters]!)
    try device.write(weights.running, to: stores[.running]!)
  }
}
