/// The forms of neighbouring layers that a device can compute in one pass.
public enum FusedForm: Hashable, Sendable, CaseIterable {
  /// A convolution that also leaves the batch statistics of its output.
  case convolveWithStatistics
  /// Batch norm, the residual's addition and the ReLU in one pass.
  case normalizeAddRectify
}

extension Graph.Layer {
  var hasParameters: Bool {
    switch self {
    case .convolve, .depthwise, .normalize, .bias, .linear: true
    case .rectify, .dropout, .flatten, .add, .shortcut, .pool, .globalAverage: false
    }
  }

  var inputs: [Value] {
    switch self {
    case .convolve(let input, _, _, _), .depthwise(let input, _, _, _), .rectify(let input, _, _, _),
      .bias(let input, _, _), .dropout(let input, _, _), .flatten(let input, _), .shortcut(let input, _, _),
      .pool(let input, _, _, _), .globalAverage(let input, _), .linear(let input, _, _, _):
      [input]
    case .normalize(let input, _, let residual, _, _, _): [input] + (residual.map { [$0] } ?? [])
    case .add(let a, let b, _): [a, b]
    }
  }

  var output: Value {
    switch self {
    case .convolve(_, _, _, let output), .depthwise(_, _, _, let output), .normalize(_, _, _, _, _, let output),
      .rectify(_, _, _, let output), .bias(_, _, let output), .dropout(_, _, let output), .flatten(_, let output),
      .add(_, _, let output), .shortcut(_, _, let output), .pool(_, _, _, let output),
      .globalAverage(_, let output), .linear(_, _, _, let output):
      output
    }
  }
}

extension Graph.Layer {
  /// The same layer with another input in the place of one of its own.
  func replacing(_ old: Value, by new: Value) -> Self {
    func now(_ value: Value) -> Value { value == old ? new : value }
    return switch self {
    case .convolve(let input, let weights, let window, let output):
      .convolve(input: now(input), weights: weights, window: window, output: output)
    case .depthwise(let input, let weights, let window, let output):
      .depthwise(input: now(input), weights: weights, window: window, output: output)
    case .normalize(let input, let batchNorm, let residual, let rectify, let limit, let output):
      .normalize(
        input: now(input), batchNorm: batchNorm, residual: residual.map(now), rectify: rectify, limit: limit,
        output: output)
    case .rectify(let input, let slope, let limit, let output):
      .rectify(input: now(input), slope: slope, limit: limit, output: output)
    case .bias(let input, let bias, let output): .bias(input: now(input), bias: bias, output: output)
    case .dropout(let input, let dropout, let output): .dropout(input: now(input), dropout: dropout, output: output)
    case .flatten(let input, let output): .flatten(input: now(input), output: output)
    case .add(let a, let b, let output): .add(now(a), now(b), output: output)
    case .shortcut(let input, let kind, let output): .shortcut(input: now(input), kind: kind, output: output)
    case .pool(let input, let window, let maximum, let output):
      .pool(input: now(input), window: window, maximum: maximum, output: output)
    case .globalAverage(let input, let output): .globalAverage(input: now(input), output: output)
    case .linear(let input, let weights, let bias, let output):
      .linear(input: now(input), weights: weights, bias: bias, output: output)
    }
  }
}

extension Graph {
  /// The graph of evaluation: without dropout.
  public func withoutDropout() -> Graph {
    var graph = self
    while let index = graph.layers.firstIndex(where: { if case .dropout = $0 { true } else { false } }),
      case .dropout(let input, _, let output) = graph.layers[index]
    {
      precondition(output != logits, "a network does not end with dropout")
      graph.layers.remove(at: index)
      graph.layers = graph.layers.map { $0.replacing(output, by: input) }
    }
    return graph
  }

  /// The graph of evaluation without the last layer, whose input becomes the result; nil if that layer is not linear.
  public func features() -> Graph? {
    var graph = withoutDropout()
    guard case .linear(let input, let weights, let bias, _)? = graph.layers.last,
      [weights, bias] == Array(graph.parameters.entries.indices.suffix(2))
    else { return nil }
    graph.layers.removeLast()
    graph.parameters.removeLast(2)
    graph.logits = input
    return graph
  }

  /// The graph with a second head, from what the last layer reads to a number for each image; nil if that layer is not
  /// linear.
  ///
  /// Its parameters, `indicator.weight` and `indicator.bias`, come before those of the last layer.
  public func withIndicator() -> Graph? {
    let last = parameters.entries.suffix(2)
    guard case .linear(let input, let weights, let bias, let output)? = layers.last,
      [weights, bias] == Array(parameters.entries.indices.suffix(2))
    else { return nil }
    var graph = self
    graph.layers.removeLast()
    graph.parameters.removeLast(2)
    graph.indicator = graph.linear(input, "indicator", outputs: 1)
    let again = last.map { graph.parameters.add($0.name, shape: $0.shape, initialization: $0.initialization) }
    graph.layers.append(.linear(input: input, weights: again[0], bias: again[1], output: output))
    graph.logits = output
    return graph
  }

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
      guard case .normalize(let input, let batchNorm, let residual, false, _, let between) = layer,
        let only = readers[between], only.count == 1, let second = only.first, between != logits
      else { continue }
      switch layers[second] {
      case .add(let a, let b, let output) where residual == nil:
        let other = a == between ? b : a
        return (
          first, second,
          .normalize(
            input: input, batchNorm: batchNorm, residual: other, rectify: false, limit: .infinity, output: output)
        )
      case .rectify(_, 0, let limit, let output):
        return (
          first, second,
          .normalize(
            input: input, batchNorm: batchNorm, residual: residual, rectify: true, limit: limit, output: output)
        )
      default: continue
      }
    }
    return nil
  }
}
