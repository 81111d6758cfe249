import Compute

/// Convolutions and linear layers.
extension VectorLowering {
  /// Rows of one work-item of conv_forward_3x3, or nil where that kernel does not apply.
  func rows3x3(_ window: Window) -> Int? {
    guard window.KH == 3, window.KW == 3, window.stride == 1, window.padding == 1 else { return nil }
    let fitting = Self.scratch / ((window.W + Self.tile + 2) * window.C) - 2
    return fitting >= 1 ? min(8, fitting, window.H) : nil
  }

  /// The pieces whose partial statistics a convolution leaves: how many, and the rows of each.
  func partialPieces(_ window: Window) -> (count: Int, perImage: Int, rows: Int) {
    let rows = rows3x3(window) ?? 1, perImage = quotient(window.P, rows)
    return (window.B * perImage, perImage, rows)
  }

  /// Channels that are staged together: all, where `rows` rows of `width` pixels fit into the scratch; else as many as
  /// fit of the `columns` that one tile reads.
  func slice(_ channels: Int, rows: Int, width: Int, columns: Int) -> (channels: Int, whole: Bool) {
    if rows * width * channels <= Self.scratch { return (channels, true) }
    let fitting = Self.scratch / (rows * columns)
    precondition(fitting >= 1, "a filter of \(rows) rows is too large for the convolution's scratch")
    return (min(channels, fitting), false)
  }

  func convolve(
    _ window: Window, _ input: Value, _ weightsAt: Int, _ output: Value, _ statistics: BatchStatistics?
  ) -> [KernelLaunch] {
    if let rows = winogradRows(window) {
      return winogradForward(window, rows: rows, input, nil, weightsAt, output, statistics)
    }
    let forward = forward(
      window, input, .store(.parameters), weightsAt, addend: nil, output, partials: statistics != nil)
    guard let statistics else { return [forward] }
    let pieces = partialPieces(window)
    return [
      forward,
      combine(
        statistics, C: window.O, pieces: pieces.count, perImage: pieces.perImage, rows: pieces.rows, H: window.P,
        Q: window.Q),
    ]
  }

  func forward(
    _ window: Window, _ input: Value, _ weights: KernelLaunch.Argument, _ weightsAt: Int, addend: Value?,
    _ output: Value, partials: Bool
  ) -> KernelLaunch {
    let (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O)
    if let rows = rows3x3(window) {
      return KernelLaunch(
        "conv_forward_3x3",
        [
          "input": .value(input), "weights": weights, "addend": .value(addend), "output": .value(output),
          "partials": partials ? .store(.workspace) : .none, "weights_at": .int(weightsAt), "H": .int(H), "W": .int(W),
          "C": .int(C), "O": .int(O), "rows": .int(rows), "has_addend": .flag(addend != nil),
          "has_partials": .flag(partials),
        ], global: [quotient(H, rows), B])
    }
    let slice = slice(
      C, rows: window.KH, width: W + 2 * window.padding, columns: Self.tile * window.stride + window.KW)
    return KernelLaunch(
      "conv_forward",
      [
        "input": .value(input), "weights": weights, "addend": .value(addend), "output": .value(output),
        "partials": partials ? .store(.workspace) : .none, "weights_at": .int(weightsAt), "H": .int(H), "W": .int(W),
        "C": .int(C), "P": .int(window.P), "Q": .int(window.Q), "O": .int(O), "KH": .int(window.KH),
        "KW": .int(window.KW), "stride": .int(window.stride), "padding": .int(window.padding),
        "slice": .int(slice.channels), "whole": .flag(slice.whole), "has_addend": .flag(addend != nil),
        "has_partials": .flag(partials),
      ], global: [window.P, B])
  }

  func transpose(_ weightsAt: Int, C: Int, O: Int, KH: Int, KW: Int, turned: Bool) -> KernelLaunch {
    KernelLaunch(
      "conv_transpose_weights",
      [
        "weights": .store(.parameters), "transposed": .store(.workspace), "weights_at": .int(weightsAt), "C": .int(C),
        "O": .int(O), "KH": .int(KH), "KW": .int(KW), "rotated180": .flag(turned),
      ], global: [KH * KW * O, quotient(C, Parameter.lanes)])
  }

  func backwardData(
    _ window: Window, _ doutput: Value, _ weightsAt: Int, _ addend: Value?, _ dinput: Value
  ) -> [KernelLaunch] {
    if let rows = winogradRows(window) {
      return winogradBackwardData(
        window, rows: rows, .value(doutput), weightsAt, addend: addend, dinput, below: nil)
    }
    let (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O)
    // Backward-data of a 3×3 convolution with stride 1 is the forward kernel on turned filters.
    // It keeps the image's size; other filters do not, and may not even fit on their own output.
    var reverse: Window?
    if window.KH == 3 && window.KW == 3 && window.stride == 1 && window.padding == 1 {
      let candidate = Window(B: B, H: H, W: W, C: O, O: C, KH: 3, KW: 3, stride: 1, padding: 1)
      if rows3x3(candidate) != nil { reverse = candidate }
    }
    let transposed = transpose(weightsAt, C: C, O: O, KH: window.KH, KW: window.KW, turned: reverse != nil)
    if let reverse {
      return [
        transposed, forward(reverse, doutput, .store(.workspace), 0, addend: addend, dinput, partials: false),
      ]
    }
    let edge = window.KW + Self.tile
    let slice = slice(O, rows: window.KH, width: window.Q + 2 * edge, columns: edge)
    return [
      transposed,
      KernelLaunch(
        "conv_backward_data",
        [
          "doutput": .value(doutput), "transposed": .store(.workspace), "addend": .value(addend),
          "dinput": .value(dinput), "H": .int(H), "W": .int(W), "C": .int(C), "P": .int(window.P), "Q": .int(window.Q),
          "O": .int(O), "KH": .int(window.KH), "KW": .int(window.KW), "stride": .int(window.stride),
          "padding": .int(window.padding),
          "slice": .int(slice.channels), "whole": .flag(slice.whole), "has_addend": .flag(addend != nil),
        ], global: [H, B]),
    ]
  }

  /// Images of one partial sum of a weight gradient: enough partial sums to share out, few enough to add up.
  func imagesPerChunk(_ window: Window) -> Int {
    let chunks = tuned(.weightChunks, window) ?? (window.C * window.O >= 64 * 64 ? 8 : 16)
    return quotient(window.B, max(1, chunks))
  }

  func weightPartials(_ window: Window) -> Int {
    quotient(window.B, imagesPerChunk(window)) * Parameter.padded(window.O) * window.KH * window.KW * window.C
  }

  func backwardWeights(
    _ window: Window, _ input: Value, _ doutput: Value, _ weightsAt: Int, _ accumulate: Bool
  ) -> [KernelLaunch] {
    if let rows = winogradRows(window) {
      return winogradBackwardWeights(window, rows: rows, input, nil, doutput, weightsAt, accumulate)
    }
    let (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O)
    let images = imagesPerChunk(window), chunks = quotient(B, images), lanes = Parameter.lanes
    let partial: KernelLaunch
    if rows3x3(window) != nil, C % 8 == 0, O % lanes == 0 {
      partial = KernelLaunch(
        "conv_backward_weights_3x3",
        [
          "input": .value(input), "doutput": .value(doutput), "partials": .store(.workspace), "B": .int(B),
          "H": .int(H), "W": .int(W), "C": .int(C), "O": .int(O), "images": .int(images),
        ], global: [3 * (C / 8) * (O / lanes), chunks])
    } else {
      partial = KernelLaunch(
        "conv_backward_weights",
        [
          "input": .value(input), "doutput": .value(doutput), "partials": .store(.workspace), "B": .int(B),
          "H": .int(H), "W": .int(W), "C": .int(C), "P": .int(window.P), "Q": .int(window.Q), "O": .int(O),
          "KH": .int(window.KH), "KW": .int(window.KW), "stride": .int(window.stride),
          "padding": .int(window.padding), "images": .int(images),
        ], global: [window.KH * window.KW * quotient(C, lanes) * quotient(O, lanes), chunks])
    }
    let count = Parameter.padded(O) * window.KH * window.KW * C
    return [
      partial,
      KernelLaunch(
        "reduce_partials",
        [
          "partials": .store(.workspace), "gradients": .store(.gradients), "at": .int(weightsAt), "n": .int(count),
          "chunks": .int(chunks), "accumulate": .flag(accumulate),
        ], global: [quotient(count, 256)]),
    ]
  }

  func gemm(
    _ input: Value, _ weights: KernelLaunch.Argument, _ weightsAt: Int, _ biasAt: Int?, _ output: Value, _ M: Int,
    _ N: Int, _ K: Int
  ) -> KernelLaunch {
    KernelLaunch(
      "gemm_forward",
      [
        "input": .value(input), "weights": weights, "bias": biasAt == nil ? .none : .store(.parameters),
        "output": .value(output), "weights_at": .int(weightsAt), "bias_at": .int(biasAt ?? 0), "M": .int(M),
        "N": .int(N), "K": .int(K), "has_bias": .flag(biasAt != nil),
      ], global: [quotient(M, 8)])
  }
}
