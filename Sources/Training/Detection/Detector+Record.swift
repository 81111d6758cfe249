import Compute
import Detection
import FileFormats
import Reports

extension Detector {
  /// Keeps network, position and statistics in one file, so that they belong together whatever happens.
  func saveCheckpoint(
    _ result: DetectionStageResult, _ session: TrainingSession<D>, _ stage: DetectionStage
  ) throws {
    guard let folder else { return }
    let images = data.dataset.train.images, names = data.dataset.classNames
    let model = Checkpoint.Model(
      network: session.settings.network.description,
      classNames: names.count < session.classes ? names + ["(threshold sample)"] : names, height: images.height,
      width: images.width, channels: images.channels, normalization: data.normalization)
    let checkpoint = Checkpoint(model: model, position: position, best: nil, state: try session.readState())
    try checkpoint.requireFinite()
    var file = checkpoint.file
    file.metadata[DetectionStageResult.stageKey] = stage.name
    result.store(in: &file)
    try file.write(to: folder.lastCheckpoint)
    lastCheckpoint = clock.now
    try update { _ in }
  }

  /// What was found, in the folder at `path`; asked for once all stages are done.
  public func finished(in path: String) -> FinishedDetection {
    FinishedDetection(
      settings: settings, data: data, stages: stages, results: results, history: history, record: record, folder: path)
  }

  func update(_ change: (inout RunRecord) -> Void) throws {
    guard let folder, var changed = record else { return }
    changed.epoch = history.epochs.count
    changed.step = position.totalSteps
    changed.updated = .now
    changed.accuracy = history.accuracy
    change(&changed)
    record = changed
    try folder.write(changed)
  }

  /// Writes run.json with a status: running, or how the run ended.
  public func mark(_ status: RunRecord.Status, reason: String? = nil) throws {
    try update {
      $0.status = status
      $0.reason = reason
      $0.ended = status == .running ? nil : .now
    }
  }

  var outline: RunOutline {
    let dataset = data.dataset
    var facts = [
      RunOutline.Fact("device", "\(device.name)  (\(device.driver))"),
      RunOutline.Fact(
        "data", "\(dataset.name)  train \(dataset.train.usableIDs.count) · \(dataset.classCount) classes"),
    ]
    if let noise = data.noise { facts.append(.init("noise", noise.summary)) }
    facts.append(
      .init(
        "recipe",
        "\(settings.model) · \(settings.loss) · lr \(settings.learningRate) · batch \(settings.batchSize) · "
          + "\(settings.epochs) epochs · seed \(settings.seed)"))
    var parts: [String] = []
    if detection.detector.usesMargins, case .pass(let thresholds) = stages[0].kind {
      parts.append(
        "area under the margin (\(detection.margin.rawValue)), \(detection.passes) passes with \(thresholds.count) "
          + "threshold samples, percentile \(FixedText.decimal(detection.percentile, places: 2)), "
          + "\(detection.combine.rawValue)")
    }
    if detection.detector.usesFolds {
      parts.append("confident learning, \(detection.folds) folds, \(detection.filter.rawValue)")
    }
    facts.append(.init("detector", parts.joined(separator: " · ")))
    if let folder { facts.insert(.init("run", folder.path), at: 0) }
    if !history.epochs.isEmpty || position.totalSteps > 0 {
      facts.append(.init("resume", "after epoch \(history.epochs.count), step \(position.totalSteps)"))
    }
    return RunOutline(facts: facts, epochs: epochs)
  }
}
