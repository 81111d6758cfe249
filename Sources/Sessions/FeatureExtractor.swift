import Compute
import Datasets
import Failures
import FileFormats
import Networks

/// The features of images: what a network's last, linear layer takes, for example the mean over all pixels.
///
/// The network is evaluated without that layer, with running statistics; the layer's weights are not needed.
public final class FeatureExtractor<D: Device> {
  /// D, the features of an image.
  public let width: Int
  private let device: D
  private let batch: Int, imageSize: Int
  private var stores: [Store: D.Buffer] = [:]
  private var plans: [Int: Plan<D>] = [:]
  private let graph: (Int) throws -> Graph
  private let shared = SharedMemory<D>()

  /// Puts weights on a device.
  ///
  /// - Parameters:
  ///   - weights: tensors with the network's names and PyTorch's shapes; others may be there, too.
  ///   - normalization: of the inputs; nil for what the network's entry asks for (`Network.Entry.preprocessing`).
  ///   - batch: images that are computed together; nil for as few as suit a CPU. GPUs want more.
  /// - Throws: `.badInput` where a tensor is missing, has another shape or is not finite; `.configuration` where the
  ///   network cannot take such images, or does not end with a linear layer.
  public init(
    network: Network, weights: SafetensorsFile, device: D, batch: Int? = nil, height: Int, width: Int, channels: Int,
    normalization: Normalization? = nil
  ) throws {
    guard
      let normalization = normalization
        ?? network.entry.preprocessing.map({
          Normalization(mean: $0.mean, standardDeviation: $0.standardDeviation)
        })
    else {
      preconditionFailure("\(network) has no preprocessing of its own")
    }
    graph = {
      let whole = try network.graph(batch: $0, height: height, width: width, channels: channels, classes: 2)
      guard let features = whole.features() else {
        throw Failure(
          .configuration, "\(network) has no features.", why: "its last layer is not linear.",
          fix: "use another --model.")
      }
      return features
    }
    self.device = device
    imageSize = height * width * channels
    // Four images of 224 × 224: few enough that activations stay in a processor's caches.
    self.batch = batch ?? max(1, min(64, 200_704 / (height * width)))
    let one = try graph(1)
    self.width = one[one.logits][1]
    for (store, table) in [(Store.parameters, one.parameters), (.running, one.running)] {
      let packed = try Self.packed(table, from: weights)
      stores[store] = try device.allocate(byteCount: max(packed.count, 1) * 4)
      try device.write(packed, to: stores[store]!)
    }
    let statistics = normalization.mean + normalization.standardDeviation
    for (store, byteCount) in [
      (Store.inputStatistics, statistics.count * 4), (.counters, StepState.counterCount * 4), (.order, self.batch * 4),
      (.pixels, self.batch * imageSize),
    ] {
      stores[store] = try device.allocate(byteCount: byteCount)
    }
    try device.write(statistics, to: stores[.inputStatistics]!)
    try device.write(StepState().counters, to: stores[.counters]!)
    try device.write((0..<Int32(self.batch)).map { $0 }, to: stores[.order]!)
  }

  /// The parameters of a table in their packed order.
  private static func packed(_ table: ParameterTable, from file: SafetensorsFile) throws -> [Float] {
    let values = try table.entries.map { entry in
      let values = try file.floats(entry.name, shape: entry.shape)
      guard values.allSatisfy(\.isFinite) else {
        throw Failure(
          .badInput, "\(entry.name) in '\(file.path)' is not finite.", why: "it holds NaN or infinity.",
          fix: "download the weights again, or use another checkpoint.")
      }
      return values
    }
    return table.pack(values)
  }

  /// The features `[N, D]` of images, row by row.
  ///
  /// - Parameters:
  ///   - bytes: `[N, H, W, C]`, of the height, width and channels that this was made for.
  ///   - progress: told how many images of how many are done, after each batch.
  /// - Throws: what the device throws, and where the process was asked to stop (`Failure.isStop`).
  public func features(
    of bytes: [UInt8], progress: ((_ done: Int, _ count: Int) -> Void)? = nil
  ) throws -> [Float] {
    precondition(bytes.count % imageSize == 0, "\(bytes.count) bytes are not a number of images of \(imageSize)")
    let count = bytes.count / imageSize
    var features: [Float] = []
    features.reserveCapacity(count * width)
    for first in stride(from: 0, to: count, by: batch) {
      try StopRequest.check("the features were not computed.")
      let images = min(batch, count - first)
      let plan = try plan(images)
      try bytes.withUnsafeBytes { all in
        let part = UnsafeRawBufferPointer(rebasing: all[first * imageSize..<(first + images) * imageSize])
        try device.write(part, to: stores[.pixels]!, at: 0)
      }
      try plan.run()
      features += try plan.readLogits()
      progress?(first + images, count)
    }
    return features
  }

  private func plan(_ images: Int) throws -> Plan<D> {
    if let known = plans[images] { return known }
    let program = StepProgram.features(try graph(images), forms: device.forms)
    let plan = try Plan(program, on: device, stores: stores, shared: shared)
    plans[images] = plan
    return plan
  }
}
