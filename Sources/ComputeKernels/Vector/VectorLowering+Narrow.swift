import CLayout
import Compute

/// 3×3 convolutions with stride 1 and few channels by Winograd's algorithm in one pass, alone or with the batch norms
/// beside them.
extension VectorLowering {
  func narrow(_ window: Window) -> Narrow? { Narrow(window, panels, tuned: tuned(.winogradRows, window)) }

  /// Words of transformed weights that read so many channels.
  private func weightCount(_ narrow: Narrow, reading channels: Int) -> Int {
    narrow.weightCount / channels * panels.words(channels)
  }

  private func transformedWeights(_ narrow: Narrow, rotated180: Bool) -> Launch {
    let window = narrow.window, lanes = Parameter.lanes
    return Launch(
      "winograd_weights",
      global: [(rotated180 ? window.O : window.C) / lanes, (rotated180 ? window.C : window.O) / lanes],
      [
        "transformed": .store(.workspace), "rotated180": .flag(rotated180), "tile": .int(narrow.tile),
        "streams": .flag(false),
      ])
  }

  private func pieces(_ narrow: Narrow) -> Pieces {
    let window = narrow.window, perImage = ceilDivide(window.H, narrow.rows)
    return Pieces(count: window.B * perImage, perImage: perImage, rows: narrow.rows, H: window.H, Q: window.W)
  }

  func narrow(_ convolve: Convolve, _ narrow: Narrow) -> Lowered {
    let window = narrow.window, pieces = pieces(narrow)
    var lowered = Lowered(
      [
        transformedWeights(narrow, rotated180: false),
        Launch(
          "winograd_forward", global: [pieces.perImage, window.B],
          [
            "weights": .store(.workspace), "partials": .store(.vectors), "rows": .int(narrow.rows),
            "tile": .int(narrow.tile),
          ]),
      ], workspace: weightCount(narrow, reading: window.C), rounding: panelRounding)
    if let statistics = convolve.statistics {
      lowered.launches.append(combine(statistics, C: window.O, pieces, in: .vectors))
      lowered.vectors = pieces.count * 2 * window.O
    }
    return lowered
  }

  func narrow(_ backward: ConvolveBackwardData, _ narrow: Narrow) -> Lowered {
    let window = narrow.window, pieces = pieces(narrow)
    var lowered = Lowered(
      [
        transformedWeights(narrow, rotated180: true),
        Launch(
          "winograd_backward_data", global: [pieces.perImage, window.B],
          [
            "weights": .store(.workspace), "partials": .store(.vectors), "C": .int(window.O), "O": .int(window.C),
            "rows": .int(narrow.rows), "tile": .int(narrow.tile),
          ]),
      ], workspace: weightCount(narrow, reading: window.O), rounding: panelRounding)
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
        Launch(
          "winograd_reduce_weights", global: [window.C, window.O / Parameter.lanes],
          ["sums": .store(.workspace), "tile": .int(narrow.tile), "chunks": .int(chunks)]),
      ], workspace: chunks * narrow.weightCount, rounding: gradientRounding)
  }
}
