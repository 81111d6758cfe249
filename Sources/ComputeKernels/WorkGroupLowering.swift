import CLayout
import Compute
import Failures

/// The launches for GPU-type devices: work-groups of 64 to 256 with local memory and barriers, neighbouring work-items
/// for neighbouring channels.
///
/// How work is cut into groups depends on shapes and on the largest group that the device allows, never on how many
/// groups it runs at a time: sums keep their order.
public struct WorkGroupLowering: Lowering {
  /// Bytes of local memory that the kernels use at most.
  public static let localMemory = 20_000

  /// Bytes that those for matrix units use at most, also where these are emulated.
  public static let matrixLocalMemory = 40_000

  /// Work-items of a group: a power of two.
  let group: Int
  /// The numbers that convolutions multiply on matrix units; nil: they do not use them.
  let matrixUnits: MatrixUnits?
  /// The choices of launches that are in force.
  public var tuning: Tuning

  /// - Parameters:
  ///   - maxWorkGroupSize: the most work-items that the device runs as one group.
  ///   - localMemory: bytes of local memory that it gives to a group.
  ///   - matrixUnits: what 3 × 3 convolutions multiply, if not single precision.
  ///   - tuning: choices of launches.
  /// - Throws: `.deviceUnavailable` for fewer than 64 work-items (128 with matrix units) or too little local memory.
  public init(maxWorkGroupSize: Int, localMemory: Int, matrixUnits: MatrixUnits? = nil, tuning: Tuning = .standard)
    throws(Failure)
  {
    let items = matrixUnits == nil ? 64 : MATRIX_ITEMS
    let bytes = matrixUnits == nil ? Self.localMemory : Self.matrixLocalMemory
    guard maxWorkGroupSize >= items, localMemory >= bytes else {
      throw Failure(
        .deviceUnavailable,
        "the device offers groups of \(maxWorkGroupSize) work-items with \(localMemory) bytes of local memory.",
        why: "the kernels for GPUs need \(items) work-items and \(bytes) bytes.",
        fix: "choose another device; 'gpunoisy devices' lists them.")
    }
    self.matrixUnits = matrixUnits
    self.tuning = tuning
    group = maxWorkGroupSize >= GROUP_ITEMS ? GROUP_ITEMS : maxWorkGroupSize >= 128 ? 128 : 64
  }

  func tuned(_ choice: Tuning.Choice, _ window: Window) -> Int? { tuning.number(choice, window) }

  /// The launches of one operation, in order.
  public func launches(for operation: TensorOperation) -> [KernelLaunch] {
    switch operation {
    case .augment(let output, let shape, let augmentation, let peer): [augment(output, shape, augmentation, peer)]
    case .convolve(let window, let input, let weightsAt, let output, let statistics):
      convolve(window, input, weightsAt, output, statistics)
    case .convolveBackwardData(let window, let doutput, let weightsAt, let addend, let dinput):
      backwardData(window, doutput, weightsAt, addend, dinput)
    case .convolveBackwardWeights(let window, let input, let doutput, let weightsAt, let accumulate):
      backwardWeights(window, input, nil, doutput, weightsAt, accumulate)
    case .batchStatistics(let input, let M, let C, let statistics): batchStatistics(input, M, C, statistics)
    case .inferenceStatistics(let C, let statistics): [inferenceStatistics(C, statistics)]
    case .normalize(
      let input, let statistics, let gammaAt, let betaAt, let residual, let rectify, let output, let M, let C):
      [normalize(input, statistics, gammaAt, betaAt, residual, rectify, output, M, C)]
    case .normalizeBackward(
      let doutput, let output, let input, let statistics, let gammaAt, let betaAt, let dresidual, let rectify,
      let dinput, let M, let C, let accumulate):
      normalizeBackward(
        doutput, output, input, statistics, gammaAt, betaAt, dresidual, rectify, dinput, M, C, accumulate)
    case .normalizeBackwardSums(let doutput, let layer, let gradient, let sums, let M, let C, let accumulate):
      normalizeBackwardSums(doutput, layer, gradient, sums, M, C, accumulate)
    case .normalizeBackwardApply(let gradient, let M, let C): [normalizeBackwardApply(gradient, M, C)]
    case .convolveNormalized(let window, let layer, let weightsAt, let output, let statistics):
      convolveNormalized(window, layer, weightsAt, output, statistics)
    case .convolveBackwardDataNormalized(
      let window, let doutput, let weightsAt, let addend, let dinput, let below):
      backwardDataNormalized(window, doutput, weightsAt, addend, dinput, below)
    case .convolveBackwardWeightsNormalized(let window, let layer, let doutput, let weightsAt, let accumulate):
      backwardWeights(window, layer.input, layer, doutput, weightsAt, accumulate)
    case .add(let a, let b, let output, let count):
      [quads("add_forward", ["a": .value(a), "b": .value(b), "output": .value(output), "n": .int(count)], count)]
    case .rectify(let input, let slope, let output, let count):
      [
        quads(
          "rectify_forward",
          ["input": .value(input), "output": .value(output), "slope": .float(slope), "n": .int(count)], count)
      ]
    case .rectifyBackward(let doutput, let output, let slope, let dinput, let count):
      [
        quads(
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
        items(
          "flatten_forward",
          ["input": .value(input), "output": .value(output), "M": .int(M), "C": .int(C), "n": .int(B * M * C)],
          B * M * C)
      ]
    case .flattenBackward(let doutput, let dinput, let B, let M, let C):
      [
        items(
          "flatten_backward",
          ["doutput": .value(doutput), "dinput": .value(dinput), "M": .int(M), "C": .int(C), "n": .int(B * M * C)],
          B * M * C)
      ]
    case .shortcut(let input, let output, let shape, let outputShape, let kind):
      [
        shortcut(
          "shortcut_forward", ["input": .value(input), "output": .value(output)], shape, outputShape, kind,
          outputShape)
      ]
    case .shortcutBackward(let doutput, let dinput, let shape, let outputShape, let kind):
      [
        shortcut(
          "shortcut_backward", ["doutput": .value(doutput), "dinput": .value(dinput)], shape, outputShape, kind,
          shape)
      ]
    case .pool(let window, let input, let output, let maximum):
      [
        pool(
          "pool_forward", ["input": .value(input), "output": .value(output)], window, maximum,
          window.P * window.Q)
      ]
    case .poolBackward(let window, let doutput, let input, let dinput, let maximum):
      [
        pool(
          "pool_backward", ["doutput": .value(doutput), "input": .value(input), "dinput": .value(dinput)], window,
          maximum, window.H * window.W)
      ]
    case .globalAverage(let input, let output, let B, let M, let C):
      [
        groups(
          "pool_global_forward",
          ["input": .value(input), "output": .value(output), "M": .int(M), "C": .int(C)],
          [B, quotient(C, Parameter.lanes)], size: 64)
      ]
    case .globalAverageBackward(let doutput, let dinput, let B, let M, let C):
      [
        items(
          "pool_global_backward",
          ["doutput": .value(doutput), "dinput": .value(dinput), "M": .int(M), "C": .int(C), "n": .int(B * M * C)],
          B * M * C)
      ]
    case .linear(let input, let weightsAt, let biasAt, let output, let M, let N, let K):
      [linear(input, weightsAt, biasAt, output, M, N, K)]
    case .linearBackwardData(let doutput, let weightsAt, let dinput, let M, let N, let K):
      linearBackwardData(doutput, weightsAt, dinput, M, N, K)
    case .linearBackwardWeights(
      let input, let doutput, let weightsAt, let biasAt, let M, let N, let K, let accumulate):
      linearBackwardWeights(input, doutput, weightsAt, biasAt, M, N, K, accumulate)
    case .loss(let function, let logits, let dlogits, let B, let K, let peer):
      loss(function, logits, dlogits, B, K, peer)
    case .evaluate(let logits, let scratch, let B, let K): [evaluate(logits, scratch, B, K)]
    case .rows(let kernel, let count): [KernelLaunch(kernel, global: [count], local: [rowGroup(count)])]
    case .update(let kernel, let count, let clip): update(kernel, count, clip)
    case .advance(let B):
      [KernelLaunch("advance_step", ["counters": .store(.counters), "B": .int(B)], global: [1], local: [1])]
    case .cut: []
    }
  }

  /// Floats of shared memory that the operation needs; see `Device`.
  public func workspace(for operation: TensorOperation) -> (workspace: Int, vectors: Int) {
    switch operation {
    case .convolve(let window, _, _, _, let statistics) where matrixUnits != nil && isFusable(window):
      (fusedWorkspace(window, partials: statistics != nil), 0)
    case .convolve(let window, _, _, _, .some): (tiles(of: window).count * 2 * Parameter.padded(window.O), 0)
    case .convolveBackwardData(let window, _, _, _, _) where matrixUnits != nil && isFusable(window):
      (fusedWorkspace(turned(window), partials: false), 0)
    case .convolveNormalized(let window, _, _, _, let statistics):
      (fusedWorkspace(window, partials: statistics != nil), 0)
    case .convolveBackwardDataNormalized(let window, _, _, _, _, let below):
      (fusedWorkspace(turned(window), partials: below != nil), 0)
    case .convolveBackwardWeights(let window, _, _, _, _), .convolveBackwardWeightsNormalized(let window, _, _, _, _):
      (weightPartials(window), 0)
    case .normalizeBackwardSums(_, _, _, _, let M, let C, _): (quotient(M, pieceRows(M, C)) * 2 * C, 0)
    case .batchStatistics(_, let M, let C, _): (quotient(M, pieceRows(M, C)) * 2 * Parameter.padded(C), 0)
    case .normalizeBackward(_, _, _, _, _, _, _, _, _, let M, let C, _):
      (quotient(M, pieceRows(M, C)) * 2 * Parameter.padded(C), 2 * Parameter.padded(C))
    case .biasBackward(_, _, let M, let C, _): (quotient(M, pieceRows(M, C)) * Parameter.padded(C), 0)
    case .linearBackwardWeights(_, _, _, _, let M, let N, let K, _): (weightPartials(pixelWindow(M, N, K)), 0)
    case .loss(let function, _, _, _, let K, _) where function.inputs == .determinant: (K * K + K + 1, 0)
    case .update(_, let count, true): (quotient(count, squaresPiece(count)), 0)
    default: (0, 0)
    }
  }
}

// MARK: - Shapes of launches

extension WorkGroupLowering {
  typealias Arguments = KeyValuePairs<String, KernelLaunch.Argument>

  /// One work-item for each of `count`, in whole groups.
  func items(_ kernel: String, _ arguments: Arguments, _ count: Int) -> KernelLaunch {
    KernelLaunch(kernel, arguments, global: [quotient(count, group) * group], local: [group])
  }

  /// One work-item for four of `count` elements, in whole groups.
  func quads(_ kernel: String, _ arguments: Arguments, _ count: Int) -> KernelLaunch {
    items(kernel, arguments, quotient(count, 4))
  }

  /// `counts` groups per dimension, of `size` work-items (nil for the usual) along the first.
  func groups(_ kernel: String, _ arguments: Arguments, _ counts: [Int], size: Int? = nil) -> KernelLaunch {
    let size = size ?? group
    return KernelLaunch(
      kernel, arguments, global: [counts[0] * size] + counts.dropFirst(),
      local: [size] + counts.dropFirst().map { _ in 1 })
  }

  /// One work-item for each of `count` rows, for kernels that do not guard the edge: groups of the largest divisor.
  private func rows(_ kernel: String, _ arguments: Arguments, _ count: Int) -> KernelLaunch {
    KernelLaunch(kernel, arguments, global: [count], local: [rowGroup(count)])
  }

  private func rowGroup(_ count: Int) -> Int { (1...64).last { count % $0 == 0 } ?? 1 }
}

// MARK: - What is neither convolution nor batch norm

extension WorkGroupLowering {
  private func augment(_ output: Value, _ shape: [Int], _ augmentation: Augmentation, _ peer: Bool) -> KernelLaunch {
    items(
      "augment_crop_flip",
      [
        "pixels": .store(.pixels), "order": .store(peer ? .peerOrder : .order), "counters": .store(.counters),
        "input_statistics": .store(.inputStatistics), "output": .value(output), "B": .int(shape[0]),
        "H": .int(shape[1]), "W": .int(shape[2]), "C": .int(shape[3]), "crop": .int(augmentation.crop),
        "flip": .flag(augmentation.flip), "peer": .flag(peer),
      ], shape[0] * shape[1] * shape[2])
  }

  private func shortcut(
    _ kernel: String, _ tensors: Arguments, _ shape: [Int], _ outputShape: [Int], _ kind: Shortcut, _ written: [Int]
  ) -> KernelLaunch {
    var launch = items(kernel, tensors, written.reduce(1, *))
    launch.arguments += [
      ("B", .int(shape[0])), ("H", .int(shape[1])), ("W", .int(shape[2])), ("C", .int(shape[3])),
      ("P", .int(outputShape[1])), ("Q", .int(outputShape[2])), ("average", .flag(kind == .average)),
    ]
    return launch
  }

  private func pool(
    _ kernel: String, _ tensors: Arguments, _ window: Window, _ maximum: Bool, _ pixels: Int
  ) -> KernelLaunch {
    var launch = items(kernel, tensors, window.B * pixels * window.C)
    launch.arguments += [
      ("B", .int(window.B)), ("H", .int(window.H)), ("W", .int(window.W)), ("C", .int(window.C)),
      ("P", .int(window.P)), ("Q", .int(window.Q)), ("size", .int(window.KH)), ("stride", .int(window.stride)),
      ("padding", .int(window.padding)), ("maximum", .flag(maximum)),
    ]
    return launch
  }

  private func loss(
    _ function: RowFunction, _ logits: Value, _ dlogits: Value, _ B: Int, _ K: Int, _ peer: Bool
  ) -> [KernelLaunch] {
    let labelOrder = KernelLaunch.Argument.store(peer ? .peerLabelOrder : .order)
    var launch = rows(
      function.kernel,
      [
        "logits": .value(logits), "labels": .store(.labels), "order": .store(.order), "label_order": labelOrder,
        "counters": .store(.counters), "numbers": .store(.numbers), "dlogits": .value(dlogits),
        "sample_loss": .store(.sampleLoss), "sample_prediction": .store(.samplePrediction),
        "margin_sum": .store(.marginSum), "margin_lost": .store(.marginLost), "margin_count": .store(.marginCount),
        "B": .int(B), "K": .int(K), "peer": .flag(peer),
      ], B)
    switch function.inputs {
    case .row: return [launch]
    case .transition:
      launch.arguments.append(("matrix", .store(.transition)))
      return [launch]
    case .determinant:
      launch.arguments.append(("matrix", .store(.workspace)))
      return [
        rows("determinant_softmax", ["logits": .value(logits), "dlogits": .value(dlogits), "K": .int(K)], B),
        groups(
          "determinant_invert",
          [
            "probabilities": .value(dlogits), "labels": .store(.labels), "order": labelOrder,
            "counters": .store(.counters), "matrix": .store(.workspace), "B": .int(B), "K": .int(K),
          ], [1]),
        launch,
      ]
    }
  }

  private func evaluate(_ logits: Value, _ scratch: Value, _ B: Int, _ K: Int) -> KernelLaunch {
    rows(
      "loss_evaluate",
      [
        "logits": .value(logits), "labels": .store(.labels), "order": .store(.order), "counters": .store(.counters),
        "scratch": .value(scratch), "sample_loss": .store(.sampleLoss),
        "sample_prediction": .store(.samplePrediction), "sample_confidence": .store(.sampleConfidence), "K": .int(K),
      ], B)
  }

  /// Elements of one sum of squares: at most 256 sums, which every group of the optimizer adds up.
  private func squaresPiece(_ count: Int) -> Int { 4 * max(1024, quotient(count, 4 * 256)) }

  private func update(_ kernel: FlatKernel, _ count: Int, _ clip: Bool) -> [KernelLaunch] {
    let piece = squaresPiece(count), pieces = quotient(count, piece)
    let step = KernelLaunch(
      kernel, count: count, pieces: clip ? pieces : 0,
      global: [quotient(quotient(count, 4), group) * group], local: [group])
    guard clip else { return [step] }
    return [
      groups(
        "reduce_squares",
        [
          "input": .store(.gradients), "partials": .store(.workspace), "n": .int(count), "piece": .int(piece),
        ], [pieces]),
      step,
    ]
  }
}
