/// The learning rate of each epoch.
public struct LearningRate: Sendable, Equatable {
  /// That of the first epoch.
  public var base: Double
  /// How it changes.
  public var schedule: Schedule
  /// Epochs at which `Schedule.step` multiplies it by gamma.
  public var milestones: [Int]
  /// The factor at each milestone.
  public var gamma: Double
  /// Epochs in all: where `Schedule.cosine` ends.
  public var epochs: Int
  /// Epochs of warm-up, W: epoch e < W has (e + 1) / (W + 1) of what the schedule says.
  public var warmup = 0

  /// A rate over `epochs` epochs.
  public init(_ base: Double, _ schedule: Schedule, milestones: [Int] = [], gamma: Double = 0.1, epochs: Int) {
    (self.base, self.schedule, self.milestones, self.gamma, self.epochs) = (base, schedule, milestones, gamma, epochs)
  }

  /// The rate of an epoch, from 0.
  public func callAsFunction(_ epoch: Int) -> Double {
    let rate = schedule.rate(base, epoch: epoch, epochs: epochs, milestones: milestones, gamma: gamma)
    return epoch < warmup ? rate * Double(epoch + 1) / Double(warmup + 1) : rate
  }
}
