/// How the numbers of a tensor are stored; all arithmetic is single precision.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  case float32
  /// The upper half of a float32: 8 bits of exponent, 7 of fraction; stored with rounding to nearest, ties to even.
  case bfloat16

  /// Bytes of one number.
  public var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// What a training step computes with.
public enum Precision: String, Hashable, Sendable, CaseIterable {
  /// Everything in float32.
  case fp32
  /// Everything stored in float32; what convolutions multiply is rounded to TF32 (10 bits of fraction), which the matrix
  /// units of NVIDIA's GPUs take; sums stay float32.
  case tf32
  /// Activations and their gradients, `[B, H, W, C]`, are stored as bfloat16; sums, statistics, the loss, parameters,
  /// momenta and the optimiser stay float32 (Micikevicius et al., 2018, arXiv:1710.03740, without loss scaling:
  /// bfloat16 has float32's range).
  case mixed

  /// How activations are stored.
  public var activations: ElementType { self == .mixed ? .bfloat16 : .float32 }
}
