import CLayout
import Compute

/// Convolutions with any filter, stride and number of channels: gathered panels, multiplied as matrices.
extension VectorLowering {
  /// The results that are computed together, `[B, down, across, O]`, from images of H × W pixels and C channels.
  private struct Gathering {
    var B: Int, H: Int, W: Int, C: Int, O: Int, KH: Int, KW: Int, down: Int, across: Int
    /// Where the taps of a result lie; see gather.cl.
    var every: Int, top: Int, left: Int

    /// What panels hold.
    var panels: ElementType
    /// Whether this is backward-data, whose weights are packed for panels.
    var isBackward = false

    var count: Int { B * down * across }
    /// The numbers that a result reads.
    var numbers: Int { KH * KW * C }
    /// Words of a result's row of the panels.
    var K: Int { panels.words(numbers) }
    /// Results of a group, whose panels should stay in a core's cache.
    var group: Int { K * WIDE_GROUP <= 110_592 ? WIDE_GROUP : WIDE_GROUP_4X4 }
    /// Whether products take so few numbers that gathering these would take as long: see conv_taps.cl.
    ///
    /// Pairs of bfloat16 are worth gathering earlier. Packed weights lie as that kernel reads them where channels are
    /// whole vectors.
    var isNarrow: Bool {
      if C < Parameter.lanes { return !isBackward && (panels == .float32 || numbers <= 64) }
      return panels == .float32 && C % Parameter.lanes == 0 && max(C, O) <= WINOGRAD_CHANNELS
    }
    /// How products are shared out.
    var items: ProductItems {
      ProductItems(groups: ceilDivide(count, group), panel: K * group, weights: K * Parameter.padded(O), O: O, panels)
    }
    /// Results whose panels are made together, in turn with their products.
    var atOnce: Int { isNarrow ? 0 : items.groupsAtOnce * group }

    init(forward window: Window, _ panels: ElementType) {
      self.panels = panels
      (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O)
      (KH, KW) = (window.KH, window.KW)
      (down, across, every, top, left) = (window.P, window.Q, window.stride, -window.padding, -window.left)
    }

    /// The pixels of dinput in rows and columns that are `row` and `column` modulo the stride.
    init(backward window: Window, row: Int, column: Int, _ panels: ElementType) {
      self.panels = panels
      let stride = window.stride
      let firstRow = (row + window.padding) % stride, firstColumn = (column + window.left) % stride
      (B, H, W, C, O) = (window.B, window.P, window.Q, window.O, window.C)
      (KH, KW) = (ceilDivide(max(0, window.KH - firstRow), stride), ceilDivide(max(0, window.KW - firstColumn), stride))
      (down, across) = (ceilDivide(window.H - row, stride), ceilDivide(window.W - column, stride))
      (every, isBackward) = (1, true)
      (top, left) = ((row + window.padding) / stride - KH + 1, (column + window.left) / stride - KW + 1)
    }

    /// Pixels as they are, as panels.
    init(pixels window: Window, _ panels: ElementType) {
      self.panels = panels
      (B, H, W, C, O, KH, KW) = (window.B, window.P, window.Q, window.O, window.O, 1, 1)
      (down, across, every, top, left) = (window.P, window.Q, 1, 0, 0)
    }
  }

  /// The panels of these results, T of which are a group.
  private func panels(
    _ gathering: Gathering, of input: Value, at: Int, _ results: Range<Int>, T: Int, byRows: Bool = false
  ) -> Launch {
    let slices = ceilDivide(gathering.numbers, GATHER_SLICE), pair = 2 * Parameter.lanes
    let slice = ceilDivide(ceilDivide(gathering.numbers, slices), pair) * pair
    // Short rows are copied by groups: what a work-item must find out first would take longer than copying eight.
    let groups = stride(from: WIDE_GROUP, to: WIDE_RUN, by: -WIDE_RUN)
    let run = groups.first { T % $0 == 0 && $0 * slice <= WIDE_RUN * GATHER_SLICE } ?? WIDE_RUN
    return Launch(
      "gather_input",
      global: [slices, ceilDivide(results.count, run)],
      [
        "input": .value(input), "panels": .store(.workspace), "panels_at": .int(at),
        "size": .int(gathering.B * gathering.H * gathering.W * gathering.C), "H": .int(gathering.H),
        "W": .int(gathering.W), "C": .int(gathering.C), "KH": .int(gathering.KH), "KW": .int(gathering.KW),
        "down": .int(gathering.down), "across": .int(gathering.across), "every": .int(gathering.every),
        "top": .int(gathering.top), "left": .int(gathering.left), "first": .int(results.lowerBound),
        "last": .int(results.upperBound), "T": .int(T), "run": .int(run), "slice": .int(slice),
        "by_rows": .flag(byRows),
      ])
  }

  /// Panels and products in turn, or products of few channels alone.
  private func products(
    _ gathering: Gathering, of input: Value, panelsAt: Int, _ own: KernelArguments
  ) -> [Launch] {
    let O = gathering.O
    if gathering.isNarrow {
      return [
        Launch(
          "conv_taps", global: [ceilDivide(O, 2 * Parameter.lanes), ceilDivide(gathering.count, gathering.group)],
          own + [
            "input": .value(input), "input_H": .int(gathering.H), "input_W": .int(gathering.W), "C": .int(gathering.C),
            "O": .int(O), "KH": .int(gathering.KH), "KW": .int(gathering.KW), "reads_every": .int(gathering.every),
            "reads_top": .int(gathering.top), "reads_left": .int(gathering.left), "down": .int(gathering.down),
            "across": .int(gathering.across), "count": .int(gathering.count), "T": .int(gathering.group),
          ])
      ]
    }
    let group = gathering.group, items = gathering.items, atOnce = gathering.atOnce
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

  func gather(_ convolve: Convolve) -> Lowered {
    let window = convolve.window, gathering = Gathering(forward: window, panels), group = gathering.group
    var own: KernelArguments = [
      "H": .int(window.P), "W": .int(window.Q), "every": .int(1), "top": .int(0), "left": .int(0),
      "partials": convolve.statistics == nil ? .noBuffer : .store(.vectors),
    ]
    var packing: [Launch] = [], panelsAt = 0
    if !gathering.isNarrow, panels == .bfloat16 || gathering.K != gathering.numbers {
      let lanes = Parameter.lanes
      packing = [
        Launch(
          "gather_forward_weights", global: [ceilDivide(gathering.numbers, lanes), ceilDivide(window.O, lanes)],
          ["packed": .store(.workspace)])
      ]
      panelsAt = gathering.K * Parameter.padded(window.O)
      own["weights"] = .store(.workspace)
      own["weights_at"] = .int(0)
    }
    var lowered = Lowered(
      packing + products(gathering, of: convolve.input, panelsAt: panelsAt, own),
      workspace: panelsAt + gathering.atOnce * gathering.K)
    if !gathering.isNarrow { lowered.rounding = panelRounding }
    if let statistics = convolve.statistics {
      let count = ceilDivide(gathering.count, group)
      let pieces = Pieces(count: count, perImage: count, rows: group, H: gathering.count, Q: 1)
      lowered.launches.append(combine(statistics, C: window.O, pieces, in: .vectors))
      lowered.vectors = count * 2 * Parameter.padded(window.O)
    }
    return lowered
  }

  func gather(_ backward: ConvolveBackwardData) -> Lowered {
    let window = backward.window, lanes = Parameter.lanes, stride = window.stride, columns = Parameter.padded(window.C)
    var lowered = Lowered([], rounding: panelRounding)
    for row in 0..<min(stride, window.H) {
      for column in 0..<min(stride, window.W) {
        let gathering = Gathering(backward: window, row: row, column: column, panels)
        if gathering.numbers > 0 {
          lowered.launches.append(
            Launch(
              "gather_weights", global: [ceilDivide(gathering.numbers, lanes), ceilDivide(window.C, lanes)],
              [
                "transposed": .store(.workspace), "height": .int(window.KH), "width": .int(window.KW),
                "KH": .int(gathering.KH), "KW": .int(gathering.KW),
                "top": .int((row + window.padding) % stride + (gathering.KH - 1) * stride),
                "left": .int((column + window.left) % stride + (gathering.KW - 1) * stride),
              ]))
        }
        let panelsAt = columns * gathering.K
        lowered.launches += products(
          gathering, of: backward.doutput, panelsAt: panelsAt,
          [
            "weights": .store(.workspace), "weights_at": .int(0), "output": .value(backward.dinput),
            "H": .int(window.H), "W": .int(window.W), "every": .int(stride), "top": .int(row), "left": .int(column),
            "partials": .noBuffer, "has_partials": .flag(false),
          ])
        lowered.workspace = max(lowered.workspace, panelsAt + gathering.atOnce * gathering.K)
      }
    }
    return lowered
  }

  func gather(_ backward: ConvolveBackwardWeights) -> Lowered {
    let window = backward.window, O = window.O
    let gathering = Gathering(forward: window, panels), pixels = Gathering(pixels: window, panels)
    // Sums of taps with whole vectors are points of their own; others are rows [KH][KW][C] of one.
    let taps = window.C % Parameter.lanes == 0 ? window.KH * window.KW : 1, C = gathering.numbers / taps
    // The panels of one tap and of doutput should fit into a core's cache, all of them into what the cores share.
    // Sums go over rows, whose words hold one number of each of two.
    let pair = panels.perWord, row = Parameter.padded(C)
    let most = min(pair * 131_072 / (C + O), 2 * pair * ProductItems.wave / (taps * C + O)) / WIDE_GROUP_4X4
    let all = ceilDivide(gathering.count, WIDE_GROUP_4X4)
    let T = ceilDivide(all, ceilDivide(all, max(1, most))) * WIDE_GROUP_4X4, gradientsAt = taps * row * T / pair
    var launches: [Launch] = []
    for first in stride(from: 0, to: gathering.count, by: T) {
      let last = min(first + T, gathering.count)
      launches += [
        panels(gathering, of: backward.input, at: 0, first..<last, T: T, byRows: true),
        panels(pixels, of: backward.doutput, at: gradientsAt, first..<last, T: T, byRows: true),
        accumulate(
          C: C, O: O, points: taps, rows: gathering.count,
          [
            "sums": .store(.gradients), "sums_at": .int(backward.weightsAt), "panels_at": .int(0),
            "gradients_at": .int(gradientsAt), "panel_step": .int(row * T / pair), "gradient_step": .int(0),
            "T": .int(T), "count": .int(last - first), "accumulate": .flag(first > 0 || backward.accumulate),
          ]),
      ]
    }
    return Lowered(launches, workspace: gradientsAt + Parameter.padded(O) * T / pair, rounding: panelRounding)
  }

  /// Adds the products of panels of C and O channels to the sums of each point.
  ///
  /// A thread shares with the others what is smaller, the panels of `rows` rows in all or the sums.
  func accumulate(C: Int, O: Int, points: Int, rows: Int, _ own: KernelArguments) -> Launch {
    let channels = ceilDivide(C, Parameter.lanes), outputs = ceilDivide(O, 2 * Parameter.lanes)
    let byOutputs = C * O > (C + O) * rows
    return Launch(
      "panel_accumulate", global: byOutputs ? [channels, points, outputs] : [channels, outputs, points],
      own + [
        "panels": .store(.workspace), "C": .int(C), "points": .int(points), "by_outputs": .flag(byOutputs),
      ])
  }
}
