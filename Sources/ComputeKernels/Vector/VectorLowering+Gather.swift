import CLayout
import Compute

/// Convolutions with any filter and stride whose input has whole vectors of channels: gathered panels, multiplied as
/// matrices.
extension VectorLowering {
  /// The results that are computed together, `[B, down, across]`, from images of H × W pixels and C channels.
  private struct Gathering {
    var B: Int, H: Int, W: Int, C: Int, KH: Int, KW: Int, down: Int, across: Int
    /// Where the taps of a result lie; see gather.cl.
    var every: Int, top: Int, left: Int, way: Int

    /// What panels hold.
    var panels: ElementType

    var count: Int { B * down * across }
    /// Words of a result's row of the panels, of all taps.
    var K: Int { KH * KW * panels.words(C) }
    /// Results of a group, whose panels should stay in a core's cache.
    var group: Int { K * WIDE_GROUP <= 110_592 ? WIDE_GROUP : WIDE_GROUP_4X4 }
    /// How products with O outputs are shared out.
    func items(_ O: Int) -> ProductItems {
      ProductItems(groups: ceilDivide(count, group), panel: K * group, weights: K * Parameter.padded(O), O: O, panels)
    }
    /// Results whose panels are made together, in turn with the products of O outputs.
    func atOnce(_ O: Int) -> Int { items(O).groupsAtOnce * group }

    init(forward window: Window, _ panels: ElementType) {
      self.panels = panels
      (B, H, W, C, KH, KW) = (window.B, window.H, window.W, window.C, window.KH, window.KW)
      (down, across, every, top, left, way) = (window.P, window.Q, window.stride, -window.padding, -window.left, 1)
    }

    /// The pixels of dinput in rows and columns that are `row` and `column` modulo the stride.
    init(backward window: Window, row: Int, column: Int, _ panels: ElementType) {
      self.panels = panels
      let stride = window.stride
      let firstRow = (row + window.padding) % stride, firstColumn = (column + window.left) % stride
      (B, H, W, C) = (window.B, window.P, window.Q, window.O)
      (KH, KW) = (ceilDivide(max(0, window.KH - firstRow), stride), ceilDivide(max(0, window.KW - firstColumn), stride))
      (down, across) = (ceilDivide(window.H - row, stride), ceilDivide(window.W - column, stride))
      (every, way) = (1, -1)
      (top, left) = ((row + window.padding) / stride, (column + window.left) / stride)
    }

    /// Pixels as they are, as panels.
    init(pixels window: Window, _ panels: ElementType) {
      self.panels = panels
      (B, H, W, C, KH, KW) = (window.B, window.P, window.Q, window.O, 1, 1)
      (down, across, every, top, left, way) = (window.P, window.Q, 1, 0, 0, 1)
    }
  }

  /// The panels of these results, T of which are a group.
  private func panels(
    _ gathering: Gathering, of input: Value, at: Int, _ results: Range<Int>, T: Int, byRows: Bool = false
  ) -> Launch {
    Launch(
      "gather_input",
      global: [ceilDivide(gathering.C, WIDE_CHANNELS), ceilDivide(results.count, WIDE_RUN)],
      [
        "input": .value(input), "panels": .store(.workspace), "panels_at": .int(at), "H": .int(gathering.H),
        "W": .int(gathering.W), "C": .int(gathering.C), "KH": .int(gathering.KH), "KW": .int(gathering.KW),
        "down": .int(gathering.down), "across": .int(gathering.across), "every": .int(gathering.every),
        "top": .int(gathering.top), "left": .int(gathering.left), "way": .int(gathering.way),
        "first": .int(results.lowerBound), "last": .int(results.upperBound), "T": .int(T), "run": .int(WIDE_RUN),
        "by_rows": .flag(byRows),
      ])
  }

  /// Panels and products in turn.
  private func products(
    _ gathering: Gathering, of input: Value, O: Int, panelsAt: Int, _ own: KernelArguments
  ) -> [Launch] {
    let group = gathering.group, items = gathering.items(O), atOnce = items.groupsAtOnce * group
    return stride(from: 0, to: gathering.count, by: atOnce).flatMap { first -> [Launch] in
      let last = min(first + atOnce, gathering.count)
      let product = Launch(
        "gather_output", global: items.grid(ceilDivide(last - first, group)),
        own + [
          "panels": .store(.workspace), "panels_at": .int(panelsAt), "O": .int(O), "K": .int(gathering.K),
          "down": .int(gathering.down), "across": .int(gathering.across), "first": .int(first), "last": .int(last),
          "T": .int(group), "outputs": .int(items.outputs), "by_outputs": .flag(items.byOutputs),
        ])
      // Without taps there is nothing to gather, and the results are zero.
      return gathering.K == 0
        ? [product] : [panels(gathering, of: input, at: panelsAt, first..<last, T: group), product]
    }
  }

  /// Whether a convolution whose input, or doutput, has whole vectors of `channels` is gathered: where weights and rows are
  /// too large for the general kernels to keep them in caches, or where products of bfloat16 make up for it.
  func isGathered(_ window: Window, channels: Int) -> Bool {
    guard channels % Parameter.lanes == 0 else { return false }
    if panels == .bfloat16, max(window.C, window.O) >= WINOGRAD_CHANNELS { return true }
    return window.KH * window.KW > 1
      ? max(window.C, window.O) > WINOGRAD_CHANNELS : min(window.C, window.O) > 2 * WINOGRAD_CHANNELS
  }

  func gather(_ convolve: Convolve) -> Lowered {
    let window = convolve.window, gathering = Gathering(forward: window, panels), group = gathering.group
    var own: KernelArguments = [
      "H": .int(window.P), "W": .int(window.Q), "every": .int(1), "top": .int(0), "left": .int(0),
      "partials": convolve.statistics == nil ? .noBuffer : .store(.vectors),
    ]
    var packing: [Launch] = [], panelsAt = 0
    if panels == .bfloat16 {
      let lanes = Parameter.lanes
      packing = [
        Launch(
          "gather_forward_weights",
          global: [window.KH * window.KW * ceilDivide(window.C, lanes), ceilDivide(window.O, lanes)],
          ["packed": .store(.workspace)])
      ]
      panelsAt = gathering.K * Parameter.padded(window.O)
      own["weights"] = .store(.workspace)
      own["weights_at"] = .int(0)
    }
    var lowered = Lowered(
      packing + products(gathering, of: convolve.input, O: window.O, panelsAt: panelsAt, own),
      workspace: panelsAt + gathering.atOnce(window.O) * gathering.K, rounding: panelRounding)
    if let statistics = convolve.statistics {
      let count = ceilDivide(gathering.count, group)
      let pieces = Pieces(count: count, perImage: count, rows: group, H: gathering.count, Q: 1)
      lowered.launches.append(combine(statistics, C: window.O, pieces, in: .vectors))
      lowered.vectors = count * 2 * Parameter.padded(window.O)
    }
    return lowered
  }

  func gather(_ backward: ConvolveBackwardData) -> Lowered {
    let window = backward.window, lanes = Parameter.lanes, each = Parameter.padded(window.C) * panels.words(window.O)
    let panelsAt = window.KH * window.KW * each
    var lowered = Lowered([], rounding: panelRounding), weightsAt = 0
    for row in 0..<min(window.stride, window.H) {
      for column in 0..<min(window.stride, window.W) {
        let gathering = Gathering(backward: window, row: row, column: column, panels)
        let taps = gathering.KH * gathering.KW
        if taps > 0 {
          lowered.launches.append(
            Launch(
              "gather_weights", global: [taps * window.O / lanes, ceilDivide(window.C, lanes)],
              [
                "transposed": .store(.workspace), "transposed_at": .int(weightsAt), "rows": .int(window.KH),
                "columns": .int(window.KW), "KH": .int(gathering.KH), "KW": .int(gathering.KW),
                "top": .int((row + window.padding) % window.stride),
                "left": .int((column + window.left) % window.stride),
              ]))
        }
        lowered.launches += products(
          gathering, of: backward.doutput, O: window.C, panelsAt: panelsAt,
          [
            "weights": .store(.workspace), "weights_at": .int(weightsAt), "output": .value(backward.dinput),
            "H": .int(window.H), "W": .int(window.W), "every": .int(window.stride), "top": .int(row),
            "left": .int(column),
            "partials": .noBuffer, "has_partials": .flag(false),
          ])
        lowered.workspace = max(lowered.workspace, panelsAt + gathering.atOnce(window.C) * gathering.K)
        weightsAt += taps * each
      }
    }
    return lowered
  }

  func gather(_ backward: ConvolveBackwardWeights) -> Lowered {
    let window = backward.window
    let gathering = Gathering(forward: window, panels), pixels = Gathering(pixels: window, panels)
    let (C, O) = (window.C, window.O), points = window.KH * window.KW
    // The panels of one tap and of doutput should fit into a core's cache, all of them into what the cores share.
    // Sums go over rows, whose words hold one number of each of two.
    let pair = panels.perWord
    let most = min(pair * 131_072 / (C + O), 2 * pair * ProductItems.wave / (points * C + O)) / WIDE_GROUP_4X4
    let all = ceilDivide(gathering.count, WIDE_GROUP_4X4)
    let T = ceilDivide(all, ceilDivide(all, max(1, most))) * WIDE_GROUP_4X4, gradientsAt = points * C * T / pair
    var launches: [Launch] = []
    for first in stride(from: 0, to: gathering.count, by: T) {
      let last = min(first + T, gathering.count)
      launches += [
        panels(gathering, of: backward.input, at: 0, first..<last, T: T, byRows: true),
        panels(pixels, of: backward.doutput, at: gradientsAt, first..<last, T: T, byRows: true),
        accumulate(
          C: C, O: O, points: points, rows: gathering.count,
          [
            "sums": .store(.gradients), "sums_at": .int(backward.weightsAt), "panels_at": .int(0),
            "gradients_at": .int(gradientsAt), "panel_step": .int(C * T / pair), "gradient_step": .int(0), "T": .int(T),
            "count": .int(last - first), "accumulate": .flag(first > 0 || backward.accumulate),
          ]),
      ]
    }
    return Lowered(
      launches, workspace: gradientsAt + Parameter.padded(O) * T / pair, rounding: panelRounding)
  }

  /// Adds the products of panels of C and O channels to the sums of each point.
  ///
  /// A thread shares with the others what is smaller, the panels of `rows` rows in all or the sums.
  func accumulate(C: Int, O: Int, points: Int, rows: Int, _ own: KernelArguments) -> Launch {
    let channels = ceilDivide(C, Parameter.lanes), outputs = ceilDivide(O, 2 * Parameter.lanes)
    let byOutputs = C * O > (C + O) * rows
    return Launch(
      "panel_accumulate", global: byOutputs ? [channels, points, outputs] : [channels, outputs, points],
      own + ["panels": .store(.workspace), "points": .int(points), "by_outputs": .flag(byOutputs)])
  }
}
