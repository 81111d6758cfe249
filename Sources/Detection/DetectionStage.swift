import Datasets
import Failures

/// One of the networks that a detection trains, one after the other.
public struct DetectionStage: Sendable, Equatable {
  /// What is special about the network's labels.
  public enum Kind: Sendable, Equatable {
    /// These samples pose as an extra class.
    case pass(thresholds: [Int32])
    /// These samples are held out and predicted at the end.
    case fold(heldOut: [Int32])
    /// Nothing: a method that selects samples trains its networks on all of them.
    case selection
  }

  /// The name by which files know it: `pass1` and so on, `fold1` and so on, or that of a method.
  public let name: String
  /// What is special about its labels.
  public let kind: Kind
  /// The seed of first weights, order and crops.
  public let seed: UInt64

  /// A stage of these parts.
  public init(name: String, kind: Kind, seed: UInt64) { (self.name, self.kind, self.seed) = (name, kind, seed) }

  /// The stages of a detection in a training set with `classes` classes, in their order: passes before folds, and
  /// these before a method that selects samples.
  ///
  /// - Throws: `.configuration` where the set has too few samples for the passes or folds.
  public static func stages(
    _ settings: DetectionSettings, seed: UInt64, train: LabelledSet, classes: Int
  ) throws -> [DetectionStage] {
    let ids = train.labelledIDs
    // Stages share nothing but the data: the golden ratio's digits keep their seeds apart.
    func stageSeed(_ number: Int) -> UInt64 { seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15 }
    var stages: [DetectionStage] = []
    if settings.detector.usesMargins {
      let count = settings.thresholdSamples ?? ThresholdSamples.defaultCount(samples: ids.count, classes: classes)
      guard count >= 1, settings.passes * count <= ids.count, count < ids.count else {
        throw Failure(
          .configuration, "\(settings.passes) passes cannot have \(count) threshold samples each.",
          why: "there are \(ids.count) samples of \(classes) classes, and passes must not share threshold samples.",
          fix: "choose fewer --passes, or another number with --threshold-samples.")
      }
      let drawn = ThresholdSamples(of: ids, count: count, passes: settings.passes, seed: seed)
      stages += drawn.passes.enumerated().map { pass, thresholds in
        DetectionStage(name: "pass\(pass + 1)", kind: .pass(thresholds: thresholds), seed: stageSeed(pass))
      }
    }
    if settings.detector.usesFolds, settings.predictedProbabilities == nil {
      guard settings.folds * 2 <= ids.count else {
        throw Failure(
          .configuration, "\(ids.count) samples are too few for --folds \(settings.folds).",
          why: "a fold needs at least two.", fix: "choose fewer folds, or give more data.")
      }
      let folds = StratifiedFolds.folds(
        of: ids, labels: train.labels, classes: classes, count: settings.folds, seed: seed)
      stages += (0..<settings.folds).map { fold in
        DetectionStage(
          name: "fold\(fold + 1)", kind: .fold(heldOut: ids.indices.filter { folds[$0] == fold }.map { ids[$0] }),
          seed: stageSeed(16 + fold))
      }
    }
    if let selection = settings.detector.selection {
      stages.append(DetectionStage(name: selection.rawValue, kind: .selection, seed: stageSeed(32)))
    }
    return stages
  }

  /// Whether this is a pass with threshold samples.
  public var isPass: Bool { if case .pass = kind { true } else { false } }

  /// Where in the run folder the stage's result is kept.
  public var file: String { Self.file(named: name) }

  /// Where in a run folder the result of the stage of that name is kept.
  public static func file(named name: String) -> String { "stages/\(name).safetensors" }

  /// The labels [N] that this network is trained on, made from the given ones [N].
  public func labels(_ given: [Int32], classes: Int) -> [Int32] {
    var labels = given
    switch kind {
    case .pass(let thresholds): for id in thresholds { labels[Int(id)] = Int32(classes) }
    case .fold(let heldOut): for id in heldOut { labels[Int(id)] = LabelledSet.noLabel }
    case .selection: break
    }
    return labels
  }

  /// Outputs of this network: one more than there are classes where there are threshold samples.
  public func outputs(classes: Int) -> Int { isPass ? classes + 1 : classes }

  /// Whether each sample [N] is trained on with its own label, given the labels of all [N].
  public func hasOwnLabel(_ given: [Int32]) -> [Bool] {
    var own = given.map { $0 >= 0 }
    switch kind {
    case .pass(let ids), .fold(let ids): for id in ids { own[Int(id)] = false }
    case .selection: break
    }
    return own
  }

  /// What is known of `samples` samples before this network is trained: nothing yet.
  public func emptyDynamics(samples: Int, classes: Int, margin: MarginKind) -> SampleDynamics {
    SampleDynamics(count: samples, outputs: outputs(classes: classes), classes: classes, kind: margin)
  }
}
