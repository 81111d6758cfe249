import Compute
import Losses

extension Benchmark {
  /// What a loss costs: softmax, loss, gradient, margin and prediction, which are one kernel.
  public struct LossTime: Sendable {
    /// The loss's name, with its default parameters.
    public var name: String
    /// Milliseconds of the loss's kernels within a step; peer loss has two.
    public var milliseconds: Double
    /// Of a step with the loss that was benchmarked.
    public var share: Double
  }

  /// Times the kernel of every loss of the catalogue.
  ///
  /// - Parameter step: milliseconds of a whole step.
  static func lossTimes<D: Device>(_ settings: Settings, step: Double, on device: D) throws -> [LossTime] {
    try Loss.all.map { loss in
      var plain = settings
      plain.method = nil
      let method = try method(plain, loss: loss, steps: 1, on: device), session = method.members[0]
      try begin(method)
      var seconds = 0.0
      if let plan = session.wholeBatches {
        for (operation, launches) in zip(plan.program.operations, plan.prepared) {
          guard case .loss = operation else { continue }
          seconds += try session.clock.secondsEach(launches, budget: 0.005)
        }
      }
      return LossTime(name: loss.entry.name, milliseconds: seconds * 1000, share: seconds * 1000 / step)
    }
  }
}
