extension TensorOperation {
  /// The window of a convolution, or of its gradients; nil for other operations.
  public var convolution: Window? {
    switch self {
    case .convolve(let window, _, _, _, _), .convolveBackwardData(let window, _, _, _, _),
      .convolveBackwardWeights(let window, _, _, _, _), .convolveNormalized(let window, _, _, _, _),
      .convolveBackwardDataNormalized(let window, _, _, _, _, _),
      .convolveBackwardWeightsNormalized(let window, _, _, _, _):
      window
    default: nil
    }
  }

  /// The work of an operation as its formula states it: multiplications and additions, and bytes that must at least
  /// pass between memory and device when every tensor is read or written once.
  public struct Cost: Sendable, Equatable {
    /// Multiplications and additions.
    public var operations: Double
    /// Bytes read and written at least.
    public var bytes: Double

    /// A cost.
    public init(operations: Double, bytes: Double) {
      self.operations = operations
      self.bytes = bytes
    }
  }

  /// The cost, float32 throughout; operations per element of elementwise work are counted as written.
  public var cost: Cost {
    func cost(_ operations: Int, floats: Int) -> Cost {
      Cost(operations: Double(operations), bytes: 4 * Double(floats))
    }
    func window(_ w: Window, passes: Int = 1) -> Cost {
      cost(
        2 * w.B * w.P * w.Q * w.O * w.C * w.KH * w.KW,
        floats: w.B * (w.H * w.W * w.C * passes + w.P * w.Q * w.O) + w.O * w.C * w.KH * w.KW)
    }
    switch self {
    case .augment(_, let shape, _, _):
      let count = shape.reduce(1, *)
      return Cost(operations: 2 * Double(count), bytes: 5 * Double(count))
    case .convolve(let w, _, _, _, _), .convolveBackwardWeights(let w, _, _, _, _): return window(w)
    case .convolveBackwardData(let w, _, _, let addend, _): return window(w, passes: addend == nil ? 1 : 2)
    case .batchStatistics(_, let M, let C, _): return cost(3 * M * C, floats: M * C)
    case .inferenceStatistics(let C, _): return cost(2 * C, floats: 4 * C)
    case .normalize(_, _, _, _, let residual, let rectify, _, let M, let C):
      let extra = residual == nil ? 0 : 1
      return cost((2 + extra + (rectify ? 1 : 0)) * M * C, floats: (2 + extra) * M * C)
    case .normalizeBackward(_, _, _, _, _, _, let dresidual, let rectify, _, let M, let C, _):
      // Two passes read doutput, input and (for the ReLU) output; the second writes.
      let reads = 2 * (2 + (rectify ? 1 : 0)), writes = dresidual == nil ? 1 : 2
      return cost(8 * M * C, floats: (reads + writes) * M * C)
    case .normalizeBackwardSums(_, let layer, _, _, let M, let C, _):
      return cost(4 * M * C, floats: (layer.output == nil ? 3 : 4) * M * C)
    case .normalizeBackwardApply(_, let M, let C): return cost(5 * M * C, floats: 3 * M * C)
    case .convolveNormalized(let w, let input, _, _, _):
      return window(w, passes: 1 + (input.residual == nil ? 0 : 1) + (input.output == nil ? 0 : 1))
    case .convolveBackwardDataNormalized(let w, let doutput, _, let addend, _, let below):
      var cost = window(w, passes: 1 + (addend == nil ? 0 : 1) + (below.map { $0.layer.output == nil ? 1 : 2 } ?? 0))
      if case .normalized = doutput { cost.bytes += 4 * 2 * Double(w.B * w.P * w.Q * w.O) }
      return cost
    case .convolveBackwardWeightsNormalized(let w, _, _, _, _): return window(w)
    case .add(_, _, _, let count): return cost(count, floats: 3 * count)
    case .rectify(_, _, _, let count): return cost(count, floats: 2 * count)
    case .rectifyBackward(_, _, _, _, let count): return cost(count, floats: 3 * count)
    case .bias(_, _, _, let M, let C): return cost(M * C, floats: 2 * M * C)
    case .biasBackward(_, _, let M, let C, _): return cost(M * C, floats: M * C)
    case .dropout(_, _, _, let B, let M, let C, _): return cost(B * M * C, floats: 2 * B * M * C)
    case .flatten(_, _, let B, let M, let C), .flattenBackward(_, _, let B, let M, let C):
      return cost(0, floats: 2 * B * M * C)
    case .shortcut(_, _, let shape, let output, _), .shortcutBackward(_, _, let shape, let output, _):
      return cost(shape.reduce(1, *), floats: shape.reduce(1, *) + output.reduce(1, *))
    case .pool(let w, _, _, _), .poolBackward(let w, _, _, _, _):
      return cost(w.B * w.P * w.Q * w.C * w.KH * w.KW, floats: w.B * w.C * (w.H * w.W + w.P * w.Q))
    case .globalAverage(_, _, let B, let M, let C), .globalAverageBackward(_, _, let B, let M, let C):
      return cost(B * M * C, floats: B * M * C + B * C)
    case .linear(_, _, _, _, let M, let N, let K), .linearBackwardData(_, _, _, let M, let N, let K),
      .linearBackwardWeights(_, _, _, _, let M, let N, let K, _):
      return cost(2 * M * N * K, floats: M * K + N * K + M * N)
    case .loss(_, _, _, let B, let K, _), .evaluate(_, _, let B, let K): return cost(8 * B * K, floats: 2 * B * K)
    // Columns and rows of a few numbers: nothing beside the layers.
    case .rows(_, let count): return cost(count, floats: count)
    case .update(let kernel, let count, _): return cost(6 * count, floats: (2 * kernel.buffers.count - 1) * count)
    case .advance: return cost(1, floats: 2)
    case .cut: return cost(0, floats: 0)
    }
  }

  /// The shape that tells two operations of one name apart, such as `16→32 16×16 3×3/2`.
  public var shapeText: String {
    func window(_ w: Window) -> String { "\(w.C)→\(w.O) \(w.P)×\(w.Q) \(w.KH)×\(w.KW)/\(w.stride)" }
    switch self {
    case .augment(_, let shape, _, _): return shape.dropFirst().map(String.init).joined(separator: "×")
    case .convolve(let w, _, _, _, let statistics): return window(w) + (statistics == nil ? "" : " +statistics")
    case .convolveBackwardData(let w, _, _, let addend, _): return window(w) + (addend == nil ? "" : " +add")
    case .convolveBackwardWeights(let w, _, _, _, _), .pool(let w, _, _, _), .poolBackward(let w, _, _, _, _):
      return window(w)
    case .convolveNormalized(let w, let input, _, _, let statistics):
      return window(w) + (input.residual == nil ? "" : " +add") + (input.output == nil ? "" : " +store")
        + (statistics == nil ? "" : " +statistics")
    case .convolveBackwardDataNormalized(let w, let doutput, _, let addend, _, let below):
      var text = window(w)
      if case .normalized = doutput { text += " +normalize" }
      if addend != nil { text += " +add" }
      return text + (below == nil ? "" : " +sums")
    case .convolveBackwardWeightsNormalized(let w, _, _, _, _): return window(w)
    case .normalizeBackwardSums(_, let layer, _, _, let M, let C, _):
      return "\(M)×\(C)" + (layer.rectify ? " +relu" : "")
    case .normalizeBackwardApply(_, let M, let C): return "\(M)×\(C)"
    case .batchStatistics(_, let M, let C, _): return "\(M)×\(C)"
    case .normalize(_, _, _, _, let residual, let rectify, _, let M, let C):
      return "\(M)×\(C)" + (residual == nil ? "" : " +add") + (rectify ? " +relu" : "")
    case .normalizeBackward(_, _, _, _, _, _, let dresidual, let rectify, _, let M, let C, _):
      return "\(M)×\(C)" + (dresidual == nil ? "" : " +add") + (rectify ? " +relu" : "")
    case .inferenceStatistics(let C, _): return "\(C)"
    case .add(_, _, _, let count): return "\(count)"
    case .update(let kernel, let count, _): return kernel == .sgd ? "\(count)" : "\(kernel.kernel) \(count)"
    case .rectify(_, let slope, _, let count), .rectifyBackward(_, _, let slope, _, let count):
      return "\(count)" + (slope == 0 ? "" : ", slope \(slope)")
    case .bias(_, _, _, let M, let C), .biasBackward(_, _, let M, let C, _): return "\(M)×\(C)"
    case .dropout(_, let dropout, _, _, let M, let C, _):
      return "\(M)×\(C) \(dropout.rate)" + (dropout.dropsChannels ? " of channels" : "")
    case .flatten(_, _, _, let M, let C), .flattenBackward(_, _, _, let M, let C): return "\(M)×\(C)"
    case .shortcut(_, _, let shape, _, _), .shortcutBackward(_, _, let shape, _, _):
      return shape.dropFirst().map(String.init).joined(separator: "×")
    case .globalAverage(_, _, _, let M, let C), .globalAverageBackward(_, _, _, let M, let C): return "\(M)×\(C)"
    case .linear(_, _, _, _, let M, let N, let K), .linearBackwardData(_, _, _, let M, let N, let K),
      .linearBackwardWeights(_, _, _, _, let M, let N, let K, _):
      return "\(M)×\(K)→\(N)"
    case .loss(let function, _, _, let B, let K, _): return "\(function.kernel) \(B)×\(K)"
    case .evaluate(_, _, let B, let K): return "\(B)×\(K)"
    case .rows(let kernel, let count): return "\(kernel.kernel) \(count)"
    case .advance, .cut: return ""
    }
  }
}

extension StepProgram {
  /// The cost of one of the program's operations with activations as the program stores them.
  ///
  /// `TensorOperation.cost` counts four bytes for each number. Weights and statistics stay float32, but are so few beside
  /// the activations that they are counted like those.
  public func cost(of operation: TensorOperation) -> TensorOperation.Cost {
    var cost = operation.cost
    if case .augment(_, let shape, _, _) = operation {
      let count = Double(shape.reduce(1, *))
      cost.bytes = count + count * Double(format(of: operation).byteCount)
    } else {
      cost.bytes *= Double(format(of: operation).byteCount) / 4
    }
    return cost
  }
}
