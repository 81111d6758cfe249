import Failures
import FileFormats
import Methods
import Reports
import Settings

/// To which run a checkpoint belongs, and where in it.
extension Checkpoint {
  /// The key of metadata with the hash of the run's settings (`settingsHash`); absent in files of earlier versions.
  static let settingsKey = "gpunoisy.settings"

  /// The key of metadata that names the training method; absent in files of plain training and of detections.
  static let methodKey = "gpunoisy.method"

  /// The SHA-256 of those settings of a config.toml that decide what comes out.
  ///
  /// Left out is what a resumed run may change: a run that --max-time has stopped ends with the same checkpoint, byte for
  /// byte, as one without it.
  ///
  /// - Parameters:
  ///   - configuration: the text of the file.
  ///   - name: the file that messages speak of.
  /// - Throws: `.badInput` for text that is no configuration.
  public static func settingsHash(of configuration: [UInt8], name: String) throws -> String {
    let entries = try FlatTOML(decoding: configuration, name: name).sections.flatMap(\.entries)
    let members = entries.filter { RunSettings.setting(named: $0.key)?.role != .execution }.map {
      JSONMember($0.key, JSONValue(Setting.text($0.value)))
    }
    return "\(SHA256.digest(of: JSONText.compact(.object(members))))"
  }

  /// Checks that a checkpoint, or the file of a stage, was written by a run with these settings.
  ///
  /// - Parameter hash: that of the run's settings; nil where it is not known.
  /// - Throws: `.badInput` for another method, or other settings.
  public static func requireSameRun(_ file: SafetensorsFile, _ settings: RunSettings, hash: String?) throws {
    func foreign(_ why: String) -> Failure {
      Failure(
        .badInput, "'\(file.path)' belongs to another run.", why: why,
        fix:
          "restore this run's own files from a copy, or start a new run\(settings.job == .train ? " with --init" : "")."
      )
    }
    let method = settings.job == .train ? settings.method : nil
    // Parameters that this version has added have their defaults.
    if let text = file.metadata[methodKey], text != method?.description, (try? MethodChoice(text)) != method {
      throw foreign(
        "it was trained by --method \(text.prefix(100)), and this run is "
          + (method.map { "one of --method \($0)." } ?? "a detection."))
    }
    guard let known = file.metadata[settingsKey], let hash, known != hash else { return }
    throw foreign(
      "the settings that it was written with have the SHA-256 \(known.prefix(12))…, and those of the run's config.toml "
        + "have \(hash.prefix(12))….")
  }
}

extension Checkpoint.Position {
  /// Checks that a position agrees with what run.json says.
  ///
  /// The checkpoint is written before run.json: where the process died between the two, it is ahead, by an epoch that has
  /// just ended or by steps of the one after it.
  ///
  /// - Parameter epochs: the epochs of the whole run that are done there; nil where that is not known.
  /// - Throws: `.badInput`.
  public func requireKnown(to record: RunRecord, epochs: Int? = nil, in path: String) throws {
    // Earlier versions did not record it.
    guard let saved = record.checkpoint else { return }
    guard totalSteps >= saved, epochs ?? 0 <= record.epoch + (step == 0 ? 1 : 0) else {
      throw Failure(
        .badInput, "'\(path)' and run.json do not agree.",
        why:
          "it was written after \(totalSteps) steps and \(epochs ?? epoch) epochs; run.json says that the last one was "
          + "written after \(saved) steps, in a run of \(record.epoch) epochs so far.",
        fix: "restore both from one copy of the run, or start a new run from the weights with --init \(path)")
    }
  }
}
