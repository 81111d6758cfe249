import CLayout
import Compute

extension WorkGroupLowering {
  /// The tile of conv_forward_3x3: pixels and blocks of 16 output channels of one group.
  private struct Tile {
    let rows: Int, columns: Int, blocks: Int
    var items: Int { rows * columns * blocks }
  }

  /// How a convolution cuts its output into the pieces whose statistics it leaves: tiles of `rows` × `columns` of an
  /// image of `H` × `W`.
  struct Pieces {
    let count: Int, rows: Int, columns: Int, H: Int, W: Int
  }

  /// Work-items, and pixels, of a group of conv_forward.
  private var pixels: Int { min(group, CONV_GROUP_PIXELS) }

  /// Whether the kernels for 3 × 3 filters apply.
  func isSliding(_ window: Window) -> Bool {
    window.KH == 3 && window.KW == 3 && window.stride == 1 && window.padding == 1
  }

  /// The tile for a 3 × 3 filter, stride 1, padding 1; nil for other filters.
  private func tile3x3(_ window: Window) -> Tile? {
    guard isSliding(window) else { return nil }
    let blocks = quotient(window.O, Parameter.lanes) % 2 == 0 ? 2 : 1
    let group = min(group, max(64, tuned(.tileItems, window) ?? group))
    // The widest of the tiles that waste the fewest columns.
    let fitting = [32, 16, 8].filter { 4 * $0 * blocks <= group }
    let columns = fitting.min { quotient(window.W, $0) * $0 < quotient(window.W, $1) * $1 } ?? 8
    var rows = 4
    while rows < window.H, 2 * rows * columns * blocks <= group { rows *= 2 }
    return Tile(rows: rows, columns: columns, blocks: blocks)
  }

  func tiles(of window: Window) -> Pieces {
    guard let tile = tile3x3(window) else {
      let M = window.B * window.P * window.Q
      return Pieces(count: quotient(M, pixels), rows: pixels, columns: 1, H: M, W: 1)
    }
    let perImage = quotient(window.H, tile.rows) * quotient(window.W, tile.columns)
    return Pieces(
      count: window.B * perImage, rows: tile.rows, columns: tile.columns, H: window.H, W: window.W)
  }

  func convolve(
    _ window: Window, _ input: Value, _ weightsAt: Int, _ output: Value, _ statistics: BatchStatistics?
  ) -> [KernelLaunch] {
    if let matrixUnits, isFusable(window) {
      return matrixForward(matrixUnits, window, input, nil, weightsAt, output, statistics)
    }
    let partials: KernelLaunch.Argument = statistics == nil ? .none : .store(.workspace)
    let forward: KernelLaunch
    if let tile = tile3x3(window) {
      forward = forward3x3(window, tile, input, weightsAt, addend: nil, output, partials, transposed: false)
    } else {
      forward = self.forward(
        [
          "input": .value(input), "weights": .store(.parameters), "addend": .none, "output": .value(output),
          "partials": partials, "weights_at": .int(weightsAt), "addend_at": .int(0), "addend_pitch": .int(0),
          "B": .int(window.B), "H": .int(window.H), "W": .int(window.W), "C": .int(window.C), "P": .int(window.P),
          "Q": .int(window.Q), "O": .int(window.O), "KH": .int(window.KH), "KW": .int(window.KW),
          "up": .int(window.stride), "down": .int(1), "before_h": .int(window.padding),
          "before_w": .int(window.padding), "transposed": .flag(false), "has_addend": .flag(false),
          "has_partials": .flag(statistics != nil),
        ], B: window.B, P: window.P, Q: window.Q, O: window.O)
    }
    guard let statistics else { return [forward] }
    return [forward, combine(statistics, C: window.O, tiles(of: window))]
  }

  func backwardData(
    _ window: Window, _ doutput: Value, _ weightsAt: Int, _ addend: Value?, _ dinput: Value
  ) -> [KernelLaunch] {
    if let matrixUnits, isFusable(window) {
      return matrixBackward(matrixUnits, turned(window), .value(doutput), weightsAt, addend, dinput, nil)
    }
    // Backward-data of a 3 × 3 convolution with stride 1 is the forward kernel on turned filters.
    if isSliding(window), let tile = tile3x3(turned(window)) {
      return [
        forward3x3(turned(window), tile, doutput, weightsAt, addend: addend, dinput, .none, transposed: true)
      ]
    }
    let backward = forward(
      [
        "input": .value(doutput), "weights": .store(.parameters), "addend": .value(addend), "output": .value(dinput),
        "partials": .none, "weights_at": .int(weightsAt), "addend_at": .int(0), "addend_pitch": .int(window.C),
        "B": .int(window.B), "H": .int(window.P), "W": .int(window.Q), "C": .int(window.O), "P": .int(window.H),
        "Q": .int(window.W), "O": .int(window.C), "KH": .int(window.KH), "KW": .int(window.KW), "up": .int(1),
        "down": .int(window.stride), "before_h": .int(window.KH - 1 - window.padding),
        "before_w": .int(window.KW - 1 - window.padding), "transposed": .flag(true),
        "has_addend": .flag(addend != nil), "has_partials": .flag(false),
      ], B: window.B, P: window.H, Q: window.W, O: window.C, down: window.stride)
    return [backward]
  }

  /// A launch of a fused kernel, with the arguments behind those that all of them have in common.
  func fused3x3(_ kernel: String, _ window: Window, _ weightsAt: Int) -> KernelLaunch {
    guard let tile = tile3x3(window) else { preconditionFailure("\(kernel) is for 3 × 3 filters") }
    return groups(
      kernel,
      [
        "weights_at": .int(weightsAt), "columns": .int(tile.columns), "rows": .int(tile.rows),
        "blocks": .int(tile.blocks),
      ], [tiles(of: window).count, quotient(window.O, Parameter.lanes * tile.blocks)], size: tile.items)
  }

  private func forward3x3(
    _ window: Window, _ tile: Tile, _ input: Value, _ weightsAt: Int, addend: Value?, _ output: Value,
    _ partials: KernelLaunch.Argument, transposed: Bool
  ) -> KernelLaunch {
    groups(
      "conv_forward_3x3",
      [
        "input": .value(input), "weights": .store(.parameters), "addend": .value(addend), "output": .value(output),
        "partials": partials, "weights_at": .int(weightsAt), "H": .int(window.H), "W": .int(window.W),
        "C": .int(window.C), "O": .int(window.O), "columns": .int(tile.columns), "rows": .int(tile.rows),
        "blocks": .int(tile.blocks), "transposed": .flag(transposed), "has_addend": .flag(addend != nil),
        "has_partials": .flag(partials != .none),
      ], [tiles(of: window).count, quotient(window.O, Parameter.lanes * tile.blocks)], size: tile.items)
  }

  /// A launch of conv_forward over output `[B, P, Q, O]`.
  private func forward(
    _ arguments: Arguments, B: Int, P: Int, Q: Int, O: Int, down: Int = 1
  ) -> KernelLaunch {
    groups(
      "conv_forward", arguments,
      [
        quotient(B * quotient(P, down) * quotient(Q, down), pixels), quotient(O, Parameter.lanes), down * down,
      ], size: pixels)
  }
}

// MARK: - Weight gradients

extension WorkGroupLowering {
  /// Groups of one chunk.
  private func weightUnits(_ window: Window) -> Int {
    (isSliding(window) ? 3 : window.KH * window.KW) * quotient(window.C, Parameter.lanes)
      * quotient(window.O, Parameter.lanes)
  }

  /// Images of one partial sum of a weight gradient: some 512 groups in all, of at least 256 pixels each.
  private func imagesPerChunk(_ window: Window) -> Int {
    let wanted = max(1, (tuned(.weightGroups, window) ?? 512) / weightUnits(window))
    return min(window.B, max(quotient(window.B, wanted), quotient(256, window.P * window.Q)))
  }

  private func weightChunks(_ window: Window) -> Int {
    matrixUnits != nil && isFusable(window)
      ? matrixWeightChunks(window) : quotient(window.B, imagesPerChunk(window))
  }

  func weightPartials(_ window: Window) -> Int {
    weightChunks(window) * Parameter.padded(window.O) * window.KH * window.KW * window.C
  }

  /// `layer`: a batch norm whose result is the input, for 3 × 3 filters; nil: `input` as it is.
  func backwardWeights(
    _ window: Window, _ input: Value, _ layer: NormalizedInput?, _ doutput: Value, _ weightsAt: Int,
    _ accumulate: Bool
  ) -> [KernelLaunch] {
    let (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O), images = imagesPerChunk(window)
    let partial: KernelLaunch
    if matrixUnits != nil, isFusable(window) {
      partial = matrixBackwardWeights(window, input, layer, doutput)
    } else if isSliding(window) {
      var sliding = groups(
        "conv_backward_weights_3x3", ["B": .int(B), "images": .int(images)],
        [weightUnits(window), weightChunks(window)], size: min(group, 128))
      sliding.arguments = weightArguments(window, input, layer, doutput) + sliding.arguments
      partial = sliding
    } else {
      partial = groups(
        "conv_backward_weights",
        [
          "input": .value(input), "doutput": .value(doutput), "partials": .store(.workspace), "B": .int(B),
          "H": .int(H), "W": .int(W), "C": .int(C), "P": .int(window.P), "Q": .int(window.Q), "O": .int(O),
          "KH": .int(window.KH), "KW": .int(window.KW), "stride": .int(window.stride),
          "padding": .int(window.padding), "images": .int(images),
        ], [weightUnits(window), weightChunks(window)], size: min(group, 128))
    }
    let count = Parameter.padded(O) * window.KH * window.KW * C
    return [
      partial,
      groups(
        "reduce_partials",
        [
          "partials": .store(.workspace), "gradients": .store(.gradients), "at": .int(weightsAt), "n": .int(count),
          "chunks": .int(weightChunks(window)), "accumulate": .flag(accumulate),
        ], [quotient(count, REDUCE_GROUP_PIECE)]),
    ]
  }

  /// The arguments that the kernels for 3 × 3 filters have in common, in their order.
  func weightArguments(
    _ window: Window, _ input: Value, _ layer: NormalizedInput?, _ doutput: Value
  ) -> [(name: String, value: KernelLaunch.Argument)] {
    [
      ("input", .value(input)), ("mean", .value(layer?.statistics.mean)),
      ("inverse", .value(layer?.statistics.inverse)), ("parameters", layer == nil ? .none : .store(.parameters)),
      ("doutput", .value(doutput)), ("partials", .store(.workspace)), ("gamma_at", .int(layer?.gammaAt ?? 0)),
      ("beta_at", .int(layer?.betaAt ?? 0)), ("H", .int(window.H)), ("W", .int(window.W)), ("C", .int(window.C)),
      ("O", .int(window.O)), ("normalized", .flag(layer != nil)), ("rectify", .flag(layer?.rectify ?? false)),
    ]
  }
}

// MARK: - Linear layers: 1 × 1 filters on images of one pixel

extension WorkGroupLowering {
  func pixelWindow(_ M: Int, _ N: Int, _ K: Int) -> Window {
    Window(B: M, H: 1, W: 1, C: K, O: N, KH: 1, KW: 1, stride: 1, padding: 0)
  }

  func linear(
    _ input: Value, _ weightsAt: Int, _ biasAt: Int, _ output: Value, _ M: Int, _ N: Int, _ K: Int
  ) -> KernelLaunch {
    forward(
      [
        "input": .value(input), "weights": .store(.parameters), "addend": .store(.parameters),
        "output": .value(output), "partials": .none, "weights_at": .int(weightsAt), "addend_at": .int(biasAt),
        "addend_pitch": .int(0), "B": .int(M), "H": .int(1), "W": .int(1), "C": .int(K), "P": .int(1), "Q": .int(1),
        "O": .int(N), "KH": .int(1), "KW": .int(1), "up": .int(1), "down": .int(1), "before_h": .int(0),
        "before_w": .int(0), "transposed": .flag(false), "has_addend": .flag(true), "has_partials": .flag(false),
      ], B: M, P: 1, Q: 1, O: N)
  }

  func linearBackwardData(
    _ doutput: Value, _ weightsAt: Int, _ dinput: Value, _ M: Int, _ N: Int, _ K: Int
  ) -> [KernelLaunch] {
    backwardData(pixelWindow(M, N, K), doutput, weightsAt, nil, dinput)
  }

  func linearBackwardWeights(
    _ input: Value, _ doutput: Value, _ weightsAt: Int, _ biasAt: Int, _ M: Int, _ N: Int, _ K: Int,
    _ accumulate: Bool
  ) -> [KernelLaunch] {
    backwardWeights(pixelWindow(M, N, K), input, nil, doutput, weightsAt, accumulate)
      + [
        groups(
          "reduce_rows",
          [
            "input": .value(doutput), "gradients": .store(.gradients), "at": .int(biasAt), "M": .int(M), "N": .int(N),
            "accumulate": .flag(accumulate),
          ], [quotient(N, Parameter.lanes)])
      ]
  }
}
