import CLayout

/// A measurement of the device itself: what operations are judged by (see `Device.prepare(_:source:target:)`).
///
/// Devices run it by kernels of their own kind, so that it shows what kernels can reach, not what a data sheet says.
public enum DeviceProbe: Hashable, Sendable {
  /// A launch of a few work-items that do next to nothing.
  case emptyLaunch
  /// Fused multiply-adds in registers: `rounds` times `BENCH_MULTIPLY_ADDS` in each of `items` work-items.
  case multiplyAdd(items: Int, rounds: Int)
  /// `target[i] = factor · source[i]` for `count` floats, a multiple of 16.
  case copy(count: Int)

  /// Multiplications and additions, and bytes read and written.
  public var cost: TensorOperation.Cost {
    switch self {
    case .emptyLaunch: TensorOperation.Cost(operations: 0, bytes: 0)
    case .multiplyAdd(let items, let rounds):
      TensorOperation.Cost(operations: 2 * Double(BENCH_MULTIPLY_ADDS) * Double(items) * Double(rounds), bytes: 0)
    case .copy(let count): TensorOperation.Cost(operations: Double(count), bytes: 8 * Double(count))
    }
  }

  /// Floats that the target must hold at least.
  public var targetCount: Int {
    switch self {
    case .emptyLaunch: Self.emptyItems
    case .multiplyAdd(let items, _): 16 * items
    case .copy(let count): count
    }
  }

  /// Work-items of an empty launch: enough that every thread of a processor is woken.
  public static let emptyItems = 256
}
