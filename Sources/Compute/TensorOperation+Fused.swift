/// What fused operations say of the batch norms beside a convolution.
///
/// In a network of convolutions, batch norms and ReLUs, most of the memory traffic is batch norm's. A convolution can
/// normalise what it reads while it reads it, and take the sums that batch norm's gradient needs of what it writes while
/// it writes it; the tensors in between need not exist.

extension TensorOperation {
  /// Whether `StepProgram.fused` makes the operation of others: only where the device supports it.
  public var isFused: Bool {
    switch self {
    case .normalizeBackwardSums, .normalizeBackwardApply, .convolveNormalized, .convolveBackwardDataNormalized,
      .convolveBackwardWeightsNormalized:
      true
    default: false
    }
  }
}

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

  var activations: [Value] { [input] + [residual, output].compactMap { $0 } }

  /// What is read to compute the result; or, in the backward pass, to find where the ReLU was on.
  func reads(mask: Bool) -> [Value] {
    let other = mask ? output : residual
    return [input, statistics.mean, statistics.inverse] + (other.map { [$0] } ?? [])
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

  var activations: [Value] { [gradient, input, output] }
  var reads: [Value] { [gradient, input, statistics.mean, statistics.inverse, sums] }
}

/// The gradient that a convolution's backward pass takes: a value, or the batch norm's above it.
public enum ConvolutionGradient: Hashable, Sendable {
  case value(Value)
  case normalized(NormalizedGradient)
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
}
