import Datasets
import Failures
import FileFormats
import Reports
import Training

/// A finished detection with the data set that it looked at, opened again and found unchanged.
struct DetectedData {
  let suspected: SuspectedLabels
  let dataset: Dataset
  /// The labels that the detection questioned [N]; `noLabel` where a picture could not be read.
  let labels: [Int32]
  /// The folder that the samples' paths are relative to; nil where the layout has no files.
  let root: String?
  /// Whether the data set is a folder of pictures.
  let isFolder: Bool
  /// What the run's settings left out, as a phrase; nil when it saw everything.
  let limit: String?

  private let run: String
  private let source: String

  /// - Parameter data: where the data set is, if not where the run found it.
  /// - Throws: `.missingInput`; `.badInput` for a folder that is no finished detection, or data that have changed;
  ///   `.configuration` for a run of `train`.
  init(run: String, data: String?) throws {
    self.run = run
    var settings = try RunSettings(ofRun: run)
    guard settings.detection != nil else {
      throw Failure(
        .configuration, "'\(run)' is not a run of detect.", why: "its config.toml has no section [detect].",
        fix: "give the folder that 'gpunoisy detect' made.")
    }
    suspected = try SuspectedLabels(run: run)
    if let data { settings.data = data }
    source = settings.data
    let seen = try RunData(settings)
    let record = try RunRecord.read(folder: run)
    guard record.data?.fingerprint == seen.dataset.fingerprint else {
      throw Failure(
        .badInput, "the data are not what '\(run)' looked at.",
        why: "the run records \(record.data?.trainCount ?? 0) training images with fingerprint "
          + "\(record.data?.fingerprint ?? "none"); now it is \(seen.dataset.train.count) with "
          + "\(seen.dataset.fingerprint).",
        fix: "restore the data, name their place by --data, or repeat the detection.")
    }
    dataset = seen.dataset
    var labels = seen.dataset.train.labels
    if settings.validation != nil || settings.exclude != nil {
      // What the detection did not look at has no label there, but belongs to the data set.
      let all = try Dataset.opened(by: settings).train.labels
      for id in labels.indices where labels[id] < 0 { labels[id] = all[id] }
    }
    self.labels = labels
    if let row = suspected.rows.values.first(where: { !labels.indices.contains($0.id) || labels[$0.id] != $0.given }) {
      throw Failure(
        .badInput, "'\(run)/label_issues.csv' does not fit the data.",
        why: "it gives sample \(row.id) the label \(row.given), the data set does not.",
        fix: "restore the file, or repeat the detection.")
    }
    isFolder = !dataset.train.paths.isEmpty && FileBytes.kind(of: source) == .folder
    root = dataset.train.paths.isEmpty ? nil : isFolder ? source : Self.folder(of: source)
    let limits = [settings.limitTrain.map { "\($0) training" }, settings.limitTest.map { "\($0) test" }]
    let words = limits.compactMap { $0 }.joined(separator: " and ")
    limit = words.isEmpty ? nil : "to the first \(words) samples"
  }

  /// - Throws: `.cannotCreate` if a path lies within the data set or the run: it would change them.
  func requireOutside(_ path: String) throws {
    guard let parent = FileBytes.resolved(Self.folder(of: path)) else { return }
    for place in [isFolder ? source : nil, run].compactMap({ $0 }).compactMap(FileBytes.resolved) {
      guard parent != place, !parent.hasPrefix(place + "/") else {
        throw Failure(
          .cannotCreate, "--to '\(path)' lies within '\(place)'.",
          why: "neither the data set nor the run may change.", fix: "choose a folder elsewhere.")
      }
    }
  }

  private static func folder(of path: String) -> String {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
