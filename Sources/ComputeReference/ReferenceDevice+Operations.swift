import Compute

/// The buffers of an operation that is being bound.
struct ReferenceMemory {
  let buffer: (Operand) -> ReferenceDevice.Buffer

  subscript(value: Value) -> ReferenceDevice.Buffer { buffer(.value(value)) }
  subscript(value: Value?) -> ReferenceDevice.Buffer? { value.map { buffer(.value($0)) } }
  subscript(store: Store) -> ReferenceDevice.Buffer { buffer(.store(store)) }
}

extension ReferenceDevice {
  /// Binds an operation to its buffers; see `Device`.
  public func prepare(
    _ operation: TensorOperation, activations: ElementType, buffer: (Operand) -> Buffer
  ) throws -> [Prepared] {
    precondition(activations == .float32, "the reference computes with float32 tensors only")
    return try withoutActuallyEscaping(buffer) { try bind(operation, ReferenceMemory(buffer: $0)) }
  }

  /// What is bound keeps buffers, never `memory`.
  private func bind(_ operation: TensorOperation, _ memory: ReferenceMemory) throws -> [Prepared] {
    switch operation {
    case .augment(let augment): [bind(augment, memory)]
    case .convolve(let convolve): bind(convolve, memory)
    case .convolveBackwardData(let backward): [bind(backward, memory)]
    case .convolveBackwardWeights(let backward): [bind(backward, memory)]
    case .depthwise(let depthwise): [bind(depthwise, memory)]
    case .depthwiseBackwardData(let backward): [bind(backward, memory)]
    case .depthwiseBackwardWeights(let backward): [bind(backward, memory)]
    case .batchStatistics(let take):
      [statistics(take.statistics, of: memory[take.input], M: take.M, C: take.C, memory)]
    case .inferenceStatistics(let take): [bind(take, memory)]
    case .normalize(let normalize): [bind(normalize, memory)]
    case .normalizeBackward(let backward): [bind(backward, memory)]
    case .normalizeBackwardSums(let sums): [bind(sums, memory)]
    case .normalizeBackwardApply(let apply): [bind(apply, memory)]
    case .add(let add): [bind(add, memory)]
    case .rectify(let rectify): [bind(rectify, memory)]
    case .rectifyBackward(let backward): [bind(backward, memory)]
    case .bias(let bias): [bind(bias, memory)]
    case .biasBackward(let backward): [bind(backward, memory)]
    case .dropout(let dropout): [bind(dropout, memory)]
    case .flatten(let flatten): [bind(flatten, memory)]
    case .flattenBackward(let backward): [bind(backward, memory)]
    case .shortcut(let shortcut): [bind(shortcut, memory)]
    case .shortcutBackward(let backward): [bind(backward, memory)]
    case .pool(let pool): [bind(pool, memory)]
    case .poolBackward(let backward): [bind(backward, memory)]
    case .globalAverage(let average): [bind(average, memory)]
    case .globalAverageBackward(let backward): [bind(backward, memory)]
    case .linear(let linear): [bind(linear, memory)]
    case .linearBackwardData(let backward): [bind(backward, memory)]
    case .linearBackwardWeights(let backward): [bind(backward, memory)]
    case .loss(let loss): [try bind(loss, memory)]
    case .evaluate(let evaluate): [bind(evaluate, memory)]
    case .rows(let rows): [bind(rows, memory)]
    case .flat(let flat): [bind(flat, memory)]
    case .update(let update): [bind(update, memory)]
    case .advance(let advance): [bind(advance, memory)]
    case .cut: []
    }
  }
}
