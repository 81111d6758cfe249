import Compute

/// Takes the time of launches by the host's clock: many in a row, then one wait.
public struct DeviceClock<D: Device> {
  private let device: D
  /// What is read to wait.
  private let buffer: D.Buffer

  /// A clock that waits for all that was enqueued on a device by reading from a buffer.
  public init(_ device: D, waitingOn buffer: D.Buffer) {
    self.device = device
    self.buffer = buffer
  }

  /// Seconds until all is done that `work` enqueues.
  public func seconds(_ work: () throws -> Void) throws -> Double {
    let clock = ContinuousClock(), start = clock.now
    try work()
    _ = try device.read(Int32.self, count: 1, from: buffer)
    return (clock.now - start) / .seconds(1)
  }

  /// Seconds of running `launches` once: repeated until that takes `budget` seconds, the best of three.
  public func secondsEach(_ launches: [D.Prepared], budget: Double) throws -> Double {
    func time(_ count: Int) throws -> Double {
      try seconds { for _ in 0..<count { for launch in launches { try device.enqueue(launch) } } } / Double(count)
    }
    _ = try time(1)
    let count = max(1, min(200, Int(budget / max(try time(1), 1e-7))))
    return max(try (0..<3).map { _ in try time(count) }.min() ?? 0, 1e-9)
  }
}
