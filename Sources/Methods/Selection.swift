import Datasets

/// How well a method chose the samples to learn from: shares of those that were kept and of those that are right.
struct Selection {
  /// The columns of metrics.csv that `values` gives.
  static let figures = [
    Figure("kept", "share of the samples used for learning"),
    Figure("label_precision", "share of these with a correct label"),
    Figure("label_recall", "share of the samples with a correct label used for learning"),
    Figure("left_out_wrong", "share of the left-out samples with a wrong label"),
  ]

  private var seen = 0, kept = 0, right = 0, keptRight = 0, wrong = 0, keptWrong = 0
  private let truth: [Int32]?, given: [Int32]

  /// Nothing counted yet.
  init(of set: LabelledSet) { (truth, given) = (set.trueLabels, set.labels) }

  /// Counts the samples of an epoch, of which those with a positive entry in `weights` [N] were learned from.
  mutating func add(_ ids: some Sequence<Int32>, weights: [Float]) {
    for id in ids.lazy.map({ Int($0) }) {
      let isKept = weights[id] > 0
      seen += 1
      kept += isKept ? 1 : 0
      // The true labels of some samples may be missing: these are neither right nor wrong.
      guard let truth, truth[id] >= 0 else { continue }
      let isRight = truth[id] == given[id]
      right += isRight ? 1 : 0
      wrong += isRight ? 0 : 1
      keptRight += isKept && isRight ? 1 : 0
      keptWrong += isKept && !isRight ? 1 : 0
    }
  }

  /// The figures; nil where the true labels are not known, or where nothing was kept or left out.
  var values: [Double?] {
    func share(_ part: Int, of whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }
    guard truth != nil else { return [share(kept, of: seen), nil, nil, nil] }
    return [
      share(kept, of: seen), share(keptRight, of: keptRight + keptWrong), share(keptRight, of: right),
      share(wrong - keptWrong, of: wrong - keptWrong + right - keptRight),
    ]
  }
}
