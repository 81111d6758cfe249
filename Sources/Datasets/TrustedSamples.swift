import Failures
import FileFormats
import Statistics

/// Samples whose labels are known to be right: a training method judges by them what it learns from the others.
public struct TrustedSamples: Sendable, Equatable {
  /// Their ids, in ascending order.
  public let ids: [Int32]
  /// The right label of each.
  public let labels: [Int32]
  /// The label that each was given in the training set, which it has left; `LabelledSet.noLabel` for none.
  public let given: [Int32]

  /// Samples with their right labels, in ascending order of their ids.
  public init(ids: [Int32], labels: [Int32], given: [Int32]) {
    precondition(ids.count == labels.count && ids.count == given.count, "\(ids.count) samples, other labels")
    (self.ids, self.labels, self.given) = (ids, labels, given)
  }

  /// `1,000 trusted samples leave the training set; 503 of them had another label there`.
  public var summary: String {
    let wrong = zip(labels, given).count { $1 >= 0 && $0 != $1 }
    return
      "\(NumberFormatting.grouped(ids.count)) trusted sample\(ids.count == 1 ? " leaves" : "s leave") the training set"
      + (wrong > 0 ? "; \(NumberFormatting.grouped(wrong)) of them had another label there" : "")
  }
}

extension Dataset {
  /// The data set without `count` training samples, which are trusted with their true labels from now on.
  ///
  /// They are drawn evenly from all classes, as far as these have so many, by a seed; the draw depends on the samples that
  /// have a label, and on their true labels, on nothing else. As with what is held out, ids do not shift.
  ///
  /// - Throws: `.configuration` where true labels are not known, or not of so many samples.
  public func trusting(_ count: Int, seed: UInt64) throws -> Dataset {
    guard let truth = train.trueLabels else {
      throw Failure(
        .configuration, "--trusted \(count) needs the true labels.", why: "this data set does not have them.",
        fix: "give them with --clean-labels, or give a table of samples with their right labels.")
    }
    let known = train.labelledIDs.filter { truth[Int($0)] >= 0 }
    guard count <= known.count else {
      throw Failure(
        .configuration, "--trusted \(count) is more than there are.",
        why: "the true labels of \(known.count) training samples are known.", fix: "use a smaller number.")
    }
    var byClass = [[Int32]](repeating: [], count: classCount)
    for place in CounterRandom(seed: seed).permutation(of: known.count, .trustedSample, 0) {
      let id = known[Int(place)]
      byClass[Int(truth[Int(id)])].append(id)
    }
    var chosen: [Int32] = [], round = 0
    while chosen.count < count {
      chosen += byClass.filter { round < $0.count }.prefix(count - chosen.count).map { $0[round] }
      round += 1
    }
    return trusting(Dictionary(uniqueKeysWithValues: chosen.map { (Int($0), truth[Int($0)]) }))
  }

  /// The data set without these training samples, which are trusted with these labels from now on.
  ///
  /// What is not a training sample, cannot be read or is held out is passed over.
  public func trusting(_ labels: [Int: Int32]) -> Dataset {
    let held = Set(heldOutIDs)
    let ids = labels.keys.filter {
      (0..<train.count).contains($0) && !train.unreadable.contains($0) && !held.contains(Int32($0))
    }.sorted()
    var split = self
    split.trusted = TrustedSamples(
      ids: ids.map { Int32($0) }, labels: ids.compactMap { labels[$0] }, given: ids.map { train.labels[$0] })
    for id in ids { split.train.labels[id] = LabelledSet.noLabel }
    return split
  }

  /// The right labels of some training samples, by id: those that a list gives.
  ///
  /// The file is like that of `replacingLabels`, but a table may leave samples out, and its label may also be called
  /// `clean_label` or `new_label` (and be named in `clean_name`, `new_name`).
  ///
  /// - Throws: as `replacingLabels` does.
  public func rightLabels(from list: SampleList) throws -> (labels: [Int: Int32], matching: SampleList.Matching) {
    let (labels, matching) = try LabelFile.read(
      list, labels: ["clean_label", "label", "new_label"], names: ["clean_name", "label_name", "new_name"],
      count: train.count, isPartial: true)
    return (
      Dictionary(uniqueKeysWithValues: labels.enumerated().lazy.filter { $1 >= 0 }.map { ($0, $1) }), matching
    )
  }

  /// `warning: 2 of 10 classes have no trusted samples: cat, dog`; nil where every class has some.
  public var untrustedClassWarning: String? {
    guard let trusted else { return nil }
    let found = Set(trusted.labels)
    return warning(of: classNames.indices.filter { !found.contains(Int32($0)) }, "trusted samples")
  }
}
