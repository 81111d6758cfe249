import Failures
import FileFormats

/// What a stage leaves when it is done.
public struct DetectionStageResult: Sendable {
  /// What training said of every sample.
  public var dynamics: SampleDynamics
  /// The margins of every epoch [epochs, N], if they are kept.
  public var marginHistory: [Float] = []
  /// The margins of some epochs, for the page; empty where none is written.
  public var sketch = MarginSketch()
  /// The held-out samples' probabilities [held out, K], or those of all samples [N, K] by a method that selects; nil for
  /// a pass.
  public var probabilities: [Double]?
  /// How suspicious a method that selects samples finds each of them [N]; nil for other networks.
  ///
  /// Higher is worse; not a number for samples that it has not seen.
  public var suspicion: [Double]?
  /// The suspicion from which on the method does not believe a label; nil where that follows from all suspicions.
  public var threshold: Double?
  /// The mean loss of the method's networks [N], which ranks samples whose suspicions are equal; nil for other networks.
  public var losses: [Float]?

  /// A stage that begins, or of which nothing else is known.
  public init(_ dynamics: SampleDynamics, probabilities: [Double]? = nil) {
    (self.dynamics, self.probabilities) = (dynamics, probabilities)
  }

  // MARK: - Files

  /// The format of a stage's file and its version.
  private static let schema = "gpunoisy.stage/1"
  /// The member of a file's metadata that names the stage.
  public static let stageKey = "gpunoisy.stage"

  /// Puts the result into a file of tensors.
  public func store(in file: inout SafetensorsFile) {
    let N = dynamics.count
    file["detect.margin_sum"] = .init(dynamics.marginSum, shape: [N])
    file["detect.margin_count"] = .init(dynamics.marginCount, shape: [N])
    file["detect.loss_sum"] = .init(dynamics.lossSum, shape: [N])
    file["detect.error_sum"] = .init(dynamics.errorSum, shape: [N])
    file["detect.probability_sum"] = .init(dynamics.probabilitySum, shape: [N, dynamics.classes])
    file["detect.forgettings"] = .init(dynamics.forgettings, shape: [N])
    file["detect.was_right"] = .init(dynamics.wasRight, shape: [N])
    file["detect.epoch_margins"] = .init(dynamics.epochMargins, shape: [N])
    file["detect.margins"] = .init(marginHistory, shape: [marginHistory.count / max(N, 1), N])
    sketch.store(in: &file, samples: N)
    if let probabilities {
      file["detect.probabilities"] = .init(
        probabilities, shape: [probabilities.count / dynamics.classes, dynamics.classes])
    }
    if let suspicion { file["detect.suspicion"] = .init(suspicion, shape: [N]) }
    if let threshold { file["detect.threshold"] = .init([threshold], shape: [1]) }
    if let losses { file["detect.losses"] = .init(losses, shape: [N]) }
  }

  /// Reads what `store` wrote, for a stage of the same data and settings.
  ///
  /// - Throws: `.badInput` for tensors that are missing or of other shapes, and for values that no training gives.
  public init(from file: SafetensorsFile, like empty: SampleDynamics) throws {
    dynamics = empty
    let N = [empty.count]
    func integers(_ name: String) throws -> [Int32] { try file.shortIntegers(name, shape: N) }
    dynamics.marginSum = try file.doubles("detect.margin_sum", shape: N)
    dynamics.marginCount = try integers("detect.margin_count")
    dynamics.lossSum = try file.doubles("detect.loss_sum", shape: N)
    dynamics.errorSum = try file.doubles("detect.error_sum", shape: N)
    dynamics.probabilitySum = try file.floats("detect.probability_sum", shape: N + [empty.classes])
    dynamics.forgettings = try integers("detect.forgettings")
    dynamics.wasRight = try file.bytes("detect.was_right", shape: N)
    dynamics.epochMargins = try file.floats("detect.epoch_margins", shape: N)
    let counted = Int(dynamics.marginCount.max() ?? 0)
    let sums = dynamics.marginSum + dynamics.lossSum + dynamics.errorSum, mean = 1 / Double(max(counted, 1))
    // Margins and losses are differences of single-precision numbers: larger sums would overflow in what is made of them.
    guard sums.allSatisfy({ abs($0) * mean <= 2 * Double(Float.greatestFiniteMagnitude) }),
      dynamics.probabilitySum.allSatisfy({ (0...1.001).contains(Double($0) * mean) }),
      dynamics.forgettings.allSatisfy({ $0 >= 0 }), dynamics.marginCount.allSatisfy({ $0 >= 0 }),
      dynamics.wasRight.allSatisfy({ $0 <= 1 }), !dynamics.epochMargins.contains(where: \.isInfinite)
    else {
      throw Self.damaged(
        file,
        "a sum of margins, losses or probabilities is not finite, or it or a count is beyond what "
          + "\(counted) \(counted == 1 ? "epoch" : "epochs") can give.")
    }
    let epochs = file["detect.margins"]?.shape.first ?? 0
    marginHistory = try file.floats("detect.margins", shape: [epochs] + N)
    guard !marginHistory.contains(where: \.isInfinite) else { throw Self.damaged(file, "a margin is infinite.") }
    sketch = try MarginSketch(from: file, samples: empty.count)
    if let tensor = file["detect.probabilities"] {
      let values = try file.doubles("detect.probabilities", shape: tensor.shape)
      guard values.allSatisfy({ (0...1.001).contains($0) }) else {
        throw Self.damaged(file, "a prediction is not a probability.")
      }
      probabilities = values
    }
    if file["detect.suspicion"] != nil {
      suspicion = try file.doubles("detect.suspicion", shape: N)
      losses = try file.floats("detect.losses", shape: N)
      if file["detect.threshold"] != nil { threshold = try file.doubles("detect.threshold", shape: [1])[0] }
    }
  }

  private static func damaged(_ file: SafetensorsFile, _ why: String) -> Failure {
    Failure(
      .badInput, "'\(file.path)' is damaged.", why: why, fix: "restore the file from a copy, or repeat the detection.")
  }

  /// The file of a finished stage.
  public func file(of stage: DetectionStage) -> SafetensorsFile {
    var file = SafetensorsFile(metadata: ["gpunoisy.schema": Self.schema, Self.stageKey: stage.name])
    store(in: &file)
    return file
  }

  /// Reads the file of a finished stage.
  ///
  /// - Parameters:
  ///   - empty: the stage's dynamics before it began.
  ///   - epochs: how many epochs the stage was trained for.
  ///   - labels: those that were judged [N]; nil where they are not known.
  /// - Throws: `.badInput` for a file that is damaged, or belongs to another stage, other data or other settings.
  public static func read(
    _ file: SafetensorsFile, of stage: DetectionStage, like empty: SampleDynamics, epochs: Int, labels: [Int32]? = nil
  ) throws -> DetectionStageResult {
    func foreign(_ why: String) -> Failure {
      Failure(
        .badInput, "'\(file.path)' does not belong to this detection.", why: why,
        fix: "restore the file from a copy, or repeat the detection.")
    }
    let name = file.metadata[stageKey]
    guard name == stage.name else { throw foreign("it belongs to \(name ?? "no stage"), not to \(stage.name).") }
    let result = try DetectionStageResult(from: file, like: empty)
    let counts = result.dynamics.marginCount, most = counts.max() ?? 0
    // The first epoch does not count.
    guard counts.allSatisfy({ $0 >= 0 }), most < max(epochs, 1) else {
      throw foreign("it has margins of \(most + 1) epochs; the settings say \(epochs).")
    }
    guard (result.suspicion != nil) == (stage.kind == .selection) else {
      throw foreign("only a method that selects samples leaves suspicions.")
    }
    switch stage.kind {
    case .selection:
      let shape = file["detect.probabilities"]?.shape ?? []
      guard shape == [empty.count, empty.classes] else {
        throw foreign("its predictions have the shape \(shape), not \([empty.count, empty.classes]).")
      }
      try result.requirePossible(SelectionMethod(rawValue: stage.name), labels, in: file)
    case .pass:
      guard result.probabilities == nil else { throw foreign("a pass predicts no samples, but it holds predictions.") }
    case .fold(let heldOut):
      let shape = file["detect.probabilities"]?.shape ?? []
      guard shape == [heldOut.count, empty.classes] else {
        throw foreign("its predictions have the shape \(shape), not \([heldOut.count, empty.classes]).")
      }
      if let id = heldOut.first(where: { counts[Int($0)] > 0 }) {
        throw foreign("its network was trained on sample \(id), which the settings hold out.")
      }
    }
    let rows = result.probabilities ?? []
    let sums = stride(from: 0, to: rows.count, by: empty.classes).map { rows[$0..<$0 + empty.classes].reduce(0, +) }
    guard sums.allSatisfy({ abs($0 - 1) <= rounding }) else {
      throw damaged(file, "the probabilities of a sample do not sum to 1.")
    }
    return result
  }

  /// What the probabilities of a sample may sum to beside 1; they are a softmax in double precision.
  private static let rounding = 1e-6
  /// What the mean of two losses in single and in double precision may differ by, as a share of it or of 1.
  private static let lossRounding = 1e-3

  /// Checks what a method that selects samples leaves besides predictions.
  ///
  /// - Throws: `.badInput`.
  private func requirePossible(_ method: SelectionMethod?, _ labels: [Int32]?, in file: SafetensorsFile) throws {
    let suspicion = suspicion ?? [], losses = losses ?? []
    let possible = method?.possible ?? SelectionMethod.coTeaching.possible
    guard losses.allSatisfy(possible.losses.contains) else {
      throw Self.damaged(file, "a loss is not finite, or below what the method's losses can be.")
    }
    guard threshold.map((0...1).contains) ?? true, method != .coTeaching || threshold == nil else {
      throw Self.damaged(file, "the threshold cannot be \(threshold ?? .nan).")
    }
    for (id, value) in suspicion.enumerated() {
      // Not a number: the method has not seen the sample.
      let isPossible =
        switch (method, value.isNaN) {
        case (.coTeaching, true): losses[id] == 0
        case (.coTeaching, false): abs(value - Double(losses[id])) <= Self.lossRounding * max(1, abs(value))
        case (_, true): labels.map { $0[id] < 0 } ?? true
        case (_, false): true
        }
      guard isPossible, value.isNaN || possible.suspicions.contains(value) else {
        throw Self.damaged(file, "the suspicion of sample \(id) cannot be \(value).")
      }
    }
  }
}
