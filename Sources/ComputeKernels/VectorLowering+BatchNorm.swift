import Compute

/// Batch norm.
extension VectorLowering {
  func combine(
    _ statistics: BatchStatistics, C: Int, pieces: Int, perImage: Int, rows: Int, H: Int, Q: Int
  ) -> KernelLaunch {
    KernelLaunch(
      "batchnorm_combine",
      [
        "partials": .store(.workspace), "running": .store(.running), "mean": .value(statistics.mean),
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
      KernelLaunch(
        "batchnorm_backward_combine",
        [
          "partials": .store(.workspace), "inverse": .value(statistics.inverse), "gradients": .store(.gradients),
          "means": .store(.vectors), "gamma_at": .int(gammaAt), "beta_at": .int(betaAt), "M": .int(M), "C": .int(C),
          "pieces": .int(pieces), "accumulate": .flag(accumulate),
        ], global: [quotient(C, Parameter.lanes)]),
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
}
