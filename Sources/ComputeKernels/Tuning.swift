import Compute

/// The launch choices that depend on a device more than on correctness, by kind and by the shape of a convolution.
///
/// What has no entry is launched as always, so the empty tuning is the default.
public struct Tuning: Sendable, Hashable {
  /// What can be chosen for a convolution.
  public enum Choice: String, Sendable, CaseIterable {
    /// Output rows of one work-item of the Winograd kernels: whole tiles; at most as many as are staged.
    case winogradRows = "winograd-rows"
    /// Partial sums of a weight gradient, in the kernels for CPUs: at most one for each image.
    case weightChunks = "weight-chunks"
    /// Work-groups of a weight gradient, in the kernels for GPUs.
    case weightGroups = "weight-groups"
    /// The most work-items of a 3 × 3 convolution's tile, in the portable kernels for GPUs: 64, 128 or 256.
    case tileItems = "tile-items"

    /// The numbers that are worth trying.
    public var candidates: [Int] {
      switch self {
      case .winogradRows: [2, 4, 8, 16]
      case .weightChunks: [2, 4, 8, 16, 32, 64]
      case .weightGroups: [66, 132, 264, 396, 528, 1056]
      case .tileItems: [64, 128, 256]
      }
    }
  }

  /// A choice, and the convolution that it is for.
  public struct Key: Sendable, Hashable, Comparable {
    /// What is chosen.
    public var choice: Choice
    /// The shape of the convolution.
    public var window: Window

    /// A choice for the convolutions of one shape.
    public init(_ choice: Choice, _ window: Window) {
      self.choice = choice
      self.window = window
    }

    /// The order of tables: by choice, then larger images first.
    public static func < (left: Self, right: Self) -> Bool {
      func rank(_ key: Self) -> [Int] {
        let window = key.window
        return [
          Choice.allCases.firstIndex(of: key.choice) ?? 0, -window.H, -window.W, window.C, window.O, window.KH,
          window.KW, window.stride, window.padding, window.B,
        ]
      }
      return rank(left).lexicographicallyPrecedes(rank(right))
    }
  }

  /// The launches as they are without tuning.
  public static let standard = Tuning()

  /// The choices that differ from the standard; numbers outside a choice's range are brought into it.
  public var numbers: [Key: Int]

  /// A tuning; without numbers, the standard one.
  public init(_ numbers: [Key: Int] = [:]) { self.numbers = numbers }

  func number(_ choice: Choice, _ window: Window) -> Int? { numbers.isEmpty ? nil : numbers[Key(choice, window)] }
}
