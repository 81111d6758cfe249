import Datasets
import Failures
import FileFormats
import Reports
import Training

/// A finished detection, or a run of a training method that judged samples, with the data set that it looked at, opened
/// again and found unchanged.
struct DetectedData {
  let suspected: SuspectedLabels
  let dataset: Dataset
  /// The hash by which the run's samples are known.
  let samples: String
  /// The labels that the run questioned [N]; `noLabel` where an image could not be read.
  let labels: [Int32]
  /// The parts of the data set, to be written again: those that were judged with the labels in question.
  let parts: [CorrectedDataset.Part]
  /// What people decided before the run, which it took for given; nil for none.
  let earlier: Verdicts?
  /// The folder that the samples' paths are relative to; nil where the layout has no files.
  let root: String?
  /// Whether the data set is a folder of images.
  let isFolder: Bool
  /// A warning about classes without training samples; nil where there are none.
  let note: String?
  /// What the run's settings left out, as a phrase; nil when it saw everything.
  let limit: String?

  private let run: String
  private let source: String

  /// - Parameters:
  ///   - data: where the data set is, if not where the run found it.
  ///   - threshold: the suspicion above which samples are suspected; for runs of `train` alone.
  ///   - policy: who decides about samples without a verdict.
  /// - Throws: `.missingInput`; `.badInput` for a folder that is no finished detection, or data that have changed;
  ///   `.usage` for a threshold that the run does not need, or needs and has not; `.configuration` for a run of `train`
  ///   that judged no samples, or a policy that it cannot follow.
  init(run: String, data: String?, above threshold: Double? = nil, policy: ApplyPolicy) throws {
    self.run = run
    var settings = try SettingsDraft(ofRun: run).settings
    if settings.job == .detect {
      try Self.requireNoThreshold(threshold, run)
      suspected = try SuspectedLabels(run: run)
    } else {
      suspected = try SuspectedLabels(run: run, above: Self.threshold(threshold, run, policy))
    }
    if let data { settings.data = data }
    source = settings.data
    let seen = try RunData(settings.takingVerdicts(keptIn: run))
    try RunRecord.read(folder: run).require(
      seen, of: run, fix: "restore the data, say where it is with --data, or repeat the run.")
    (dataset, samples) = (seen.dataset, seen.samples)
    note = seen.emptyClassWarning
    earlier = seen.reviewed?.verdicts
    let judged = Dictionary(uniqueKeysWithValues: dataset.judgedParts.map { ($0.part, $0.firstID) })
    // What the run did not look at has no label there, but belongs to the data set.
    let all = seen.whole.parts.filter { judged[$0.part] != nil }.flatMap(\.samples.labels)
    let labels = zip(seen.dataset.train.labels, all).map { $0 < 0 ? $1 : $0 }
    self.labels = labels
    parts = seen.whole.parts.map { part, samples in
      guard let first = judged[part] else {
        return CorrectedDataset.Part(part: part, samples: samples, labels: samples.labels)
      }
      var own = samples
      own.trueLabels = seen.dataset.train.trueLabels.map { Array($0[first..<first + samples.count]) }
      return CorrectedDataset.Part(
        part: part, samples: own, labels: Array(labels[first..<first + samples.count]), firstID: first)
    }
    try suspected.requireFit(dataset, labels: labels)
    isFolder = !dataset.train.paths.isEmpty && FileBytes.kind(of: source) == .folder
    root = dataset.root
    let limits = [settings.limitTrain.map { "\($0) training" }, settings.limitTest.map { "\($0) test" }]
    let words = limits.compactMap { $0 }.joined(separator: " and ")
    limit = words.isEmpty ? nil : "to the first \(words) samples"
  }

  private static func requireNoThreshold(_ threshold: Double?, _ run: String) throws {
    guard let threshold else { return }
    throw Failure(
      .usage, "--exclude-above \(NumberFormatting.shortest(threshold)) has no effect.",
      why: "'\(run)' is a run of detect, whose label_issues.csv says which labels are suspected.",
      fix: "remove it.")
  }

  /// The threshold for the suspicions of a run of `train`, if it has any, and if they are all that the policy needs.
  private static func threshold(_ threshold: Double?, _ run: String, _ policy: ApplyPolicy) throws -> Double {
    guard FileBytes.kind(of: run + "/suspicion.csv") == .file else {
      throw Failure(
        .configuration, "'\(run)' does not say which labels are suspected.",
        why: "its config.toml has no section [detect], and there is no suspicion.csv.",
        fix: "use a run of 'gpunoisy detect', or of 'gpunoisy train' with a --method that judges samples.")
    }
    if case .relabel = policy {
      throw Failure(
        .configuration, "--policy relabel cannot be used with '\(run)'.",
        why: "its suspicion.csv has no probabilities of new labels.",
        fix: "use --policy drop-all, or give the correct labels with --verdicts.")
    }
    guard let threshold else {
      throw Failure(
        .usage, "it is not clear which labels of '\(run)' are suspected.",
        why: "its suspicion.csv has a number for each sample, and --exclude-above is missing.",
        fix: "add --exclude-above with a number: samples with a higher suspicion are suspected.")
    }
    return threshold
  }

  /// - Throws: `.cannotCreate` if a path lies within the data set or the run: it would change them.
  func requireOutside(_ path: String) throws {
    let folder = FileBytes.folder(of: FileBytes.withoutLastSlash(path))
    for place in [isFolder ? source : nil, run].compactMap({ $0 }) where FileBytes.lies(folder, within: place) {
      throw Failure(
        .cannotCreate, "--to '\(path)' is inside '\(place)'.", why: "the data set and the run must not change.",
        fix: "choose a folder elsewhere.")
    }
  }
}
