import Compute
import Datasets
import Failures
import FileFormats
import Networks

/// A trained network on a device, for evaluation and prediction, or several that answer together: by the mean of their
/// logits.
public final class Evaluator<D: Device> {
  /// What the checkpoint says of the network.
  public let model: Checkpoint.Model
  /// The networks that answer, and the weights of each.
  private let networks: [Network], stores: [[Store: D.Buffer]]
  let device: D
  let network: Network
  let file: SafetensorsFile

  /// Reads a checkpoint and puts its weights on the device.
  ///
  /// - Throws: `.missingInput`, `.badInput` for a file that is no checkpoint or is damaged.
  public init(checkpoint path: String, on device: D) throws {
    let files = try Checkpoint.answering(SafetensorsFile.read(path))
    file = files[0]
    model = try Checkpoint.model(of: file)
    network = try Network(model.network)
    self.device = device
    networks = try Self.networks(model, count: files.count, in: file)
    let statistics = try device.allocate(byteCount: 2 * model.channels * 4)
    try device.write(model.normalization.mean + model.normalization.standardDeviation, to: statistics)
    stores = try zip(networks, files).map { [model] network, file in
      let graph = try model.graph(of: network)
      var stores = [Store.inputStatistics: statistics]
      for (store, table) in [(Store.parameters, graph.parameters), (.running, graph.running)] {
        let tensors = try Checkpoint.tensors(table.entries.map { ($0.name, $0.shape) }, in: file)
        let packed = table.pack(tensors.map(\.values))
        stores[store] = try device.allocate(byteCount: packed.count * 4)
        try device.write(packed, to: stores[store]!)
      }
      return stores
    }
  }

  /// The network of each of `count` that answer together.
  ///
  /// - Throws: `.badInput` where the checkpoint has others, or as many views as there are no networks for.
  private static func networks(_ model: Checkpoint.Model, count: Int, in file: SafetensorsFile) throws -> [Network] {
    let names = model.networks.isEmpty ? [String](repeating: model.network, count: count) : model.networks
    guard names.count == count, model.views == .whole || model.views.count == count else {
      throw Failure(
        .badInput, "'\(file.path)' lacks a network, or has one more than it says.",
        why: "it says that \(max(names.count, model.views.count)) answer together, and it has the weights of \(count).",
        fix: "the file is damaged; use another checkpoint.")
    }
    return try names.map { try Network($0) }
  }

  /// Plans of each network for one data set.
  ///
  /// - Throws: `.badInput` if the images have another size or number of channels.
  public func plans(for data: LabelledSet) throws -> [EvaluationPlans<D>] {
    try requireImages(data.images)
    let whole = model.views == .whole ? try DeviceData(data, on: device) : nil, shared = SharedMemory<D>()
    return try zip(networks, stores).enumerated().map { number, pair in
      let seen = try whole ?? DeviceData(data.with(images: data.images.view(number, of: model.views)), on: device)
      return try EvaluationPlans(
        seen, graph: { try self.model.graph(of: pair.0, batch: $0) }, stores: pair.1, shared: shared)
    }
  }

  /// - Throws: `.badInput` for images of another size or number of channels than the network's.
  func requireImages(_ images: ImageSet) throws {
    guard (images.height, images.width, images.channels) == (model.height, model.width, model.channels) else {
      throw Failure(
        .badInput, "the images are \(images.width)×\(images.height) with \(images.channels) channels.",
        why: "the network was trained on \(model.width)×\(model.height) with \(model.channels).",
        fix: "use the data that it was trained on, or --image-size \(model.width)x\(model.height).")
    }
  }

  /// Accuracy, per class and confusion.
  ///
  /// - Throws: `.badInput` if the data set has more classes than the network.
  public func score(_ data: LabelledSet) throws -> TestScore {
    let classes = model.classNames.count
    if let label = data.labels.first(where: { $0 >= classes }) {
      throw Failure(
        .badInput, "the data has a sample of class \(label).", why: "the network knows classes 0 to \(classes - 1).",
        fix: "use the data that it was trained on.")
    }
    let plans = try plans(for: data)
    let results = try plans.count == 1 ? plans[0].run(on: device) : EvaluationPlans.results(ofMean: plans, on: device)
    return TestScore(results, data.labels, classes: classes)
  }

  /// The logits of every sample, `[N, K]`.
  public func logits(_ data: LabelledSet) throws -> [Float] {
    let plans = try plans(for: data)
    return try plans.count == 1 ? plans[0].logits(on: device) : EvaluationPlans.logits(ofMean: plans, on: device)
  }
}

extension Checkpoint.Model {
  /// The width of what a network sees of the images.
  var viewWidth: Int { views.width(of: width) ?? width }

  /// The graph of a network that answers, for what it sees of the images.
  func graph(of network: Network, batch: Int = 1) throws -> Graph {
    try network.graph(batch: batch, height: height, width: viewWidth, channels: channels, classes: classNames.count)
  }

  /// The networks that answer, as people read them.
  public var networkText: String { networks.isEmpty ? network : networks.joined(separator: " + ") }
}
