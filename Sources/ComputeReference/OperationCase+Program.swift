import Compute

extension OperationCase {
  /// Every operation with the shapes of ResNet-32 and with odd ones.
  public static var all: [OperationCase] {
    convolutions + depthwises + finished + batchNorms + fused + layers + plainLayers + samples + rows + targets
      + distil + division + triplets
  }

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
      Window(window, B: min(window.B, batch))
    }
    func small(_ shape: [Int]) -> [Int] { [min(shape[0], batch)] + shape.dropFirst() }
    // Rows, pixels and elements that are a multiple of the program's batch.
    func small(_ count: Int) -> Int { max(1, count / program.batch * batch) }
    switch operation {
    case .augment(let augment):
      let shape = small(augment.shape)
      self =
        augment.isFloat
        ? .gather(B: shape[0], C: shape[3], peer: augment.peer, mixed: augment.mixed)
        : .augment(shape, augment.augmentation, peer: augment.peer, mixed: augment.mixed)
    case .convolve(let convolve): self = .convolve(like: convolve, small(convolve.window))
    case .convolveBackwardData(let backward): self = .convolveBackwardData(like: backward, small(backward.window))
    case .convolveBackwardWeights(let backward):
      self = .convolveBackwardWeights(like: backward, small(backward.window))
    case .depthwise(let depthwise): self = .depthwise(like: depthwise, small(depthwise.window))
    case .depthwiseBackwardData(let backward): self = .depthwiseBackwardData(small(backward.window))
    case .depthwiseBackwardWeights(let backward):
      self = .depthwiseBackwardWeights(small(backward.window), accumulate: backward.accumulate)
    case .batchStatistics(let take):
      self = .batchStatistics(M: small(take.M), C: take.C, epsilon: take.statistics.epsilon)
    case .inferenceStatistics(let take):
      self = .inferenceStatistics(C: take.C, epsilon: take.statistics.epsilon)
    case .normalize(let normalize):
      self = .normalize(
        M: small(normalize.M), C: normalize.C, residual: normalize.residual != nil, rectify: normalize.rectify,
        limit: normalize.limit)
    case .normalizeBackward(let backward):
      let residual = backward.dresidual.map { $0 == backward.doutput ? ResidualGradient.inPlace : .apart }
      self = .normalizeBackward(
        M: small(backward.M), C: backward.C, residual: residual ?? .none,
        limit: backward.rectify ? backward.limit : nil, accumulate: backward.accumulate,
        isConstant: backward.statistics.isConstant)
    case .normalizeBackwardSums(let sums):
      self = .normalizeBackwardSums(
        M: small(sums.M), C: sums.C, mask: Mask(of: sums.below.layer), inPlace: sums.gradient == sums.doutput,
        accumulate: sums.below.accumulate, isConstant: sums.below.layer.statistics.isConstant)
    case .normalizeBackwardApply(let apply): self = .normalizeBackwardApply(M: small(apply.M), C: apply.C)
    case .add(let add): self = .add(count: small(add.count))
    case .rectify(let rectify):
      self = .rectify(count: small(rectify.count), slope: rectify.slope, limit: rectify.limit)
    case .rectifyBackward(let backward):
      self = .rectifyBackward(count: small(backward.count), slope: backward.slope, limit: backward.limit)
    case .bias(let bias): self = .bias(M: small(bias.M), C: bias.C)
    case .biasBackward(let backward):
      self = .biasBackward(M: small(backward.M), C: backward.C, accumulate: backward.accumulate)
    case .dropout(let drop):
      self = .dropout(B: min(drop.B, batch), M: drop.M, C: drop.C, drop.dropout, peer: drop.peer)
    case .flatten(let flatten): self = .flatten(B: min(flatten.B, batch), M: flatten.M, C: flatten.C)
    case .flattenBackward(let backward):
      self = .flattenBackward(B: min(backward.B, batch), M: backward.M, C: backward.C)
    case .shortcut(let shortcut): self = .shortcut(small(shortcut.shape), small(shortcut.outputShape), shortcut.kind)
    case .shortcutBackward(let backward):
      self = .shortcutBackward(small(backward.shape), small(backward.outputShape), backward.kind)
    case .pool(let pool): self = .pool(small(pool.window), maximum: pool.maximum)
    case .poolBackward(let backward): self = .poolBackward(small(backward.window), maximum: backward.maximum)
    case .globalAverage(let average): self = .globalAverage(B: min(average.B, batch), M: average.M, C: average.C)
    case .globalAverageBackward(let backward):
      self = .globalAverageBackward(B: min(backward.B, batch), M: backward.M, C: backward.C)
    case .linear(let linear): self = .linear(M: min(linear.M, batch), N: linear.N, K: linear.K)
    case .linearBackwardData(let backward):
      self = .linearBackwardData(M: min(backward.M, batch), N: backward.N, K: backward.K)
    case .linearBackwardWeights(let backward):
      self = .linearBackwardWeights(
        M: min(backward.M, batch), N: backward.N, K: backward.K, accumulate: backward.accumulate)
    case .loss(let loss): self = .loss(loss.function, B: min(loss.B, batch), K: loss.K, loss.peer ? .peer : .recorded)
    case .evaluate(let evaluate): self = .evaluate(B: min(evaluate.B, batch), K: evaluate.K)
    case .rows(let rows): self = .rows(like: rows.kernel, B: min(rows.count, batch))
    case .flat(let flat): self = .flat(like: flat)
    case .update(let update):
      self = .update(update.optimizer, count: update.count, clip: update.clip, clipNorm: update.clip ? 1 : 0)
    case .advance(let advance): self = .advance(B: min(advance.B, batch))
    case .cut: self = OperationCase(.cut, shape: "", contents: [:])
    }
  }

  private static func depthwise(like depthwise: Depthwise, _ window: Window) -> OperationCase {
    guard let layer = depthwise.finished else { return .depthwise(window) }
    return .depthwiseFinished(
      window, residual: layer.residual != nil, rectify: layer.rectify, limit: layer.limit)
  }

  private static func convolve(like convolve: Convolve, _ window: Window) -> OperationCase {
    if let layer = convolve.finished {
      return .convolveFinished(
        window, residual: layer.residual != nil, rectify: layer.rectify, limit: layer.limit)
    }
    guard let layer = convolve.normalized else {
      return .convolve(window, statistics: convolve.statistics != nil)
    }
    return .convolveNormalized(
      window, residual: layer.residual != nil, rectify: layer.rectify, kept: layer.output != nil,
      statistics: convolve.statistics != nil)
  }

  private static func convolveBackwardData(like backward: ConvolveBackwardData, _ window: Window) -> OperationCase {
    guard backward.isFused else { return .convolveBackwardData(window, addend: backward.addend != nil) }
    return .convolveBackwardDataNormalized(
      window, normalized: backward.above != nil, addend: backward.addend != nil,
      below: backward.below.map { Mask(of: $0.layer) }, accumulate: backward.below?.accumulate ?? false,
      isConstant: backward.below?.layer.statistics.isConstant ?? false)
  }

  private static func convolveBackwardWeights(
    like backward: ConvolveBackwardWeights, _ window: Window
  ) -> OperationCase {
    guard let layer = backward.normalized else {
      return .convolveBackwardWeights(window, accumulate: backward.accumulate)
    }
    return .convolveBackwardWeightsNormalized(window, rectify: layer.rectify, accumulate: backward.accumulate)
  }
}
