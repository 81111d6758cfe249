/// What people said of labels in an earlier round, as a detection goes by it: what somebody has looked at is trusted, and
/// never listed again.
public struct ReviewedLabels: Sendable {
  /// The right label of each sample that has one, by id: the given one, or another.
  public let labels: [Int: Int]
  /// The samples that are left out.
  public let dropped: Set<Int>
  /// The samples that somebody could not decide about, which are judged as the others are.
  public let undecided: Int
  /// The samples whose label is another one than the given.
  public let changed: Set<Int>
  /// The verdicts themselves.
  public let verdicts: Verdicts

  /// What verdicts say of the samples of a set that have a label.
  public init(_ verdicts: Verdicts, of set: LabelledSet) {
    var labels: [Int: Int] = [:], dropped: Set<Int> = [], changed: Set<Int> = [], undecided = 0
    for (id, verdict) in verdicts.byID where id < set.count && set.labels[id] >= 0 {
      switch verdict.decision {
      case .keep: labels[id] = Int(set.labels[id])
      case .relabel(let label):
        labels[id] = label
        if label != Int(set.labels[id]) { changed.insert(id) }
      case .drop: dropped.insert(id)
      case .unsure: undecided += 1
      }
    }
    (self.labels, self.dropped, self.undecided, self.changed) = (labels, dropped, undecided, changed)
    self.verdicts = verdicts
  }

  /// How many samples somebody has decided about.
  public var count: Int { labels.count + dropped.count }

  /// Whether somebody has decided about a sample.
  public func contains(_ id: Int) -> Bool { labels[id] != nil || dropped.contains(id) }

  /// A set with the labels that people gave; samples that they left out have none.
  public func followed(in set: LabelledSet) -> LabelledSet {
    var set = set
    for (id, label) in labels where set.labels[id] >= 0 { set.labels[id] = Int32(label) }
    for id in dropped { set.labels[id] = LabelledSet.noLabel }
    return set
  }

  /// `12 labels, 8 of them right, 3 changed, 1 left out; 2 undecided`.
  public var summary: String {
    let kept = labels.count - changed.count
    let parts = [(kept, "right"), (changed.count, "changed"), (dropped.count, "left out")].filter { $0.0 > 0 }
      .map { "\($0) \($1)" }.joined(separator: ", ")
    return "\(count) label\(count == 1 ? "" : "s")" + (parts.isEmpty ? "" : ": \(parts)")
      + (undecided > 0 ? "; \(undecided) undecided" : "")
  }

  /// As one verdict is written beside a sample: `keep`, `relabel:NAME` or `drop`; nil where nobody has decided.
  public func word(_ id: Int, classNames: [String]) -> String? {
    if dropped.contains(id) { return "drop" }
    return labels[id].map { changed.contains(id) ? "relabel:\(classNames[$0])" : "keep" }
  }
}
