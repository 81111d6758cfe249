import Compute
import Datasets
import Failures
import FileFormats
import Images
import Methods
import Networks
import Sessions

/// A checkpoint file: weights under PyTorch's names, and beside them everything that an exact resume needs.
///
/// The first network of a method has these names as they are, further ones with `member1.` and so on before them.
public struct Checkpoint: Sendable {
  /// Where in the run it was taken: `stage` stages are done, and of the next `epoch` epochs and `step` steps.
  public struct Position: Sendable, Equatable {
    public var stage = 0, epoch = 0, step = 0
    /// Steps since the run began.
    public var totalSteps = 0

    /// The beginning of a run.
    public init() {}

    /// Checks that there is such a position in a stage.
    ///
    /// - Throws: `.badInput` for an epoch beyond the stage, or a step beyond the epoch.
    public func requirePossible(epochs: Int, steps: Int, in path: String) throws {
      guard epoch <= epochs, step <= steps, totalSteps <= 1 << 48 else {
        throw Failure(
          .badInput, "'\(path)' does not match this run's settings.",
          why: "it was written after epoch \(epoch) and step \(step); by the settings there are \(epochs) epochs of "
            + "\(steps) steps.",
          fix: "restore the run's config.toml, or start a new run from the weights with --init \(path)")
      }
    }
  }

  /// What the network is, for evaluation without the run.
  public struct Model: Sendable, Equatable {
    /// The network.
    public var network: String
    /// The networks that answer together (`Answer.sum`), the first included, where these are not all of its kind.
    public var networks: [String] = []
    /// The views of the images that these see, in their order.
    public var views = ImageViews.whole
    /// The names of the classes, by label.
    public var classNames: [String]
    public var height: Int, width: Int, channels: Int
    /// How images of another shape were brought to this size; nil in checkpoints of runs of the first schema, which
    /// stretched them.
    public var fit: ImageFit?
    /// What the inputs are normalised by.
    public var normalization: Normalization
  }

  /// What the network is.
  public var model: Model
  /// Where in the run it was taken.
  public var position: Position
  /// The best test accuracy so far and its epoch.
  public var best: (accuracy: Double, epoch: Int)?
  /// Weights, momenta and the per-sample table of each network.
  public var states: [SessionState]

  /// - Throws: `.numerical` where a weight is not a number or infinite.
  func requireFinite() throws {
    for tensor in states.flatMap({ $0.parameters + $0.running }) where !tensor.values.allSatisfy(\.isFinite) {
      throw Failure.diverged("\(tensor.name) is not finite after step \(position.totalSteps)")
    }
  }

  /// The prefix of the names of a method's networks.
  static func prefix(_ member: Int) -> String { member == 0 ? "" : "member\(member)." }

  var file: SafetensorsFile {
    var file = SafetensorsFile(metadata: [
      "gpunoisy.schema": "gpunoisy.checkpoint/1", "gpunoisy.model": model.network,
      "gpunoisy.classes": JSONText.compact(.array(model.classNames.map { .string($0) })),
      "gpunoisy.image": "\(model.height),\(model.width),\(model.channels)",
      "gpunoisy.position": "\(position.epoch),\(position.step),\(position.totalSteps)",
    ])
    file.metadata["gpunoisy.fit"] = model.fit?.rawValue
    if !model.networks.isEmpty {
      file.metadata[Self.networksKey] = JSONText.compact(.array(model.networks.map { .string($0) }))
    }
    if model.views != .whole { file.metadata[Self.viewsKey] = model.views.rawValue }
    if let best { file.metadata["gpunoisy.best"] = "\(best.accuracy),\(best.epoch)" }
    for (member, state) in states.enumerated() { store(state, Self.prefix(member), in: &file) }
    return file
  }

  private func store(_ state: SessionState, _ prefix: String, in file: inout SafetensorsFile) {
    func store(_ tensors: [SessionState.Tensor], _ kind: String) {
      for tensor in tensors { file[prefix + kind + tensor.name] = .init(tensor.values, shape: tensor.shape) }
    }
    store(state.parameters + state.running, "")
    store(state.momenta, "optimizer.momentum.")
    store(state.secondMoments ?? [], "optimizer.second.")
    if prefix.isEmpty {
      file["state.input_mean"] = .init(model.normalization.mean, shape: [model.channels])
      file["state.input_std"] = .init(model.normalization.standardDeviation, shape: [model.channels])
    }
    let table = prefix + "state.", N = state.marginSum.count
    file[table + "margin_sum"] = .init(state.marginSum, shape: [N])
    file[table + "margin_lost"] = .init(state.marginLost, shape: [N])
    file[table + "margin_count"] = .init(state.marginCount, shape: [N])
    file[table + "sample_loss"] = .init(state.sampleLoss, shape: [N])
    file[table + "sample_prediction"] = .init(state.samplePrediction, shape: [N])
    if let transition = state.transition {
      file[table + "transition"] = .init(transition, shape: [model.classNames.count, model.classNames.count])
    }
    for column in state.columns {
      let shape = column.width == 1 ? [N] : [N, column.width]
      switch column.elements {
      case .floats(let values): file[table + column.name] = .init(values, shape: shape)
      case .integers(let values): file[table + column.name] = .init(values, shape: shape)
      }
    }
  }
}
