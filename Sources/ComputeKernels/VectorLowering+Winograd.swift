import CLayout
import Compute

/// 3×3 convolutions with stride 1 by Winograd's algorithm, alone or with the batch norms beside them.
extension VectorLowering {
  /// Output rows of one work-item of the Winograd kernels, an even number, or nil where they do not apply.
  func winogradRows(_ window: Window) -> Int? {
    let (H, W, C, O) = (window.H, window.W, window.C, window.O), lanes = Parameter.lanes
    guard window.KH == 3, window.KW == 3, window.stride == 1, window.padding == 1,
      C % lanes == 0, O % lanes == 0, C <= WINOGRAD_CHANNELS, O <= WINOGRAD_CHANNELS
    else { return nil }
    // Forward stages C channels, backward O.
    let fitting = WINOGRAD_STAGED / ((W + 3) / 2 * 2 * max(C, O)) - 2
    guard fitting >= 2 else { return nil }
    let most = min(16, fitting / 2 * 2, (H + 1) / 2 * 2)
    return tuned(.winogradRows, window).map { max(2, min($0, most) / 2 * 2) } ?? most
  }

  private func transformedWeights(_ window: Window, _ weightsAt: Int, turned: Bool) -> KernelLaunch {
    KernelLaunch(
      "winograd_weights",
      [
        "weights": .store(.parameters), "transformed": .store(.workspace), "weights_at": .int(weightsAt),
        "C": .int(window.C), "O": .int(window.O), "rotated180": .flag(turned),
      ],
      global: [turned ? window.O : window.C, (turned ? window.C : window.O) / Parameter.lanes])
  }

  private func weightCount(_ window: Window) -> Int { 16 * window.C * window.O }

  private func partialCount(_ window: Window, rows: Int, channels: Int) -> Int {
    window.B * quotient(window.H, rows) * 2 * channels
  }

  // MARK: Forward

  /// `input` with `layer` nil: the convolution alone.
  func winogradForward(
    _ window: Window, rows: Int, _ input: Value, _ layer: NormalizedInput?, _ weightsAt: Int, _ output: Value,
    _ statistics: BatchStatistics?
  ) -> [KernelLaunch] {
    let perImage = quotient(window.H, rows)
    let forward = KernelLaunch(
      "winograd_forward",
      [
        "input": .value(input), "residual": .value(layer?.residual), "mean": .value(layer?.statistics.mean),
        "inverse": .value(layer?.statistics.inverse), "parameters": .store(.parameters),
        "stored": .value(layer?.output), "weights": .store(.workspace), "output": .value(output),
        "partials": .store(.vectors),
        "gamma_at": .int(layer?.gammaAt ?? 0), "beta_at": .int(layer?.betaAt ?? 0), "H": .int(window.H),
        "W": .int(window.W), "C": .int(window.C), "O": .int(window.O), "rows": .int(rows),
        "normalized": .flag(layer != nil), "has_residual": .flag(layer?.residual != nil),
        "rectify": .flag(layer?.rectify ?? false), "has_stored": .flag(layer?.output != nil),
        "has_partials": .flag(statistics != nil),
      ], global: [perImage, window.B])
    let launches = [transformedWeights(window, weightsAt, turned: false), forward]
    guard let statistics else { return launches }
    return launches + [
      combine(
        statistics, partials: .vectors, C: window.O, pieces: window.B * perImage, perImage: perImage, rows: rows,
        H: window.H, Q: window.W)
    ]
  }

  func winogradForwardWorkspace(_ window: Window, rows: Int, statistics: Bool) -> (workspace: Int, vectors: Int) {
    (weightCount(window), statistics ? partialCount(window, rows: rows, channels: window.O) : 0)
  }

  // MARK: Backward

  func winogradBackwardData(
    _ window: Window, rows: Int, _ doutput: ConvolutionGradient, _ weightsAt: Int, addend: Value?, _ dinput: Value,
    below: NormalizedBelow?
  ) -> [KernelLaunch] {
    var above: NormalizedGradient?
    let gradient: Value
    switch doutput {
    case .value(let value): gradient = value
    case .normalized(let normalized): (gradient, above) = (normalized.gradient, normalized)
    }
    let layer = below?.layer, perImage = quotient(window.H, rows)
    let backward = KernelLaunch(
      "winograd_backward_data",
      [
        "doutput": .value(gradient), "input": .value(above?.input), "mean": .value(above?.statistics.mean),
        "inverse": .value(above?.statistics.inverse), "parameters": .store(.parameters), "sums": .value(above?.sums),
        "stored": .value(above?.output), "weights": .store(.workspace), "addend": .value(addend),
        "dinput": .value(dinput), "below": .value(layer?.input), "below_output": .value(layer?.output),
        "below_mean": .value(layer?.statistics.mean), "below_inverse": .value(layer?.statistics.inverse),
        "partials": .store(.vectors), "gamma_at": .int(above?.gammaAt ?? 0),
        "below_gamma_at": .int(layer?.gammaAt ?? 0), "below_beta_at": .int(layer?.betaAt ?? 0), "H": .int(window.H),
        "W": .int(window.W), "C": .int(window.O), "O": .int(window.C), "rows": .int(rows),
        "normalized": .flag(above != nil), "has_addend": .flag(addend != nil), "has_below": .flag(below != nil),
        "has_below_output": .flag(layer?.output != nil), "rectify": .flag(layer?.rectify ?? false),
      ], global: [perImage, window.B])
    let launches = [transformedWeights(window, weightsAt, turned: true), backward]
    guard let below else { return launches }
    return launches + [
      combineBackward(
        below.layer, sums: .value(below.sums), partials: .vectors, M: window.B * window.H * window.W, C: window.C,
        pieces: window.B * perImage, accumulate: below.accumulate)
    ]
  }

  func winogradBackwardDataWorkspace(_ window: Window, rows: Int, sums: Bool) -> (workspace: Int, vectors: Int) {
    (weightCount(window), sums ? partialCount(window, rows: rows, channels: window.C) : 0)
  }

  func winogradBackwardWeights(
    _ window: Window, rows: Int, _ input: Value, _ layer: NormalizedInput?, _ doutput: Value, _ weightsAt: Int,
    _ accumulate: Bool
  ) -> [KernelLaunch] {
    let images = imagesPerChunk(window), chunks = quotient(window.B, images)
    return [
      KernelLaunch(
        "winograd_backward_weights",
        [
          "input": .value(input), "mean": .value(layer?.statistics.mean), "inverse": .value(layer?.statistics.inverse),
          "parameters": layer == nil ? .none : .store(.parameters), "doutput": .value(doutput),
          "partials": .store(.workspace),
          "gamma_at": .int(layer?.gammaAt ?? 0), "beta_at": .int(layer?.betaAt ?? 0), "B": .int(window.B),
          "H": .int(window.H), "W": .int(window.W), "C": .int(window.C), "O": .int(window.O), "rows": .int(rows),
          "images": .int(images), "normalized": .flag(layer != nil), "rectify": .flag(layer?.rectify ?? false),
        ], global: [chunks]),
      KernelLaunch(
        "winograd_reduce_weights",
        [
          "partials": .store(.workspace), "gradients": .store(.gradients), "at": .int(weightsAt), "C": .int(window.C),
          "O": .int(window.O), "chunks": .int(chunks), "accumulate": .flag(accumulate),
        ], global: [window.C, window.O / Parameter.lanes]),
    ]
  }

  func winogradWeightsWorkspace(_ window: Window) -> (workspace: Int, vectors: Int) {
    (quotient(window.B, imagesPerChunk(window)) * weightCount(window), 0)
  }
}
