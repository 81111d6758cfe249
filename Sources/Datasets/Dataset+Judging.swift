import Failures

/// The part of a data set whose labels a detection judges.
public enum JudgedSplit: String, Sendable, CaseIterable {
  case train, val, test
  /// All parts together, as one set.
  case all

  /// The parts, in the order in which their samples are numbered.
  var parts: [SplitPart] {
    switch self {
    case .train: [.train]
    case .val: [.validation]
    case .test: [.test]
    case .all: SplitPart.allCases
    }
  }
}

extension Dataset {
  /// Samples of one part that stand among the training samples.
  struct PlacedPart: Sendable {
    let part: SplitPart, count: Int
  }

  /// The data set with the samples of another part in the place of the training samples, so that their labels are judged
  /// as those of training samples are; there is no test set then.
  ///
  /// Ids are those of the part; in all parts together, training samples come first, then those of the validation part,
  /// then those of the test part. `place(of:)` says where a sample stands.
  ///
  /// - Throws: `.badInput` where the data set does not have the part.
  public func judging(_ split: JudgedSplit) throws(Failure) -> Dataset {
    // Where there is no test part, the validation part is what accuracy is measured on, and goes by its name.
    let validation = test == nil ? nil : heldOut
    let parts: [(SplitPart, LabelledSet?)] =
      switch split {
      case .train: []
      case .val: [(.validation, validation)]
      case .test: [(.test, test)]
      case .all: [(.train, train), (.validation, validation), (.test, test)]
      }
    guard let first = parts.first(where: { $0.1 != nil })?.1 else {
      if split == .train { return self }
      throw Failure(
        .badInput, "'\(name)' has no \(split == .val ? "validation" : "test") part.",
        why: split == .val && test != nil
          ? "a validation part without a test part besides counts as the test part."
          : "it is \(source), with training samples only.",
        fix: split == .val && test != nil ? "use --split test." : "remove --split.")
    }
    var judged = self
    judged.opened = openedParts
    judged.train = parts.compactMap(\.1).dropFirst().reduce(first) { $0.followed(by: $1) }
    (judged.test, judged.heldOut, judged.countBeforeLimit) = (nil, nil, nil)
    judged.placed = parts.compactMap { part, set in set.map { PlacedPart(part: part, count: $0.count) } }
    return judged
  }

  /// Where a training sample stands: its part, and its id there.
  public func place(of id: Int) -> (part: SplitPart, id: Int) {
    var start = 0
    for place in placed {
      if id < start + place.count { return (place.part, id - start) }
      start += place.count
    }
    return (.train, id)
  }

  /// What the samples are that stand as training samples, as a phrase.
  var kindOfSamples: String {
    switch placed.count {
    case 0: "training samples"
    case 1: "\(placed[0].part == .validation ? "validation" : placed[0].part.rawValue) samples"
    default: "samples"
    }
  }

  /// The parts that the training samples are of, with the first id of each.
  public var judgedParts: [(part: SplitPart, firstID: Int)] {
    var start = 0
    return placed.isEmpty
      ? [(.train, 0)]
      : placed.map { place in
        defer { start += place.count }
        return (place.part, start)
      }
  }

  /// The parts that there are, by name.
  public var parts: [(part: SplitPart, samples: LabelledSet)] {
    let sets: [(SplitPart, LabelledSet?)] = [
      (.train, train), (.validation, test == nil ? nil : heldOut), (.test, test),
    ]
    return sets.compactMap { part, set in set.map { (part, $0) } }
  }
}
