import Compute
import Datasets
import Failures
import Glibc

/// Evaluation of a network over images on a device: plans for whole batches and the rest, and per-sample results.
public final class EvaluationPlans<D: Device> {
  /// What evaluation leaves for each sample, by id.
  public struct Results: Sendable {
    /// Cross entropy, whatever the training loss.
    public var losses: [Float]
    /// The class with the largest logit.
    public var predictions: [Int32]
    /// The probability of the sample's label.
    public var confidences: [Float]
    /// The classes that each of several networks predicts by itself, by id, where these are results of their mean; −1 where
    /// an output is not finite.
    public var ofEach: [[Int32]] = []
  }

  private let count: Int, classes: Int
  /// The labels of all samples, and the ids of those that are evaluated.
  private let labels: [Int32], ids: [Int32]
  private let batchSizes: [Int]
  private let whole: Plan<D>?, rest: Plan<D>?
  private let stores: [Store: D.Buffer]
  private var state = StepState()
  /// Whether a batch takes longer than a tenth of a second.
  private var isSlow = false

  /// Prepares the plans.
  ///
  /// - Parameters:
  ///   - ids: the samples to evaluate, in the order of `logits`; nil for all.
  ///   - graph: the network for a batch size.
  ///   - isOfFeatures: whether the graph ends before the last layer, so that `logits` are features, and nothing is scored.
  ///   - stores: the network's buffers, of which evaluation reads parameters, running statistics and input statistics.
  public init(
    _ data: DeviceData<D>, ids: [Int32]? = nil, graph: (Int) throws -> Graph, isOfFeatures: Bool = false,
    stores network: [Store: D.Buffer], shared: SharedMemory<D>
  ) throws {
    let device = data.device, set = data.set, ids = ids ?? (0..<Int32(set.count)).map { $0 }
    (count, labels, self.ids) = (set.count, set.labels, ids)
    var stores = network
    for column in [Store.labels, .order, .sampleLoss, .samplePrediction, .sampleConfidence] {
      stores[column] = try device.allocate(byteCount: max(count, 1) * 4)
    }
    stores[.counters] = try device.allocate(byteCount: StepState.counterCount * 4)
    // The network's own may be in more pieces than these.
    for part in Store.pixelParts { stores[part] = data.stores[part] }
    state.imagesPerPart = data.imagesPerPart
    try device.write(set.labels, to: stores[.labels]!)
    try device.write(ids, to: stores[.order]!)
    self.stores = stores
    func program(_ batch: Int) throws -> StepProgram {
      let graph = try graph(batch)
      return isOfFeatures
        ? .features(graph, forms: device.forms, advances: true) : .evaluation(graph, forms: device.forms)
    }
    func plan(_ batch: Int) throws -> Plan<D> {
      try Plan(program(batch), on: device, stores: stores, shared: shared)
    }
    // Results do not depend on the batch size: large for small images, small for large ones, to bound memory, and
    // smaller still where that is short: half of what is left is for checkpoints and others.
    var batchSize = max(1, min(256, 1_048_576 / (set.images.height * set.images.width), ids.count))
    let room = device.memory.map { $0.left / 2 } ?? .max
    while batchSize > 1, try Plan.missing(program(batchSize), on: device, shared: shared) > room { batchSize /= 2 }
    let full = ids.count / batchSize, tail = ids.count % batchSize
    batchSizes = [Int](repeating: batchSize, count: full) + (tail > 0 ? [tail] : [])
    whole = full > 0 ? try plan(batchSize) : nil
    rest = tail > 0 ? try plan(tail) : nil
    classes = (whole ?? rest)?.program.classes ?? 0
  }

  /// The width of a row of `logits`.
  public var width: Int { classes }

  /// Evaluates every sample.
  ///
  /// Waits.
  ///
  /// - Throws: also where the process was asked to stop (`Failure.isStop`).
  public func run(on device: D) throws -> Results {
    try device.write(state.counters, to: stores[.counters]!)
    let clock = ContinuousClock()
    for batch in 0..<batchSizes.count {
      try StopRequest.check("the evaluation was not finished.")
      let start = clock.now
      try plan(batch)?.run()
      // Where a batch takes long, waiting for it costs nothing, and a request to stop is seen behind it. The first one
      // tells on devices that do not compute while they enqueue.
      if batch == 0 || isSlow { _ = try device.read(Int32.self, count: 1, from: stores[.counters]!) }
      if batch == 0 { isSlow = clock.now - start > .milliseconds(100) }
    }
    return Results(
      losses: try device.read(Float.self, count: count, from: stores[.sampleLoss]!),
      predictions: try device.read(Int32.self, count: count, from: stores[.samplePrediction]!),
      confidences: try device.read(Float.self, count: count, from: stores[.sampleConfidence]!))
  }

  /// The logits of every evaluated sample, `[N, K]`.
  ///
  /// Waits after each batch.
  ///
  /// - Throws: also where the process was asked to stop (`Failure.isStop`).
  public func logits(on device: D) throws -> [Float] {
    try device.write(state.counters, to: stores[.counters]!)
    var logits: [Float] = []
    logits.reserveCapacity(batchSizes.reduce(0, +) * classes)
    for batch in 0..<batchSizes.count {
      guard let plan = plan(batch) else { continue }
      try StopRequest.check("the logits were not computed.")
      try plan.run()
      logits += try plan.readLogits()
    }
    return logits
  }

  /// The mean of several networks' logits of the same samples, in the order of `logits`.
  ///
  /// Waits after each batch.
  ///
  /// - Parameter each: is given each network's own logits.
  public static func logits(
    ofMean networks: [EvaluationPlans<D>], on device: D, each: ([Float]) -> Void = { _ in }
  ) throws -> [Float] {
    var sums = [Double]()
    for network in networks {
      let logits = try network.logits(on: device)
      each(logits)
      sums = sums.isEmpty ? logits.map(Double.init) : zip(sums, logits).map { $0 + Double($1) }
    }
    return sums.map { Float($0 / Double(networks.count)) }
  }

  /// Evaluates every sample by the mean of several networks' logits, whose largest is that of their sum.
  ///
  /// Waits after each batch.
  public static func results(ofMean networks: [EvaluationPlans<D>], on device: D) throws -> Results {
    let first = networks[0], K = first.classes
    var ofEach: [[Int32]] = []
    let logits = try logits(ofMean: networks, on: device) { logits in
      var predictions = [Int32](repeating: 0, count: first.count)
      for (row, id) in first.ids.enumerated() {
        let z = logits[row * K..<(row + 1) * K]
        predictions[Int(id)] = z.allSatisfy(\.isFinite) ? Int32(Self.top(z)) : -1
      }
      ofEach.append(predictions)
    }
    var results = Results(
      losses: [Float](repeating: 0, count: first.count), predictions: [Int32](repeating: 0, count: first.count),
      confidences: [Float](repeating: 0, count: first.count), ofEach: ofEach)
    for (row, id) in first.ids.lazy.map({ Int($0) }).enumerated() {
      let own = logits[row * K..<(row + 1) * K], z = own.map(Double.init), top = Self.top(own)
      results.predictions[id] = Int32(top)
      guard first.labels[id] >= 0, first.labels[id] < K else { continue }
      let loss = log(z.reduce(0) { $0 + exp($1 - z[top]) }) + z[top] - z[Int(first.labels[id])]
      (results.losses[id], results.confidences[id]) = (Float(loss), Float(exp(-loss)))
    }
    return results
  }

  /// The position of the largest logit, the first among equal ones.
  private static func top(_ row: ArraySlice<Float>) -> Int {
    row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 } - row.startIndex
  }

  private func plan(_ batch: Int) -> Plan<D>? { batchSizes[batch] == whole?.program.batch ? whole : rest }
}
