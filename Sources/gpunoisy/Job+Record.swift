import Autotuning
import Compute
import ComputeKernels
import Datasets
import Failures
import FileFormats
import Reports
import Training

/// What a run records of itself, and what a resumed run compares with that.
extension Job {
  func record<D: TunableDevice>(of device: D) throws -> RunRecord {
    let dataset = data.dataset
    var record = RunRecord(
      command: settings.job.rawValue, version: GPUNoisy.version, arguments: CommandLine.arguments, device: device.name,
      driver: device.driver, tuning: TuningRecord.json(device.tuning),
      seeds: ["seed": settings.seed, "noise": settings.effectiveNoiseSeed],
      data: .init(
        name: dataset.name, layout: dataset.source, trainCount: dataset.train.count,
        testCount: data.evaluation?.count ?? 0, classCount: dataset.classCount, fingerprint: data.fingerprint,
        samples: data.samples, classNames: dataset.classNames,
        path: Dataset.isName(settings.data) ? nil : FileBytes.absolute(settings.data), rest: data.rest))
    record.recipe = settings.recipe
    record.method = settings.job == .train ? settings.method.description : nil
    record.optimizer = settings.optimizer.kind.rawValue
    record.origins = draft.origins
    for (setting, path) in settings.inputFiles where resumed == nil || setting != "init" {
      record.inputs[setting] = "\(SHA256.digest(of: try FileBytes.read(path)))"
    }
    return record
  }

  /// - Throws: `.badInput` where a file that the run reads is not what it was when the run began.
  func requireSameInputs(_ before: RunRecord, _ now: RunRecord, _ run: String) throws {
    for (setting, path) in settings.inputFiles {
      guard let hash = now.inputs[setting], let old = before.inputs[setting], hash != old else { continue }
      throw Failure(
        .badInput, "'\(path)' has changed since the run '\(run)' started.",
        why: "--\(setting) had the SHA-256 \(old.prefix(12))…; now it is \(hash.prefix(12))….",
        fix: "restore the file, or start a new run.")
    }
    // Without its table, an array would be taken in the order of the samples.
    for setting in ["features-2", "pred-probs-2"] where before.inputs[setting] != nil && now.inputs[setting] == nil {
      throw Failure(
        .badInput, "the table beside the file of \(RunSettings.option(ofInput: setting)) is gone.",
        why: "when the run '\(run)' started, it said which row is which image.",
        fix: "restore the file, or start a new run.")
    }
  }

  /// The name of a run's own settings among its inputs.
  static let configurationName = "config.toml"

  /// - Throws: `.badInput` where config.toml is not what the run wrote: cut off, or edited.
  static func requireSameSettings(_ run: String, _ record: RunRecord) throws {
    guard let old = record.inputs[configurationName] else { return }
    let path = run + "/" + configurationName, now = "\(SHA256.digest(of: try FileBytes.read(path)))"
    guard now != old else { return }
    throw Failure(
      .badInput, "'\(path)' has changed since the run started.",
      why: "its SHA-256 was \(old.prefix(12))…; now it is \(now.prefix(12))….",
      fix: "restore the file, or start a new run with --config \(path)")
  }

  /// - Throws: `.badInput` where the run saved a checkpoint, or finished, and the checkpoint is gone.
  static func requireCheckpoint(_ run: String, _ record: RunRecord, _ settings: RunSettings) throws {
    guard settings.trainsNetworks, record.checkpoint != nil || record.status == .finished,
      FileBytes.kind(of: run + "/checkpoints/last.safetensors") == .missing
    else { return }
    throw Failure(
      .badInput, "'\(run)' has lost its last checkpoint.",
      why: "run.json says that it \(record.status == .finished ? "has finished" : "is in epoch \(record.epoch)"), and "
        + "checkpoints/last.safetensors is missing.",
      fix: "restore the file, or start a new run, perhaps with --init \(run)/checkpoints/best.safetensors")
  }

  /// - Throws: `.badInput` where the data is not what the run's record says.
  static func requireSameData(_ run: String, _ record: RunRecord, _ data: RunData, _ job: JobKind) throws {
    try record.require(
      data, of: run,
      fix: job == .train
        ? "restore the data, or start a new run from the weights with --init \(run)/checkpoints/last.safetensors"
        : "restore the data, or start a new run.")
  }
}
