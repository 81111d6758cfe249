import Compute

/// 3 × 3 convolutions with the batch norms beside them.
extension WorkGroupLowering {
  /// Whether there are kernels for a fused operation; see `Lowering`.
  public func supports(_ fused: TensorOperation) -> Bool {
    switch fused {
    case .convolveNormalized(let window, _, _, _, _), .convolveBackwardDataNormalized(let window, _, _, _, _, _):
      isFusable(window)
    case .convolveBackwardWeightsNormalized(let window, let layer, _, _, _):
      isFusable(window) && layer.residual == nil
    case .normalizeBackwardSums(_, _, _, _, _, let C, _): C % Parameter.lanes == 0
    case .normalizeBackwardApply: true
    default: false
    }
  }

  /// Whether the window is one of the fused kernels.
  func isFusable(_ window: Window) -> Bool {
    isSliding(window) && window.C % Parameter.lanes == 0 && window.O % Parameter.lanes == 0
  }

  /// What a backward-data convolution is as a forward one.
  func turned(_ window: Window) -> Window {
    Window(B: window.B, H: window.P, W: window.Q, C: window.O, O: window.C, KH: 3, KW: 3, stride: 1, padding: 1)
  }

  /// The pieces into which the kernel that is used for this window cuts its output.
  func fusedTiles(of window: Window) -> Pieces { matrixUnits == nil ? tiles(of: window) : matrixTiles(of: window) }

  // MARK: Forward

  func convolveNormalized(
    _ window: Window, _ layer: NormalizedInput, _ weightsAt: Int, _ output: Value, _ statistics: BatchStatistics?
  ) -> [KernelLaunch] {
    if let matrixUnits { return matrixForward(matrixUnits, window, layer.input, layer, weightsAt, output, statistics) }
    var forward = fused3x3("conv_forward_normalized", window, weightsAt)
    forward.arguments = forwardArguments(window, layer.input, layer, output, statistics) + forward.arguments
    guard let statistics else { return [forward] }
    return [forward, combine(statistics, C: window.O, tiles(of: window))]
  }

  /// The arguments that the kernels have in common, in their order.
  func forwardArguments(
    _ window: Window, _ input: Value, _ layer: NormalizedInput?, _ output: Value, _ statistics: BatchStatistics?
  ) -> [(name: String, value: KernelLaunch.Argument)] {
    [
      ("input", .value(input)), ("residual", .value(layer?.residual)), ("mean", .value(layer?.statistics.mean)),
      ("inverse", .value(layer?.statistics.inverse)), ("parameters", .store(.parameters)),
      ("stored", .value(layer?.output)), ("output", .value(output)),
      ("partials", statistics == nil ? .none : .store(.workspace)), ("gamma_at", .int(layer?.gammaAt ?? 0)),
      ("beta_at", .int(layer?.betaAt ?? 0)), ("H", .int(window.H)), ("W", .int(window.W)), ("C", .int(window.C)),
      ("O", .int(window.O)), ("has_residual", .flag(layer?.residual != nil)),
      ("rectify", .flag(layer?.rectify ?? false)), ("has_stored", .flag(layer?.output != nil)),
      ("has_partials", .flag(statistics != nil)),
    ]
  }

  // MARK: Backward

  func backwardDataNormalized(
    _ window: Window, _ doutput: ConvolutionGradient, _ weightsAt: Int, _ addend: Value?, _ dinput: Value,
    _ below: NormalizedBelow?
  ) -> [KernelLaunch] {
    let turned = turned(window)
    if let matrixUnits {
      return matrixBackward(matrixUnits, turned, doutput, weightsAt, addend, dinput, below)
    }
    var backward = fused3x3("conv_backward_normalized", turned, weightsAt)
    backward.arguments = backwardArguments(turned, doutput, addend, dinput, below) + backward.arguments
    return [backward] + combineBelow(below, turned)
  }

  /// The arguments that the kernels have in common, in their order.
  func backwardArguments(
    _ turned: Window, _ doutput: ConvolutionGradient, _ addend: Value?, _ dinput: Value, _ below: NormalizedBelow?
  ) -> [(name: String, value: KernelLaunch.Argument)] {
    var above: NormalizedGradient?
    let gradient: Value
    switch doutput {
    case .value(let value): gradient = value
    case .normalized(let normalized): (gradient, above) = (normalized.gradient, normalized)
    }
    let layer = below?.layer
    return [
      ("doutput", .value(gradient)), ("input", .value(above?.input)), ("mean", .value(above?.statistics.mean)),
      ("inverse", .value(above?.statistics.inverse)), ("parameters", .store(.parameters)),
      ("sums", .value(above?.sums)), ("stored", .value(above?.output)), ("addend", .value(addend)),
      ("dinput", .value(dinput)), ("below", .value(layer?.input)), ("below_output", .value(layer?.output)),
      ("below_mean", .value(layer?.statistics.mean)), ("below_inverse", .value(layer?.statistics.inverse)),
      ("partials", below == nil ? .none : .store(.workspace)), ("gamma_at", .int(above?.gammaAt ?? 0)),
      ("below_gamma_at", .int(layer?.gammaAt ?? 0)), ("below_beta_at", .int(layer?.betaAt ?? 0)),
      ("H", .int(turned.H)), ("W", .int(turned.W)), ("C", .int(turned.C)), ("O", .int(turned.O)),
      ("normalized", .flag(above != nil)), ("has_addend", .flag(addend != nil)), ("has_below", .flag(below != nil)),
      ("has_below_output", .flag(layer?.output != nil)), ("rectify", .flag(layer?.rectify ?? false)),
    ]
  }

  /// What makes the sums of the batch norm below of those that the tiles left.
  func combineBelow(_ below: NormalizedBelow?, _ turned: Window) -> [KernelLaunch] {
    guard let below else { return [] }
    return [
      combineBackward(
        below.layer, sums: below.sums, M: turned.B * turned.P * turned.Q, C: turned.O,
        pieces: fusedTiles(of: turned).count, accumulate: below.accumulate)
    ]
  }

  /// Floats of workspace of a fused forward or (turned) backward-data convolution.
  func fusedWorkspace(_ window: Window, partials: Bool) -> Int {
    fragmentsAt(window, partials: partials) + (matrixUnits.map { fragmentCount($0, window) } ?? 0)
  }

  /// Where the filters' fragments begin in the workspace: behind the partial sums.
  func fragmentsAt(_ window: Window, partials: Bool) -> Int {
    partials ? fusedTiles(of: window).count * 2 * window.O : 0
  }
}

// MARK: - The halves of batch norm's gradient

extension WorkGroupLowering {
  func normalizeBackwardSums(
    _ doutput: Value, _ layer: NormalizedInput, _ gradient: Value, _ sums: Value, _ M: Int, _ C: Int,
    _ accumulate: Bool
  ) -> [KernelLaunch] {
    let rows = pieceRows(M, C), pieces = quotient(M, rows)
    return [
      groups(
        "batchnorm_backward_mask_sums",
        [
          "doutput": .value(doutput), "output": .value(layer.output), "input": .value(layer.input),
          "mean": .value(layer.statistics.mean), "inverse": .value(layer.statistics.inverse),
          "parameters": .store(.parameters), "gradient": .value(gradient), "partials": .store(.workspace),
          "gamma_at": .int(layer.gammaAt), "beta_at": .int(layer.betaAt), "M": .int(M), "C": .int(C),
          "rows": .int(rows), "has_output": .flag(layer.output != nil), "rectify": .flag(layer.rectify),
        ], [pieces, C / Parameter.lanes]),
      combineBackward(layer, sums: sums, M: M, C: C, pieces: pieces, accumulate: accumulate),
    ]
  }

  func normalizeBackwardApply(_ gradient: NormalizedGradient, _ M: Int, _ C: Int) -> KernelLaunch {
    quads(
      "batchnorm_backward_apply",
      [
        "doutput": .value(gradient.gradient), "output": .none, "input": .value(gradient.input),
        "mean": .value(gradient.statistics.mean), "inverse": .value(gradient.statistics.inverse),
        "parameters": .store(.parameters), "means": .value(gradient.sums), "dinput": .value(gradient.output),
        "dresidual": .none, "gamma_at": .int(gradient.gammaAt), "n": .int(M * C), "C": .int(C),
        "has_residual": .flag(false), "rectify": .flag(false),
      ], M * C)
  }

  private func combineBackward(
    _ layer: NormalizedInput, sums: Value, M: Int, C: Int, pieces: Int, accumulate: Bool
  ) -> KernelLaunch {
    combineBackward(
      layer.statistics, layer.gammaAt, layer.betaAt, sums: .value(sums), M: M, C: C, pieces: pieces,
      accumulate: accumulate)
  }
}
