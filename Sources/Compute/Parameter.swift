import CLayout

/// One learned tensor of a network, or one running statistic, with PyTorch's name and shape.
///
/// Parameters lie side by side in one flat buffer, so that one kernel updates them all; gradients and momenta are
/// buffers of the same layout. Filters are packed `[O/16][KH][KW][I][16]`, linear layers like a 1 × 1 filter, vectors
/// as they are; output channels are padded with zeros to whole vectors of `Parameter.lanes`.
public struct Parameter: Sendable, Equatable {
  /// The width of the vectors that the kernels work with.
  public static let lanes = LANES

  /// How a parameter gets its first values (Pleiss et al., 2020, and PyTorch's defaults).
  public enum Initialization: Sendable, Equatable {
    case constant(Float)
    /// Normal with mean 0 and standard deviation sqrt(2 / (KH · KW · O)).
    case normalFanOut
    /// Uniform in ±bound.
    case uniform(bound: Float)
    /// Normal, cut off at two deviations, so scaled that the variance of what is left is 2 / inputs.
    case truncatedNormal(inputs: Int)

    /// Uniform in ±1/√inputs.
    static func uniformFanIn(_ inputs: Int) -> Self { .uniform(bound: 1 / Float(inputs).squareRoot()) }
  }

  /// The name in a checkpoint, such as `layer1.0.conv1.weight`.
  public let name: String
  /// PyTorch's shape: `[O, I, KH, KW]`, `[N, K]` or `[C]`.
  public let shape: [Int]
  /// Where the first values come from.
  public let initialization: Initialization
  /// Position of the first packed element in the flat buffer.
  public let offset: Int

  /// Number of elements in PyTorch's sense, without padding.
  public var count: Int { shape.reduce(1, *) }

  /// Number of elements in the flat buffer: `count` with the output channels padded.
  public var packedCount: Int { Parameter.padded(shape[0]) * shape.dropFirst().reduce(1, *) }

  /// `channels` rounded up to whole vectors.
  public static func padded(_ channels: Int) -> Int { (channels + lanes - 1) / lanes * lanes }

  /// The packed position of the element with PyTorch's index `o, i, kh, kw`.
  private func packedIndex(_ o: Int, _ i: Int, _ tap: Int) -> Int {
    let inputs = shape.count > 1 ? shape[1] : 1
    let taps = shape.count == 4 ? shape[2] * shape[3] : 1
    return ((o / Parameter.lanes * taps + tap) * inputs + i) * Parameter.lanes + o % Parameter.lanes
  }

  /// PyTorch's order → packed order, padding zero.
  public func pack(_ values: [Float]) -> [Float] {
    precondition(values.count == count, "\(name) is \(shape), got \(values.count) values")
    var packed = [Float](repeating: 0, count: packedCount)
    forEachElement { plain, position in packed[position] = values[plain] }
    return packed
  }

  /// Packed order → PyTorch's order.
  public func unpack(_ packed: ArraySlice<Float>) -> [Float] {
    precondition(packed.count == packedCount, "\(name) takes \(packedCount) packed values, got \(packed.count)")
    var values = [Float](repeating: 0, count: count)
    forEachElement { plain, position in values[plain] = packed[packed.startIndex + position] }
    return values
  }

  private func forEachElement(_ body: (_ plain: Int, _ packed: Int) -> Void) {
    let inputs = shape.count > 1 ? shape[1] : 1
    let taps = shape.count == 4 ? shape[2] * shape[3] : 1
    var plain = 0
    for o in 0..<shape[0] {
      for i in 0..<inputs {
        for tap in 0..<taps {
          body(plain, packedIndex(o, i, tap))
          plain += 1
        }
      }
    }
  }
}

/// A list of parameters in one flat buffer.
public struct ParameterTable: Sendable, Equatable {
  /// The parameters in the order in which the network declares them.
  public private(set) var entries: [Parameter] = []
  /// Number of floats in the flat buffer.
  public private(set) var packedCount = 0

  /// An empty table.
  public init() {}

  /// Number of elements in PyTorch's sense.
  public var count: Int { entries.reduce(0) { $0 + $1.count } }

  /// All parameters in their packed order.
  ///
  /// - Parameter values: those of each parameter, in PyTorch's order.
  public func pack(_ values: [[Float]]) -> [Float] {
    precondition(values.count == entries.count, "\(entries.count) parameters, got \(values.count)")
    var packed = [Float](repeating: 0, count: packedCount)
    for (entry, values) in zip(entries, values) {
      packed.replaceSubrange(entry.offset..<entry.offset + entry.packedCount, with: entry.pack(values))
    }
    return packed
  }

  /// The values of each parameter in PyTorch's order, from all in their packed order.
  public func unpack(_ packed: [Float]) -> [[Float]] {
    entries.map { $0.unpack(packed[$0.offset..<$0.offset + $0.packedCount]) }
  }

  /// Adds a parameter and returns its index.
  mutating func add(_ name: String, shape: [Int], initialization: Parameter.Initialization) -> Int {
    precondition(!entries.contains { $0.name == name }, "\(name) is declared twice")
    let entry = Parameter(name: name, shape: shape, initialization: initialization, offset: packedCount)
    entries.append(entry)
    packedCount += entry.packedCount
    return entries.count - 1
  }

  /// Forgets the last parameters.
  mutating func removeLast(_ count: Int) {
    entries.removeLast(count)
    packedCount = entries.last.map { $0.offset + $0.packedCount } ?? 0
  }
}
