import CLayout
import Compute

/// 3 × 3 convolutions on matrix units (`Kernels/matrix`), of whole vectors of channels.
extension WorkGroupLowering {
  /// The kernels whose names end in a number of channels: the tile of a group, and its blocks of 16 output channels.
  private struct MatrixTile {
    let channels: Int, columns: Int, blocks: Int
    static let rows = MATRIX_ROWS

    /// The kernels for the most channels that C and O are multiples of.
    init(_ window: Window) {
      let both = window.C | window.O
      (channels, columns, blocks) = both % 64 == 0 ? (64, 8, 4) : both % 32 == 0 ? (32, 16, 2) : (16, 32, 1)
    }
  }

  /// Groups of a weight gradient: two for each of the 132 multiprocessors of an H100.
  ///
  /// There are as many chunks of tiles as that takes; more would write more partial sums.
  private static let weightGroups = 264

  private func matrixTiles(of window: Window) -> Pieces {
    let tile = MatrixTile(window)
    let count = window.B * ceilDivide(window.H, MatrixTile.rows) * ceilDivide(window.W, tile.columns)
    return Pieces(count: count, rows: MatrixTile.rows, columns: tile.columns, H: window.H, W: window.W)
  }

  /// Packs the filters and convolves `window`, which may be the operation's backward window.
  ///
  /// Partial sums lie at the workspace's beginning, where there are any; the filters' fragments behind them.
  private func matrix(
    _ direction: String, _ window: Window, _ units: MatrixUnits, hasPartials: Bool, own: KernelArguments
  ) -> Lowered {
    let tile = MatrixTile(window), pieces = matrixTiles(of: window).count
    let position = hasPartials ? pieces * 2 * window.O : 0
    let fragments: KernelArguments = ["fragments": .store(.workspace), "fragments_at": .int(position / 4)]
    let words = 9 * window.C * window.O / units.numbersPerWord
    return Lowered(
      [
        // Four words per lane.
        items(
          "conv_mma_pack", words / 4,
          fragments + [
            "C": .int(window.C), "O": .int(window.O), "transposed": .flag(direction == "backward"),
          ]),
        groups(
          "conv_mma_\(direction)_\(tile.channels)", [pieces, window.O / Parameter.lanes / tile.blocks],
          size: MATRIX_ITEMS,
          own + fragments + ["partials": hasPartials ? .store(.workspace) : .noBuffer]),
      ], workspace: position + words, rounding: units.unit)
  }

  func matrix(_ convolve: Convolve, _ units: MatrixUnits) -> Lowered {
    let window = convolve.window
    var lowered = matrix("forward", window, units, hasPartials: convolve.statistics != nil, own: [:])
    if let statistics = convolve.statistics {
      lowered.launches.append(combine(statistics, C: window.O, matrixTiles(of: window)))
    }
    return lowered
  }

  func matrix(_ backward: ConvolveBackwardData, _ reverse: Window, _ units: MatrixUnits) -> Lowered {
    var lowered = matrix("backward", reverse, units, hasPartials: backward.below != nil, own: sizes(of: reverse))
    if let below = backward.below {
      lowered.launches.append(combineBelow(below, reverse, pieces: matrixTiles(of: reverse).count))
    }
    return lowered
  }

  /// What leaves the partial sums of a weight gradient, and how many of them.
  func matrixWeights(_ window: Window) -> (partial: Launch, chunks: Int) {
    let tile = MatrixTile(window), tiles = matrixTiles(of: window).count
    // Groups of one chunk.
    let units = window.C / Parameter.lanes * (window.O / Parameter.lanes / tile.blocks)
    let wanted = max(1, tuned(.weightGroups, window) ?? Self.weightGroups)
    let perChunk = max(1, ceilDivide(tiles * units, wanted)), chunks = ceilDivide(tiles, perChunk)
    let partial = groups(
      "conv_mma_weights_\(tile.channels)", [units, chunks], size: MATRIX_ITEMS,
      ["partials": .store(.workspace), "tiles": .int(tiles), "chunk_tiles": .int(perChunk)])
    return (partial, chunks)
  }
}
