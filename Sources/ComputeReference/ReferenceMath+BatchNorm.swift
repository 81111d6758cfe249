extension ReferenceMath {
  /// The share of a new batch in the running statistics.
  static let momentum: ReferenceNumber = 0.1

  /// Mean and biased variance per channel of input `[M, C]`.
  public static func batchStatistics(
    _ input: [ReferenceNumber], M: Int, C: Int
  ) -> (mean: [ReferenceNumber], variance: [ReferenceNumber]) {
    var mean = [ReferenceNumber].zeros(C), variance = mean
    let count = ReferenceNumber(Double(M))
    for c in 0..<C {
      let column = (0..<M).map { input[$0 * C + c] }
      mean[c] = column.sum / count
      // A variance is the same about any origin near the mean: the mean's own rounding does not reach it.
      let center = mean[c].asExact
      variance[c] = column.map { ($0 - center) * ($0 - center) }.sum / count
    }
    return (mean, variance)
  }

  /// 1 / sqrt(variance + epsilon).
  public static func inverseDeviation(_ variance: [ReferenceNumber], epsilon: Float = 1e-5) -> [ReferenceNumber] {
    variance.map { 1 / ($0 + ReferenceNumber(epsilon)).squareRoot }
  }

  /// Running mean and variance after a batch of M pixels: nine tenths of the old, one tenth of the new.
  ///
  /// The variance that enters is the unbiased one, M / (M − 1) times the batch's; it is 0 for a single pixel, which
  /// PyTorch refuses.
  public static func movedStatistics(
    runningMean: [ReferenceNumber], runningVariance: [ReferenceNumber], mean: [ReferenceNumber],
    variance: [ReferenceNumber], M: Int
  ) -> (mean: [ReferenceNumber], variance: [ReferenceNumber]) {
    let unbiased = ReferenceNumber(M > 1 ? Double(M) / Double(M - 1) : 1)
    return (
      zip(runningMean, mean).map { (1 - momentum) * $0 + momentum * $1 },
      zip(runningVariance, variance).map { (1 - momentum) * $0 + momentum * (unbiased * $1) }
    )
  }

  /// The numbers of a batch norm, per channel: the mean and 1 / sqrt(variance + epsilon) of its input, and what is learned.
  public struct Normalization: Sendable {
    let mean: [ReferenceNumber], inverse: [ReferenceNumber], gamma: [ReferenceNumber], beta: [ReferenceNumber]
    /// Whether mean and inverse are constants, which have no gradient, and not functions of the input.
    let isConstant: Bool

    /// A batch norm; `beta` has no gradient of its input to give.
    public init(
      mean: [ReferenceNumber], inverse: [ReferenceNumber], gamma: [ReferenceNumber], beta: [ReferenceNumber] = [],
      isConstant: Bool = false
    ) {
      (self.mean, self.inverse, self.gamma, self.beta) = (mean, inverse, gamma, beta)
      self.isConstant = isConstant
    }

    /// Channels.
    var C: Int { mean.count }
  }

  /// gamma · (input − mean) · inverse + beta [+ residual] [max 0, min limit], over `[M, C]`.
  public static func normalize(
    _ input: [ReferenceNumber], by norm: Normalization, residual: [ReferenceNumber]? = nil, rectify: Bool = false,
    limit: Float = .infinity
  ) -> [ReferenceNumber] {
    input.indices.map { i in
      let c = i % norm.C
      // As a sum of terms: devices may take the mean into the shift, as PyTorch does, and round at its size.
      let scale = norm.gamma[c] * norm.inverse[c]
      var value = scale * input[i]
      value.add(-(scale * norm.mean[c]))
      value.add(norm.beta[c])
      if let residual { value.add(residual[i]) }
      return rectify ? value.rectified.limited(to: limit) : value
    }
  }

  /// Gradients of `normalize`, whose mean and inverse are functions of the input unless they are constant.
  ///
  /// With g = doutput, zero where the ReLU was off or at its limit, and x̂ = (input − mean) · inverse:
  /// dgamma = Σ g · x̂, dbeta = Σ g, dinput = gamma · inverse · (g − dbeta / M − x̂ · dgamma / M), and g itself for a
  /// residual.
  ///
  /// - Source: Ioffe & Szegedy, 2015, arXiv:1502.03167, § 3.
  public static func normalizeBackward(
    _ doutput: [ReferenceNumber], output: [ReferenceNumber], input: [ReferenceNumber], by norm: Normalization,
    rectify: Bool, limit: Float = .infinity
  ) -> (dinput: [ReferenceNumber], dresidual: [ReferenceNumber], dgamma: [ReferenceNumber], dbeta: [ReferenceNumber]) {
    let passed = rectify ? rectifyBackward(doutput, output: output, limit: limit) : doutput
    let (mean, inverse, gamma, C) = (norm.mean, norm.inverse, norm.gamma, norm.C), M = input.count / C
    var dinput = [ReferenceNumber].zeros(M * C)
    var dgamma = [ReferenceNumber].zeros(C), dbeta = dgamma
    let count = ReferenceNumber(Double(M))
    for c in 0..<C {
      for m in 0..<M {
        let normalized = (input[m * C + c] - mean[c]) * inverse[c]
        dgamma[c].add(passed[m * C + c] * normalized)
        dbeta[c].add(passed[m * C + c])
      }
      for m in 0..<M {
        let normalized = (input[m * C + c] - mean[c]) * inverse[c]
        let centered =
          norm.isConstant
          ? passed[m * C + c] : passed[m * C + c] - dbeta[c] / count - normalized * (dgamma[c] / count)
        dinput[m * C + c] = gamma[c] * inverse[c] * centered
      }
    }
    return (dinput, passed, dgamma, dbeta)
  }

  /// The first half of `normalizeBackward`, from g, the gradient behind the ReLU: dgamma, dbeta, and per channel the
  /// mean of g and the mean of g · (input − mean) times inverse squared, or zeros where statistics are constant.
  public static func normalizeBackwardSums(
    _ passed: [ReferenceNumber], input: [ReferenceNumber], by norm: Normalization
  ) -> (means: [ReferenceNumber], slopes: [ReferenceNumber], dgamma: [ReferenceNumber], dbeta: [ReferenceNumber]) {
    let (mean, inverse, C) = (norm.mean, norm.inverse, norm.C), M = input.count / C
    var products = [ReferenceNumber].zeros(C), dbeta = products
    for m in 0..<M {
      for c in 0..<C {
        products[c].add(passed[m * C + c] * (input[m * C + c] - mean[c]))
        dbeta[c].add(passed[m * C + c])
      }
    }
    let share: ReferenceNumber = norm.isConstant ? 0 : 1 / ReferenceNumber(Double(M))
    return (
      dbeta.map { $0 * share }, zip(products, inverse).map { $0 * $1 * $1 * share },
      zip(products, inverse).map { $0 * $1 }, dbeta
    )
  }

  /// The second half: gamma · inverse · (g − means − (input − mean) · slopes), the gradient of batch norm's input.
  public static func normalizeBackwardApply(
    _ passed: [ReferenceNumber], input: [ReferenceNumber], by norm: Normalization, means: [ReferenceNumber],
    slopes: [ReferenceNumber]
  ) -> [ReferenceNumber] {
    input.indices.map { i in
      let c = i % norm.C
      // As a sum of terms: devices may gather what is constant in a channel, and round at its size.
      let scale = norm.gamma[c] * norm.inverse[c]
      var value = scale * passed[i]
      value.add(-(scale * slopes[c] * input[i]))
      value.add(scale * slopes[c] * norm.mean[c])
      value.add(-(scale * means[c]))
      return value
    }
  }
}
