import CLayout
import Compute

/// Convolutions and linear layers.
extension VectorLowering {
  /// Rows of one work-item of conv_forward_3x3, or nil where that kernel does not apply.
  private func rows3x3(_ window: Window) -> Int? {
    guard window.KH == 3, window.KW == 3, window.stride == 1, window.padding == 1, window.left == 1 else { return nil }
    let fitting = Self.scratch / ((window.W + Self.tile + 2) * window.C) - 2
    return fitting >= 1 ? min(8, fitting, window.H) : nil
  }

  /// A 3×3 convolution, `rows` rows at a time.
  private func slide(_ window: Window, rows: Int, _ own: KernelArguments) -> Launch {
    Launch("conv_forward_3x3", global: [ceilDivide(window.H, rows), window.B], own + ["rows": .int(rows)])
  }

  func lower(_ convolve: Convolve) -> Lowered? {
    let window = convolve.window
    if convolve.finished == nil, let wide = Wide(forward: window, panels) { return self.wide(convolve, wide) }
    if convolve.finished == nil, let narrow = narrow(window) { return self.narrow(convolve, narrow) }
    if convolve.normalized == nil, isProduct(window) { return product(convolve) }
    guard convolve.normalized == nil, convolve.finished == nil else { return nil }
    guard let rows = rows3x3(window) else { return gather(convolve) }
    guard let statistics = convolve.statistics else {
      return Lowered([slide(window, rows: rows, ["partials": .noBuffer])])
    }
    let perImage = ceilDivide(window.P, rows), count = window.B * perImage
    let pieces = Pieces(count: count, perImage: perImage, rows: rows, H: window.P, Q: window.Q)
    return Lowered(
      [slide(window, rows: rows, ["partials": .store(.workspace)]), combine(statistics, C: window.O, pieces)],
      workspace: count * 2 * Parameter.padded(window.O))
  }

  func transpose(_ window: Window, rotated180: Bool) -> Launch {
    Launch(
      "conv_transpose_weights",
      global: [window.KH * window.KW * window.O, ceilDivide(window.C, Parameter.lanes)],
      [
        "transposed": .store(.workspace), "C": .int(window.C), "O": .int(window.O), "KH": .int(window.KH),
        "KW": .int(window.KW), "rotated180": .flag(rotated180),
      ])
  }

  func lower(_ backward: ConvolveBackwardData) -> Lowered? {
    let window = backward.window, (H, O) = (window.H, window.O)
    if let wide = Wide(backward: window, panels) { return self.wide(backward, wide) }
    if let narrow = narrow(window) { return self.narrow(backward, narrow) }
    guard !backward.isFused else { return nil }
    if isProduct(window) { return product(backward) }
    // Backward-data of a 3×3 convolution with stride 1 is the forward kernel on rotated filters.
    // It keeps the image's size; other filters do not, and may not even fit on their own output.
    guard window.KH == 3 && window.KW == 3 && window.stride == 1 && window.padding == 1 && window.left == 1 else {
      return gather(backward)
    }
    let reverse = Window(B: window.B, H: H, W: window.W, C: O, O: window.C, KH: 3, KW: 3, stride: 1, padding: 1)
    guard let rows = rows3x3(reverse) else { return gather(backward) }
    let forward = slide(
      reverse, rows: rows,
      [
        "input": .value(backward.doutput), "weights": .store(.workspace), "weights_at": .int(0),
        "output": .value(backward.dinput), "C": .int(reverse.C), "O": .int(reverse.O), "partials": .noBuffer,
        "has_partials": .flag(false),
      ])
    return Lowered([transpose(window, rotated180: true), forward], workspace: 9 * O * Parameter.padded(window.C))
  }

  // MARK: Weight gradients

  /// Images of one partial sum of a weight gradient: enough partial sums to share out, few enough to add up.
  func imagesPerChunk(_ window: Window) -> Int {
    let chunks = tuned(.weightChunks, window) ?? (window.C * window.O >= 64 * 64 ? 8 : 16)
    return ceilDivide(window.B, max(1, chunks))
  }

  /// Output rows of which conv_backward_weights_panel stages the input together, or nil where that kernel does not apply:
  /// where gathered panels are faster, or not even the filter's rows fit.
  private func panelRows(_ window: Window) -> Int? {
    let pitch = ((window.Q - 1) * window.stride + window.KW) * window.C
    let isNarrow = (window.KH * window.KW == 1 ? min : max)(window.C, window.O) <= WINOGRAD_CHANNELS
    guard window.C < Parameter.lanes || isNarrow && panels == .float32,
      window.KH * window.KW * window.C <= PANEL_TAPS, window.KH * pitch <= Self.scratch
    else { return nil }
    return min(window.P, (Self.scratch / pitch - window.KH) / window.stride + 1)
  }

  /// Adds up the partial sums of the gradient that the operation calls `at`.
  func reducePartials(count: Int, chunks: Int) -> Launch {
    Launch(
      "reduce_partials", global: [ceilDivide(count, REDUCE_PIECE)],
      ["partials": .store(.workspace), "n": .int(count), "chunks": .int(chunks)])
  }

  func lower(_ backward: ConvolveBackwardWeights) -> Lowered? {
    let window = backward.window, (C, O) = (window.C, window.O)
    // Recomputed without its residual only.
    if backward.normalized?.residual != nil { return nil }
    if let wide = Wide(weights: window, panels) { return self.wide(backward, wide) }
    if let narrow = narrow(window) { return self.narrow(backward, narrow) }
    guard backward.normalized == nil else { return nil }
    let images = imagesPerChunk(window), chunks = ceilDivide(window.B, images)
    guard let rows = panelRows(window) else { return gather(backward) }
    let partial = Launch(
      "conv_backward_weights_panel", global: [ceilDivide(O, PANEL_OUTPUTS), chunks],
      ["partials": .store(.workspace), "images": .int(images), "rows": .int(rows)])
    let count = Parameter.padded(O) * window.KH * window.KW * C
    return Lowered([partial, reducePartials(count: count, chunks: chunks)], workspace: chunks * count)
  }

  // MARK: Linear layers

  func gemm(M: Int, _ own: KernelArguments = [:]) -> Launch {
    Launch("gemm_forward", global: [ceilDivide(M, GEMM_ROWS)], own)
  }

  func lower(_ backward: LinearBackwardData) -> Lowered {
    let product = gemm(
      M: backward.M,
      [
        "input": .value(backward.doutput), "weights": .store(.workspace), "weights_at": .int(0), "bias": .noBuffer,
        "bias_at": .int(0), "has_bias": .flag(false), "output": .value(backward.dinput), "N": .int(backward.K),
        "K": .int(backward.N),
      ])
    return Lowered(
      [transpose(backward.asConvolution.window, rotated180: false), product],
      workspace: backward.N * Parameter.padded(backward.K))
  }

  func lower(_ backward: LinearBackwardWeights) -> Lowered {
    Lowered([
      Launch(
        "gemm_backward_weights",
        global: [ceilDivide(backward.N, PANEL_OUTPUTS), ceilDivide(backward.K, PANEL_COLUMNS)]),
      Launch(
        "reduce_rows", global: [ceilDivide(backward.N, Parameter.lanes)],
        ["input": .value(backward.doutput), "at": .int(backward.biasAt)]),
    ])
  }
}
