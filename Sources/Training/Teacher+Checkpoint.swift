import Compute
import Datasets
import Failures
import FileFormats
import Methods
import Networks
import Sessions
import Settings

extension Teacher {
  /// The network of a run, or of a checkpoint, that is to teach a run with this data.
  ///
  /// - Throws: `.missingInput` where nothing is there; `.badInput` for what is no checkpoint, and for a network of other
  ///   classes or other images than the data has; `.configuration` for a run whose answer is that of several networks.
  init(_ path: String, for data: RunData) throws {
    let place = try CheckpointPlace.file(at: path, of: "the teacher"), file = try SafetensorsFile.read(place)
    let model = try Checkpoint.model(of: file), network = try Network(model.network)
    let answering = try Checkpoint.answering(file)
    guard answering.count == 1 else {
      throw Failure(
        .configuration, "--teacher '\(path)' cannot teach.",
        why: "\(answering.count) networks answer together in it, and a teacher is one.",
        fix: "give a run whose answer is one network.")
    }
    func refused(_ why: String) -> Failure {
      Failure(
        .badInput, "--teacher '\(path)' does not fit the data.", why: why,
        fix: "train the teacher on the same classes and images.")
    }
    let names = data.dataset.classNames
    guard model.classNames == names else {
      throw refused(
        model.classNames.count == names.count
          ? "it knows other classes: \(Self.difference(model.classNames, names))."
          : "it knows \(model.classNames.count) classes, and the data has \(names.count).")
    }
    let images = data.dataset.train.images
    guard (model.height, model.width, model.channels) == (images.height, images.width, images.channels) else {
      throw refused(
        "it takes images of \(model.width)×\(model.height) with \(model.channels) channels; the data's are "
          + "\(images.width)×\(images.height) with \(images.channels).")
    }
    let graph = try network.graph(
      batch: 1, height: model.height, width: model.width, channels: model.channels, classes: names.count)
    func tensors(_ entries: [Parameter]) throws -> [SessionState.Tensor] {
      try Checkpoint.tensors(entries.map { ($0.name, $0.shape) }, in: answering[0])
    }
    self.init(
      network: network, parameters: try tensors(graph.parameters.entries),
      running: try tensors(graph.running.entries), normalization: model.normalization)
  }

  /// The first class in which two lists of equal length differ.
  private static func difference(_ own: [String], _ data: [String]) -> String {
    guard let label = own.indices.first(where: { own[$0] != data[$0] }) else { return "none" }
    return "its class \(label) is '\(own[label].prefix(40))', and the data's is '\(data[label].prefix(40))'"
  }
}
