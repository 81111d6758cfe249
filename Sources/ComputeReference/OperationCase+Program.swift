import Compute

extension OperationCase {
  /// Every operation with the shapes of ResNet-32 and with odd ones.
  public static var all: [OperationCase] { convolutions + batchNorms + fused + layers + plainLayers + samples + rows }

  /// The operations of a program with small batches: each different one once, in the order of the program.
  ///
  /// - Parameters:
  ///   - batch: images of a case; the program's own number would take the reference too long.
  ///   - isWanted: which operations.
  public static func cases(
    for program: StepProgram, batch: Int = 2, where isWanted: (TensorOperation) -> Bool = { _ in true }
  ) -> [OperationCase] {
    var known = Set<TensorOperation>()
    return program.operations.filter(isWanted).map {
      OperationCase(like: $0, in: program, batch: min(batch, program.batch))
    }
    .filter { known.insert($0.operation).inserted }
  }

  /// A case with an operation's shape and variant.
  private init(like operation: TensorOperation, in program: StepProgram, batch: Int) {
    func small(_ window: Window) -> Window {
      Window(
        B: min(window.B, batch), H: window.H, W: window.W, C: window.C, O: window.O, KH: window.KH, KW: window.KW,
        stride: window.stride, padding: window.padding)
    }
    func small(_ shape: [Int]) -> [Int] { [min(shape[0], batch)] + shape.dropFirst() }
    // Rows, pixels and elements that are a multiple of the program's batch.
    func small(_ count: Int) -> Int { max(1, count / program.batch * batch) }
    switch operation {
    case .augment(_, let shape, let augmentation, let peer): self = .augment(small(shape), augmentation, peer: peer)
    case .convolve(let window, _, _, _, let statistics):
      self = .convolve(small(window), statistics: statistics != nil)
    case .convolveBackwardData(let window, _, _, let addend, _):
      self = .convolveBackwardData(small(window), addend: addend != nil)
    case .convolveBackwardWeights(let window, _, _, _, let accumulate):
      self = .convolveBackwardWeights(small(window), accumulate: accumulate)
    case .batchStatistics(_, let M, let C, _): self = .batchStatistics(M: small(M), C: C)
    case .inferenceStatistics(let C, _): self = .inferenceStatistics(C: C)
    case .normalize(_, _, _, _, let residual, let rectify, _, let M, let C):
      self = .normalize(M: small(M), C: C, residual: residual != nil, rectify: rectify)
    case .normalizeBackward(let doutput, _, _, _, _, _, let dresidual, let rectify, _, let M, let C, let accumulate):
      self = .normalizeBackward(
        M: small(M), C: C, residual: dresidual == nil ? .none : dresidual == doutput ? .inPlace : .apart,
        rectify: rectify, accumulate: accumulate)
    case .normalizeBackwardSums(let doutput, let layer, let gradient, _, let M, let C, let accumulate):
      self = .normalizeBackwardSums(
        M: small(M), C: C, mask: Mask(of: layer), inPlace: gradient == doutput, accumulate: accumulate)
    case .normalizeBackwardApply(_, let M, let C): self = .normalizeBackwardApply(M: small(M), C: C)
    case .convolveNormalized(let window, let input, _, _, let statistics):
      self = .convolveNormalized(
        small(window), residual: input.residual != nil, rectify: input.rectify, kept: input.output != nil,
        statistics: statistics != nil)
    case .convolveBackwardDataNormalized(let window, let doutput, _, let addend, _, let below):
      let normalized = if case .normalized = doutput { true } else { false }
      self = .convolveBackwardDataNormalized(
        small(window), normalized: normalized, addend: addend != nil, below: below.map { Mask(of: $0.layer) },
        accumulate: below?.accumulate ?? false)
    case .convolveBackwardWeightsNormalized(let window, let input, _, _, let accumulate):
      self = .convolveBackwardWeightsNormalized(small(window), rectify: input.rectify, accumulate: accumulate)
    case .add(_, _, _, let count): self = .add(count: small(count))
    case .rectify(_, let slope, _, let count): self = .rectify(count: small(count), slope: slope)
    case .rectifyBackward(_, _, let slope, _, let count): self = .rectifyBackward(count: small(count), slope: slope)
    case .bias(_, _, _, let M, let C): self = .bias(M: small(M), C: C)
    case .biasBackward(_, _, let M, let C, let accumulate):
      self = .biasBackward(M: small(M), C: C, accumulate: accumulate)
    case .dropout(_, let dropout, _, let B, let M, let C, let peer):
      self = .dropout(B: min(B, batch), M: M, C: C, dropout, peer: peer)
    case .flatten(_, _, let B, let M, let C): self = .flatten(B: min(B, batch), M: M, C: C)
    case .flattenBackward(_, _, let B, let M, let C): self = .flattenBackward(B: min(B, batch), M: M, C: C)
    case .shortcut(_, _, let shape, let outputShape, let kind): self = .shortcut(small(shape), small(outputShape), kind)
    case .shortcutBackward(_, _, let shape, let outputShape, let kind):
      self = .shortcutBackward(small(shape), small(outputShape), kind)
    case .pool(let window, _, _, let maximum): self = .pool(small(window), maximum: maximum)
    case .poolBackward(let window, _, _, _, let maximum): self = .poolBackward(small(window), maximum: maximum)
    case .globalAverage(_, _, let B, let M, let C): self = .globalAverage(B: min(B, batch), M: M, C: C)
    case .globalAverageBackward(_, _, let B, let M, let C): self = .globalAverageBackward(B: min(B, batch), M: M, C: C)
    case .linear(_, _, _, _, let M, let N, let K): self = .linear(M: min(M, batch), N: N, K: K)
    case .linearBackwardData(_, _, _, let M, let N, let K): self = .linearBackwardData(M: min(M, batch), N: N, K: K)
    case .linearBackwardWeights(_, _, _, _, let M, let N, let K, let accumulate):
      self = .linearBackwardWeights(M: min(M, batch), N: N, K: K, accumulate: accumulate)
    case .loss(let function, _, _, let B, let K, let peer):
      self = .loss(function, B: min(B, batch), K: K, peer: peer)
    case .evaluate(_, _, let B, let K): self = .evaluate(B: min(B, batch), K: K)
    case .rows(let kernel, let count): self = .rows(like: kernel, B: min(count, batch))
    case .update(let kernel, let count, let clip):
      self = .update(kernel, count: count, clip: clip, clipNorm: clip ? 1 : 0)
    case .advance(let B): self = .advance(B: min(B, batch))
    case .cut: self = OperationCase(.cut, shape: "", contents: [:])
    }
  }
}
