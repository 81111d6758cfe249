import CLayout
import Compute

/// 1 × 1 convolutions with stride 1: matrix products straight from the rows of the input.
extension VectorLowering {
  func isProduct(_ window: Window) -> Bool {
    window.KH == 1 && window.KW == 1 && window.stride == 1 && window.padding == 0 && window.left == 0
  }

  /// A product of M rows and O output channels.
  private func product(M: Int, O: Int, _ own: KernelArguments) -> Launch {
    Launch(
      "conv_forward_1x1", global: [ceilDivide(M, CONV_1X1_ROWS), ceilDivide(O, CONV_1X1_COLUMNS)],
      own + ["M": .int(M), "rows": .int(CONV_1X1_ROWS), "columns": .int(CONV_1X1_COLUMNS)])
  }

  func product(_ convolve: Convolve) -> Lowered {
    let window = convolve.window, M = window.B * window.H * window.W
    guard let statistics = convolve.statistics else {
      return Lowered([product(M: M, O: window.O, ["partials": .noBuffer])])
    }
    let count = ceilDivide(M, CONV_1X1_ROWS)
    let pieces = Pieces(count: count, perImage: count, rows: CONV_1X1_ROWS, H: M, Q: 1)
    return Lowered(
      [
        product(M: M, O: window.O, ["partials": .store(.workspace)]),
        combine(statistics, C: window.O, pieces),
      ], workspace: count * 2 * Parameter.padded(window.O))
  }

  /// Backward-data is the forward kernel on transposed filters.
  func product(_ backward: ConvolveBackwardData) -> Lowered {
    let window = backward.window
    let launch = product(
      M: window.B * window.H * window.W, O: window.C,
      [
        "input": .value(backward.doutput), "weights": .store(.workspace), "weights_at": .int(0),
        "output": .value(backward.dinput), "C": .int(window.O), "O": .int(window.C), "mean": .noBuffer,
        "inverse": .noBuffer, "parameters": .noBuffer, "gamma_at": .int(0), "beta_at": .int(0),
        "finished": .flag(false), "rectify": .flag(false), "limit": .float(.infinity), "partials": .noBuffer,
        "has_partials": .flag(false),
      ])
    return Lowered(
      [transpose(window, rotated180: false), launch], workspace: window.O * Parameter.padded(window.C))
  }
}
