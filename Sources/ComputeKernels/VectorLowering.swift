import Compute

/// The launches for CPU-type devices: kernels without barriers, one work-item for a large piece of work, explicit
/// 16-wide vectors. Used by the built-in CPU device and by CPUs driven through OpenCL.
///
/// How work is cut into pieces depends on shapes alone, never on the number of threads: sums keep their order.
public struct VectorLowering: Lowering {
  /// CONV_SCRATCH of conv.cl: floats of the staged piece of input.
  static let scratch = 16384
  /// The widest register tile of any build of conv.cl, in pixels.
  static let tile = 8
  /// Pixels per work-item of the batch-norm kernels.
  static let rows = 512

  public init() {}

  public func launches(for operation: TensorOperation) -> [KernelLaunch] {
    switch operation {
    case .augment(let output, let shape, let augmentation, let peer): augment(output, shape, augmentation, peer)
    case .convolve(let window, let input, let weightsAt, let output, let statistics):
      convolve(window, input, weightsAt, output, statistics)
    case .convolveBackwardData(let window, let doutput, let weightsAt, let addend, let dinput):
      backwardData(window, doutput, weightsAt, addend, dinput)
    case .convolveBackwardWeights(let window, let input, let doutput, let weightsAt, let accumulate):
      backwardWeights(window, input, doutput, weightsAt, accumulate)
    case .batchStatistics(let input, let M, let C, let statistics): batchStatistics(input, M, C, statistics)
    case .inferenceStatistics(let C, let statistics): [inferenceStatistics(C, statistics)]
    case .normalize(
      let input, let statistics, let gammaAt, let betaAt, let residual, let rectify, let output, let M, let C):
      [
        KernelLaunch(
          "batchnorm_normalize",
          [
            "input": .value(input), "residual": .value(residual), "mean": .value(statistics.mean),
            "inverse": .value(statistics.inverse), "parameters": .store(.parameters), "output": .value(output),
            "gamma_at": .int(gammaAt), "beta_at": .int(betaAt), "M": .int(M), "C": .int(C), "rows": .int(Self.rows),
            "has_residual": .flag(residual != nil), "rectify": .flag(rectify),
          ], global: [quotient(M, Self.rows)])
      ]
    case .normalizeBackward(
      let doutput, let output, let input, let statistics, let gammaAt, let betaAt, let dresidual, let rectify,
      let dinput, let M, let C, let accumulate):
      normalizeBackward(
        doutput, output, input, statistics, gammaAt, betaAt, dresidual, rectify, dinput, M, C, accumulate)
    case .add(let a, let b, let output, let count):
      [pointwise("add_forward", ["a": .value(a), "b": .value(b), "output": .value(output), "n": .int(count)], count)]
    case .rectify(let input, let output, let count):
      [pointwise("rectify_forward", ["input": .value(input), "output": .value(output), "n": .int(count)], count)]
    case .rectifyBackward(let doutput, let output, let dinput, let count):
      [
        pointwise(
          "rectify_backward",
          ["doutput": .value(doutput), "output": .value(output), "dinput": .value(dinput), "n": .int(count)], count)
      ]
    case .shortcut(let input, let output, let shape, let outputShape, let kind):
      [shortcut("shortcut_forward", ["input": .value(input), "output": .value(output)], shape, outputShape, kind,
                global: [outputShape[1], shape[0]])]
    case .shortcutBackward(let doutput, let dinput, let shape, let outputShape, let kind):
      [shortcut("shortcut_backward", ["doutput": .value(doutput), "dinput": .value(dinput)], shape, outputShape, kind,
                global: [shape[1], shape[0]])]
    case .pool(let window, let input, let output, let maximum):
      [pool("pool_forward", ["input": .value(input), "output": .value(output)], window, maximum, rows: window.P)]
    case .poolBackward(let window, let doutput, let input, let dinput, let maximum):
      [pool("pool_backward", ["doutput": .value(doutput), "input": .value(input), "dinput": .value(dinput)], window,
            maximum, rows: window.H)]
    case .globalAverage(let input, let output, let B, let M, let C):
      [KernelLaunch("pool_global_forward",
                    ["input": .value(input), "output": .value(output), "M": .int(M), "C": .int(C)], global: [B])]
    case .globalAverageBackward(let doutput, let dinput, let B, let M, let C):
      [KernelLaunch("pool_global_backward",
                    ["doutput": .value(doutput), "dinput": .value(dinput), "M": .int(M), "C": .int(C)], global: [B])]
    case .linear(let input, let weightsAt, let biasAt, let output, let M, let N, let K):
      [gemm(input, .store(.parameters), weightsAt, biasAt, output, M, N, K)]
    case .linearBackwardData(let doutput, let weightsAt, let dinput, let M, let N, let K):
      [
        transpose(weightsAt, C: K, O: N, KH: 1, KW: 1, turned: false),
        gemm(doutput, .store(.workspace), 0, nil, dinput, M, K, N),
      ]
    case .linearBackwardWeights(
      let input, let doutput, let weightsAt, let biasAt, let M, let N, let K, let accumulate):
      backwardWeights(
        Window(B: M, H: 1, W: 1, C: K, O: N, KH: 1, KW: 1, stride: 1, padding: 0), input, doutput, weightsAt,
        accumulate)
        + [
          KernelLaunch(
            "reduce_rows",
            [
              "input": .value(doutput), "gradients": .store(.gradients), "at": .int(biasAt), "M": .int(M),
              "N": .int(N), "accumulate": .flag(accumulate),
            ], global: [quotient(N, Parameter.lanes)])
        ]
    case .loss(let function, let logits, let dlogits, let B, let K, let peer):
      [loss(function, logits, dlogits, B, K, peer)]
    case .evaluate(let logits, let scratch, let B, let K):
      [
        KernelLaunch(
          "loss_evaluate",
          [
            "logits": .value(logits), "labels": .store(.labels), "order": .store(.order),
            "counters": .store(.counters), "scratch": .value(scratch), "sample_loss": .store(.sampleLoss),
            "sample_prediction": .store(.samplePrediction), "sample_confidence": .store(.sampleConfidence),
            "K": .int(K),
          ], global: [B])
      ]
    case .update(let count, let clip): update(count, clip)
    case .advance(let B):
      [KernelLaunch("advance_step", ["counters": .store(.counters), "B": .int(B)], global: [1])]
    }
  }

  public func workspace(for operation: TensorOperation) -> (workspace: Int, vectors: Int) {
    switch operation {
    case .convolve(let window, _, _, _, .some): (partialPieces(window).count * 2 * Parameter.padded(window.O), 0)
    case .convolveBackwardData(let window, _, _, _, _):
      (window.KH * window.KW * window.O * Parameter.padded(window.C), 0)
    case .convolveBackwardWeights(let window, _, _, _, _): (weightPartials(window), 0)
    case .batchStatistics(_, let M, let C, _): (quotient(M, Self.rows) * 2 * Parameter.padded(C), 0)
    case .normalizeBackward(_, _, _, _, _, _, _, _, _, let M, let C, _):
      (quotient(M, Self.rows) * 2 * Parameter.padded(C), 2 * Parameter.padded(C))
    case .linearBackwardData(_, _, _, _, let N, let K): (N * Parameter.padded(K), 0)
    case .linearBackwardWeights(_, _, _, _, let M, let N, let K, _):
      (weightPartials(Window(B: M, H: 1, W: 1, C: K, O: N, KH: 1, KW: 1, stride: 1, padding: 0)), 0)
    case .update(let count, true): (quotient(count, 4096), 0)
    default: (0, 0)
    }
  }
}

// MARK: - Convolution

extension VectorLowering {
  /// Rows of one work-item of conv_forward_3x3, or nil where that kernel does not apply.
  private func rows3x3(_ window: Window) -> Int? {
    guard window.KH == 3, window.KW == 3, window.stride == 1, window.padding == 1 else { return nil }
    let fitting = Self.scratch / ((window.W + Self.tile + 2) * window.C) - 2
    return fitting >= 1 ? min(8, fitting, window.H) : nil
  }

  /// The pieces whose partial statistics a convolution leaves: how many, and the rows of each.
  private func partialPieces(_ window: Window) -> (count: Int, perImage: Int, rows: Int) {
    let rows = rows3x3(window) ?? 1, perImage = quotient(window.P, rows)
    return (window.B * perImage, perImage, rows)
  }

  /// Channels that fit into the scratch beside each other: `rows` rows of `width` pixels.
  private func slice(_ channels: Int, rows: Int, width: Int) -> Int {
    let fitting = Self.scratch / (rows * width)
    precondition(fitting >= 1, "an image \(width) pixels wide is too wide for the convolution's scratch")
    return min(channels, fitting)
  }

  private func convolve(
    _ window: Window, _ input: Value, _ weightsAt: Int, _ output: Value, _ statistics: BatchStatistics?
  ) -> [KernelLaunch] {
    let forward = forward(
      window, input, .store(.parameters), weightsAt, addend: nil, output, partials: statistics != nil)
    guard let statistics else { return [forward] }
    let pieces = partialPieces(window)
    return [
      forward,
      combine(
        statistics, C: window.O, pieces: pieces.count, perImage: pieces.perImage, rows: pieces.rows, H: window.P,
        Q: window.Q),
    ]
  }

  private func forward(
    _ window: Window, _ input: Value, _ weights: KernelLaunch.Argument, _ weightsAt: Int, addend: Value?,
    _ output: Value, partials: Bool
  ) -> KernelLaunch {
    let (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O)
    if let rows = rows3x3(window) {
      return KernelLaunch(
        "conv_forward_3x3",
        [
          "input": .value(input), "weights": weights, "addend": .value(addend), "output": .value(output),
          "partials": partials ? .store(.workspace) : .none, "weights_at": .int(weightsAt), "H": .int(H), "W": .int(W),
          "C": .int(C), "O": .int(O), "rows": .int(rows), "has_addend": .flag(addend != nil),
          "has_partials": .flag(partials),
        ], global: [quotient(H, rows), B])
    }
    return KernelLaunch(
      "conv_forward",
      [
        "input": .value(input), "weights": weights, "addend": .value(addend), "output": .value(output),
        "partials": partials ? .store(.workspace) : .none, "weights_at": .int(weightsAt), "H": .int(H), "W": .int(W),
        "C": .int(C), "P": .int(window.P), "Q": .int(window.Q), "O": .int(O), "KH": .int(window.KH),
        "KW": .int(window.KW), "stride": .int(window.stride), "padding": .int(window.padding),
        "slice": .int(slice(C, rows: window.KH, width: W + 2 * window.padding)), "has_addend": .flag(addend != nil),
        "has_partials": .flag(partials),
      ], global: [window.P, B])
  }

  private func transpose(_ weightsAt: Int, C: Int, O: Int, KH: Int, KW: Int, turned: Bool) -> KernelLaunch {
    KernelLaunch(
      "conv_transpose_weights",
      [
        "weights": .store(.parameters), "transposed": .store(.workspace), "weights_at": .int(weightsAt), "C": .int(C),
        "O": .int(O), "KH": .int(KH), "KW": .int(KW), "turned": .flag(turned),
      ], global: [KH * KW * O, quotient(C, Parameter.lanes)])
  }

  private func backwardData(
    _ window: Window, _ doutput: Value, _ weightsAt: Int, _ addend: Value?, _ dinput: Value
  ) -> [KernelLaunch] {
    let (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O)
    // Backward-data of a 3×3 convolution with stride 1 is the forward kernel on turned filters.
    // It keeps the image's size; other filters do not, and may not even fit on their own output.
    var reverse: Window?
    if window.KH == 3 && window.KW == 3 && window.stride == 1 && window.padding == 1 {
      let candidate = Window(B: B, H: H, W: W, C: O, O: C, KH: 3, KW: 3, stride: 1, padding: 1)
      if rows3x3(candidate) != nil { reverse = candidate }
    }
    let transposed = transpose(weightsAt, C: C, O: O, KH: window.KH, KW: window.KW, turned: reverse != nil)
    if let reverse {
      return [
        transposed, forward(reverse, doutput, .store(.workspace), 0, addend: addend, dinput, partials: false),
      ]
    }
    return [
      transposed,
      KernelLaunch(
        "conv_backward_data",
        [
          "doutput": .value(doutput), "transposed": .store(.workspace), "addend": .value(addend),
          "dinput": .value(dinput), "H": .int(H), "W": .int(W), "C": .int(C), "P": .int(window.P), "Q": .int(window.Q),
          "O": .int(O), "KH": .int(window.KH), "KW": .int(window.KW), "stride": .int(window.stride),
          "padding": .int(window.padding),
          "slice": .int(slice(O, rows: window.KH, width: window.Q + 2 * (window.KW + Self.tile))),
          "has_addend": .flag(addend != nil),
        ], global: [H, B]),
    ]
  }

  /// Images of one partial sum of a weight gradient: enough partial sums to share out, few enough to add up.
  private func imagesPerChunk(_ window: Window) -> Int {
    let chunks = window.C * window.O >= 64 * 64 ? 8 : 16
    return quotient(window.B, chunks)
  }

  private func weightPartials(_ window: Window) -> Int {
    quotient(window.B, imagesPerChunk(window)) * Parameter.padded(window.O) * window.KH * window.KW * window.C
  }

  private func backwardWeights(
    _ window: Window, _ input: Value, _ doutput: Value, _ weightsAt: Int, _ accumulate: Bool
  ) -> [KernelLaunch] {
    let (B, H, W, C, O) = (window.B, window.H, window.W, window.C, window.O)
    let images = imagesPerChunk(window), chunks = quotient(B, images), lanes = Parameter.lanes
    let partial: KernelLaunch
    if rows3x3(window) != nil, C % 8 == 0, O % lanes == 0 {
      partial = KernelLaunch(
        "conv_backward_weights_3x3",
        [
          "input": .value(input), "doutput": .value(doutput), "partials": .store(.workspace), "B": .int(B),
          "H": .int(H), "W": .int(W), "C": .int(C), "O": .int(O), "images": .int(images),
        ], global: [3 * (C / 8) * (O / lanes), chunks])
    } else {
      partial = KernelLaunch(
        "conv_backward_weights",
        [
          "input": .value(input), "doutput": .value(doutput), "partials": .store(.workspace), "B": .int(B),
          "H": .int(H), "W": .int(W), "C": .int(C), "P": .int(window.P), "Q": .int(window.Q), "O": .int(O),
          "KH": .int(window.KH), "KW": .int(window.KW), "stride": .int(window.stride),
          "padding": .int(window.padding), "images": .int(images),
        ], global: [window.KH * window.KW * quotient(C, lanes) * quotient(O, lanes), chunks])
    }
    let count = Parameter.padded(O) * window.KH * window.KW * C
    return [
      partial,
      KernelLaunch(
        "reduce_partials",
        [
          "partials": .store(.workspace), "gradients": .store(.gradients), "at": .int(weightsAt), "n": .int(count),
          "chunks": .int(chunks), "accumulate": .flag(accumulate),
        ], global: [quotient(count, 256)]),
    ]
  }

  private func gemm(
    _ input: Value, _ weights: KernelLaunch.Argument, _ weightsAt: Int, _ biasAt: Int?, _ output: Value, _ M: Int,
    _ N: Int, _ K: Int
  ) -> KernelLaunch {
    KernelLaunch(
      "gemm_forward",
      [
        "input": .value(input), "weights": weights, "bias": biasAt == nil ? .none : .store(.parameters),
        "output": .value(output), "weights_at": .int(weightsAt), "bias_at": .int(biasAt ?? 0), "M": .int(M),
        "N": .int(N), "K": .int(K), "has_bias": .flag(biasAt != nil),
      ], global: [quotient(M, 8)])
  }
}

// MARK: - Batch norm

extension VectorLowering {
  private func combine(
    _ statistics: BatchStatistics, C: Int, pieces: Int, perImage: Int, rows: Int, H: Int, Q: Int
  ) -> KernelLaunch {
    KernelLaunch(
      "batchnorm_combine",
      [
        "partials": .store(.workspace), "running": .store(.running), "mean": .value(statistics.mean),
        "inverse": .value(statistics.inverse), "running_mean_at": .int(statistics.runningMean),
        "running_variance_at": .int(statistics.runningVariance), "C": .int(C), "pieces": .int(pieces),
        "per_image": .int(perImage), "rows": .int(rows), "H": .int(H), "Q": .int(Q),
      ], global: [quotient(C, Parameter.lanes)])
  }

  private func batchStatistics(_ input: Value, _ M: Int, _ C: Int, _ statistics: BatchStatistics) -> [KernelLaunch] {
    let pieces = quotient(M, Self.rows)
    return [
      KernelLaunch(
        "batchnorm_statistics",
        [
          "input": .value(input), "partials": .store(.workspace), "M": .int(M), "C": .int(C),
          "rows": .int(Self.rows),
        ], global: [pieces]),
      combine(statistics, C: C, pieces: pieces, perImage: pieces, rows: Self.rows, H: M, Q: 1),
    ]
  }

  private func inferenceStatistics(_ C: Int, _ statistics: BatchStatistics) -> KernelLaunch {
    KernelLaunch(
      "batchnorm_inference",
      [
        "running": .store(.running), "mean": .value(statistics.mean), "inverse": .value(statistics.inverse),
        "running_mean_at": .int(statistics.runningMean), "running_variance_at": .int(statistics.runningVariance),
      ], global: [Parameter.padded(C)])
  }

  private func normalizeBackward(
    _ doutput: Value, _ output: Value, _ input: Value, _ statistics: BatchStatistics, _ gammaAt: Int, _ betaAt: Int,
    _ dresidual: Value?, _ rectify: Bool, _ dinput: Value, _ M: Int, _ C: Int, _ accumulate: Bool
  ) -> [KernelLaunch] {
    let pieces = quotient(M, Self.rows)
    return [
      KernelLaunch(
        "batchnorm_backward_sums",
        [
          "doutput": .value(doutput), "output": .value(output), "input": .value(input),
          "mean": .value(statistics.mean), "partials": .store(.workspace), "M": .int(M), "C": .int(C),
          "rows": .int(Self.rows), "rectify": .flag(rectify),
        ], global: [pieces]),
      KernelLaunch(
        "batchnorm_backward_combine",
        [
          "partials": .store(.workspace), "inverse": .value(statistics.inverse), "gradients": .store(.gradients),
          "means": .store(.vectors), "gamma_at": .int(gammaAt), "beta_at": .int(betaAt), "M": .int(M), "C": .int(C),
          "pieces": .int(pieces), "accumulate": .flag(accumulate),
        ], global: [quotient(C, Parameter.lanes)]),
      KernelLaunch(
        "batchnorm_backward_apply",
        [
          "doutput": .value(doutput), "output": .value(output), "input": .value(input),
          "mean": .value(statistics.mean), "inverse": .value(statistics.inverse), "parameters": .store(.parameters),
          "means": .store(.vectors), "dinput": .value(dinput), "dresidual": .value(dresidual), "gamma_at": .int(gammaAt),
          "M": .int(M), "C": .int(C), "rows": .int(Self.rows), "has_residual": .flag(dresidual != nil),
          "rectify": .flag(rectify),
        ], global: [pieces]),
    ]
  }
}

// MARK: - The rest

extension VectorLowering {
  private func augment(
    _ output: Value, _ shape: [Int], _ augmentation: Augmentation, _ peer: Bool
  ) -> [KernelLaunch] {
    [
      KernelLaunch(
        "augment_crop_flip",
        [
          "pixels": .store(.pixels), "order": .store(peer ? .peerOrder : .order), "counters": .store(.counters),
          "input_statistics": .store(.inputStatistics), "output": .value(output), "H": .int(shape[1]),
          "W": .int(shape[2]), "C": .int(shape[3]), "crop": .int(augmentation.crop), "flip": .flag(augmentation.flip),
          "peer": .flag(peer),
        ], global: [shape[1], shape[0]])
    ]
  }

  private func pointwise(
    _ kernel: String, _ arguments: KeyValuePairs<String, KernelLaunch.Argument>, _ count: Int
  ) -> KernelLaunch {
    KernelLaunch(kernel, arguments, global: [quotient(count, 4096)])
  }

  private func shortcut(
    _ kernel: String, _ tensors: KeyValuePairs<String, KernelLaunch.Argument>, _ shape: [Int], _ outputShape: [Int],
    _ kind: Shortcut, global: [Int]
  ) -> KernelLaunch {
    var launch = KernelLaunch(kernel, tensors, global: global)
    launch.arguments += [
      ("H", .int(shape[1])), ("W", .int(shape[2])), ("C", .int(shape[3])), ("P", .int(outputShape[1])),
      ("Q", .int(outputShape[2])), ("average", .flag(kind == .average)),
    ]
    return launch
  }

  private func pool(
    _ kernel: String, _ tensors: KeyValuePairs<String, KernelLaunch.Argument>, _ window: Window, _ maximum: Bool,
    rows: Int
  ) -> KernelLaunch {
    var launch = KernelLaunch(kernel, tensors, global: [rows, window.B])
    launch.arguments += [
      ("H", .int(window.H)), ("W", .int(window.W)), ("C", .int(window.C)), ("P", .int(window.P)),
      ("Q", .int(window.Q)), ("size", .int(window.KH)), ("stride", .int(window.stride)),
      ("padding", .int(window.padding)), ("maximum", .flag(maximum)),
    ]
    return launch
  }

  private func loss(
    _ function: RowFunction, _ logits: Value, _ dlogits: Value, _ B: Int, _ K: Int, _ peer: Bool
  ) -> KernelLaunch {
    KernelLaunch(
      function.kernel,
      [
        "logits": .value(logits), "labels": .store(.labels), "order": .store(peer ? .peerOrder : .order),
        "label_order": .store(peer ? .peerLabelOrder : .order), "counters": .store(.counters),
        "numbers": .store(.numbers), "dlogits": .value(dlogits), "sample_loss": .store(.sampleLoss),
        "sample_prediction": .store(.samplePrediction), "margin_sum": .store(.marginSum),
        "margin_lost": .store(.marginLost), "margin_count": .store(.marginCount), "B": .int(B), "K": .int(K),
        "peer": .flag(peer),
      ], global: [B])
  }

  private func update(_ count: Int, _ clip: Bool) -> [KernelLaunch] {
    let pieces = quotient(count, 4096)
    let step = KernelLaunch(
      "optimizer_sgd",
      [
        "parameters": .store(.parameters), "gradients": .store(.gradients), "momenta": .store(.momenta),
        "numbers": .store(.numbers), "squares": .store(.workspace), "n": .int(count),
        "pieces": .int(clip ? pieces : 0),
      ], global: [pieces])
    guard clip else { return [step] }
    return [
      KernelLaunch(
        "reduce_squares",
        ["input": .store(.gradients), "partials": .store(.workspace), "n": .int(count)], global: [pieces]),
      step,
    ]
  }
}
