import CLayout
import Compute

/// Convolutions, alone or (3 × 3 filters) with the batch norms beside them.
extension WorkGroupLowering {
  /// The tile of conv_forward_3x3: pixels and blocks of 16 output channels of one group.
  private struct Tile {
    let rows: Int, columns: Int, blocks: Int
    var items: Int { rows * columns * blocks }
  }

  /// Work-items, and pixels, of a group of conv_forward.
  private var pixels: Int { min(group, CONV_GROUP_PIXELS) }

  /// Whether the kernels for 3 × 3 filters apply.
  private func isSliding(_ window: Window) -> Bool {
    window.KH == 3 && window.KW == 3 && window.stride == 1 && window.padding == 1 && window.left == 1
  }

  /// Whether the window is one of the fused kernels.
  private func isFusable(_ window: Window) -> Bool {
    isSliding(window) && window.C % Parameter.lanes == 0 && window.O % Parameter.lanes == 0
  }

  /// What a backward-data convolution is as a forward one.
  private func backwardWindow(_ window: Window) -> Window {
    Window(B: window.B, H: window.P, W: window.Q, C: window.O, O: window.C, KH: 3, KW: 3, stride: 1, padding: 1)
  }

  /// The tile for a 3 × 3 filter, stride 1, padding 1; nil for other filters.
  private func tile3x3(_ window: Window) -> Tile? {
    guard isSliding(window) else { return nil }
    let blocks = ceilDivide(window.O, Parameter.lanes) % 2 == 0 ? 2 : 1
    let group = min(group, max(64, tuned(.tileItems, window) ?? group))
    // The widest of the tiles that waste the fewest columns.
    let fitting = [32, 16, 8].filter { 4 * $0 * blocks <= group }
    let columns = fitting.min { ceilDivide(window.W, $0) * $0 < ceilDivide(window.W, $1) * $1 } ?? 8
    var rows = 4
    while rows < window.H, 2 * rows * columns * blocks <= group { rows *= 2 }
    return Tile(rows: rows, columns: columns, blocks: blocks)
  }

  private func tiles(of window: Window) -> Pieces {
    guard let tile = tile3x3(window) else {
      let M = window.B * window.P * window.Q
      return Pieces(count: ceilDivide(M, pixels), rows: pixels, columns: 1, H: M, W: 1)
    }
    let perImage = ceilDivide(window.H, tile.rows) * ceilDivide(window.W, tile.columns)
    return Pieces(count: window.B * perImage, rows: tile.rows, columns: tile.columns, H: window.H, W: window.W)
  }

  /// A launch of a kernel for 3 × 3 filters.
  private func sliding(_ kernel: String, _ window: Window, _ own: KernelArguments) -> Launch {
    guard let tile = tile3x3(window) else { preconditionFailure("\(kernel) is for 3 × 3 filters") }
    return groups(
      kernel, [tiles(of: window).count, ceilDivide(window.O, Parameter.lanes * tile.blocks)], size: tile.items,
      own + ["columns": .int(tile.columns), "rows": .int(tile.rows), "blocks": .int(tile.blocks)])
  }

  /// A launch of conv_forward over output `[B, P, Q, O]` of the window.
  private func direct(_ window: Window, down: Int = 1, _ own: KernelArguments) -> Launch {
    groups(
      "conv_forward",
      [
        ceilDivide(window.B * ceilDivide(window.P, down) * ceilDivide(window.Q, down), pixels),
        ceilDivide(window.O, Parameter.lanes), down * down,
      ], size: pixels, own)
  }

  // MARK: Forward

  func lower(_ convolve: Convolve) -> Lowered? {
    let window = convolve.window, pieces = tiles(of: window)
    guard convolve.finished == nil else { return nil }
    if let matrixUnits, isFusable(window) { return matrix(convolve, matrixUnits) }
    let partials: OperationArgument = convolve.statistics == nil ? .noBuffer : .store(.workspace)
    let forward: Launch
    var channels = window.O
    if convolve.normalized != nil {
      guard isFusable(window) else { return nil }
      forward = sliding("conv_forward_normalized", window, ["partials": partials])
    } else {
      channels = Parameter.padded(window.O)
      forward =
        isSliding(window)
        ? sliding("conv_forward_3x3", window, ["partials": partials, "transposed": .flag(false)])
        : direct(
          window,
          [
            "partials": partials, "addend_at": .int(0), "addend_pitch": .int(0), "up": .int(window.stride),
            "down": .int(1), "before_h": .int(window.padding), "before_w": .int(window.left),
            "transposed": .flag(false),
          ])
    }
    guard let statistics = convolve.statistics else { return Lowered([forward]) }
    return Lowered(
      [forward, combine(statistics, C: window.O, pieces)], workspace: pieces.count * 2 * channels)
  }

  // MARK: Backward

  func lower(_ backward: ConvolveBackwardData) -> Lowered? {
    let window = backward.window
    if isFusable(window) {
      let reverse = backwardWindow(window)
      if let matrixUnits { return matrix(backward, reverse, matrixUnits) }
      if backward.isFused { return fused(backward, reverse) }
    }
    guard !backward.isFused else { return nil }
    let own: KernelArguments = [
      "input": .value(backward.doutput), "output": .value(backward.dinput), "partials": .noBuffer,
      "transposed": .flag(true), "has_partials": .flag(false),
    ]
    // Backward-data of a 3 × 3 convolution with stride 1 is the forward kernel on rotated filters.
    if isSliding(window) {
      let reverse = backwardWindow(window)
      return Lowered([sliding("conv_forward_3x3", reverse, own + sizes(of: reverse))])
    }
    // Not a window of its own: its filters may not even fit on its output.
    let input: KernelArguments = [
      "H": .int(window.P), "W": .int(window.Q), "C": .int(window.O), "P": .int(window.H), "Q": .int(window.W),
      "O": .int(window.C), "up": .int(1), "down": .int(window.stride),
      "before_h": .int(window.KH - 1 - window.padding), "before_w": .int(window.KW - 1 - window.left),
      "addend": .value(backward.addend), "has_addend": .flag(backward.addend != nil), "addend_at": .int(0),
      "addend_pitch": .int(window.C),
    ]
    let down = window.stride
    return Lowered([
      groups(
        "conv_forward",
        [
          ceilDivide(window.B * ceilDivide(window.H, down) * ceilDivide(window.W, down), pixels),
          ceilDivide(window.C, Parameter.lanes), down * down,
        ], size: pixels, own + input)
    ])
  }

  /// Image and channels of a convolution that is not the operation's own window.
  func sizes(of window: Window) -> KernelArguments {
    ["H": .int(window.H), "W": .int(window.W), "C": .int(window.C), "O": .int(window.O)]
  }

  private func fused(_ backward: ConvolveBackwardData, _ reverse: Window) -> Lowered {
    let partials: OperationArgument = backward.below == nil ? .noBuffer : .store(.workspace)
    let launch = sliding("conv_backward_normalized", reverse, sizes(of: reverse) + ["partials": partials])
    guard let below = backward.below else { return Lowered([launch]) }
    let pieces = tiles(of: reverse).count
    return Lowered(
      [launch, combineBelow(below, reverse, pieces: pieces)], workspace: pieces * 2 * reverse.O)
  }

  /// What makes the sums of the batch norm below of those that the tiles of a backward window left.
  func combineBelow(_ below: NormalizedBelow, _ reverse: Window, pieces: Int) -> Launch {
    let sizes: KernelArguments = ["M": .int(reverse.B * reverse.P * reverse.Q), "C": .int(reverse.O)]
    return combineBackward(C: reverse.O, pieces: pieces, below.arguments + sizes)
  }

  // MARK: Weight gradients

  /// Groups of one chunk.
  private func weightUnits(_ window: Window) -> Int {
    (isSliding(window) ? 3 : window.KH * window.KW) * ceilDivide(window.C, Parameter.lanes)
      * ceilDivide(window.O, Parameter.lanes)
  }

  /// Images of one partial sum of a weight gradient: some 512 groups in all, of at least 256 pixels each.
  private func imagesPerChunk(_ window: Window) -> Int {
    let wanted = max(1, (tuned(.weightGroups, window) ?? 512) / weightUnits(window))
    return min(window.B, max(ceilDivide(window.B, wanted), ceilDivide(256, window.P * window.Q)))
  }

  /// Adds up the partial sums of the gradient that the operation calls `at`.
  func reducePartials(count: Int, chunks: Int) -> Launch {
    groups(
      "reduce_partials", [ceilDivide(count, REDUCE_GROUP_PIECE)],
      ["partials": .store(.workspace), "n": .int(count), "chunks": .int(chunks)])
  }

  func lower(_ backward: ConvolveBackwardWeights) -> Lowered? {
    let window = backward.window, fusable = isFusable(window)
    guard backward.normalized == nil || fusable && backward.normalized?.residual == nil else { return nil }
    let partial: Launch, chunks: Int
    let isOnMatrixUnits = matrixUnits != nil && fusable
    if isOnMatrixUnits {
      (partial, chunks) = matrixWeights(window)
    } else {
      let images = imagesPerChunk(window)
      chunks = ceilDivide(window.B, images)
      partial = groups(
        isSliding(window) ? "conv_backward_weights_3x3" : "conv_backward_weights",
        [weightUnits(window), chunks], size: min(group, CONV_GROUP_PIXELS),
        ["partials": .store(.workspace), "images": .int(images)])
    }
    let count = Parameter.padded(window.O) * window.KH * window.KW * window.C
    return Lowered(
      [partial, reducePartials(count: count, chunks: chunks)], workspace: chunks * count,
      rounding: isOnMatrixUnits ? rounding : 0x1p-24)
  }

  // MARK: Linear layers: 1 × 1 filters on images of one pixel

  func lower(_ linear: Linear) -> Lowered {
    Lowered([
      direct(
        linear.window,
        [
          "addend": .store(.parameters), "has_addend": .flag(true), "addend_at": .int(linear.biasAt),
          "addend_pitch": .int(0), "partials": .noBuffer, "has_partials": .flag(false), "up": .int(1),
          "down": .int(1), "before_h": .int(0), "before_w": .int(0), "transposed": .flag(false),
        ])
    ])
  }

  func lower(_ backward: LinearBackwardWeights) -> Lowered? {
    guard var lowered = lower(backward.asConvolution) else { return nil }
    lowered.launches.append(
      groups(
        "reduce_rows", [ceilDivide(backward.N, Parameter.lanes)],
        ["input": .value(backward.doutput), "at": .int(backward.biasAt)]))
    return lowered
  }
}
