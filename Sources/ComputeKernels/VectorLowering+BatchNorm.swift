import Compute

/// Batch norm.
extension VectorLowering {
  func combine(
    _ statistics: BatchStatistics, partials: Store = .workspace, C: Int, pieces: Int, perImage: Int, rows: Int, H: Int,
    Q: Int
  ) -> KernelLaunch {
    KernelLaunch(
      "batchnorm_combine",
      [
        "partials": .store(partials), "running": .store(.running), "mean": .value(statistics.mean),
        "inverse": .value(statistics.inverse), "running_mean_at": .int(statistics.runningMean),
        "running_variance_at": .int(statistics.runningVariance), "C": .int(C), "pieces": .int(pieces),
        "per_image": .int(perImage), "rows": .int(rows), "H": .int(H), "Q": .int(Q),
      ], global: [quotient(C, Parameter.lanes)])
  }

  func batchStatistics(_ input: Value, _ M: Int, _ C: Int, _ statistics: BatchStatistics) -> [KernelLaunch] {
    let pieces = quotient(M, Self.rows)
    return [
      KernelLaunch(
        "batchnorm_statistics",
        [
          "input": .value(input), "partials": .store(.workspace), "M": .int(M), "C": .int(C),
          "rows": .int(Self.rows),
        ], global: [pieces]),
      combine(statistics, C: C, pieces: pieces, perImage: pieces, rows: Self.rows, H: M, Q: 1),
    ]
  }

  func inferenceStatistics(_ C: Int, _ statistics: BatchStatistics) -> KernelLaunch {
    KernelLaunch(
      "batchnorm_inference",
      [
        "running": .store(.running), "mean": .value(statistics.mean), "inverse": .value(statistics.inverse),
        "running_mean_at": .int(statistics.runningMean), "running_variance_at": .int(statistics.runningVariance),
      ], global: [Parameter.padded(C)])
  }

  func normalizeBackward(
    _ doutput: Value, _ output: Value, _ input: Value, _ statistics: BatchStatistics, _ gammaAt: Int, _ betaAt: Int,
    _ dresidual: Value?, _ rectify: Bool, _ dinput: Value, _ M: Int, _ C: Int, _ accumulate: Bool
  ) -> [KernelLaunch] {
    let pieces = quotient(M, Self.rows)
    return [
      KernelLaunch(
        "batchnorm_backward_sums",
        [
          "doutput": .value(doutput), "output": .value(output), "input": .value(input),
          "mean": .value(statistics.mean), "partials": .store(.workspace), "M": .int(M), "C": .int(C),
          "rows": .int(Self.rows), "rectify": .flag(rectify),
        ], global: [pieces]),
      combineBackward(
        statistics, gammaAt, betaAt, sums: .store(.vectors), partials: .workspace, M: M, C: C, pieces: pieces,
        accumulate: accumulate),
      KernelLaunch(
        "batchnorm_backward_apply",
        [
          "doutput": .value(doutput), "output": .value(output), "input": .value(input),
          "mean": .value(statistics.mean), "inverse": .value(statistics.inverse), "parameters": .store(.parameters),
          "means": .store(.vectors), "dinput": .value(dinput), "dresidual": .value(dresidual),
          "gamma_at": .int(gammaAt),
          "M": .int(M), "C": .int(C), "rows": .int(Self.rows), "has_residual": .flag(dresidual != nil),
          "rectify": .flag(rectify),
        ], global: [pieces]),
    ]
  }

  func combineBackward(
    _ layer: NormalizedInput, sums: KernelLaunch.Argument, partials: Store, M: Int, C: Int, pieces: Int,
    accumulate: Bool
  ) -> KernelLaunch {
    combineBackward(
      layer.statistics, layer.gammaAt, layer.betaAt, sums: sums, partials: partials, M: M, C: C, pieces: pieces,
      accumulate: accumulate)
  }

  private func combineBackward(
    _ statistics: BatchStatistics, _ gammaAt: Int, _ betaAt: Int, sums: KernelLaunch.Argument, partials: Store, M: Int,
    C: Int, pieces: Int, accumulate: Bool
  ) -> KernelLaunch {
    KernelLaunch(
      "batchnorm_backward_combine",
      [
        "partials": .store(partials), "inverse": .value(statistics.inverse), "gradients": .store(.gradients),
        "means": sums, "gamma_at": .int(gammaAt), "beta_at": .int(betaAt), "M": .int(M), "C": .int(C),
        "pieces": .int(pieces), "accumulate": .flag(accumulate),
      ], global: [quotient(C, Parameter.lanes)])
  }

  func normalizeBackwardSums(
    _ doutput: Value, _ layer: NormalizedInput, _ gradient: Value, _ sums: KernelLaunch.Argument, _ M: Int, _ C: Int,
    _ accumulate: Bool
  ) -> [KernelLaunch] {
    let pieces = quotient(M, Self.rows)
    return [
      KernelLaunch(
        "batchnorm_backward_mask_sums",
        [
          "doutput": .value(doutput), "output": .value(layer.output), "input": .value(layer.input),
          "mean": .value(layer.statistics.mean), "inverse": .value(layer.statistics.inverse),
          "parameters": .store(.parameters), "gradient": .value(gradient), "partials": .store(.workspace),
          "gamma_at": .int(layer.gammaAt), "beta_at": .int(layer.betaAt), "M": .int(M), "C": .int(C),
          "rows": .int(Self.rows), "has_output": .flag(layer.output != nil), "rectify": .flag(layer.rectify),
        ], global: [pieces]),
      combineBackward(layer, sums: sums, partials: .workspace, M: M, C: C, pieces: pieces, accumulate: accumulate),
    ]
  }

  func normalizeBackwardApply(_ gradient: NormalizedGradient, _ M: Int, _ C: Int) -> KernelLaunch {
    KernelLaunch(
      "batchnorm_backward_apply",
      [
        "doutput": .value(gradient.gradient), "output": .none, "input": .value(gradient.input),
        "mean": .value(gradient.statistics.mean), "inverse": .value(gradient.statistics.inverse),
        "parameters": .store(.parameters), "means": .value(gradient.sums), "dinput": .value(gradient.output),
        "dresidual": .none, "gamma_at": .int(gradient.gammaAt), "M": .int(M), "C": .int(C), "rows": .int(Self.rows),
        "has_residual": .int(0), "rectify": .int(0),
      ], global: [quotient(M, Self.rows)])
  }
}
