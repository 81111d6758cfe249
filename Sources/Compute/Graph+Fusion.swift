/// The forms of neighbouring layers that a device can compute in one pass.
public enum FusedForm: Hashable, Sendable, CaseIterable {
  /// A convolution that also leaves the batch statistics of its output.
  case convolveWithStatistics
  /// Batch norm, the residual's addition and the ReLU in one pass.
  case normalizeAddRectify
}

extension Graph.Layer {
  var inputs: [Value] {
    switch self {
    case .convolve(let input, _, _, _), .rectify(let input, _), .shortcut(let input, _, _), .pool(let input, _, _, _),
      .globalAverage(let input, _), .linear(let input, _, _, _):
      [input]
    case .normalize(let input, _, let residual, _, _): [input] + (residual.map { [$0] } ?? [])
    case .add(let a, let b, _): [a, b]
    }
  }

  var output: Value {
    switch self {
    case .convolve(_, _, _, let output), .normalize(_, _, _, _, let output), .rectify(_, let output),
      .add(_, _, let output), .shortcut(_, _, let output), .pool(_, _, _, let output), .globalAverage(_, let output),
      .linear(_, _, _, let output):
      output
    }
  }
}

extension Graph {
  /// Merges batch norm with a following addition and ReLU, where nobody else reads what lies between.
  ///
  /// The networks know nothing of it; a device that lacks the form gets the layers as they were written.
  public func fused(for forms: Set<FusedForm>) -> Graph {
    guard forms.contains(.normalizeAddRectify) else { return self }
    var graph = self
    while let (first, second, merged) = graph.nextMerge() {
      // The merged layer stands where the second stood: there its residual has been computed.
      graph.layers[second] = merged
      graph.layers.remove(at: first)
    }
    return graph
  }

  private func nextMerge() -> (Int, Int, Layer)? {
    var readers: [Value: [Int]] = [:]
    for (index, layer) in layers.enumerated() {
      for input in layer.inputs { readers[input, default: []].append(index) }
    }
    for (first, layer) in layers.enumerated() {
      guard case .normalize(let input, let batchNorm, let residual, false, let between) = layer,
        let only = readers[between], only.count == 1, let second = only.first, between != logits
      else { continue }
      switch layers[second] {
      case .add(let a, let b, let output) where residual == nil:
        let other = a == between ? b : a
        return (
          first, second,
          .normalize(
            input: input, batchNorm: batchNorm, residual: other, rectify: false, output: output)
        )
      case .rectify(_, let output):
        return (
          first, second,
          .normalize(
            input: input, batchNorm: batchNorm, residual: residual, rectify: true, output: output)
        )
      default: continue
      }
    }
    return nil
  }
}
