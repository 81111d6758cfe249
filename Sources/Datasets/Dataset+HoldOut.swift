import Failures
import FileFormats
import Statistics

/// How much of the training set is held out.
public enum HeldOutPart: Sendable, Equatable, CustomStringConvertible {
  case count(Int)
  /// A share in (0, 1), rounded to the nearest count.
  case fraction(Double)

  /// Reads a whole number from 1 (a count) or a fraction between 0 and 1.
  ///
  /// - Throws: `.usage`.
  public init(parsing text: String) throws {
    if let count = Int(text), count > 0 {
      self = .count(count)
    } else if let fraction = Double(text), fraction > 0, fraction < 1 {
      self = .fraction(fraction)
    } else {
      throw Failure(
        .usage, "--val '\(text)' is not valid.", why: "it is neither a count nor a fraction between 0 and 1.",
        fix: "write a number of samples, such as 5000, or a fraction, such as 0.1.")
    }
  }

  /// The text that `init(parsing:)` reads.
  public var description: String {
    switch self {
    case .count(let count): "\(count)"
    case .fraction(let fraction): NumberFormatting.shortest(fraction)
    }
  }
}

extension Dataset {
  /// The data set with a random part of its training samples held out as `heldOut`.
  ///
  /// Ids do not shift: a sample that is held out keeps its place in `train` but loses its label there, so that it is
  /// never drawn. `heldOut` holds copies with their labels as they are now, in the order of their ids. Which
  /// samples are chosen depends on the seed and on the samples that have a label, on nothing else.
  ///
  /// - Throws: `.usage` when no sample, or no training sample, would be left.
  public func holdingOut(_ part: HeldOutPart, seed: UInt64) throws -> Dataset {
    let usable = train.labelledIDs
    let count =
      switch part {
      case .count(let count): count
      case .fraction(let fraction): Int((Double(usable.count) * fraction).rounded())
      }
    guard count > 0, count < usable.count else {
      throw Failure(
        .usage, "\(count) of \(usable.count) training samples cannot be held out.",
        why: "--val must leave at least one sample on each side.", fix: "change --val.")
    }
    let order = CounterRandom(seed: seed).permutation(of: usable.count, .split, 0)
    let chosen = order.prefix(count).map { usable[Int($0)] }.sorted()
    var split = self
    split.opened = openedParts
    (split.heldOut, split.heldOutIDs) = (train.selecting(chosen), chosen)
    for id in chosen { split.train.labels[Int(id)] = LabelledSet.noLabel }
    return split
  }

  /// The labels that the training samples were given, those that are held out or trusted among them.
  public var givenLabels: [Int32] {
    var labels = train.labels
    for (place, id) in heldOutIDs.enumerated() { labels[Int(id)] = heldOut?.labels[place] ?? LabelledSet.noLabel }
    if let trusted { for (id, given) in zip(trusted.ids, trusted.given) { labels[Int(id)] = given } }
    return labels
  }
}
