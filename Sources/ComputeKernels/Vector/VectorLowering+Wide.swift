import CLayout
import Compute

/// 3×3 convolutions with stride 1 and many channels by Winograd's algorithm in three steps, alone or with the batch norms
/// beside them.
extension VectorLowering {
  /// What a convolution's input goes through on its way into the panels; the rest the operation says by itself.
  private struct Source {
    var input: Value, other: Value?, mode = WINOGRAD_PLAIN, own: KernelArguments = [:]

    var arguments: KernelArguments {
      own + ["input": .value(input), "other": .value(other), "has_other": .flag(other != nil), "mode": .int(mode)]
    }
  }

  /// The panels of these tiles, T of which are a group.
  private func panels(
    _ wide: Wide, _ source: Source, at: Int, _ tiles: Range<Int>, T: Int, byRows: Bool = false
  ) -> Launch {
    var own = wide.arguments
    own["O"] = nil
    return Launch(
      "winograd_wide_input",
      global: [ceilDivide(wide.C, WIDE_CHANNELS), ceilDivide(tiles.count, WIDE_RUN)],
      own + source.arguments + [
        "panels": .store(.workspace), "panels_at": .int(at), "first": .int(tiles.lowerBound),
        "last": .int(tiles.upperBound), "T": .int(T), "run": .int(WIDE_RUN), "by_rows": .flag(byRows),
      ])
  }

  /// Weights, then panels and products in turn.
  private func launches(_ wide: Wide, rotated180: Bool, _ source: Source, _ output: KernelArguments) -> [Launch] {
    let group = wide.group, items = wide.items, step = items.groupsAtOnce * group
    var launches = [
      winogradWeights(reading: wide.C, writing: wide.O, tile: wide.tile, rotated180: rotated180, streams: true)
    ]
    var geometry = wide.arguments
    for name in ["H", "W", "padding", "left"] { geometry[name] = nil }
    for first in stride(from: 0, to: wide.tiles, by: step) {
      let last = min(first + step, wide.tiles)
      launches.append(panels(wide, source, at: wide.weightCount, first..<last, T: group))
      launches.append(
        Launch(
          "winograd_wide_output", global: items.grid(ceilDivide(last - first, group)),
          geometry + output + [
            "panels": .store(.workspace), "panels_at": .int(wide.weightCount), "weights": .store(.workspace),
            "weights_at": .int(0), "first": .int(first), "last": .int(last), "T": .int(group),
            "outputs": .int(items.outputs), "by_outputs": .flag(items.byOutputs),
          ]))
    }
    return launches
  }

  private func workspace(_ wide: Wide) -> Int {
    wide.weightCount + wide.items.groupsAtOnce * wide.panelCount(wide.C, T: wide.group)
  }

  func wide(_ convolve: Convolve, _ wide: Wide) -> Lowered? {
    let layer = convolve.normalized
    guard layer?.output == nil || wide.keepsSize else { return nil }
    let source = Source(
      input: convolve.input, other: layer?.residual, mode: layer == nil ? WINOGRAD_PLAIN : WINOGRAD_NORMALIZED,
      own: ["sums": .noBuffer])
    var lowered = Lowered(
      launches(
        wide, rotated180: false, source,
        [
          "addend": .noBuffer, "has_addend": .flag(false), "below": .noBuffer, "below_output": .noBuffer,
          "below_mean": .noBuffer, "below_inverse": .noBuffer, "below_gamma_at": .int(0), "below_beta_at": .int(0),
          "has_below": .flag(false), "has_below_output": .flag(false), "rectify": .flag(false),
          "partials": convolve.statistics == nil ? .noBuffer : .store(.vectors),
        ]), workspace: workspace(wide), rounding: panelRounding)
    if let statistics = convolve.statistics {
      lowered.launches.append(
        Launch(
          "batchnorm_combine_tiles", global: [ceilDivide(wide.O, Parameter.lanes)],
          statistics.arguments + [
            "partials": .store(.vectors), "C": .int(wide.O), "T": .int(wide.group), "tile": .int(wide.tile),
          ]))
      lowered.vectors = wide.groups * 2 * Parameter.padded(wide.O)
    }
    return lowered
  }

  func wide(_ backward: ConvolveBackwardData, _ wide: Wide) -> Lowered? {
    guard backward.above == nil || wide.keepsSize else { return nil }
    let source = Source(
      input: backward.doutput, other: backward.above?.input,
      mode: backward.above == nil ? WINOGRAD_PLAIN : WINOGRAD_GRADIENT,
      own: [
        "sums": .value(backward.above?.sums), "beta_at": .int(0), "rectify": .flag(false),
        "has_stored": .flag(backward.above != nil),
      ])
    var lowered = Lowered(
      launches(
        wide, rotated180: true, source,
        [
          "output": .value(backward.dinput), "has_partials": .flag(false),
          "partials": backward.below == nil ? .noBuffer : .store(.vectors),
        ]), workspace: workspace(wide), rounding: panelRounding)
    if let below = backward.below {
      let M = wide.B * wide.P * wide.Q
      lowered.launches.append(
        combineBackward(C: wide.O, pieces: wide.groups, in: .vectors, below.arguments + ["M": .int(M)]))
      lowered.vectors = wide.groups * 2 * Parameter.padded(wide.O)
    }
    return lowered
  }

  func wide(_ backward: ConvolveBackwardWeights, _ wide: Wide) -> Lowered {
    let T = wide.chunk, (C, O) = (wide.C, wide.O)
    let gradientsAt = wide.weightCount + wide.panelCount(C, T: T)
    let source = Source(
      input: backward.input, other: nil, mode: backward.normalized == nil ? WINOGRAD_PLAIN : WINOGRAD_NORMALIZED,
      own: ["sums": .noBuffer, "stored": .noBuffer, "has_stored": .flag(false)])
    var launches: [Launch] = []
    for first in stride(from: 0, to: wide.tiles, by: T) {
      let last = min(first + T, wide.tiles)
      launches.append(panels(wide, source, at: wide.weightCount, first..<last, T: T, byRows: true))
      launches.append(
        Launch(
          "winograd_wide_gradient",
          global: [ceilDivide(O, WIDE_CHANNELS), ceilDivide(last - first, WIDE_RUN)],
          [
            "panels": .store(.workspace), "panels_at": .int(gradientsAt), "tile": .int(wide.tile),
            "first": .int(first), "last": .int(last), "T": .int(T), "run": .int(WIDE_RUN),
          ]))
      launches.append(
        accumulate(
          C: Parameter.padded(C), O: O, points: wide.points, rows: wide.tiles,
          [
            "sums": .store(.workspace), "sums_at": .int(0), "panels_at": .int(wide.weightCount),
            "gradients_at": .int(gradientsAt), "panel_step": .int(wide.panelCount(C, T: T) / wide.points),
            "gradient_step": .int(wide.panelCount(O, T: T) / wide.points), "T": .int(T), "count": .int(last - first),
            "accumulate": .flag(first > 0),
          ]))
    }
    launches.append(winogradReduce(C: C, O: O, tile: wide.tile, chunks: 1))
    return Lowered(launches, workspace: gradientsAt + wide.panelCount(O, T: T), rounding: gradientRounding)
  }
}
