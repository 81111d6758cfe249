import Compute
import Datasets
import Losses
import Networks

/// How fast a device trains: whole steps, and each operation alone.
public struct Benchmark: Sendable {
  /// What to measure.
  public struct Settings: Sendable {
    /// The network.
    public var network: Network
    /// The loss with its parameters.
    public var loss: Loss
    /// Images per step.
    public var batchSize = 128
    /// Steps of one block, and the number of blocks.
    public var steps = 4, repeats = 7
    /// Steps before measuring begins.
    public var warmUp = 3
    /// Whether operations are timed one by one, too.
    public var timesOperations = true

    /// The defaults for a network and a loss.
    public init(network: Network, loss: Loss) {
      self.network = network
      self.loss = loss
    }
  }

  /// All operations of one name and shape within a step.
  public struct Row: Sendable {
    public var name: String, shape: String
    /// How many there are in a step.
    public var count: Int
    /// Milliseconds of all of them together.
    public var milliseconds: Double
    /// 10⁹ operations and 10⁹ bytes per second, by `TensorOperation.cost`.
    public var gigaflops: Double, gigabytes: Double
    /// Of the time of all operations.
    public var share: Double
  }

  /// Images per second of each block, in the order of measuring.
  public let imagesPerSecond: [Double]
  /// Milliseconds of a step, the median.
  public let stepMilliseconds: Double
  /// The launches of one step.
  public let launches: Int
  /// The operations, the most expensive first.
  public let rows: [Row]

  /// Median, least and most of the blocks.
  public var rate: (median: Double, min: Double, max: Double) {
    let sorted = imagesPerSecond.sorted()
    return (Self.median(sorted), sorted.first ?? 0, sorted.last ?? 0)
  }

  /// Measures.
  ///
  /// The whole step counts: gathering, augmentation, forward, backward, update.
  public init<D: Device>(_ settings: Settings, on device: D) throws {
    let batch = settings.batchSize, steps = settings.steps
    // Enough images for a block of steps in id order; what they show does not matter to the speed.
    let data = Shapes.samples(seed: 1, count: min(batch * steps, Shapes.trainCount), isTest: false)
    let images = ImageSet(
      count: batch * steps, height: Shapes.side, width: Shapes.side, channels: 3,
      pixels: (0..<batch * steps).flatMap { index in
        let size = data.images.imageSize, from = index % data.count * size
        return data.images.pixels[from..<from + size]
      })
    let set = LabelledSet(images: images, labels: (0..<batch * steps).map { data.labels[$0 % data.count] })
    let session = try TrainingSession(
      .init(
        network: settings.network, loss: settings.loss, batchSize: batch,
        augmentation: Augmentation(crop: 4, flip: true)),
      train: set, test: nil, classes: 10, on: device)
    // Rate 0: a benchmark must not diverge.
    func begin() throws { try session.begin(epoch: 1, learningRate: 0, recordsMargins: true) }

    let clock = ContinuousClock()
    func seconds(_ work: () throws -> Void) throws -> Double {
      let start = clock.now
      try work()
      return (clock.now - start) / .seconds(1)
    }
    for _ in 0..<max(1, (settings.warmUp + steps - 1) / steps) {
      try begin()
      for step in 0..<min(steps, max(settings.warmUp, 1)) { try session.run(step: step) }
      _ = try session.isFinite(afterStep: 0)
    }
    var rates: [Double] = []
    for _ in 0..<settings.repeats {
      try begin()
      let time = try seconds {
        for step in 0..<steps { try session.run(step: step) }
        _ = try session.isFinite(afterStep: steps - 1)  // waits
      }
      rates.append(Double(batch * steps) / time)
    }
    imagesPerSecond = rates
    stepMilliseconds = 1000 * Double(batch) / Self.median(rates.sorted())
    guard let plan = session.wholeBatches else {
      (launches, rows) = (0, [])
      return
    }
    launches = plan.prepared.reduce(0) { $0 + $1.count }
    rows = settings.timesOperations ? try Self.rows(plan, session, begin: begin, seconds: seconds) : []
  }

  private static func median(_ sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// Times every operation alone: repeated until it takes some milliseconds, the best of three.
  private static func rows<D: Device>(
    _ plan: Plan<D>, _ session: TrainingSession<D>, begin: () throws -> Void,
    seconds: (() throws -> Void) throws -> Double
  ) throws -> [Row] {
    var rows: [Row] = [], costs: [TensorOperation.Cost] = []
    try begin()
    for (operation, launches) in zip(plan.program.operations, plan.prepared) {
      if case .advance = operation { continue }  // it would move on past the last sample
      func time(_ count: Int) throws -> Double {
        try seconds {
          for _ in 0..<count { for launch in launches { try session.device.enqueue(launch) } }
          try session.wait()
        }
      }
      let once = try time(1), count = max(1, min(50, Int(0.005 / max(once, 1e-7))))
      let best = try (0..<3).map { _ in try time(count) / Double(count) }.min() ?? once
      let cost = operation.cost
      if let index = rows.firstIndex(where: { $0.name == operation.name && $0.shape == operation.shapeText }) {
        rows[index].count += 1
        rows[index].milliseconds += best * 1000
      } else {
        rows.append(
          Row(
            name: operation.name, shape: operation.shapeText, count: 1, milliseconds: best * 1000, gigaflops: 0,
            gigabytes: 0, share: 0))
        costs.append(cost)
      }
    }
    let total = rows.reduce(0) { $0 + $1.milliseconds }
    for index in rows.indices {
      let time = rows[index].milliseconds / 1000, count = Double(rows[index].count)
      rows[index].gigaflops = costs[index].operations * count / time / 1e9
      rows[index].gigabytes = costs[index].bytes * count / time / 1e9
      rows[index].share = rows[index].milliseconds / total
    }
    return rows.sorted { $0.milliseconds > $1.milliseconds }
  }
}
