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
        .usage, "'\(text)' is not a part to hold out.", why: "it is neither a count nor a share between 0 and 1.",
        fix: "write a number of samples, as in 5000, or a share, as in 0.1.")
    }
  }

  /// The text that `init(parsing:)` reads.
  public var description: String {
    switch self {
    case .count(let count): "\(count)"
    case .fraction(let fraction): NumberText.shortest(fraction)
    }
  }
}

extension Dataset {
  /// The data set with a random part of its training samples held out as `validation`.
  ///
  /// Ids do not shift: a sample that is held out keeps its place in `train` but loses its label there, so that it is
  /// never drawn. `validation` holds copies with their labels as they are now, in the order of their ids. Which
  /// samples are chosen depends on the seed and on the samples that have a label, on nothing else.
  ///
  /// - Throws: `.usage` when no sample, or no training sample, would be left.
  public func holdingOut(_ part: HeldOutPart, seed: UInt64) throws -> Dataset {
    let usable = train.usableIDs
    let count =
      switch part {
      case .count(let count): count
      case .fraction(let fraction): Int((Double(usable.count) * fraction).rounded())
      }
    guard count > 0, count < usable.count else {
      throw Failure(
        .usage, "\(count) of \(usable.count) training samples cannot be held out.",
        why: "--val must leave a sample on each side.", fix: "change it.")
    }
    let order = CounterRandom(seed: seed).permutation(of: usable.count, .split, 0)
    let chosen = order.prefix(count).map { usable[Int($0)] }.sorted()
    var split = self
    split.validation = train.selecting(chosen)
    for id in chosen { split.train.labels[Int(id)] = LabelledSet.noLabel }
    return split
  }
}
