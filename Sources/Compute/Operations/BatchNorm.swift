/// The mean and 1 / sqrt(variance + epsilon) of a batch, and the batch norm whose running statistics they move.
public struct BatchStatistics: Hashable, Sendable {
  public let mean: Value, inverse: Value
  /// Offsets of the running mean and variance in `Store.running`.
  public let runningMean: Int, runningVariance: Int
  /// What is added to the variance.
  public let epsilon: Float
  /// Whether they are running ones that training keeps as they are: then they have no gradient.
  public let isConstant: Bool

  /// The statistics of one batch norm.
  public init(
    mean: Value, inverse: Value, runningMean: Int, runningVariance: Int, epsilon: Float = BatchNorm.epsilon,
    isConstant: Bool = false
  ) {
    (self.mean, self.inverse, self.epsilon, self.isConstant) = (mean, inverse, epsilon, isConstant)
    (self.runningMean, self.runningVariance) = (runningMean, runningVariance)
  }

  var read: [Tensor] { [.readFloats("mean", mean), .readFloats("inverse", inverse)] }
  var written: [Tensor] { [.writeFloats("mean", mean), .writeFloats("inverse", inverse)] }

  /// What the kernel that makes statistics of partial sums is told.
  public var arguments: KernelArguments {
    [
      "mean": .value(mean), "inverse": .value(inverse), "running_mean_at": .int(runningMean),
      "running_variance_at": .int(runningVariance), "epsilon": .float(epsilon),
    ]
  }
}

/// The batch statistics of `[M, C]`.
public struct TakeBatchStatistics: OperationBody {
  public var M: Int, C: Int
  public var input: Value, statistics: BatchStatistics

  /// The statistics of a tensor.
  public init(M: Int, C: Int, input: Value, statistics: BatchStatistics) {
    (self.M, self.C, self.input, self.statistics) = (M, C, input, statistics)
  }

  var name: String { "batch statistics" }
  var tensors: [Tensor] { [.read("input", input)] + statistics.written }
  var scalars: KernelArguments { ["M": .int(M), "C": .int(C)] }
  var cost: TensorOperation.Cost { .floats(M * C, operations: 3 * M * C) }
  var shapeText: String { "\(M)×\(C)" }
}

/// The running statistics in the place of the batch's.
public struct TakeRunningStatistics: OperationBody {
  public var C: Int, statistics: BatchStatistics

  /// The statistics of C channels.
  public init(C: Int, statistics: BatchStatistics) { (self.C, self.statistics) = (C, statistics) }

  var name: String { "inference statistics" }
  var tensors: [Tensor] { statistics.written }
  var scalars: KernelArguments {
    ["n": .int(Parameter.padded(C))].merging(statistics.arguments) { own, _ in own }
  }
  var cost: TensorOperation.Cost { .floats(4 * C, operations: 2 * C) }
  var shapeText: String { "\(C)" }
}

/// output = gamma · (input − mean) · inverse + beta [+ residual] [max 0, min limit], over `[M, C]`.
public struct Normalize: OperationBody {
  public var M: Int, C: Int
  public var input: Value, statistics: BatchStatistics
  /// Offsets in `Store.parameters`.
  public var gammaAt: Int, betaAt: Int
  /// What is added before the ReLU, if anything; and the result.
  public var residual: Value?, output: Value
  /// Whether a ReLU follows, and what it gives at most.
  public var rectify: Bool, limit: Float

  /// A batch norm with what follows it.
  public init(
    M: Int, C: Int, input: Value, statistics: BatchStatistics, gammaAt: Int, betaAt: Int, residual: Value?,
    rectify: Bool, limit: Float = .infinity, output: Value
  ) {
    (self.M, self.C, self.input, self.statistics, self.gammaAt, self.betaAt) = (
      M, C, input, statistics, gammaAt, betaAt
    )
    (self.residual, self.rectify, self.limit, self.output) = (residual, rectify, limit, output)
  }

  var name: String { "normalize" }
  var tensors: [Tensor] {
    [.read("input", input), .read("residual", residual)] + statistics.read + [.write("output", output)]
  }
  var scalars: KernelArguments {
    [
      "M": .int(M), "C": .int(C), "n": .int(M * C), "gamma_at": .int(gammaAt), "beta_at": .int(betaAt),
      "has_residual": .flag(residual != nil), "rectify": .flag(rectify), "limit": .float(limit),
    ]
  }
  var cost: TensorOperation.Cost {
    let passes = residual == nil ? 2 : 3
    return .floats(passes * M * C, operations: (passes + (rectify ? 1 : 0)) * M * C)
  }
  var shapeText: String {
    "\(M)×\(C)" + (residual == nil ? "" : " +add") + (rectify ? rectifierText(limit: limit) : "")
  }
}

/// The gradients of `Normalize` over `[M, C]`.
///
/// With g = doutput, zero where the ReLU was off or at its limit, and x = input − mean: dgamma = Σ g · x · inverse, dbeta = Σ g,
/// dinput = gamma · inverse · (g − mean(g) − x · inverse² · mean(g · x)); gamma · inverse · g where the statistics are constant.
public struct NormalizeBackward: OperationBody {
  public var M: Int, C: Int
  public var doutput: Value, output: Value, input: Value, statistics: BatchStatistics
  /// Offsets in `Store.parameters` and `Store.gradients`.
  public var gammaAt: Int, betaAt: Int
  /// Whether a ReLU followed, and what it gives at most; whether dgamma and dbeta are added to what is there.
  public var rectify: Bool, limit: Float, accumulate: Bool
  /// dresidual is g, where there was a residual; it may be `doutput` itself.
  public var dinput: Value, dresidual: Value?

  /// The gradients of one batch norm.
  public init(
    M: Int, C: Int, doutput: Value, output: Value, input: Value, statistics: BatchStatistics, gammaAt: Int,
    betaAt: Int, rectify: Bool, limit: Float = .infinity, dinput: Value, dresidual: Value?, accumulate: Bool
  ) {
    (self.M, self.C, self.doutput, self.output, self.input) = (M, C, doutput, output, input)
    (self.statistics, self.gammaAt, self.betaAt) = (statistics, gammaAt, betaAt)
    (self.rectify, self.limit) = (rectify, limit)
    (self.dinput, self.dresidual, self.accumulate) = (dinput, dresidual, accumulate)
  }

  var name: String { "normalize backward" }
  var tensors: [Tensor] {
    [.read("doutput", doutput), .read("output", output), .read("input", input)] + statistics.read
      + [.write("dinput", dinput), .write("dresidual", dresidual)]
  }
  var scalars: KernelArguments {
    [
      "M": .int(M), "C": .int(C), "n": .int(M * C), "gamma_at": .int(gammaAt), "beta_at": .int(betaAt),
      "has_residual": .flag(dresidual != nil), "rectify": .flag(rectify), "limit": .float(limit),
      "accumulate": .flag(accumulate), "is_constant": .flag(statistics.isConstant),
    ]
  }
  /// Two passes read doutput, input and (for the ReLU) output; the second writes.
  var cost: TensorOperation.Cost {
    .floats((2 * (rectify ? 3 : 2) + (dresidual == nil ? 1 : 2)) * M * C, operations: 8 * M * C)
  }
  var shapeText: String {
    "\(M)×\(C)" + (dresidual == nil ? "" : " +add") + (rectify ? rectifierText(limit: limit) : "")
  }
}

/// How tables name a ReLU that follows.
func rectifierText(limit: Float) -> String { limit == .infinity ? " +relu" : " +relu, limit \(limit)" }
