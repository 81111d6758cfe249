import Detection
import FileFormats
import Reports
import Settings

@testable import Datasets
@testable import Training

/// A detection in a small set with two parts, whose stages come from files.
struct DetectionUnderFuzz {
  var settings: RunSettings
  /// The networks that it has, in their order.
  let stages: [DetectionStage]

  init(by detector: DetectionSettings.Detector) throws {
    settings = Self.settings
    settings.detection.detector = detector
    stages = try DetectionStage.stages(
      settings.detection, seed: 1, train: Self.data.fitted, classes: Self.data.dataset.classCount)
  }

  /// Tables, detect.json and page of what was read.
  func report(
    _ results: [DetectionStageResult], _ features: FeatureFindings?, probabilities: [Double]? = nil
  ) throws {
    let finished = FinishedDetection(
      settings: settings, data: Self.data, equal: Self.equal, stages: probabilities == nil ? stages : [],
      results: results, features: features, probabilities: probabilities, history: RunHistory(), record: nil,
      folder: "run")
    _ = JSONText.compact(DetectionDocument.json(finished))
    _ = try DetectionReport.page(finished, written: UTCTime(seconds: 1_800_000_000)).html
  }

  // MARK: - The set

  private static let settings: RunSettings = {
    var settings = RunSettings(for: .detect)
    (settings.detection.split, settings.epochs) = (.all, 3)
    return settings
  }()

  /// 18 training and six test images of 2 x 2 in four classes, the last of which is too small to be judged by features.
  static let dataset: Dataset = {
    func part(_ labels: [Int32]) -> LabelledSet {
      // Images 0 and 3 are the same, and both parts have the first six.
      let pixels = labels.indices.flatMap { id -> [UInt8] in
        let start = id == 3 ? 0 : id * 9
        return (0..<4).map { UInt8(start + $0) }
      }
      return LabelledSet(
        images: ImageSet(count: labels.count, height: 2, width: 2, channels: 1, pixels: pixels), labels: labels)
    }
    let labels = (0..<15).map { Int32($0 % 3) } + [3, 3, 3]
    var train = part(labels)
    train.trueLabels = labels.enumerated().map { $0 % 5 == 2 ? 0 : $1 }
    return Dataset(
      name: "fuzz", classNames: ["ant", "bee", "cow", "dog"], train: train, test: part([0, 1, 2, 0, 1, 2]),
      source: "fuzz")
  }()

  /// Both parts together.
  static let data = Seeds.made { try RunData(settings, of: dataset) }

  static let equal = data.equalImages

  /// Features [24, 3] by which labels can be told, and some are wrong.
  static let features: [Float] = data.fitted.labels.enumerated().flatMap { id, label -> [Float] in
    let shown = (Int(label) + (id % 7 == 6 ? 1 : 0)) % 3
    return (0..<3).map { column in
      let rest = Float((id * 13 + column * 29) % 17) / 40
      return column == shown ? 1 + rest : rest
    }
  }

  // MARK: - Stages

  /// A stage that has not begun.
  static func empty(_ stage: DetectionStage) -> SampleDynamics {
    stage.emptyDynamics(samples: data.fitted.count, classes: data.dataset.classCount, margin: .logits)
  }

  /// What a stage of two counted epochs leaves.
  static func result(of stage: DetectionStage) -> DetectionStageResult {
    var result = DetectionStageResult(empty(stage))
    let set = data.fitted, N = set.count, K = data.dataset.classCount, own = stage.hasOwnLabel(set.labels)
    func predicted(_ ids: [Int]) -> [Double] {
      ids.flatMap { id -> [Double] in
        let label = (Int(set.labels[id]) + (id % 6 == 5 ? 1 : 0)) % K
        return (0..<K).map { $0 == label ? 0.7 : 0.1 }
      }
    }
    switch stage.kind {
    case .selection:
      // Chances, or the losses themselves.
      let isDivided = stage.name == SelectionMethod.divideMix.rawValue, losses = (0..<N).map { Float($0 % 6) }
      result.suspicion = losses.map { Double($0) / (isDivided ? 6 : 1) }
      (result.threshold, result.losses) = (isDivided ? 0.5 : nil, losses)
      result.probabilities = predicted(Array(0..<N))
      return result
    case .fold(let heldOut): result.probabilities = predicted(heldOut.map { Int($0) })
    case .pass: for epoch in 1...2 { result.sketch.add([Float](repeating: 0.5, count: N), epoch: epoch) }
    }
    for id in 0..<N where own[id] || stage.isPass {
      (result.dynamics.marginSum[id], result.dynamics.marginCount[id]) = (Double(id % 7) - 2, 2)
      (result.dynamics.lossSum[id], result.dynamics.errorSum[id]) = (1, 1)
      for k in 0..<K { result.dynamics.probabilitySum[id * K + k] = 0.4 }
    }
    return result
  }
}
