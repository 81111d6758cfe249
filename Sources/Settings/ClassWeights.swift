import Datasets

/// How much the samples of a class count in the loss: `--class-weights`.
public enum ClassWeights: String, Sendable, CaseIterable {
  /// All alike.
  case none
  /// N / (K · N_c) for the N_c of N samples that have label c of K classes that have any: every class counts the same
  /// in all, and the mean weight is 1, as scikit-learn's `class_weight="balanced"`.
  case balanced

  /// The weight of every sample of a set [N], 0 for those without a label; nil where all count alike.
  public func weights(of set: LabelledSet, classes: Int) -> [Float]? {
    guard self == .balanced else { return nil }
    let counts = set.classCounts(classes), total = counts.reduce(0, +), used = counts.count { $0 > 0 }
    return set.labels.map { label in
      guard counts.indices.contains(Int(label)) else { return 0 }
      return Float(Double(total) / (Double(used) * Double(counts[Int(label)])))
    }
  }
}
