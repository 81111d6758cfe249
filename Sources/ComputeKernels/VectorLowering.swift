import CLayout
import Compute

/// The launches for CPU-type devices: kernels without barriers, one work-item for a large piece of work, explicit
/// 16-wide vectors.
///
/// Used by the built-in CPU device and by CPUs driven through OpenCL.
///
/// How work is cut into pieces depends on shapes alone, never on the number of threads: sums keep their order.
public struct VectorLowering: Lowering {
  /// Floats of the staged piece of input.
  static let scratch = CONV_SCRATCH
  /// The widest register tile of any build of conv.cl, in pixels.
  static let tile = Int(CONV_PIXELS_MAX)
  /// Pixels per work-item of the batch-norm kernels.
  static let rows = 512

  /// The choices of launches that are in force.
  public var tuning: Tuning

  /// A lowering with the choices of a tuning.
  public init(tuning: Tuning = .standard) { self.tuning = tuning }

  func tuned(_ choice: Tuning.Choice, _ window: Window) -> Int? { tuning.number(choice, window) }

  /// The launches of one operation, in order.
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
    case .normalizeBackwardSums(let doutput, let layer, let gradient, let sums, let M, let C, let accumulate):
      normalizeBackwardSums(doutput, layer, gradient, .value(sums), M, C, accumulate)
    case .normalizeBackwardApply(let gradient, let M, let C): [normalizeBackwardApply(gradient, M, C)]
    case .convolveNormalized(let window, let layer, let weightsAt, let output, let statistics):
      winogradForward(
        window, rows: supportedRows(window), layer.input, layer, weightsAt, output, statistics)
    case .convolveBackwardDataNormalized(
      let window, let doutput, let weightsAt, let addend, let dinput, let below):
      winogradBackwardData(
        window, rows: supportedRows(window), doutput, weightsAt, addend: addend, dinput, below: below)
    case .convolveBackwardWeightsNormalized(
      let window, let layer, let doutput, let weightsAt, let accumulate):
      winogradBackwardWeights(
        window, rows: supportedRows(window), layer.input, layer, doutput, weightsAt, accumulate)
    case .add(let a, let b, let output, let count):
      [pointwise("add_forward", ["a": .value(a), "b": .value(b), "output": .value(output), "n": .int(count)], count)]
    case .rectify(let input, let slope, let output, let count):
      [
        pointwise(
          "rectify_forward",
          ["input": .value(input), "output": .value(output), "slope": .float(slope), "n": .int(count)], count)
      ]
    case .rectifyBackward(let doutput, let output, let slope, let dinput, let count):
      [
        pointwise(
          "rectify_backward",
          [
            "doutput": .value(doutput), "output": .value(output), "dinput": .value(dinput), "slope": .float(slope),
            "n": .int(count),
          ], count)
      ]
    case .bias(let input, let biasAt, let output, let M, let C): [bias(input, biasAt, output, M, C)]
    case .biasBackward(let doutput, let biasAt, let M, let C, let accumulate):
      biasBackward(doutput, biasAt, M, C, accumulate)
    case .dropout(let input, let dropout, let output, let B, let M, let C, let peer):
      [dropoutScale(input, dropout, output, B, M, C, peer)]
    case .flatten(let input, let output, let B, let M, let C):
      [
        KernelLaunch(
          "flatten_forward", ["input": .value(input), "output": .value(output), "M": .int(M), "C": .int(C)],
          global: [B])
      ]
    case .flattenBackward(let doutput, let dinput, let B, let M, let C):
      [
        KernelLaunch(
          "flatten_backward", ["doutput": .value(doutput), "dinput": .value(dinput), "M": .int(M), "C": .int(C)],
          global: [B])
      ]
    case .shortcut(let input, let output, let shape, let outputShape, let kind):
      [
        shortcut(
          "shortcut_forward", ["input": .value(input), "output": .value(output)], shape, outputShape, kind,
          global: [outputShape[1], shape[0]])
      ]
    case .shortcutBackward(let doutput, let dinput, let shape, let outputShape, let kind):
      [
        shortcut(
          "shortcut_backward", ["doutput": .value(doutput), "dinput": .value(dinput)], shape, outputShape, kind,
          global: [shape[1], shape[0]])
      ]
    case .pool(let window, let input, let output, let maximum):
      [pool("pool_forward", ["input": .value(input), "output": .value(output)], window, maximum, rows: window.P)]
    case .poolBackward(let window, let doutput, let input, let dinput, let maximum):
      [
        pool(
          "pool_backward", ["doutput": .value(doutput), "input": .value(input), "dinput": .value(dinput)], window,
          maximum, rows: window.H)
      ]
    case .globalAverage(let input, let output, let B, let M, let C):
      [
        KernelLaunch(
          "pool_global_forward",
          ["input": .value(input), "output": .value(output), "M": .int(M), "C": .int(C)], global: [B])
      ]
    case .globalAverageBackward(let doutput, let dinput, let B, let M, let C):
      [
        KernelLaunch(
          "pool_global_backward",
          ["doutput": .value(doutput), "dinput": .value(dinput), "M": .int(M), "C": .int(C)], global: [B])
      ]
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
      loss(function, logits, dlogits, B, K, peer)
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
    case .rows(let kernel, let count): [KernelLaunch(kernel, global: [count])]
    case .update(let kernel, let count, let clip): update(kernel, count, clip)
    case .advance(let B):
      [KernelLaunch("advance_step", ["counters": .store(.counters), "B": .int(B)], global: [1])]
    case .cut: []
    }
  }

  /// Whether there are kernels for a fused operation.
  public func supports(_ fused: TensorOperation) -> Bool {
    switch fused {
    case .convolveNormalized(let window, _, _, _, _), .convolveBackwardDataNormalized(let window, _, _, _, _, _):
      winogradRows(window) != nil
    // Recomputed without its residual only.
    case .convolveBackwardWeightsNormalized(let window, let layer, _, _, _):
      winogradRows(window) != nil && layer.residual == nil
    default: true
    }
  }

  private func supportedRows(_ window: Window) -> Int {
    guard let rows = winogradRows(window) else { preconditionFailure("the operation is not supported") }
    return rows
  }

  /// Floats of shared memory that the operation needs; see `Device`.
  public func workspace(for operation: TensorOperation) -> (workspace: Int, vectors: Int) {
    switch operation {
    case .convolve(let window, _, _, _, let statistics) where winogradRows(window) != nil:
      winogradForwardWorkspace(window, rows: supportedRows(window), statistics: statistics != nil)
    case .convolveNormalized(let window, _, _, _, let statistics):
      winogradForwardWorkspace(window, rows: supportedRows(window), statistics: statistics != nil)
    case .convolveBackwardData(let window, _, _, _, _) where winogradRows(window) != nil:
      winogradBackwardDataWorkspace(window, rows: supportedRows(window), sums: false)
    case .convolveBackwardDataNormalized(let window, _, _, _, _, let below):
      winogradBackwardDataWorkspace(window, rows: supportedRows(window), sums: below != nil)
    case .convolveBackwardWeights(let window, _, _, _, _) where winogradRows(window) != nil:
      winogradWeightsWorkspace(window)
    case .convolveBackwardWeightsNormalized(let window, _, _, _, _): winogradWeightsWorkspace(window)
    case .normalizeBackwardSums(_, _, _, _, let M, let C, _): (quotient(M, Self.rows) * 2 * Parameter.padded(C), 0)
    case .convolve(let window, _, _, _, .some): (partialPieces(window).count * 2 * Parameter.padded(window.O), 0)
    case .convolveBackwardData(let window, _, _, _, _):
      (window.KH * window.KW * window.O * Parameter.padded(window.C), 0)
    case .convolveBackwardWeights(let window, _, _, _, _): (weightPartials(window), 0)
    case .batchStatistics(_, let M, let C, _): (quotient(M, Self.rows) * 2 * Parameter.padded(C), 0)
    case .normalizeBackward(_, _, _, _, _, _, _, _, _, let M, let C, _):
      (quotient(M, Self.rows) * 2 * Parameter.padded(C), 2 * Parameter.padded(C))
    case .biasBackward(_, _, let M, let C, _): (quotient(M, Self.rows) * Parameter.padded(C), 0)
    case .linearBackwardData(_, _, _, _, let N, let K): (N * Parameter.padded(K), 0)
    case .linearBackwardWeights(_, _, _, _, let M, let N, let K, _):
      (weightPartials(Window(B: M, H: 1, W: 1, C: K, O: N, KH: 1, KW: 1, stride: 1, padding: 0)), 0)
    case .loss(let function, _, _, _, let K, _) where function.inputs == .determinant: (K * K + K + 1, 0)
    case .update(_, let count, true): (quotient(count, ELEMENTS_PER_ITEM), 0)
    default: (0, 0)
    }
  }
}

// MARK: - The smaller operations

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
    KernelLaunch(kernel, arguments, global: [quotient(count, ELEMENTS_PER_ITEM)])
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
  ) -> [KernelLaunch] {
    let labelOrder = KernelLaunch.Argument.store(peer ? .peerLabelOrder : .order)
    var launch = KernelLaunch(
      function.kernel,
      [
        "logits": .value(logits), "labels": .store(.labels), "order": .store(.order), "label_order": labelOrder,
        "counters": .store(.counters), "numbers": .store(.numbers), "dlogits": .value(dlogits),
        "sample_loss": .store(.sampleLoss), "sample_prediction": .store(.samplePrediction),
        "margin_sum": .store(.marginSum), "margin_lost": .store(.marginLost), "margin_count": .store(.marginCount),
        "B": .int(B), "K": .int(K), "peer": .flag(peer),
      ], global: [B])
    switch function.inputs {
    case .row: return [launch]
    case .transition:
      launch.arguments.append(("matrix", .store(.transition)))
      return [launch]
    case .determinant:
      launch.arguments.append(("matrix", .store(.workspace)))
      return [
        KernelLaunch(
          "determinant_softmax", ["logits": .value(logits), "dlogits": .value(dlogits), "K": .int(K)], global: [B]),
        KernelLaunch(
          "determinant_invert",
          [
            "probabilities": .value(dlogits), "labels": .store(.labels), "order": labelOrder,
            "counters": .store(.counters), "matrix": .store(.workspace), "B": .int(B), "K": .int(K),
          ], global: [1]),
        launch,
      ]
    }
  }

  private func update(_ kernel: FlatKernel, _ count: Int, _ clip: Bool) -> [KernelLaunch] {
    let pieces = quotient(count, ELEMENTS_PER_ITEM)
    let step = KernelLaunch(kernel, count: count, pieces: clip ? pieces : 0, global: [pieces])
    guard clip else { return [step] }
    return [
      KernelLaunch(
        "reduce_squares",
        ["input": .store(.gradients), "partials": .store(.workspace), "n": .int(count)], global: [pieces]),
      step,
    ]
  }
}
