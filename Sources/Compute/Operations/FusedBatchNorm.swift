/// What convolutions say of the batch norms beside them, and the halves of batch norm's gradient.
///
/// In a network of convolutions, batch norms and ReLUs, most of the memory traffic is batch norm's. A convolution can
/// normalise what it reads while it reads it, and take the sums that batch norm's gradient needs of what it writes while
/// it writes it; the tensors in between need not exist.

/// gamma · (input − mean) · inverse + beta [+ residual] [max 0]: computed by the operation that reads it.
public struct NormalizedInput: Hashable, Sendable {
  /// What batch norm normalises.
  public let input: Value
  /// Of the input.
  public let statistics: BatchStatistics
  /// Offsets in `Store.parameters`.
  public let gammaAt: Int, betaAt: Int
  /// What is added, if anything.
  public let residual: Value?
  /// Whether a ReLU follows.
  public let rectify: Bool
  /// The result, where it is (to be) kept for other readers; nil where everyone computes it again.
  public var output: Value?

  /// A batch norm with what follows it.
  public init(
    input: Value, statistics: BatchStatistics, gammaAt: Int, betaAt: Int, residual: Value?, rectify: Bool,
    output: Value?
  ) {
    precondition(residual == nil || !rectify || output != nil, "a mask that needs the residual is read, not computed")
    (self.input, self.statistics, self.gammaAt, self.betaAt) = (input, statistics, gammaAt, betaAt)
    (self.residual, self.rectify, self.output) = (residual, rectify, output)
  }

  init(_ normalize: Normalize) {
    self.init(
      input: normalize.input, statistics: normalize.statistics, gammaAt: normalize.gammaAt, betaAt: normalize.betaAt,
      residual: normalize.residual, rectify: normalize.rectify, output: normalize.output)
  }

  /// The batch norm whose gradient is taken, in a form that computes its result again where it can.
  init(_ backward: NormalizeBackward) {
    // Only whether there was a residual matters here: where there was, the mask is read.
    self.init(
      input: backward.input, statistics: backward.statistics, gammaAt: backward.gammaAt, betaAt: backward.betaAt,
      residual: backward.dresidual, rectify: backward.rectify, output: backward.output)
    self = recomputed
  }

  /// The same, in a form that computes the result again where it can.
  var recomputed: NormalizedInput {
    var layer = self
    if residual == nil { layer.output = nil }
    return layer
  }
}

/// gamma · (x − mean) · inverse + beta [+ residual] [max 0, min limit], of a convolution's sums x before they are written:
/// batch norm with running statistics.
public struct NormalizedOutput: Hashable, Sendable {
  /// The running statistics.
  public let statistics: BatchStatistics
  /// Offsets in `Store.parameters`.
  public let gammaAt: Int, betaAt: Int
  /// What is added, if anything.
  public let residual: Value?
  /// Whether a ReLU follows, and what it gives at most.
  public let rectify: Bool, limit: Float

  init(_ normalize: Normalize) {
    (statistics, gammaAt, betaAt) = (normalize.statistics, normalize.gammaAt, normalize.betaAt)
    (residual, rectify, limit) = (normalize.residual, normalize.rectify, normalize.limit)
  }

  static func tensors(_ layer: Self?) -> [Tensor] {
    [
      .readFloats("mean", layer?.statistics.mean), .readFloats("inverse", layer?.statistics.inverse),
      .read("addend", layer?.residual),
    ]
  }

  static func scalars(_ layer: Self?) -> KernelArguments {
    [
      "finished": .flag(layer != nil), "gamma_at": .int(layer?.gammaAt ?? 0), "beta_at": .int(layer?.betaAt ?? 0),
      "has_addend": .flag(layer?.residual != nil), "rectify": .flag(layer?.rectify ?? false),
      "limit": .float(layer?.limit ?? .infinity),
    ]
  }

  static func text(_ layer: Self?) -> String {
    guard let layer else { return "" }
    return " +normalize" + (layer.residual == nil ? "" : " +add")
      + (layer.rectify ? rectifierText(limit: layer.limit) : "")
  }
}

/// The gradient of batch norm's input: gamma · inverse · (g − sums[0] − (input − mean) · sums[1]).
public struct NormalizedGradient: Hashable, Sendable {
  /// g: the gradient behind the ReLU.
  public let gradient: Value
  /// What batch norm normalised.
  public let input: Value
  /// Of the input.
  public let statistics: BatchStatistics
  /// Offset in `Store.parameters`.
  public let gammaAt: Int
  /// `[2][C padded to 16]`: the mean of g, and the mean of g · (input − mean) times inverse squared.
  public let sums: Value
  /// Where the result is written, for the gradient of the weights.
  public let output: Value

  /// The second half of batch norm's gradient.
  public init(
    gradient: Value, input: Value, statistics: BatchStatistics, gammaAt: Int, sums: Value, output: Value
  ) {
    (self.gradient, self.input, self.statistics) = (gradient, input, statistics)
    (self.gammaAt, self.sums, self.output) = (gammaAt, sums, output)
  }

  var reads: [Value] { [gradient, input, statistics.mean, statistics.inverse, sums] }
}

/// The batch norm whose result a convolution read: its ReLU masks the convolution's dinput, and its sums are taken.
public struct NormalizedBelow: Hashable, Sendable {
  /// Its result, in the form in which the ReLU's mask is read or computed again.
  public let layer: NormalizedInput
  /// As `NormalizedGradient.sums`.
  public let sums: Value
  /// Whether dgamma and dbeta are added to what is there.
  public let accumulate: Bool

  /// The batch norm below.
  public init(layer: NormalizedInput, sums: Value, accumulate: Bool) {
    (self.layer, self.sums, self.accumulate) = (layer, sums, accumulate)
  }

  /// What the kernel that makes sums, dgamma and dbeta of partial sums is told.
  public var arguments: KernelArguments {
    [
      "inverse": .value(layer.statistics.inverse), "means": .value(sums), "gamma_at": .int(layer.gammaAt),
      "beta_at": .int(layer.betaAt), "accumulate": .flag(accumulate),
      "is_constant": .flag(layer.statistics.isConstant),
    ]
  }
}

/// The first half of `NormalizeBackward`: g = doutput, zero where the ReLU was off; dgamma, dbeta, and what the second
/// half needs.
public struct NormalizeBackwardSums: OperationBody {
  public var M: Int, C: Int
  /// g is written to `gradient`, which may be `doutput` itself.
  public var doutput: Value, gradient: Value
  /// The batch norm, and where its sums go.
  public var below: NormalizedBelow

  /// The first half of a gradient.
  public init(M: Int, C: Int, doutput: Value, gradient: Value, below: NormalizedBelow) {
    (self.M, self.C, self.doutput, self.gradient, self.below) = (M, C, doutput, gradient, below)
  }

  var name: String { "normalize backward sums" }
  var isFused: Bool { true }
  var tensors: [Tensor] {
    let layer = below.layer
    return [.read("doutput", doutput), .read("input", layer.input)] + layer.statistics.read
      + [.read("output", layer.output), .write("gradient", gradient), .writeFloats("means", below.sums)]
  }
  var scalars: KernelArguments {
    [
      "M": .int(M), "C": .int(C), "gamma_at": .int(below.layer.gammaAt), "beta_at": .int(below.layer.betaAt),
      "has_output": .flag(below.layer.output != nil), "rectify": .flag(below.layer.rectify),
      "accumulate": .flag(below.accumulate), "is_constant": .flag(below.layer.statistics.isConstant),
    ]
  }
  var cost: TensorOperation.Cost {
    .floats((below.layer.output == nil ? 3 : 4) * M * C, operations: 4 * M * C)
  }
  var shapeText: String { "\(M)×\(C)" + (below.layer.rectify ? " +relu" : "") }
}

/// The second half of `NormalizeBackward`: the gradient of batch norm's input.
public struct NormalizeBackwardApply: OperationBody {
  public var M: Int, C: Int
  /// The batch norm, and what it reads and writes.
  public var gradient: NormalizedGradient

  /// The second half of a gradient.
  public init(M: Int, C: Int, gradient: NormalizedGradient) { (self.M, self.C, self.gradient) = (M, C, gradient) }

  var name: String { "normalize backward apply" }
  var isFused: Bool { true }
  var tensors: [Tensor] {
    [.read("doutput", gradient.gradient), .read("output", nil), .read("input", gradient.input)]
      + gradient.statistics.read + [.readFloats("means", gradient.sums), .write("dinput", gradient.output)]
      + [.write("dresidual", nil)]
  }
  var scalars: KernelArguments {
    [
      "M": .int(M), "C": .int(C), "n": .int(M * C), "gamma_at": .int(gradient.gammaAt), "has_residual": .flag(false),
      "rectify": .flag(false), "limit": .float(.infinity),
    ]
  }
  var cost: TensorOperation.Cost { .floats(3 * M * C, operations: 5 * M * C) }
  var shapeText: String { "\(M)×\(C)" }
}
