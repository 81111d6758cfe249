import Compute
import Statistics

/// One operation with small made-up data for everything it reads and writes: what a device and the reference both do.
public struct OperationCase: Sendable {
  /// The operation; its values and offsets are the case's own.
  public let operation: TensorOperation
  /// Shapes and variant, such as `2×32×32×16 → 16, 3×3, statistics`.
  public let shape: String
  /// What lies in each buffer before the operation.
  public let contents: [Operand: Content]
  /// Which floats of an operand are its contract, where the rest is padding that a device may use as it likes.
  let meaningful: [Operand: [Range<Int>]]

  /// Bytes of all buffers together.
  public var byteCount: Int { contents.values.reduce(0) { $0 + $1.byteCount } }

  /// The operation's name and the shape.
  public var name: String { "\(operation.name) \(shape)" }

  init(
    _ operation: TensorOperation, shape: String, contents: [Operand: Content],
    meaningful: [Operand: [Range<Int>]] = [:]
  ) {
    self.operation = operation
    self.shape = shape
    self.contents = contents
    self.meaningful = meaningful
  }

  /// What a buffer holds at first.
  ///
  /// Random numbers depend on the operand alone, and are the same at each call.
  public enum Content: Sendable {
    /// Floats, every one of them not a number: what is only written.
    case nothing(Int)
    /// Floats with a bell-shaped distribution within √12 deviations.
    case normal(Int, mean: Float = 0, deviation: Float = 1)
    /// Floats in 0.5 ..< 2, such as variances.
    case positive(Int)
    /// min(limit, max(0, normal)): the output of a ReLU.
    case rectified(Int, limit: Float = .infinity)
    /// Normal floats, moved where the batch norm that reads them would come near 0, so that no device's rounding can
    /// switch its ReLU.
    case decided(Int, by: NormalizedInput, C: Int)
    /// The floats −2, −1, 0, 1 and 2: many ties.
    case steps(Int)
    /// A flat buffer of `Int` bell-shaped floats, in which the given parameters lie with zero padding.
    case parameters(Int, [Packed])
    case floats([Float])
    case integers([Int32])
    /// Random bytes.
    case bytes(Int)

    /// Bytes of the buffer.
    var byteCount: Int {
      switch self {
      case .nothing(let count), .normal(let count, _, _), .positive(let count), .rectified(let count, _),
        .decided(let count, _, _), .steps(let count), .parameters(let count, _):
        count * 4
      case .floats(let values): values.count * 4
      case .integers(let values): values.count * 4
      case .bytes(let count): count
      }
    }
  }

  /// A parameter in a flat buffer: `outputs` channels, padded to whole vectors, times `inputs`.
  public struct Packed: Sendable {
    let offset: Int, outputs: Int, inputs: Int

    /// Position behind the last element.
    var end: Int { offset + (outputs + 15) / 16 * 16 * inputs }

    /// Whether a position within the flat buffer is padding of this parameter.
    func isPadding(_ position: Int) -> Bool {
      guard (offset..<end).contains(position) else { return false }
      let (block, rest) = (position - offset).quotientAndRemainder(dividingBy: 16 * inputs)
      return block * 16 + rest % 16 >= outputs
    }
  }

  /// The bytes that lie in each buffer before the operation.
  public var inputs: [Operand: [UInt8]] {
    Dictionary(uniqueKeysWithValues: contents.map { ($0, bytes(of: $1, for: $0)) })
  }

  /// Stores in an order that keys their random numbers: add at the end, or the cases change.
  private static let stores: [Store] = [
    .parameters, .gradients, .momenta, .running, .numbers, .counters, .pixels, .labels, .inputStatistics, .order,
    .peerOrder, .peerLabelOrder, .sampleLoss, .samplePrediction, .sampleConfidence, .marginSum, .marginLost,
    .marginCount, .workspace, .vectors, .sampleWeights, .transition, .secondMoments, .anchor, .partners, .factors,
    .pixels2, .pixels3, .pixels4,
    .average,
    .stepped, .norm,
  ]

  private func bytes(of content: Content, for operand: Operand) -> [UInt8] {
    let key: UInt32
    switch operand {
    case .value(let value): key = UInt32(100 + value.index)
    case .store(.column(let name)): key = 1000 + name.utf8.reduce(0) { ($0 &* 33 &+ UInt32($1)) % 1_000_000 }
    case .store(.logits(let number)): key = UInt32(2_000_000 + number)
    case .store(let store): key = UInt32(Self.stores.firstIndex(of: store) ?? 0)
    }
    let random = CounterRandom(seed: 20_220_531)
    /// The sum of four uniform numbers: cheap, and the same bits everywhere.
    func normal(_ i: Int) -> Float {
      let words = random.words(.initialization, key, UInt32(i))
      let uniform = SIMD4<Float>(words &>> 8) * 0x1p-24
      return (uniform.sum() - 2) * Float(3).squareRoot()
    }
    func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
    switch content {
    case .nothing(let count): return bytes([Float](repeating: .nan, count: count))
    case .normal(let count, let mean, let deviation): return bytes((0..<count).map { mean + deviation * normal($0) })
    case .positive(let count):
      return bytes((0..<count).map { 0.5 + 1.5 * random.uniformFloat(.initialization, key, UInt32($0)) })
    case .rectified(let count, let limit): return bytes((0..<count).map { min(limit, max(0, normal($0))) })
    case .decided(let count, let layer, let C):
      return bytes(decided((0..<count).map(normal), by: layer, C: C))
    case .steps(let count):
      return bytes((0..<count).map { Float(random.integer(below: 5, .initialization, key, UInt32($0)) - 2) })
    case .parameters(let count, let packed):
      return bytes((0..<count).map { i in packed.contains { $0.isPadding(i) } ? 0 : normal(i) })
    case .floats(let values): return bytes(values)
    case .integers(let values): return bytes(values)
    case .bytes(let count):
      return (0..<count).map { UInt8(random.integer(below: 256, .initialization, key, UInt32($0))) }
    }
  }
}

extension OperationCase {
  /// Moves what a batch norm would take to within 0.01 of the ReLU's threshold by as much as makes 0.02.
  private func decided(_ input: [Float], by layer: NormalizedInput, C: Int) -> [Float] {
    func floats(_ operand: Operand) -> [Float] {
      guard let content = contents[operand] else { preconditionFailure("\(name) has nothing for \(operand)") }
      return bytes(of: content, for: operand).withUnsafeBytes { raw in
        (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
      }
    }
    let mean = floats(.value(layer.statistics.mean)), inverse = floats(.value(layer.statistics.inverse))
    let parameters = floats(.store(.parameters))
    return input.enumerated().map { i, x in
      let c = i % C, slope = parameters[layer.gammaAt + c] * inverse[c]
      let value = slope * (x - mean[c]) + parameters[layer.betaAt + c]
      return abs(value) > 0.01 ? x : x + (value < 0 ? -0.02 : 0.02) / slope
    }
  }

  /// Floats behind the end of each operand; a kernel that writes there is found out.
  static let margin = 32

  /// An operand that is only written.
  static func written(_ count: Int) -> Content { .nothing(count + margin) }

  /// A value by its position in the case.
  static func value(_ index: Int) -> Value { Value(index: index) }

  static func operand(_ index: Int) -> Operand { .value(Value(index: index)) }

  static func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }
}
