import Failures
import FileFormats
import Reports
import Settings

/// A finished run counts only if it is the one that was planned in its place: folders are copied and renamed, and tables
/// cut off.
extension Campaign {
  /// Checks a finished run's settings and the table of its epochs.
  ///
  /// - Throws: `.badInput` where it was trained by other settings, or where its table does not end with its last epoch.
  static func requirePlanned(_ task: Task, _ record: RunRecord) throws {
    let path = task.folder + "/config.toml"
    let own = try SettingsDraft(ofFileAt: path).settings
    // What the plan leaves open is the run's own choice, and how it was computed decides nothing.
    let other = RunSettings.settings(of: task.settings.job).first { setting in
      setting.role != .execution && setting.text(task.settings) != setting.unset
        && Self.withoutFolders(setting.text(own)) != Self.withoutFolders(setting.text(task.settings))
    }
    if let other {
      throw Failure(
        .badInput, "'\(task.folder)' is not the run that the table needs there.",
        why: "by '\(path)' its \(other.name) is \(other.text(own)), and \(task.configuration) says "
          + "\(other.text(task.settings)).",
        fix: "move the run to where it belongs, or delete the folder and run the command again.")
    }
    guard task.settings.job == .train else { return }
    let last = try RunHistory.read(folder: task.folder).epochs.last?.epoch ?? 0
    guard last != record.epoch else { return }
    throw Failure(
      .badInput, "'\(task.folder)/metrics.csv' is not complete.",
      why: "it ends with epoch \(last), and the run with epoch \(record.epoch).",
      fix: "restore the file, or delete the run's folder and run the command again.")
  }

  /// A setting's text without the folders of files that it names: a run has them in full, campaigns are moved, and shards
  /// have mounts of their own.
  private static func withoutFolders(_ text: String) -> [Substring] {
    text.split(omittingEmptySubsequences: false, whereSeparator: { ":=,".contains($0) }).map { word in
      let path = word == "." || word.hasSuffix("..") ? Substring(FileBytes.absolute(String(word))) : word
      return path.split(separator: "/").last ?? path
    }
  }

  /// Checks that the runs of a cell, one for each seed, have seen the same images; runs of earlier versions, which recorded
  /// another hash, are not compared.
  ///
  /// - Throws: `.badInput` naming two that have not.
  static func requireSameImages(_ runs: [(task: Task, record: RunRecord)]) throws {
    let runs = runs.filter { $0.record.data?.rest != nil }
    // The built-in images are drawn by each run's own seed.
    guard let first = runs.first, let samples = first.record.data?.samples, !first.task.settings.drawsData else {
      return
    }
    for run in runs where run.record.data?.samples ?? samples != samples {
      throw Failure(
        .badInput, "'\(first.task.folder)' and '\(run.task.folder)' were trained on different images.",
        why: "the data has changed between them, so that their mean would say nothing.",
        fix: "delete the runs on data that is out of date, and run the command again.")
    }
  }
}
