import Datasets
import Failures
import FileFormats

/// A checkpoint file: weights under PyTorch's names, and beside them everything that an exact resume needs.
public struct Checkpoint: Sendable {
  /// Where in the run it was taken: `epoch` epochs are done, and `step` steps of the next.
  public struct Position: Sendable, Equatable {
    public var epoch = 0, step = 0
    /// Steps since the run began.
    public var totalSteps = 0

    /// The beginning of a run.
    public init() {}
  }

  /// What the network is, for evaluation without the run.
  public struct Model: Sendable, Equatable {
    /// The network.
    public var network: String
    /// The names of the classes, by label.
    public var classNames: [String]
    public var height: Int, width: Int, channels: Int
    /// What the inputs are normalised by.
    public var normalization: Normalization
  }

  /// What the network is.
  public var model: Model
  /// Where in the run it was taken.
  public var position: Position
  /// The best test accuracy so far and its epoch.
  public var best: (accuracy: Double, epoch: Int)?
  /// Weights, momenta and the per-sample table.
  public var state: SessionState

  /// Writes the file; at any moment there is either the old file or the new one.
  public func write(to path: String) throws {
    try requireFinite()
    try file.write(to: path)
  }

  /// - Throws: `.numerical` where a weight is not a number or infinite.
  func requireFinite() throws {
    for tensor in state.parameters + state.running where !tensor.values.allSatisfy(\.isFinite) {
      throw Failure(
        .numerical, "\(tensor.name) is not finite after step \(position.totalSteps).",
        why: "training diverged.", fix: "lower --lr, or use --clip-norm 5; the last good checkpoint is untouched.")
    }
  }

  var file: SafetensorsFile {
    var file = SafetensorsFile(metadata: [
      "gpunoisy.schema": "gpunoisy.checkpoint/1", "gpunoisy.model": model.network,
      "gpunoisy.classes": JSONText.compact(.array(model.classNames.map { .string($0) })),
      "gpunoisy.image": "\(model.height),\(model.width),\(model.channels)",
      "gpunoisy.position": "\(position.epoch),\(position.step),\(position.totalSteps)",
    ])
    if let best { file.metadata["gpunoisy.best"] = "\(best.accuracy),\(best.epoch)" }
    for tensor in state.parameters + state.running { file[tensor.name] = .init(tensor.values, shape: tensor.shape) }
    for tensor in state.momenta {
      file["optimizer.momentum.\(tensor.name)"] = .init(tensor.values, shape: tensor.shape)
    }
    file["state.input_mean"] = .init(model.normalization.mean, shape: [model.channels])
    file["state.input_std"] = .init(model.normalization.standardDeviation, shape: [model.channels])
    let count = [state.marginSum.count]
    file["state.margin_sum"] = .init(state.marginSum, shape: count)
    file["state.margin_lost"] = .init(state.marginLost, shape: count)
    file["state.margin_count"] = .init(state.marginCount, shape: count)
    file["state.sample_loss"] = .init(state.sampleLoss, shape: count)
    file["state.sample_prediction"] = .init(state.samplePrediction, shape: count)
    if let transition = state.transition {
      file["state.transition"] = .init(transition, shape: [model.classNames.count, model.classNames.count])
    }
    return file
  }
}

extension Checkpoint {
  /// Reads a checkpoint for evaluation: what the network is; its weights come with `weights(_:names:)`.
  ///
  /// - Throws: `.missingInput`, `.badInput`.
  public static func model(of file: SafetensorsFile) throws -> Model {
    guard let network = file.metadata["gpunoisy.model"], let image = file.metadata["gpunoisy.image"],
      let classes = file.metadata["gpunoisy.classes"],
      let names = try? JSONText.parse(Array(classes.utf8), named: file.path).array?.compactMap(\.string)
    else {
      throw Failure(
        .badInput, "'\(file.path)' is not a gpunoisy checkpoint.",
        why: "it does not say which network its weights belong to.",
        fix: "give checkpoints/last.safetensors or best.safetensors of a run.")
    }
    let sizes = image.split(separator: ",").compactMap { Int($0) }
    guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 && $0 <= 65_536 }), names.count >= 2 else {
      throw Failure(
        .badInput, "'\(file.path)' describes no possible network.", why: "image '\(image)', \(names.count) classes.",
        fix: "the file is damaged; use another checkpoint.")
    }
    let channels = [sizes[2]]
    let normalization = Normalization(
      mean: try file.floats("state.input_mean", shape: channels),
      standardDeviation: try file.floats("state.input_std", shape: channels))
    guard normalization.mean.allSatisfy(\.isFinite),
      normalization.standardDeviation.allSatisfy({ $0.isFinite && $0 > 0 })
    else {
      throw Failure(
        .badInput, "'\(file.path)' has no sound statistics of its inputs.",
        why: "state.input_mean or state.input_std is not finite, or a deviation is not positive.",
        fix: "the file is damaged; use another checkpoint.")
    }
    return Model(
      network: network, classNames: names, height: sizes[0], width: sizes[1], channels: sizes[2],
      normalization: normalization)
  }

  /// Reads a whole checkpoint of the run that `session` was made for.
  ///
  /// - Throws: `.badInput` where a tensor is missing or has another shape.
  public static func read<D>(_ path: String, for session: TrainingSession<D>) throws -> Checkpoint {
    let file = try SafetensorsFile.read(path)
    let count = [session.sampleCount]
    let state = SessionState(
      parameters: try tensors(session.parameters.entries.map { ($0.name, $0.shape) }, in: file),
      momenta: try tensors(
        session.parameters.entries.map { ($0.name, $0.shape) }, in: file, prefix: "optimizer.momentum."),
      running: try tensors(session.running.entries.map { ($0.name, $0.shape) }, in: file),
      marginSum: try file.floats("state.margin_sum", shape: count),
      marginLost: try file.floats("state.margin_lost", shape: count),
      marginCount: try file.integers("state.margin_count", shape: count).map { Int32(truncatingIfNeeded: $0) },
      sampleLoss: try file.floats("state.sample_loss", shape: count),
      samplePrediction: try file.integers("state.sample_prediction", shape: count).map {
        Int32(truncatingIfNeeded: $0)
      },
      transition: session.settings.loss.correction == nil
        ? nil : try file.floats("state.transition", shape: [session.classes, session.classes]))
    let numbers = (file.metadata["gpunoisy.position"] ?? "").split(separator: ",").compactMap { Int($0) }
    guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }) else {
      throw Failure(
        .badInput, "'\(path)' does not say where in the run it was taken.", why: "its metadata has no position.",
        fix: "the file is damaged; resume from another checkpoint.")
    }
    var position = Position()
    (position.epoch, position.step, position.totalSteps) = (numbers[0], numbers[1], numbers[2])
    let best = (file.metadata["gpunoisy.best"] ?? "").split(separator: ",")
    return Checkpoint(
      model: try model(of: file), position: position,
      best: best.count == 2 ? Double(best[0]).flatMap { a in Int(best[1]).map { (a, $0) } } : nil, state: state)
  }

  /// Named tensors that must be there with these shapes, and finite.
  ///
  /// - Throws: `.badInput`.
  public static func tensors(
    _ wanted: [(name: String, shape: [Int])], in file: SafetensorsFile, prefix: String = ""
  ) throws -> [SessionState.Tensor] {
    try wanted.map { name, shape in
      let values = try file.floats(prefix + name, shape: shape)
      guard values.allSatisfy(\.isFinite) else {
        throw Failure(
          .badInput, "\(prefix + name) in '\(file.path)' is not finite.", why: "it holds NaN or infinity.",
          fix: "use a checkpoint from before training diverged.")
      }
      return SessionState.Tensor(name: name, shape: shape, values: values)
    }
  }
}
