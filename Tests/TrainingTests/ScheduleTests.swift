import Testing
import Training

@Suite struct `The learning rate` {
  private func rates(_ schedule: Schedule, _ epochs: [Int], milestones: [Int] = [150, 225]) -> [Double] {
    epochs.map { schedule.rate(0.1, epoch: $0, epochs: 300, milestones: milestones, gamma: 0.1) }
  }

  /// A few roundings of a Double.
  private static let tolerance = 1e-15

  private func expect(_ rates: [Double], _ expected: [Double]) {
    #expect(zip(rates, expected).allSatisfy { abs($0 - $1) < Self.tolerance }, "\(rates)")
  }

  /// As `torch.optim.lr_scheduler.MultiStepLR`: the epoch of a milestone, counted from 0, has the new rate.
  @Test func `falls at each milestone, from that epoch on`() {
    expect(rates(.step, [0, 149, 150, 224, 225, 299]), [0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    expect(rates(.step, [0, 299], milestones: []), [0.1, 0.1])
    expect(rates(.step, [0, 1], milestones: [0]), [0.01, 0.01])
  }

  /// 0.1 (1 + cos(π e / E)) / 2 in angles whose cosines are known.
  @Test func `falls along half a cosine, to nothing behind the last epoch`() {
    expect(rates(.cosine, [0, 100, 150, 200, 300]), [0.1, 0.075, 0.05, 0.025, 0])
    #expect(rates(.cosine, [299])[0] > 0)
  }

  @Test func `stays as it is, whatever the milestones`() {
    #expect(rates(.constant, [0, 150, 299]) == [0.1, 0.1, 0.1])
  }
}
