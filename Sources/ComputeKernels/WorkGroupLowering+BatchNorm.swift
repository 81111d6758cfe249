import Compute

extension WorkGroupLowering {
  /// Pixels of one piece of the sums over `[M, C]`: some 512 groups in all, two pixels per work-item at least.
  func pieceRows(_ M: Int, _ C: Int) -> Int {
    let step = group / 4, wanted = quotient(M * quotient(C, Parameter.lanes), 512)
    return max(2, quotient(wanted, step)) * step
  }

  func combine(_ statistics: BatchStatistics, C: Int, _ pieces: Pieces) -> KernelLaunch {
    groups(
      "batchnorm_combine",
      [
        "partials": .store(.workspace), "running": .store(.running), "mean": .value(statistics.mean),
        "inverse": .value(statistics.inverse), "running_mean_at": .int(statistics.runningMean),
        "running_variance_at": .int(statistics.runningVariance), "C": .int(C), "pieces": .int(pieces.count),
        "rows": .int(pieces.rows), "columns": .int(pieces.columns), "H": .int(pieces.H), "W": .int(pieces.W),
      ], [Parameter.padded(C) / 4])
  }

  func batchStatistics(_ input: Value, _ M: Int, _ C: Int, _ statistics: BatchStatistics) -> [KernelLaunch] {
    let rows = pieceRows(M, C), pieces = quotient(M, rows)
    return [
      groups(
        "batchnorm_statistics",
        ["input": .value(input), "partials": .store(.workspace), "M": .int(M), "C": .int(C), "rows": .int(rows)],
        [pieces, quotient(C, Parameter.lanes)]),
      combine(statistics, C: C, Pieces(count: pieces, rows: rows, columns: 1, H: M, W: 1)),
    ]
  }

  func inferenceStatistics(_ C: Int, _ statistics: BatchStatistics) -> KernelLaunch {
    items(
      "batchnorm_inference",
      [
        "running": .store(.running), "mean": .value(statistics.mean), "inverse": .value(statistics.inverse),
        "running_mean_at": .int(statistics.runningMean), "running_variance_at": .int(statistics.runningVariance),
        "n": .int(Parameter.padded(C)),
      ], Parameter.padded(C))
  }

  func normalize(
    _ input: Value, _ statistics: BatchStatistics, _ gammaAt: Int, _ betaAt: Int, _ residual: Value?, _ rectify: Bool,
    _ output: Value, _ M: Int, _ C: Int
  ) -> KernelLaunch {
    quads(
      "batchnorm_normalize",
      [
        "input": .value(input), "residual": .value(residual), "mean": .value(statistics.mean),
        "inverse": .value(statistics.inverse), "parameters": .store(.parameters), "output": .value(output),
        "gamma_at": .int(gammaAt), "beta_at": .int(betaAt), "n": .int(M * C), "C": .int(C),
        "has_residual": .flag(residual != nil), "rectify": .flag(rectify),
      ], M * C)
  }

  func normalizeBackward(
    _ doutput: Value, _ output: Value, _ input: Value, _ statistics: BatchStatistics, _ gammaAt: Int, _ betaAt: Int,
    _ dresidual: Value?, _ rectify: Bool, _ dinput: Value, _ M: Int, _ C: Int, _ accumulate: Bool
  ) -> [KernelLaunch] {
    let rows = pieceRows(M, C), pieces = quotient(M, rows)
    return [
      groups(
        "batchnorm_backward_sums",
        [
          "doutput": .value(doutput), "output": .value(output), "input": .value(input),
          "mean": .value(statistics.mean), "partials": .store(.workspace), "M": .int(M), "C": .int(C),
          "rows": .int(rows), "rectify": .flag(rectify),
        ], [pieces, quotient(C, Parameter.lanes)]),
      combineBackward(
        statistics, gammaAt, betaAt, sums: .store(.vectors), M: M, C: C, pieces: pieces, accumulate: accumulate),
      quads(
        "batchnorm_backward_apply",
        [
          "doutput": .value(doutput), "output": .value(output), "input": .value(input),
          "mean": .value(statistics.mean), "inverse": .value(statistics.inverse), "parameters": .store(.parameters),
          "means": .store(.vectors), "dinput": .value(dinput), "dresidual": .value(dresidual),
          "gamma_at": .int(gammaAt), "n": .int(M * C), "C": .int(C), "has_residual": .flag(dresidual != nil),
          "rectify": .flag(rectify),
        ], M * C),
    ]
  }

  func combineBackward(
    _ statistics: BatchStatistics, _ gammaAt: Int, _ betaAt: Int, sums: KernelLaunch.Argument, M: Int, C: Int,
    pieces: Int, accumulate: Bool
  ) -> KernelLaunch {
    groups(
      "batchnorm_backward_combine",
      [
        "partials": .store(.workspace), "inverse": .value(statistics.inverse), "gradients": .store(.gradients),
        "means": sums, "gamma_at": .int(gammaAt), "beta_at": .int(betaAt), "M": .int(M), "C": .int(C),
        "pieces": .int(pieces), "accumulate": .flag(accumulate),
      ], [Parameter.padded(C) / 4])
  }
}
