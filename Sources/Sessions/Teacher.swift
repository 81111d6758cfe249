import Compute
import Datasets
import Networks

/// A trained network that others learn from, and that does not change.
public struct Teacher: Sendable {
  /// The network.
  public let network: Network
  /// Its weights, in the network's order.
  public let parameters: [SessionState.Tensor], running: [SessionState.Tensor]
  /// What its inputs are normalised by: what they were when it was trained.
  public let normalization: Normalization

  /// A teacher; see the properties.
  public init(
    network: Network, parameters: [SessionState.Tensor], running: [SessionState.Tensor], normalization: Normalization
  ) {
    (self.network, self.parameters, self.running) = (network, parameters, running)
    self.normalization = normalization
  }
}

/// A teacher's weights on a device.
public final class TeacherWeights<D: Device> {
  fileprivate let network: Network
  fileprivate let stores: [Store: D.Buffer]

  /// Uploads the weights.
  public init(_ teacher: Teacher, images: ImageSet, classes: Int, on device: D) throws {
    network = teacher.network
    let graph = try network.graph(
      batch: 1, height: images.height, width: images.width, channels: images.channels, classes: classes)
    let inputs = teacher.normalization.mean + teacher.normalization.standardDeviation
    let contents: [Store: [Float]] = [
      .parameters: graph.parameters.pack(teacher.parameters.map(\.values)),
      .running: graph.running.pack(teacher.running.map(\.values)), .inputStatistics: inputs,
    ]
    stores = try contents.mapValues { values in
      let buffer = try device.allocate(byteCount: 4 * max(values.count, 1))
      try device.write(values, to: buffer)
      return buffer
    }
  }
}

/// A teacher's forward passes over the batches of a network in training: it sees the images as that network does, crops
/// and flips included, normalises by its own running statistics, and drops nothing.
public final class TeacherPasses<D: Device> {
  /// The logits [B, K] of the batch that was passed last.
  public let logits: D.Buffer
  private let whole: Plan<D>?, rest: Plan<D>?, session: TrainingSession<D>

  /// Prepares the passes, in the memory of the session's own plans.
  public init(_ teacher: TeacherWeights<D>, of session: TrainingSession<D>) throws {
    self.session = session
    let logits = try session.device.allocate(
      byteCount: 4 * session.classes * (session.batchSizes.max() ?? 1))
    self.logits = logits
    func plan(_ batch: Int) throws -> Plan<D> {
      let lent = teacher.stores.merging([.logits(0): logits]) { $1 }
      return try session.plan(of: batch, network: teacher.network, precision: .fp32, lent: lent) { step in
        step.images(session.settings.augmentation)
        step.forward(.running)
        step.keep(step.program.logits, in: .logits(0))
        // The network's own step, which comes next, moves on to the next batch.
      }
    }
    let sizes = session.batchSizes, batch = session.settings.batchSize
    whole = sizes.contains(batch) ? try plan(batch) : nil
    rest = try sizes.last.flatMap { $0 < batch ? try plan($0) : nil }
  }

  /// Enqueues the pass over the batch of step `step`, which the network's own step follows.
  public func run(step: Int) throws {
    try (session.batchSizes[step] == session.settings.batchSize ? whole : rest)?.run()
  }
}
