import CLayout
import Compute

/// 3 × 3 convolutions on matrix units (`Kernels/matrix`): windows that `isFusable`.
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

  /// Whether an operation's products are those of matrix units.
  public func usesMatrixUnits(_ operation: TensorOperation) -> Bool {
    guard matrixUnits != nil else { return false }
    switch operation {
    case .convolve(let window, _, _, _, _), .convolveBackwardData(let window, _, _, _, _),
      .convolveBackwardWeights(let window, _, _, _, _), .convolveNormalized(let window, _, _, _, _),
      .convolveBackwardDataNormalized(let window, _, _, _, _, _),
      .convolveBackwardWeightsNormalized(let window, _, _, _, _):
      return isFusable(window)
    default: return false
    }
  }

  /// Groups of a weight gradient: two for each of the 132 multiprocessors of an H100.
  ///
  /// There are as many chunks of tiles as that takes; more would write more partial sums.
  private static let weightGroups = 264

  func matrixTiles(of window: Window) -> Pieces {
    let tile = MatrixTile(window)
    let count = window.B * quotient(window.H, MatrixTile.rows) * quotient(window.W, tile.columns)
    return Pieces(count: count, rows: MatrixTile.rows, columns: tile.columns, H: window.H, W: window.W)
  }

  /// Words of the filters' fragments.
  func fragmentCount(_ units: MatrixUnits, _ window: Window) -> Int { 9 * window.C * window.O / units.numbersPerWord }

  /// Four words per lane.
  private func pack(
    _ units: MatrixUnits, _ window: Window, _ weightsAt: Int, at position: Int, transposed: Bool
  ) -> KernelLaunch {
    items(
      "conv_mma_pack",
      [
        "weights": .store(.parameters), "fragments": .store(.workspace), "weights_at": .int(weightsAt),
        "fragments_at": .int(position / 4), "C": .int(window.C), "O": .int(window.O), "transposed": .flag(transposed),
      ], fragmentCount(units, window) / 4)
  }

  private func matrixGroups(_ kernel: String, _ counts: [Int], _ arguments: [(String, KernelLaunch.Argument)])
    -> KernelLaunch
  {
    var launch = groups(kernel, [:], counts, size: MATRIX_ITEMS)
    launch.arguments = arguments.map { (name: $0, value: $1) }
    return launch
  }

  /// `layer` nil: the convolution alone.
  func matrixForward(
    _ units: MatrixUnits, _ window: Window, _ input: Value, _ layer: NormalizedInput?, _ weightsAt: Int,
    _ output: Value, _ statistics: BatchStatistics?
  ) -> [KernelLaunch] {
    let tile = MatrixTile(window), pieces = matrixTiles(of: window)
    let position = fragmentsAt(window, partials: statistics != nil)
    let launches = [
      pack(units, window, weightsAt, at: position, transposed: false),
      matrixGroups(
        "conv_mma_forward_\(tile.channels)", [pieces.count, window.O / Parameter.lanes / tile.blocks],
        forwardArguments(window, input, layer, output, statistics) + [
          ("fragments", .store(.workspace)), ("fragments_at", .int(position / 4)), ("normalized", .flag(layer != nil)),
        ]),
    ]
    guard let statistics else { return launches }
    return launches + [combine(statistics, C: window.O, pieces)]
  }

  func matrixBackward(
    _ units: MatrixUnits, _ turned: Window, _ doutput: ConvolutionGradient, _ weightsAt: Int, _ addend: Value?,
    _ dinput: Value, _ below: NormalizedBelow?
  ) -> [KernelLaunch] {
    let tile = MatrixTile(turned), position = fragmentsAt(turned, partials: below != nil)
    return [
      pack(units, turned, weightsAt, at: position, transposed: true),
      matrixGroups(
        "conv_mma_backward_\(tile.channels)",
        [matrixTiles(of: turned).count, turned.O / Parameter.lanes / tile.blocks],
        backwardArguments(turned, doutput, addend, dinput, below) + [
          ("fragments", .store(.workspace)), ("fragments_at", .int(position / 4)),
        ]),
    ] + combineBelow(below, turned)
  }

  // MARK: Weight gradients

  /// Groups of one chunk.
  private func matrixWeightUnits(_ window: Window) -> Int {
    window.C / Parameter.lanes * (window.O / Parameter.lanes / MatrixTile(window).blocks)
  }

  private func tilesPerChunk(_ window: Window) -> Int {
    max(
      1,
      quotient(
        matrixTiles(of: window).count * matrixWeightUnits(window),
        max(1, tuned(.weightGroups, window) ?? Self.weightGroups)))
  }

  func matrixWeightChunks(_ window: Window) -> Int { quotient(matrixTiles(of: window).count, tilesPerChunk(window)) }

  /// The chunks' partial sums, without `layer` of the input as it is.
  func matrixBackwardWeights(
    _ window: Window, _ input: Value, _ layer: NormalizedInput?, _ doutput: Value
  ) -> KernelLaunch {
    matrixGroups(
      "conv_mma_weights_\(MatrixTile(window).channels)", [matrixWeightUnits(window), matrixWeightChunks(window)],
      weightArguments(window, input, layer, doutput) + [
        ("tiles", .int(matrixTiles(of: window).count)), ("chunk_tiles", .int(tilesPerChunk(window))),
      ])
  }
}
