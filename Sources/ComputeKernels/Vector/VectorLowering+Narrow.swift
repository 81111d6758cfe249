import CLayout
import Compute

/// 3×3 convolutions with stride 1 and few channels by Winograd's algorithm in one pass, alone or with the batch norms
/// beside them.
extension VectorLowering {
  func narrow(_ window: Window) -> Narrow? { Narrow(window, panels, tuned: tuned(.winogradRows, window)) }

  private func pieces(_ narrow: Narrow) -> Pieces {
    let window = narrow.window, perImage = ceilDivide(window.H, narrow.rows)
    return Pieces(count: window.B * perImage, perImage: perImage, rows: narrow.rows, H: window.H, Q: window.W)
  }

  /// Transformed weights, and the kernel that convolves with them, from `reading` channels to `writing`.
  private func pass(
    _ kernel: String, _ narrow: Narrow, _ pieces: Pieces, reading: Int, writing: Int, rotated180: Bool
  ) -> Lowered {
    Lowered(
      [
        winogradWeights(reading: reading, writing: writing, tile: narrow.tile, rotated180: rotated180, streams: false),
        Launch(
          kernel, global: [pieces.perImage, narrow.window.B],
          [
            "weights": .store(.workspace), "partials": .store(.vectors), "C": .int(reading), "O": .int(writing),
            "rows": .int(narrow.rows), "tile": .int(narrow.tile),
          ]),
      ], workspace: narrow.points * panels.words(reading) * writing, rounding: panelRounding)
  }

  func narrow(_ convolve: Convolve, _ narrow: Narrow) -> Lowered {
    let window = narrow.window, pieces = pieces(narrow)
    var lowered = pass(
      "winograd_forward", narrow, pieces, reading: window.C, writing: window.O, rotated180: false)
    if let statistics = convolve.statistics {
      lowered.launches.append(combine(statistics, C: window.O, pieces, in: .vectors))
      lowered.vectors = pieces.count * 2 * window.O
    }
    return lowered
  }

  func narrow(_ backward: ConvolveBackwardData, _ narrow: Narrow) -> Lowered {
    let window = narrow.window, pieces = pieces(narrow)
    var lowered = pass(
      "winograd_backward_data", narrow, pieces, reading: window.O, writing: window.C, rotated180: true)
    if let below = backward.below {
      let M = window.B * window.H * window.W
      lowered.launches.append(
        combineBackward(C: window.C, pieces: pieces.count, in: .vectors, below.arguments + ["M": .int(M)]))
      lowered.vectors = pieces.count * 2 * window.C
    }
    return lowered
  }

  func narrow(_ backward: ConvolveBackwardWeights, _ narrow: Narrow) -> Lowered {
    let window = narrow.window, images = imagesPerChunk(window), chunks = ceilDivide(window.B, images)
    return Lowered(
      [
        Launch(
          "winograd_backward_weights", global: [chunks],
          [
            "partials": .store(.workspace), "rows": .int(narrow.rows), "tile": .int(narrow.tile),
            "images": .int(images),
          ]),
        winogradReduce(C: window.C, O: window.O, tile: narrow.tile, chunks: chunks),
      ], workspace: chunks * narrow.points * window.C * window.O, rounding: gradientRounding)
  }
}
