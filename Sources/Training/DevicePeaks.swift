import Compute
import Failures

/// The most that a device was seen to do: the ceilings that `Benchmark` judges operations by.
public struct DevicePeaks: Sendable {
  /// Bytes per second of a copy, what it reads and what it writes counted both.
  public struct Copy: Sendable {
    /// Bytes read and written by one copy.
    public var bytes: Double
    /// Bytes per second.
    public var rate: Double
  }

  /// What bounds an operation.
  public enum Limit: String, Sendable {
    /// Multiplications and additions.
    case compute
    /// Bytes between memory (or the cache that its tensors fit into) and the device.
    case memory
    /// Starting kernels.
    case launch
  }

  /// Multiplications and additions per second, float32, in fused multiply-adds.
  public let operations: Double
  /// The same on matrix units; nil where no kernel uses them.
  public let matrixOperations: Double?
  /// Copies from small, which caches hold, to large, which none does.
  public let copies: [Copy]
  /// Seconds of a launch that does nothing, one of many in a row.
  public let launch: Double

  /// Copies of these many floats are measured; the last is twice 256 MB.
  public static let copyCounts = [1 << 18, 1 << 20, 1 << 22, 1 << 26]

  /// Measures, which takes a second or two; nil for a device without probes.
  ///
  /// - Parameter copyCounts: the floats to copy, ascending; what does not fit into the device's memory is left out.
  public init?<D: Device>(of device: D, copyCounts: [Int] = DevicePeaks.copyCounts) throws {
    let small = try device.allocate(byteCount: 4 * 1024)
    guard try !device.prepare(.emptyLaunch, source: small, target: small).isEmpty else { return nil }
    let clock = DeviceClock(device, waitingOn: small)

    launch = try clock.secondsEach(device.prepare(.emptyLaunch, source: small, target: small), budget: 0.02)

    // Work-items cost something of their own: longer and longer ones, until they take long enough.
    var best = 0.0
    let items = 1 << 17
    let sums = try device.allocate(
      byteCount: 4 * DeviceProbe.multiplyAdd(items: items, rounds: 1).targetCount)
    for rounds in [1, 4, 16, 64, 256] {
      let probe = DeviceProbe.multiplyAdd(items: items, rounds: rounds)
      let seconds = try clock.secondsEach(device.prepare(probe, source: small, target: sums), budget: 0.01)
      best = max(best, probe.cost.operations / seconds)
      if seconds > 0.04 { break }
    }
    operations = best
    matrixOperations = nil

    var copies: [Copy] = []
    for count in copyCounts {
      do {
        let probe = DeviceProbe.copy(count: count)
        let source = try device.allocate(byteCount: 4 * count), target = try device.allocate(byteCount: 4 * count)
        // Memory that was never written may be one page of zeros, over and over.
        for launch in try device.prepare(probe, source: target, target: source) { try device.enqueue(launch) }
        let seconds = try clock.secondsEach(
          device.prepare(probe, source: source, target: target), budget: 0.01)
        copies.append(Copy(bytes: probe.cost.bytes, rate: probe.cost.bytes / seconds))
      } catch let failure as Failure where failure.kind == .outOfMemory {
        continue
      }
    }
    self.copies = copies
  }

  /// Bytes per second of the largest copy: memory's own bandwidth.
  public var memoryRate: Double { copies.last?.rate ?? 0 }

  /// The bandwidth for an operation that touches so many bytes: of copies at least that large, the fastest.
  func rate(forBytes bytes: Double) -> Double {
    copies.filter { $0.bytes >= bytes }.map(\.rate).max() ?? memoryRate
  }

  /// Which ceiling is nearest to work of that cost, done in `launches` launches in `seconds`, and how near: the fraction
  /// of the time that the work would take at that ceiling.
  ///
  /// Above 1 where caches hold what the cost counts as read from memory.
  public func limit(
    of cost: TensorOperation.Cost, launches: Int, seconds: Double
  ) -> (limit: Limit, fraction: Double) {
    let rate = rate(forBytes: cost.bytes)
    let candidates: [(limit: Limit, fraction: Double)] = [
      (.compute, operations > 0 ? cost.operations / operations / seconds : 0),
      (.memory, rate > 0 ? cost.bytes / rate / seconds : 0),
      (.launch, Double(launches) * launch / seconds),
    ]
    return candidates.max { $0.fraction < $1.fraction } ?? (.compute, 0)
  }
}
