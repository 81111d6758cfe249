/// The numbers that a GPU's matrix units multiply; sums are single precision.
///
/// Activations and filters stay single precision in memory, and are rounded as they enter the units.
public enum MatrixUnits: String, Sendable, CaseIterable {
  /// TF32: 8 bits of exponent, 10 of mantissa; what PyTorch takes for convolutions on such GPUs unless told otherwise.
  case tf32
  /// bfloat16: 8 bits of exponent, 7 of mantissa.
  case bfloat16

  /// The relative size of one rounding, to nearest.
  public var unit: Double { self == .tf32 ? 0x1p-11 : 0x1p-8 }

  /// What the kernels are built with; `isNative` on NVIDIA's devices, whose compiler takes the units' instructions.
  ///
  /// Elsewhere the kernels do the same, with the same roundings, by exchanging numbers through local memory: for tests.
  public func buildOptions(isNative: Bool) -> [String] {
    (self == .bfloat16 ? ["-DMATRIX_BFLOAT16"] : []) + (isNative ? ["-DMATRIX_PTX"] : [])
  }

  /// Numbers in one word of 32 bits.
  var numbersPerWord: Int { self == .tf32 ? 1 : 2 }
}
