import Detection
import Failures
import FileFormats
import Losses

extension RunSettings {
  /// The defaults of `detect`: 150 epochs at a constant rate, batches of 64.
  ///
  /// That is the stretch before the first drop of the paper's 300 epochs; small batches memorise less.
  public static var detectionDefaults: RunSettings {
    var settings = RunSettings()
    (settings.epochs, settings.batchSize, settings.schedule) = (150, 64, nil)
    settings.detection = DetectionSettings()
    return settings
  }

  /// Checks what can be checked of a detection without data.
  ///
  /// - Throws: `.usage`, `.configuration`.
  public func validateDetection() throws {
    let loss = try Loss(loss)
    guard loss.correction == nil else {
      throw Failure(
        .configuration, "--loss \(loss.entry.name) cannot be used to detect.",
        why: "it corrects labels by a transition matrix, which a network with an extra class has not.",
        fix: "use --loss ce.")
    }
    guard !loss.hasPeers else {
      throw Failure(
        .configuration, "--loss \(loss.entry.name) cannot be used to detect.",
        why: "its second pass over other samples hides the margins of the first.", fix: "use --loss ce.")
    }
    guard !loss.dependsOnBatch else {
      throw Failure(
        .configuration, "--loss \(loss.entry.name) cannot be used to detect.",
        why: "it is one number for a batch, and says nothing of single samples.", fix: "use --loss ce.")
    }
    try validate()
    let detection = detection ?? DetectionSettings()
    if detection.detector.usesMargins {
      guard epochs >= 2 else {
        throw Failure(
          .configuration, "--epochs \(epochs) leaves no margins to average.",
          why: "the first epoch does not count, as it shows random weights.", fix: "use --epochs 2 or more.")
      }
      if let schedule, schedule != .constant {
        throw Failure(
          .configuration, "--schedule \(schedule.rawValue) invalidates the area under the margin.",
          why: "once the learning rate falls, the network memorises wrong labels.",
          fix: "leave --schedule out, or use --detector cl.")
      }
    }
    guard detection.retrain == nil || exclude == nil else {
      throw Failure(
        .configuration, "--retrain does not go with --exclude.",
        why: "training again leaves out what the detection suspects, and takes one list of samples to leave out.",
        fix: "train afterwards: gpunoisy train --exclude FILE.")
    }
  }

  static let detectionKeys: [SettingKey] = [
    detection("detector", { $0.detector = try named("detector", $1) }, { .string($0.detector.rawValue) }),
    detection("passes", { $0.passes = try whole("passes", $1, 1...9) }, { .integer($0.passes) }),
    detection(
      "threshold-samples", { $0.thresholdSamples = try whole("threshold-samples", $1, 1...Int(Int32.max)) },
      { $0.thresholdSamples.map { .integer($0) } }),
    detection(
      "percentile",
      { settings, text in
        guard let value = Double(text), value > 0, value < 100 else {
          throw outOfRange("percentile", text, "a number between 0 and 100")
        }
        settings.percentile = value
      }, { .double($0.percentile) }),
    detection("combine", { $0.combine = try named("combine", $1) }, { .string($0.combine.rawValue) }),
    detection("margin", { $0.margin = try named("margin", $1) }, { .string($0.margin.rawValue) }),
    detection("folds", { $0.folds = try whole("folds", $1, 2...100) }, { .integer($0.folds) }),
    detection("cl-filter", { $0.filter = try named("cl-filter", $1) }, { .string($0.filter.rawValue) }),
    detection("cl-score", { $0.quality = try named("cl-score", $1) }, { .string($0.quality.rawValue) }),
    detection(
      "keep-margins",
      { settings, text in
        guard ["true", "false"].contains(text) else { throw outOfRange("keep-margins", text, "true or false") }
        settings.keepMargins = text == "true"
      }, { .bool($0.keepMargins) }),
    detection(
      "report",
      { settings, text in
        guard ["true", "false"].contains(text) else { throw outOfRange("report", text, "true or false") }
        settings.report = text == "true"
      }, { .bool($0.report) }),
    detection("retrain", { $0.retrain = try named("retrain", $1) }, { $0.retrain.map { .string($0.rawValue) } }),
    detection(
      "retrain-epochs", { $0.retrainEpochs = try whole("retrain-epochs", $1, 1...1_000_000) },
      { $0.retrain == nil ? nil : .integer($0.retrainEpochs) }),
  ]

  private static func detection(
    _ name: String, _ set: @escaping @Sendable (inout DetectionSettings, _ text: String) throws -> Void,
    _ get: @escaping @Sendable (DetectionSettings) -> FlatTOML.Value?
  ) -> SettingKey {
    SettingKey(
      name: name, section: "detect", jobs: [.detect],
      set: { settings, text in
        var detection = settings.detection ?? DetectionSettings()
        try set(&detection, text)
        settings.detection = detection
      }, get: { $0.detection.flatMap(get) })
  }
}
