import Datasets
import Failures
import FileFormats
import Settings

extension RunData {
  /// The data in which the samples that settings trust have left the training set.
  ///
  /// - Parameters:
  ///   - dataset: the data with the labels that were given.
  ///   - all: the same data without a limit: a list may be about all of it.
  ///   - notes: how the list's entries were matched, and what of it is not used.
  /// - Throws: what reading a list throws; `.badInput` for one without any of the samples; `.configuration` for a number
  ///   where true labels are not known.
  static func trusting(
    _ settings: RunSettings, _ dataset: Dataset, of all: Dataset, _ notes: inout [String?]
  ) throws -> Dataset {
    guard settings.job == .train, let source = settings.trusted else { return dataset }
    let path: String
    switch source {
    case .count(let count): return try dataset.trusting(count, seed: settings.seed)
    case .list(let name): path = name
    }
    let (labels, matching, undecided) = try rightLabels(path, dataset, of: all), found = dataset.trusting(labels)
    let used = found.trusted?.ids.count ?? 0
    notes.append(matching.note("--trusted", path))
    if undecided > 0 {
      notes.append("--trusted \(path): \(undecided) samples without a right label are trained on as the others are")
    }
    guard used > 0 else {
      throw Failure(
        .badInput, "'\(path)' has no trusted samples for this run.",
        why: labels.isEmpty
          ? "it gives no sample a right label."
          : "none of its \(labels.count) samples is among the \(dataset.train.labelledIDs.count) training samples.",
        fix: "give a list of training samples, and check --limit-train and --val.")
    }
    if used < labels.count {
      notes.append(
        "--trusted \(path): \(labels.count - used) of \(labels.count) samples are held out, or beyond --limit-train, and "
          + "are not used")
    }
    return found
  }

  /// The right labels that a list gives, by id; of verdicts, those that say which label is right.
  private static func rightLabels(
    _ path: String, _ dataset: Dataset, of all: Dataset
  ) throws -> (labels: [Int: Int32], matching: SampleList.Matching, undecided: Int) {
    let bytes = try FileBytes.read(path)
    // What is no table is refused by the reader of labels.
    guard !NumPyArray.isNumPy(bytes), (try? CSV(decoding: bytes, name: path))?.column("verdict") != nil else {
      let (labels, matching) = try all.rightLabels(from: SampleList(path, of: all))
      return (labels, matching, 0)
    }
    let verdicts = try Self.verdicts(from: path, on: dataset, of: all)
    var labels: [Int: Int32] = [:]
    for (id, verdict) in verdicts.byID {
      switch verdict.decision {
      case .keep:
        let own = id < dataset.train.count ? dataset.train.labels[id] : LabelledSet.noLabel
        labels[id] = own >= 0 ? own : all.train.labels[id]
      case .relabel(let label): labels[id] = Int32(label)
      case .drop, .unsure: break
      }
    }
    return (labels, verdicts.matching, verdicts.byID.count - labels.count)
  }
}
