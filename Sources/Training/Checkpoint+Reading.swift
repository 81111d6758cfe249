import Compute
import Datasets
import Failures
import FileFormats
import Images
import Methods
import Networks
import Sessions

extension Checkpoint {
  /// The key of metadata that says which weights answer (`Answer`), where these are not the first network's own.
  static let answerKey = "gpunoisy.answer"

  /// The key of metadata that lists the networks that answer together, where these are not all of one kind.
  static let networksKey = "gpunoisy.networks"

  /// The key of metadata that says which views of the images the networks see, where these are not whole.
  static let viewsKey = "gpunoisy.views"

  /// The most networks of a method.
  private static let mostNetworks = 64

  /// The names of what the inputs are normalised by.
  private static let inputStatistics = ["state.input_mean", "state.input_std"]

  /// A checkpoint for evaluation, one for each network that answers: its weights have PyTorch's names in it.
  ///
  /// - Throws: `.badInput` for an answer that is not known, or that is of networks that are missing.
  static func answering(_ file: SafetensorsFile) throws -> [SafetensorsFile] {
    guard let text = file.metadata[answerKey] else { return [file] }
    guard let answer = Answer(rawValue: text) else {
      throw Failure(
        .badInput, "'\(file.path)' answers with '\(text.prefix(40))', which is not known.",
        why: "weights that answer are \(Answer.allCases.map(\.rawValue).joined(separator: " or ")).",
        fix: "the file is damaged, or of another version; use another checkpoint.")
    }
    // Nothing of the network in training, so that weights that are missing are not taken from there.
    func weights(_ prefix: String) -> SafetensorsFile {
      var answering = SafetensorsFile(path: file.path, metadata: file.metadata)
      for name in file.names where name.hasPrefix(prefix) {
        answering[String(name.dropFirst(prefix.count))] = file[name]
      }
      for name in inputStatistics { answering[name] = file[name] }
      return answering
    }
    switch answer {
    case .first: return [file]
    case .average: return [weights(answer.prefix)]
    case .sum:
      let others = (1...mostNetworks).prefix { member in file.names.contains { $0.hasPrefix(prefix(member)) } }
      guard !others.isEmpty else {
        throw Failure(
          .badInput, "'\(file.path)' lacks a network.", why: "several answer together, and it has the weights of one.",
          fix: "the file is damaged; use another checkpoint.")
      }
      return [file] + others.map { weights(prefix($0)) }
    }
  }

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
        why: "it does not name the network of its weights.",
        fix: "give checkpoints/last.safetensors or best.safetensors of a run.")
    }
    do { _ = try Network(network) } catch {
      throw Failure(
        .badInput, "'\(file.path)' is of an unknown network, '\(network.prefix(40))'.",
        why: "the networks are \(Network.catalogue.map(\.name).joined(separator: ", ")).",
        fix: "the file is damaged, or of another version; use another checkpoint.")
    }
    let sizes = image.split(separator: ",").compactMap { Int($0) }
    guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 && $0 <= 65_536 }), names.count >= 2 else {
      throw Failure(
        .badInput, "'\(file.path)' has invalid metadata.", why: "image '\(image)', \(names.count) classes.",
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
        .badInput, "'\(file.path)' has invalid input statistics.",
        why: "state.input_mean or state.input_std is not finite, or a deviation is not positive.",
        fix: "the file is damaged; use another checkpoint.")
    }
    let networks = try networks(in: file), views = ImageViews(rawValue: file.metadata[viewsKey] ?? "whole")
    guard let views, networks.isEmpty || views == .whole || views.count == networks.count,
      views.width(of: sizes[1]) != nil
    else {
      throw Failure(
        .badInput, "'\(file.path)' has views that are not known.",
        why: "its metadata has '\(viewsKey)' = '\((file.metadata[viewsKey] ?? "").prefix(40))' for images that are "
          + "\(sizes[1]) pixels wide.",
        fix: "the file is damaged, or of another version; use another checkpoint.")
    }
    return Model(
      network: network, networks: networks, views: views, classNames: names, height: sizes[0], width: sizes[1],
      channels: sizes[2],
      fit: file.metadata["gpunoisy.fit"].flatMap { ImageFit(rawValue: $0) }, normalization: normalization)
  }

  /// The networks that answer together; none where they are all of one kind.
  ///
  /// - Throws: `.badInput` where they are not known.
  private static func networks(in file: SafetensorsFile) throws -> [String] {
    guard let text = file.metadata[networksKey] else { return [] }
    let list = (try? JSONText.parse(Array(text.utf8), named: file.path).array) ?? []
    let names = list.compactMap(\.string)
    guard (1...mostNetworks).contains(names.count), names.count == list.count,
      names.allSatisfy({ (try? Network($0)) != nil })
    else {
      throw Failure(
        .badInput, "'\(file.path)' does not say which networks answer together.",
        why: "its metadata has no valid '\(networksKey)'.", fix: "the file is damaged; use another checkpoint.")
    }
    return names
  }

  /// Reads a whole checkpoint of the run that the networks were made for; its position has no stage.
  ///
  /// - Throws: `.badInput` where a tensor is missing, has another shape, or holds what no training gives.
  public static func read<D>(
    _ file: SafetensorsFile, for sessions: [TrainingSession<D>]
  ) throws -> Checkpoint {
    guard file["detect.margin_sum"] == nil else {
      throw Failure(
        .badInput, "'\(file.path)' was written by an earlier version of detect.",
        why: "that version stored the sums of an unfinished network in another format.",
        fix: "start the detection again: gpunoisy detect --config RUN/config.toml")
    }
    let position = try position(of: file)
    let best = (file.metadata["gpunoisy.best"] ?? "").split(separator: ",")
    return Checkpoint(
      model: try model(of: file), position: position,
      best: best.count == 2
        ? Double(best[0]).flatMap { a in Int(best[1]).flatMap { (1...1_000_000).contains($0) ? (a, $0) : nil } } : nil,
      states: try sessions.enumerated().map { try state(of: $1, in: file, prefix($0)) })
  }

  /// Where in the run a checkpoint was taken; it has no stage.
  ///
  /// - Throws: `.badInput` where it does not say so.
  public static func position(of file: SafetensorsFile) throws -> Position {
    let numbers = (file.metadata["gpunoisy.position"] ?? "").split(separator: ",").compactMap { Int($0) }
    guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }) else {
      throw Failure(
        .badInput, "'\(file.path)' does not say at which step it was written.", why: "its metadata has no position.",
        fix: "the file is damaged; resume from another checkpoint.")
    }
    var position = Position()
    (position.epoch, position.step, position.totalSteps) = (numbers[0], numbers[1], numbers[2])
    return position
  }

  private static func state<D>(
    of session: TrainingSession<D>, in file: SafetensorsFile, _ prefix: String
  ) throws -> SessionState {
    let N = [session.sampleCount], table = prefix + "state.", most = Double(Int32.max)
    /// The elements of a column, those that every session has among them.
    func values(_ column: Column, _ shape: [Int]) throws -> ColumnValues.Elements {
      let name = table + column.name, elements: ColumnValues.Elements
      switch column.start {
      case .float: elements = .floats(try file.floats(name, shape: shape))
      case .integer: elements = .integers(try file.shortIntegers(name, shape: shape))
      }
      guard column.allows(elements) else {
        throw Failure.damagedCheckpoint(file.path, why: "\(name) holds numbers that no training gives.")
      }
      return elements
    }
    func floats(_ name: String, _ shape: [Int]) throws -> [Float] {
      guard case .floats(let floats) = try values(Column(name, start: .float(0)), shape) else { return [] }
      return floats
    }
    func integers(_ name: String, below end: Double) throws -> [Int32] {
      let column = Column(name, start: .integer(0), range: 0...end - 1)
      guard case .integers(let integers) = try values(column, N) else { return [] }
      return integers
    }
    func learned(_ kind: String, _ entries: [Parameter]) throws -> [SessionState.Tensor] {
      try tensors(entries.map { ($0.name, $0.shape) }, in: file, prefix: prefix + kind)
    }
    let parameters = session.parameters.entries, running = try learned("", session.running.entries)
    let second = session.settings.optimizer.kind == .adam ? try learned("optimizer.second.", parameters) : nil
    for tensor in (second ?? []) + running.filter({ $0.name.hasSuffix(".running_var") })
    where tensor.values.contains(where: { $0 < 0 }) {
      throw Failure.damagedCheckpoint(file.path, why: "a square or a variance of \(prefix + tensor.name) is below 0.")
    }
    return SessionState(
      parameters: try learned("", parameters), momenta: try learned("optimizer.momentum.", parameters),
      secondMoments: second, running: running, marginSum: try floats("margin_sum", N),
      marginLost: try floats("margin_lost", N), marginCount: try integers("margin_count", below: most),
      sampleLoss: try floats("sample_loss", N),
      samplePrediction: try integers("sample_prediction", below: Double(session.classes)),
      transition: session.settings.loss.correction == nil
        ? nil : try floats("transition", [session.classes, session.classes]),
      columns: try session.settings.columns.map { column in
        let elements = try values(column, column.width == 1 ? N : N + [column.width])
        return ColumnValues(name: column.name, width: column.width, elements: elements)
      })
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
