import Repro
import Statistics
import Testing

@Suite("Verdicts")
struct VerdictTests {
  private func published(
    _ value: Double, _ deviation: Double? = nil, runs: Int? = nil, tag: ReproTable.Published.Tag = .read
  )
    -> ReproTable.Published
  { .init(value: value, deviation: deviation, runs: runs, tag: tag, source: "a table") }

  @Test("of cells: only at full scale, only against values that were read")
  func cells() throws {
    let ours = try #require(MeanInterval([0.80, 0.81, 0.82]))
    #expect(Verdict(ours, published(0.812), at: .full) == .agrees)
    // s = 0.01: 2 √(0.0001 / 3 + 0.0001) + 0.005 = 0.0281
    #expect(Verdict(ours, published(0.838), at: .full) == .agrees)
    #expect(Verdict(ours, published(0.839), at: .full) == .below)
    #expect(Verdict(ours, published(0.781), at: .full) == .above)
    // With the published deviation of five runs: 2 √(0.0001 / 3 + 0.000004 / 5) + 0.005 = 0.0167
    #expect(Verdict(ours, published(0.826, 0.002, runs: 5), at: .full) == .agrees)
    #expect(Verdict(ours, published(0.828, 0.002, runs: 5), at: .full) == .below)
    #expect(Verdict(ours, published(0.812, tag: .memory), at: .full) == .unverified)
    #expect(Verdict(ours, published(0.812, tag: .readSecondHand), at: .full) == .unverified)
    #expect(Verdict(ours, published(0.812), at: .quick) == .scaled)
    #expect(Verdict(ours, published(0.812), at: .percent(50)) == .scaled)
    #expect(Verdict(nil, published(0.812), at: .full) == .none)
    #expect(Verdict(ours, nil, at: .full) == .none)
    let single = MeanInterval([0.80])
    #expect(Verdict(single, published(0.80), at: .full) == .oneRun)
    #expect(Verdict(single, published(0.81, 0.01), at: .full) == .agrees)
  }

  private func judge(_ differences: [Double], margin: Double = 0, expected: Int? = nil) -> ClaimResult {
    let claim = ReproTable.Claim(
      name: "c", says: "", source: "", subject: .above("a", .last, below: "b", .last), measure: "test_acc",
      margin: margin)
    return ClaimResult(claim, differences: differences, expected: expected ?? differences.count)
  }

  @Test("of claims: by the interval of paired differences")
  func claims() {
    #expect(judge([0.05, 0.06, 0.07]).outcome == .holds)
    #expect(judge([0.05, 0.06, 0.07], margin: 0.055).outcome == .holds)
    // The mean lies below the margin, and the interval (0.035 to 0.085) contains it.
    #expect(judge([0.05, 0.06, 0.07], margin: 0.07).outcome == .undecided)
    #expect(judge([0.05, 0.06, 0.07], margin: 0.09).outcome == .fails)
    #expect(judge([-0.05, -0.06, -0.07]).outcome == .fails)
    #expect(judge([-0.05, 0.06, 0.07]).outcome == .undecided)
    // A negative margin: not much worse.
    #expect(judge([-0.005, -0.006, -0.007], margin: -0.02).outcome == .holds)
    #expect(judge([0.2]).outcome == .undecided && judge([0.2]).seedsToDecide == nil)
    #expect(judge([0.2, 0.2], expected: 3).outcome == .notRun)
    #expect(judge([]).outcome == .notRun)
    // Equal differences leave no doubt.
    #expect(judge([0.1, 0.1]).outcome == .holds)
  }

  @Test("say how many seeds would decide")
  func seeds() throws {
    let result = judge([-0.01, 0.02, 0.05])
    #expect(result.outcome == .undecided)
    // Mean 0.02, deviation 0.03: the first n with t(n − 1) 0.03 / √n < 0.02.
    let count = try #require(result.seedsToDecide)
    #expect(count == 12, "t(11) = 2.201: 0.01906 < 0.02; t(10) = 2.228: 0.02015 > 0.02")
    #expect(result.advice == "about 12 seeds would decide")
  }
}
