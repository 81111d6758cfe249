/// The mean and 1 / sqrt(variance + epsilon) of a batch, and the batch norm whose running statistics they move.
public struct BatchStatistics: Hashable, Sendable {
  public let mean: Value, inverse: Value
  /// Offsets of the running mean and variance in `Store.running`.
  public let runningMean: Int, runningVariance: Int

  /// The statistics of one batch norm.
  public init(mean: Value, inverse: Value, runningMean: Int, runningVariance: Int) {
    (self.mean, self.inverse) = (mean, inverse)
    (self.runningMean, self.runningVariance) = (runningMean, runningVariance)
  }
}

/// Random crop (from a border of `crop` black pixels) and flip; 0 and false for none.
public struct Augmentation: Hashable, Sendable {
  /// Width of the black border from which the window is cut; 0 for no cropping.
  public var crop: Int
  /// Whether images are mirrored left to right with probability 1/2.
  public var flip: Bool

  /// A crop and a flip.
  public init(crop: Int, flip: Bool) {
    self.crop = crop
    self.flip = flip
  }
}

/// A loss by its kernel: the device launches it and knows nothing else of it than what it reads.
public struct RowFunction: Hashable, Sendable {
  /// What a loss reads besides a row of logits, its label and the numbers of the step.
  public enum Inputs: Hashable, Sendable {
    /// Nothing.
    case row
    /// `Store.transition`.
    case transition
    /// The inverse of the batch's sums of probabilities by label (`determinant_invert`), computed before.
    case determinant
  }

  /// The kernel, such as `loss_sce_rows`.
  public let kernel: String
  /// What it reads besides rows.
  public let inputs: Inputs

  /// A loss by its kernel.
  public init(kernel: String, inputs: Inputs = .row) {
    self.kernel = kernel
    self.inputs = inputs
  }
}

/// The heavy work of a step: a closed set, which every device answers case by case.
///
/// Integers named `…At` are offsets into the flat buffers of `ParameterTable`. `accumulate` adds to the gradients that
/// are there instead of replacing them.
public enum TensorOperation: Hashable, Sendable {
  /// Gathers, crops, flips and normalises the batch's images of `shape` `[B, H, W, C]`.
  case augment(output: Value, shape: [Int], augmentation: Augmentation, peer: Bool)
  /// output = input ∗ weights; with `statistics`, also those of the output.
  case convolve(window: Window, input: Value, weightsAt: Int, output: Value, statistics: BatchStatistics?)
  /// dinput = transposed convolution of doutput (+ addend).
  case convolveBackwardData(window: Window, doutput: Value, weightsAt: Int, addend: Value?, dinput: Value)
  case convolveBackwardWeights(window: Window, input: Value, doutput: Value, weightsAt: Int, accumulate: Bool)
  /// The batch statistics of `[M, C]`.
  case batchStatistics(input: Value, M: Int, C: Int, statistics: BatchStatistics)
  /// The running statistics in the place of the batch's.
  case inferenceStatistics(C: Int, statistics: BatchStatistics)
  /// gamma · (input − mean) · inverse + beta [+ residual] [max 0], over `[M, C]`.
  case normalize(
    input: Value, statistics: BatchStatistics, gammaAt: Int, betaAt: Int, residual: Value?, rectify: Bool,
    output: Value, M: Int, C: Int)
  /// Gradients of `normalize`; `dresidual`, where there was a residual, may be `doutput` itself.
  case normalizeBackward(
    doutput: Value, output: Value, input: Value, statistics: BatchStatistics, gammaAt: Int, betaAt: Int,
    dresidual: Value?, rectify: Bool, dinput: Value, M: Int, C: Int, accumulate: Bool)
  /// The first half of `normalizeBackward`: g = doutput, zero where the ReLU was off, into `gradient` (which may be
  /// `doutput` itself); dgamma, dbeta, and what the second half needs.
  case normalizeBackwardSums(
    doutput: Value, layer: NormalizedInput, gradient: Value, sums: Value, M: Int, C: Int, accumulate: Bool)
  /// The second half of `normalizeBackward`: the gradient of batch norm's input.
  case normalizeBackwardApply(NormalizedGradient, M: Int, C: Int)
  /// `normalize` and the convolution that reads it, in one pass.
  case convolveNormalized(
    window: Window, input: NormalizedInput, weightsAt: Int, output: Value, statistics: BatchStatistics?)
  /// `convolveBackwardData`, taking doutput through the batch norm above, and dinput through the ReLU and the sums of
  /// the batch norm below.
  case convolveBackwardDataNormalized(
    window: Window, doutput: ConvolutionGradient, weightsAt: Int, addend: Value?, dinput: Value,
    below: NormalizedBelow?)
  /// `convolveBackwardWeights` that computes its input again instead of reading it.
  case convolveBackwardWeightsNormalized(
    window: Window, input: NormalizedInput, doutput: Value, weightsAt: Int, accumulate: Bool)
  case add(Value, Value, output: Value, count: Int)
  /// max(0, input), or below zero `slope` · input.
  case rectify(input: Value, slope: Float, output: Value, count: Int)
  case rectifyBackward(doutput: Value, output: Value, slope: Float, dinput: Value, count: Int)
  /// `[M, C]` + bias.
  case bias(input: Value, biasAt: Int, output: Value, M: Int, C: Int)
  case biasBackward(doutput: Value, biasAt: Int, M: Int, C: Int, accumulate: Bool)
  /// Zeros numbers or channels of `[B, M, C]` and scales the others: the layer, and its gradient, which draws the same.
  case dropout(input: Value, dropout: Dropout, output: Value, B: Int, M: Int, C: Int, peer: Bool)
  /// `[B, M, C]` → `[B, C · M]`.
  case flatten(input: Value, output: Value, B: Int, M: Int, C: Int)
  case flattenBackward(doutput: Value, dinput: Value, B: Int, M: Int, C: Int)
  case shortcut(input: Value, output: Value, shape: [Int], outputShape: [Int], kind: Shortcut)
  case shortcutBackward(doutput: Value, dinput: Value, shape: [Int], outputShape: [Int], kind: Shortcut)
  case pool(window: Window, input: Value, output: Value, maximum: Bool)
  case poolBackward(window: Window, doutput: Value, input: Value, dinput: Value, maximum: Bool)
  /// Mean over M pixels: `[B, M, C]` → `[B, C]`.
  case globalAverage(input: Value, output: Value, B: Int, M: Int, C: Int)
  case globalAverageBackward(doutput: Value, dinput: Value, B: Int, M: Int, C: Int)
  /// `[M, K]` · weightsᵀ + bias → `[M, N]`.
  case linear(input: Value, weightsAt: Int, biasAt: Int, output: Value, M: Int, N: Int, K: Int)
  case linearBackwardData(doutput: Value, weightsAt: Int, dinput: Value, M: Int, N: Int, K: Int)
  case linearBackwardWeights(
    input: Value, doutput: Value, weightsAt: Int, biasAt: Int, M: Int, N: Int, K: Int, accumulate: Bool)
  /// Softmax, loss, gradient of the mean loss, and the per-sample columns, in one pass over `[B, K]`.
  case loss(RowFunction, logits: Value, dlogits: Value, B: Int, K: Int, peer: Bool)
  /// Cross entropy, prediction and confidence per sample; `scratch` is `[B, K]`.
  case evaluate(logits: Value, scratch: Value, B: Int, K: Int)
  /// Arithmetic on `count` rows that a loss or a training method brings.
  case rows(RowKernel, count: Int)
  /// An optimiser over all parameters; with `clip`, gradients are scaled down to the norm in `numbers`.
  case update(FlatKernel, count: Int, clip: Bool)
  /// Moves on to the next batch of the epoch.
  case advance(B: Int)
  /// Ends a segment of the step: other plans may run before the next one begins. Computes nothing.
  case cut
}

extension TensorOperation {
  /// The values that the operation reads and writes, for planning memory.
  public var values: (reads: [Value], writes: [Value]) {
    func vectors(_ statistics: BatchStatistics) -> [Value] { [statistics.mean, statistics.inverse] }
    switch self {
    case .augment(let output, _, _, _): return ([], [output])
    case .convolve(_, let input, _, let output, let statistics):
      return ([input], [output] + (statistics.map(vectors) ?? []))
    case .convolveBackwardData(_, let doutput, _, let addend, let dinput):
      return ([doutput] + (addend.map { [$0] } ?? []), [dinput])
    case .convolveBackwardWeights(_, let input, let doutput, _, _): return ([input, doutput], [])
    case .batchStatistics(let input, _, _, let statistics): return ([input], vectors(statistics))
    case .inferenceStatistics(_, let statistics): return ([], vectors(statistics))
    case .normalize(let input, let statistics, _, _, let residual, _, let output, _, _):
      return ([input] + vectors(statistics) + (residual.map { [$0] } ?? []), [output])
    case .normalizeBackward(
      let doutput, let output, let input, let statistics, _, _, let dresidual, _, let dinput, _, _, _):
      return ([doutput, output, input] + vectors(statistics), [dinput] + (dresidual.map { [$0] } ?? []))
    case .normalizeBackwardSums(let doutput, let layer, let gradient, let sums, _, _, _):
      return ([doutput] + layer.reads(mask: true), [gradient, sums])
    case .normalizeBackwardApply(let gradient, _, _): return (gradient.reads, [gradient.output])
    case .convolveNormalized(_, let input, _, let output, let statistics):
      return (
        input.reads(mask: false), [output] + (input.output.map { [$0] } ?? []) + (statistics.map(vectors) ?? [])
      )
    case .convolveBackwardDataNormalized(_, let doutput, _, let addend, let dinput, let below):
      var reads = addend.map { [$0] } ?? [], writes = [dinput]
      switch doutput {
      case .value(let value): reads.append(value)
      case .normalized(let gradient):
        reads += gradient.reads
        writes.append(gradient.output)
      }
      if let below {
        reads += below.layer.reads(mask: true)
        writes.append(below.sums)
      }
      return (reads, writes)
    case .convolveBackwardWeightsNormalized(_, let input, let doutput, _, _):
      return (input.reads(mask: false) + [doutput], [])
    case .add(let a, let b, let output, _): return ([a, b], [output])
    case .rectify(let input, _, let output, _): return ([input], [output])
    case .rectifyBackward(let doutput, let output, _, let dinput, _): return ([doutput, output], [dinput])
    case .bias(let input, _, let output, _, _): return ([input], [output])
    case .biasBackward(let doutput, _, _, _, _): return ([doutput], [])
    case .dropout(let input, _, let output, _, _, _, _): return ([input], [output])
    case .flatten(let input, let output, _, _, _): return ([input], [output])
    case .flattenBackward(let doutput, let dinput, _, _, _): return ([doutput], [dinput])
    case .shortcut(let input, let output, _, _, _): return ([input], [output])
    case .shortcutBackward(let doutput, let dinput, _, _, _): return ([doutput], [dinput])
    case .pool(_, let input, let output, _): return ([input], [output])
    case .poolBackward(_, let doutput, let input, let dinput, _): return ([doutput, input], [dinput])
    case .globalAverage(let input, let output, _, _, _): return ([input], [output])
    case .globalAverageBackward(let doutput, let dinput, _, _, _): return ([doutput], [dinput])
    case .linear(let input, _, _, let output, _, _, _): return ([input], [output])
    case .linearBackwardData(let doutput, _, let dinput, _, _, _): return ([doutput], [dinput])
    case .linearBackwardWeights(let input, let doutput, _, _, _, _, _, _): return ([input, doutput], [])
    case .loss(_, let logits, let dlogits, _, _, _): return ([logits], [dlogits])
    case .evaluate(let logits, let scratch, _, _): return ([logits], [scratch])
    case .rows(let kernel, _):
      var reads: [Value] = [], writes: [Value] = []
      for binding in kernel.bindings {
        switch binding.argument {
        case .reads(let value): reads.append(value)
        case .writes(let value): writes.append(value)
        case .changes(let value):
          reads.append(value)
          writes.append(value)
        case .store, .int: break
        }
      }
      return (reads, writes)
    case .update, .advance, .cut: return ([], [])
    }
  }

  /// The values of `[B, H, W, C]` or `[M, C]` among them, which `NumberFormat` is about; vectors of channels, and what
  /// follows the global average, are float32.
  public var activations: [Value] {
    switch self {
    case .batchStatistics(let input, _, _, _), .globalAverage(let input, _, _, _, _), .flatten(let input, _, _, _, _):
      return [input]
    case .globalAverageBackward(_, let dinput, _, _, _), .flattenBackward(_, let dinput, _, _, _): return [dinput]
    case .convolve(_, let input, _, let output, _): return [input, output]
    case .normalize(let input, _, _, _, let residual, _, let output, _, _):
      return [input, output] + (residual.map { [$0] } ?? [])
    case .normalizeBackward(let doutput, let output, let input, _, _, _, let dresidual, _, let dinput, _, _, _):
      return [doutput, output, input, dinput] + (dresidual.map { [$0] } ?? [])
    case .normalizeBackwardSums(let doutput, let layer, let gradient, _, _, _, _):
      return [doutput, gradient] + layer.activations
    case .normalizeBackwardApply(let gradient, _, _): return gradient.activations
    case .convolveNormalized(_, let input, _, let output, _): return input.activations + [output]
    case .convolveBackwardDataNormalized(_, let doutput, _, let addend, let dinput, let below):
      let above: [Value] =
        switch doutput {
        case .value(let value): [value]
        case .normalized(let gradient): gradient.activations
        }
      return above + [dinput] + (addend.map { [$0] } ?? []) + (below?.layer.activations ?? [])
    case .convolveBackwardWeightsNormalized(_, let input, let doutput, _, _): return input.activations + [doutput]
    case .augment, .convolveBackwardData, .convolveBackwardWeights, .add, .rectify, .rectifyBackward, .bias,
      .biasBackward, .dropout, .shortcut, .shortcutBackward, .pool, .poolBackward:
      return values.reads + values.writes
    case .inferenceStatistics, .linear, .linearBackwardData, .linearBackwardWeights, .loss, .evaluate, .rows, .update,
      .advance, .cut:
      return []
    }
  }

  /// A short name for tables and errors.
  public var name: String {
    switch self {
    case .augment: "augment"
    case .convolve: "convolve"
    case .convolveBackwardData: "convolve backward data"
    case .convolveBackwardWeights: "convolve backward weights"
    case .batchStatistics: "batch statistics"
    case .inferenceStatistics: "inference statistics"
    case .normalize: "normalize"
    case .normalizeBackward: "normalize backward"
    case .normalizeBackwardSums: "normalize backward sums"
    case .normalizeBackwardApply: "normalize backward apply"
    case .convolveNormalized: "normalize, convolve"
    case .convolveBackwardDataNormalized: "convolve, normalize backward data"
    case .convolveBackwardWeightsNormalized: "normalize, convolve backward weights"
    case .add: "add"
    case .rectify: "rectify"
    case .rectifyBackward: "rectify backward"
    case .bias: "bias"
    case .biasBackward: "bias backward"
    case .dropout: "dropout"
    case .flatten: "flatten"
    case .flattenBackward: "flatten backward"
    case .shortcut: "shortcut"
    case .shortcutBackward: "shortcut backward"
    case .pool: "pool"
    case .poolBackward: "pool backward"
    case .globalAverage: "global average"
    case .globalAverageBackward: "global average backward"
    case .linear: "linear"
    case .linearBackwardData: "linear backward data"
    case .linearBackwardWeights: "linear backward weights"
    case .loss: "loss"
    case .evaluate: "evaluate"
    case .rows: "rows"
    case .update: "update"
    case .advance: "advance"
    case .cut: "cut"
    }
  }
}
