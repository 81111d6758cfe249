import Detection
import Testing

@Suite("The cut-off by threshold samples")
struct MarginCutoffTests {
  /// Divided by 10, since 0.1 is not a binary number.
  private static let tenths = (0..<200).map { Double($0) / 10 }

  @Test("flags a sample when more than one per cent of the threshold samples are greater")
  func percentile() {
    let cutoff = MarginCutoff(thresholds: Self.tenths.reversed(), percentile: 99)
    // Two of 200 are exactly one per cent.
    #expect(cutoff.greaterCount(than: 19.70) == 2 && !cutoff.flags(19.70))
    #expect(cutoff.greaterCount(than: 19.65) == 3 && cutoff.flags(19.65))
    #expect(cutoff.area == 19.7)
  }

  @Test("flags with 4,500 threshold samples when at least 46 are greater")
  func paper() {
    let cutoff = MarginCutoff(thresholds: (0..<4500).map { Double($0) }, percentile: 99)
    #expect(!cutoff.flags(4454) && cutoff.flags(4453.5))
  }

  @Test("gives a score that is below 0.99 exactly where it flags", arguments: [7, 99, 100, 101, 200, 450, 4500])
  func score(count: Int) {
    let cutoff = MarginCutoff(thresholds: (0..<count).map { Double($0) / 8 }, percentile: 99)
    for area in stride(from: -1.0, through: Double(count) / 8 + 1, by: 1.0 / 16) {
      #expect((cutoff.score(area) < 0.99) == cutoff.flags(area), "\(area)")
    }
  }

  @Test("leaves out threshold samples that are not a number, and flags nothing without any")
  func empty() {
    #expect(MarginCutoff(thresholds: [.nan, 1, 2], percentile: 50).thresholds == [1, 2])
    let none = MarginCutoff(thresholds: [], percentile: 99)
    #expect(!none.flags(-100) && none.score(-100) == 1 && none.area == nil)
  }

  @Test("of several passes combines as the authors' code does: ceil(1 - flagged / scored) keeps a sample")
  func combination() {
    for first in [nil, false, true] as [Bool?] {
      for second in [nil, false, true] as [Bool?] {
        let given = [first, second].compactMap { $0 }
        guard !given.isEmpty else { continue }
        let keeps = (1 - Double(given.count { $0 }) / Double(given.count)).rounded(.up) == 1
        #expect(PassCombination.intersection.verdict([first, second]) == !keeps)
        #expect(PassCombination.union.verdict([first, second]) == given.contains(true))
        #expect(PassCombination.single.verdict([first, second]) == given[0])
      }
    }
    #expect(!PassCombination.intersection.verdict([nil, nil]))
    #expect(PassCombination.intersection.score([0.2, 1]) == 1)
    #expect(PassCombination.union.score([0.2, 1]) == 0.2)
    #expect(PassCombination.single.score([nil, 1]) == 1)
    #expect(PassCombination.union.score([nil, nil]) == nil)
  }
}

@Suite("Threshold samples")
struct ThresholdSamplesTests {
  @Test("of two passes are disjoint, and come from the samples that may be drawn")
  func sets() {
    let ids = (0..<1000).filter { $0 % 7 != 3 }.map { Int32($0) }
    let count = ThresholdSamples.defaultCount(samples: ids.count, classes: 10)
    let drawn = ThresholdSamples(of: ids, count: count, passes: 2, seed: 5)
    #expect(count == 85 && drawn.passes.map(\.count) == [85, 85])
    #expect(Set(drawn.passes[0]).isDisjoint(with: drawn.passes[1]))
    #expect(Set(drawn.passes[0] + drawn.passes[1]).isSubset(of: ids))
    #expect(drawn == ThresholdSamples(of: ids, count: count, passes: 2, seed: 5))
    #expect(drawn != ThresholdSamples(of: ids, count: count, passes: 2, seed: 6))
    // 170 of 857 drawn evenly: the mean id is near the middle.
    let sum = drawn.passes.joined().reduce(0) { $0 + Int($1) }, mean = Double(sum) / 170
    #expect(abs(mean - 500) < 80)
  }

  @Test("are 4,500 of CIFAR-10's 45,000 and 450 of CIFAR-100's")
  func counts() {
    #expect(ThresholdSamples.defaultCount(samples: 45_000, classes: 10) == 4500)
    #expect(ThresholdSamples.defaultCount(samples: 45_000, classes: 100) == 450)
  }

  @Test("and folds: every class is spread evenly, and so are the folds")
  func folds() {
    let ids = (0..<103).map { Int32($0) }, labels = ids.map { $0 * $0 % 7 }
    let folds = StratifiedFolds.folds(of: ids, labels: labels, classes: 7, count: 4, seed: 1)
    for label in 0..<Int32(7) {
      let sizes = (0..<4).map { fold in ids.indices.count { folds[$0] == fold && labels[$0] == label } }
      #expect(sizes.max()! - sizes.min()! <= 1, "class \(label)")
    }
    let sizes = (0..<4).map { fold in folds.count { $0 == fold } }
    #expect(sizes.sorted() == [25, 26, 26, 26])
    #expect(folds != StratifiedFolds.folds(of: ids, labels: labels, classes: 7, count: 4, seed: 2))
  }
}
