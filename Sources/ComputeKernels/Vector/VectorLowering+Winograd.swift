import CLayout
import Compute

/// 3×3 convolutions with stride 1 by Winograd's algorithm, alone or with the batch norms beside them.
extension VectorLowering {
  /// Output rows of one work-item of the Winograd kernels, an even number, or nil where they do not apply.
  func winogradRows(_ window: Window) -> Int? {
    let (H, W, C, O) = (window.H, window.W, window.C, window.O), lanes = Parameter.lanes
    guard window.KH == 3, window.KW == 3, window.stride == 1, window.padding == 1, window.left == 1,
      C % lanes == 0, O % lanes == 0, C <= WINOGRAD_CHANNELS, O <= WINOGRAD_CHANNELS
    else { return nil }
    // Forward stages C channels, backward O.
    let fitting = WINOGRAD_STAGED / ((W + 3) / 2 * 2 * max(C, O)) - 2
    guard fitting >= 2 else { return nil }
    let most = min(16, fitting / 2 * 2, (H + 1) / 2 * 2)
    return tuned(.winogradRows, window).map { max(2, min($0, most) / 2 * 2) } ?? most
  }

  private func transformedWeights(_ window: Window, rotated180: Bool) -> Launch {
    Launch(
      "winograd_weights",
      global: [
        (rotated180 ? window.O : window.C) / panels.perWord, (rotated180 ? window.C : window.O) / Parameter.lanes,
      ],
      ["transformed": .store(.workspace), "rotated180": .flag(rotated180)])
  }

  private func weightCount(_ window: Window) -> Int { 16 * window.C * window.O }

  private func pieces(_ window: Window, rows: Int) -> Pieces {
    let perImage = ceilDivide(window.H, rows)
    return Pieces(count: window.B * perImage, perImage: perImage, rows: rows, H: window.H, Q: window.W)
  }

  func winograd(_ convolve: Convolve, rows: Int) -> Lowered {
    let window = convolve.window, pieces = pieces(window, rows: rows)
    var lowered = Lowered(
      [
        transformedWeights(window, rotated180: false),
        Launch(
          "winograd_forward", global: [pieces.perImage, window.B],
          ["weights": .store(.workspace), "partials": .store(.vectors), "rows": .int(rows)]),
      ], workspace: weightCount(window), rounding: panelRounding)
    if let statistics = convolve.statistics {
      lowered.launches.append(combine(statistics, C: window.O, pieces, in: .vectors))
      lowered.vectors = pieces.count * 2 * window.O
    }
    return lowered
  }

  func winograd(_ backward: ConvolveBackwardData, rows: Int) -> Lowered {
    let window = backward.window, pieces = pieces(window, rows: rows)
    var lowered = Lowered(
      [
        transformedWeights(window, rotated180: true),
        Launch(
          "winograd_backward_data", global: [pieces.perImage, window.B],
          [
            "weights": .store(.workspace), "partials": .store(.vectors), "C": .int(window.O), "O": .int(window.C),
            "rows": .int(rows),
          ]),
      ], workspace: weightCount(window), rounding: panelRounding)
    if let below = backward.below {
      let M = window.B * window.H * window.W
      lowered.launches.append(
        combineBackward(C: window.C, pieces: pieces.count, in: .vectors, below.arguments + ["M": .int(M)]))
      lowered.vectors = pieces.count * 2 * window.C
    }
    return lowered
  }

  func winograd(_ backward: ConvolveBackwardWeights, rows: Int) -> Lowered {
    let window = backward.window, images = imagesPerChunk(window), chunks = ceilDivide(window.B, images)
    return Lowered(
      [
        Launch(
          "winograd_backward_weights", global: [chunks],
          ["partials": .store(.workspace), "rows": .int(rows), "images": .int(images)]),
        Launch(
          "winograd_reduce_weights", global: [window.C, window.O / Parameter.lanes],
          ["partials": .store(.workspace), "chunks": .int(chunks)]),
      ], workspace: chunks * weightCount(window), rounding: gradientRounding)
  }
}
