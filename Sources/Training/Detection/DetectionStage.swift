import Datasets
import Detection
import Failures
import FileFormats

/// One of the networks that a detection trains, one after the other.
struct DetectionStage: Sendable, Equatable {
  /// What is special about the network's labels.
  enum Kind: Sendable, Equatable {
    /// These samples pose as an extra class.
    case pass(thresholds: [Int32])
    /// These samples are held out and predicted at the end.
    case fold(heldOut: [Int32])
  }

  /// The name by which files know it: `pass1` and so on, `fold1` and so on.
  let name: String
  let kind: Kind
  /// The seed of first weights, order and crops.
  let seed: UInt64

  /// The stages of a detection, in their order.
  ///
  /// - Throws: `.configuration` where the data has too few samples for the passes or folds.
  static func stages(_ settings: RunSettings, _ data: RunData) throws -> [DetectionStage] {
    let detection = settings.detection ?? DetectionSettings()
    let train = data.dataset.train, ids = train.usableIDs, classes = data.dataset.classCount
    // Stages share nothing but the data: the golden ratio's digits keep their seeds apart.
    func seed(_ number: Int) -> UInt64 { settings.seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15 }
    var stages: [DetectionStage] = []
    if detection.detector.usesMargins {
      let count = detection.thresholdSamples ?? ThresholdSamples.defaultCount(samples: ids.count, classes: classes)
      guard count >= 1, detection.passes * count <= ids.count, count < ids.count else {
        throw Failure(
          .configuration, "\(detection.passes) passes cannot have \(count) threshold samples each.",
          why: "there are \(ids.count) samples of \(classes) classes, and no two passes may share a threshold sample.",
          fix: "choose fewer --passes, or another number with --threshold-samples.")
      }
      let drawn = ThresholdSamples(of: ids, count: count, passes: detection.passes, seed: settings.seed)
      stages += drawn.passes.enumerated().map { pass, thresholds in
        DetectionStage(name: "pass\(pass + 1)", kind: .pass(thresholds: thresholds), seed: seed(pass))
      }
    }
    if detection.detector.usesFolds {
      guard detection.folds * 2 <= ids.count else {
        throw Failure(
          .configuration, "\(ids.count) samples are too few for --folds \(detection.folds).",
          why: "a fold needs at least two.", fix: "choose fewer folds, or give more data.")
      }
      let folds = StratifiedFolds.folds(
        of: ids, labels: train.labels, classes: classes, count: detection.folds, seed: settings.seed)
      stages += (0..<detection.folds).map { fold in
        DetectionStage(
          name: "fold\(fold + 1)", kind: .fold(heldOut: ids.indices.filter { folds[$0] == fold }.map { ids[$0] }),
          seed: seed(16 + fold))
      }
    }
    return stages
  }

  /// The labels [N] that this network is trained on.
  func labels(_ given: [Int32], classes: Int) -> [Int32] {
    var labels = given
    switch kind {
    case .pass(let thresholds): for id in thresholds { labels[Int(id)] = Int32(classes) }
    case .fold(let heldOut): for id in heldOut { labels[Int(id)] = LabelledSet.noLabel }
    }
    return labels
  }

  /// Outputs of this network: one more than there are classes where there are threshold samples.
  func outputs(classes: Int) -> Int {
    if case .pass = kind { classes + 1 } else { classes }
  }

  /// Whether each sample [N] is trained on with its own label.
  func hasOwnLabel(_ given: [Int32]) -> [Bool] {
    var own = given.map { $0 >= 0 }
    switch kind {
    case .pass(let ids), .fold(let ids): for id in ids { own[Int(id)] = false }
    }
    return own
  }
}

/// What a stage leaves when it is done.
struct DetectionStageResult: Sendable {
  /// What training said of every sample.
  var dynamics: SampleDynamics
  /// The margins of every epoch [epochs, N], if they are kept.
  var marginHistory: [Float] = []
  /// The margins of some epochs, for the page; empty where none is written.
  var sketch = MarginSketch()
  /// The held-out samples' probabilities [held out, K]; nil for a pass.
  var probabilities: [Double]?

  /// Puts the result into a file of tensors.
  func store(in file: inout SafetensorsFile) {
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
  }

  /// Reads what `store` wrote, for a stage of the same data and settings.
  ///
  /// - Throws: `.badInput`.
  init(from file: SafetensorsFile, like empty: SampleDynamics) throws {
    dynamics = empty
    let N = [empty.count]
    func integers(_ name: String) throws -> [Int32] {
      try file.integers(name, shape: N).map { Int32(truncatingIfNeeded: $0) }
    }
    dynamics.marginSum = try file.doubles("detect.margin_sum", shape: N)
    dynamics.marginCount = try integers("detect.margin_count")
    dynamics.lossSum = try file.doubles("detect.loss_sum", shape: N)
    dynamics.errorSum = try file.doubles("detect.error_sum", shape: N)
    dynamics.probabilitySum = try file.floats("detect.probability_sum", shape: N + [empty.classes])
    dynamics.forgettings = try integers("detect.forgettings")
    dynamics.wasRight = try file.bytes("detect.was_right", shape: N)
    dynamics.epochMargins = try file.floats("detect.epoch_margins", shape: N)
    let epochs = file["detect.margins"]?.shape.first ?? 0
    marginHistory = try file.floats("detect.margins", shape: [epochs] + N)
    sketch = try MarginSketch(from: file, samples: empty.count)
    if let tensor = file["detect.probabilities"] {
      probabilities = try file.doubles("detect.probabilities", shape: tensor.shape)
    }
  }

  /// A stage that begins.
  init(_ dynamics: SampleDynamics) { self.dynamics = dynamics }
}
