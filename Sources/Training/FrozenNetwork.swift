import Compute
import Datasets
import Failures
import FileFormats
import Networks
import Sessions
import Settings

/// A network that keeps its weights but for the last, linear layer: its features of all images, computed once.
///
/// The layer is trained over standardised features: z = W (f − mean) / deviation + b, for which the rate of the images
/// need not be guessed. Checkpoints hold the whole network, its last layer W / deviation, b − W (mean / deviation), and
/// beside it `head.weight`, `head.bias`, W and b as they are trained.
public struct FrozenNetwork: Sendable {
  /// The data with features in place of its images.
  public let data: RunData
  /// Where in the file the weights were, as `WeightsFile.place` says it.
  public let place: String?
  /// All weights and running statistics but the last layer's.
  let tensors: [SessionState.Tensor]
  /// The names of the last layer's weights and biases.
  let last: (weight: String, bias: String)
  /// Numbers that are kept as they are.
  public let parameterCount: Int

  /// Computes the features of all images that have a label, those that are held out or tested on, too.
  ///
  /// - Parameters:
  ///   - path: the file of the weights; those of its last layer are not read.
  ///   - progress: told for how many images of how many they are computed.
  /// - Throws: `.configuration` for a network whose last layer is not linear; `.badInput` where the file lacks a weight;
  ///   what the device throws; where the process was asked to stop.
  public init<D: Device>(
    _ settings: RunSettings, _ data: RunData, weights path: String, on device: D,
    progress: @escaping (_ done: Int, _ count: Int) -> Void
  ) throws {
    let images = data.dataset.train.images, network = settings.model
    let graph = try network.graph(
      batch: 1, height: images.height, width: images.width, channels: images.channels,
      classes: data.dataset.classCount)
    guard let frozen = graph.features() else {
      throw Failure(
        .configuration, "--freeze cannot be used with --model \(network).", why: "its last layer is not linear.",
        fix: "use another --model, or remove --freeze.")
    }
    let entries = frozen.parameters.entries + frozen.running.entries
    let file = try WeightsFile(reading: path, for: entries.map(\.name))
    tensors = try Checkpoint.tensors(entries.map { ($0.name, $0.shape) }, in: file.tensors)
    place = file.place
    let names = graph.parameters.entries.suffix(2).map(\.name)
    (last, parameterCount) = ((names[0], names[1]), frozen.parameters.count)
    let extractor = try FeatureExtractor(
      network: network, weights: file.tensors, device: device, height: images.height, width: images.width,
      channels: images.channels, normalization: data.normalization)
    let sets = [data.dataset.train, data.dataset.test, data.dataset.heldOut].compactMap { $0 }
    let count = sets.reduce(0) { $0 + $1.labelledIDs.count }
    var done = 0
    self.data = try data.replacingImages { set in
      let ids = set.labelledIDs, width = extractor.width
      let features = try extractor.features(of: set.images.selecting(ids).pixels) { some, _ in
        progress(done + some, count)
      }
      done += ids.count
      // What has no label is never drawn.
      var rows = [Float](repeating: 0, count: set.count * width)
      for (place, id) in ids.enumerated() {
        rows.replaceSubrange(
          Int(id) * width..<(Int(id) + 1) * width, with: features[place * width..<(place + 1) * width])
      }
      return ImageSet(features: rows, width: width)
    }
  }

  /// Adds whole networks to a checkpoint of last layers.
  ///
  /// - Parameters:
  ///   - head: the parameters of a last layer.
  ///   - prefixes: what stands before their names.
  func complete(_ file: inout SafetensorsFile, head: [Parameter], prefixes: [String]) throws {
    let (mean, deviation) = (data.normalization.mean, data.normalization.standardDeviation)
    for prefix in prefixes {
      let layer = try Checkpoint.tensors(head.map { ($0.name, $0.shape) }, in: file, prefix: prefix)
      let (weights, biases) = (layer[0], layer[1])
      let classes = weights.shape[0], width = weights.shape[1]
      var (folded, shifted) = (weights.values, biases.values)
      for k in 0..<classes {
        var shift = 0.0
        for column in 0..<width {
          let weight = Double(weights.values[k * width + column]) / Double(deviation[column])
          folded[k * width + column] = Float(weight)
          shift += weight * Double(mean[column])
        }
        shifted[k] = Float(Double(biases.values[k]) - shift)
      }
      for tensor in tensors { file[prefix + tensor.name] = .init(tensor.values, shape: tensor.shape) }
      file[prefix + last.weight] = .init(folded, shape: weights.shape)
      file[prefix + last.bias] = .init(shifted, shape: biases.shape)
    }
  }
}
