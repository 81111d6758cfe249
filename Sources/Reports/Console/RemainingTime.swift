/// How long a run still takes, judged by how long it took so far.
public struct RemainingTime {
  private var start: (time: Double, fraction: Double)?

  /// Nothing is done yet.
  public init() {}

  /// The seconds that are left at this share of the run (0…1), or nil while nothing can be said.
  ///
  /// A resumed run starts with a share that took no time, so only what was done since the first call counts.
  public mutating func estimate(fraction: Double, at time: Double) -> Double? {
    guard let start else {
      self.start = (time, fraction)
      return nil
    }
    let done = fraction - start.fraction, spent = time - start.time
    guard done > 0, spent > 0 else { return nil }
    return spent / done * (1 - fraction)
  }
}
