import Compute
import Detection
import FileFormats
import Methods
import Reports
import Sessions
import Settings

extension Trainer {
  /// What the checkpoints of the run say of its network.
  var model: Checkpoint.Model {
    let images = data.dataset.train.images, names = data.dataset.classNames
    return Checkpoint.Model(
      network: settings.model.description,
      networks: method.answer == .sum && settings.method.namesNetworks
        ? method.members.map(\.settings.network.description) : [],
      views: method.views,
      classNames: names.count < session.classes ? names + ["(threshold sample)"] : names, height: images.height,
      width: images.width, channels: images.channels, fit: settings.followsFirstSchema ? nil : settings.fit,
      normalization: data.normalization)
  }

  func checkpoint() throws -> SafetensorsFile {
    let states = try method.members.map { try $0.readState() }
    let checkpoint = Checkpoint(model: model, position: position, best: best, states: states)
    try checkpoint.requireFinite()
    var file = checkpoint.file
    if method.stages.count > 1 {
      file.metadata[DetectionStageResult.stageKey] = method.stages[position.stage].name
    }
    if settings.job == .train, settings.method.entry.name != "plain" {
      file.metadata[Checkpoint.methodKey] = settings.method.description
    }
    file.metadata[Checkpoint.settingsKey] = settingsHash
    if method.answer != .first { file.metadata[Checkpoint.answerKey] = method.answer.rawValue }
    try method.store(in: &file)
    let prefixes = states.indices.map(Checkpoint.prefix) + (method.answer == .average ? [method.answer.prefix] : [])
    try frozen?.complete(&file, head: Array(session.parameters.entries.suffix(2)), prefixes: prefixes)
    return file
  }

  func saveCheckpoint() throws { try journal.save(checkpoint, step: position.totalSteps) }

  /// Keeps an epoch as the best one if it is better than those before it; whether it is.
  ///
  /// Chosen by what was held out, where something was: choosing on the test set flatters. The networks of a detection are
  /// judged by nothing.
  @discardableResult
  func noteBest(_ epoch: EpochReport) -> Bool {
    guard settings.job == .train, let judged = epoch.validationAccuracy ?? epoch.testAccuracy,
      judged > best?.accuracy ?? -1
    else { return false }
    best = (judged, epoch.epoch)
    return true
  }
}
