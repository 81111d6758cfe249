import Statistics

/// The folds of a cross-validation: each sample in one, each class spread evenly over all.
public enum StratifiedFolds {
  /// The fold of each of these samples, in their order.
  ///
  /// The samples are brought into a random order; those of each class then go to the folds in turn, each class going on
  /// where the one before it ended, so that the sizes of the folds differ by at most one.
  public static func folds(of ids: [Int32], labels: [Int32], classes: Int, count: Int, seed: UInt64) -> [Int] {
    precondition(count >= 2 && count <= ids.count, "\(count) folds of \(ids.count) samples")
    let order = CounterRandom(seed: seed).permutation(of: ids.count, .split, 1)
    var members = [[Int]](repeating: [], count: classes)
    for index in order { members[Int(labels[Int(ids[Int(index)])])].append(Int(index)) }
    var folds = [Int](repeating: 0, count: ids.count)
    for (turn, index) in members.joined().enumerated() { folds[index] = turn % count }
    return folds
  }
}
