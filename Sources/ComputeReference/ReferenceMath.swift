import Compute

/// What every tensor operation means: plain loops over double-precision numbers, with PyTorch's semantics.
///
/// Goals, in this order: obviously right; independent of how the kernels compute; fast enough for small shapes. Tensors
/// are channels last, `[B, H, W, C]`; weights lie in PyTorch's order, `[O, C, KH, KW]` and `[N, K]`.
public enum ReferenceMath {
  // MARK: Element by element

  /// a + b.
  public static func add(_ a: [ReferenceNumber], _ b: [ReferenceNumber]) -> [ReferenceNumber] {
    zip(a, b).map { $0 + $1 }
  }

  /// max(0, x), or below zero slope · x; at most the limit, which is 6 for ReLU6.
  public static func rectify(
    _ input: [ReferenceNumber], slope: Float = 0, limit: Float = .infinity
  ) -> [ReferenceNumber] {
    input.map {
      (slope == 0 ? $0.rectified : $0.value < 0 ? ReferenceNumber(slope) * $0 : $0).limited(to: limit)
    }
  }

  /// The gradient passes where the output is positive and below the limit; slope · gradient where it is not positive.
  public static func rectifyBackward(
    _ doutput: [ReferenceNumber], output: [ReferenceNumber], slope: Float = 0, limit: Float = .infinity
  ) -> [ReferenceNumber] {
    zip(doutput, output).map { gradient, output in
      if output.value > 0 { return output.value < Double(limit) ? gradient : 0 }
      return slope == 0 ? 0 : ReferenceNumber(slope) * gradient
    }
  }

  // MARK: Linear layers

  /// input `[M, K]` · weights `[N, K]`ᵀ + bias `[N]` → `[M, N]`.
  public static func linear(
    _ input: [ReferenceNumber], weights: [ReferenceNumber], bias: [ReferenceNumber], M: Int, N: Int, K: Int
  ) -> [ReferenceNumber] {
    var output = [ReferenceNumber].zeros(M * N)
    for m in 0..<M {
      for n in 0..<N {
        for k in 0..<K { output[m * N + n].add(input[m * K + k] * weights[n * K + k]) }
        output[m * N + n].add(bias[n])
      }
    }
    return output
  }

  /// Gradients of `linear` for its input, weights and bias.
  public static func linearBackward(
    _ doutput: [ReferenceNumber], input: [ReferenceNumber], weights: [ReferenceNumber], M: Int, N: Int, K: Int
  ) -> (dinput: [ReferenceNumber], dweights: [ReferenceNumber], dbias: [ReferenceNumber]) {
    var dinput = [ReferenceNumber].zeros(M * K)
    var dweights = [ReferenceNumber].zeros(N * K), dbias = [ReferenceNumber].zeros(N)
    for m in 0..<M {
      for n in 0..<N {
        let gradient = doutput[m * N + n]
        dbias[n].add(gradient)
        for k in 0..<K {
          dinput[m * K + k].add(gradient * weights[n * K + k])
          dweights[n * K + k].add(gradient * input[m * K + k])
        }
      }
    }
    return (dinput, dweights, dbias)
  }
}
