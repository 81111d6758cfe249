/// The row kernels of Kernels/shared/rows_triplet.cl.
extension RowKernel {
  /// Batch-hard triplets of features: L = max(0, d(b, p) − d(b, n) + margin), p being the farthest row with the label of row
  /// b and n the nearest with another, among the rows that are chosen.
  ///
  /// - Parameters:
  ///   - features: [B, D].
  ///   - farthest, nearest: [B], the positions of p and n, −1 where the loss is 0: for `tripletBackward`.
  ///   - chosen: a column [N] of floats, 0 for samples that do not take part.
  ///   - slot: which of `StepState.methodNumbers` is the margin.
  /// - Source: Hermans, Beyer and Leibe, "In defense of the triplet loss for person re-identification",
  ///   arXiv:1703.07737, 2017.
  public static func triplet(
    _ features: Value, farthest: Value, nearest: Value, chosen: Store, D: Int, slot: Int
  ) -> RowKernel {
    RowKernel(
      "rows_triplet",
      [
        .readFloats("features", features), .writeFloats("farthest", farthest), .writeFloats("nearest", nearest),
      ], ["chosen": .store(chosen), "D": .int(D), "slot": .int(slot)])
  }

  /// The gradient [B, D] of the mean of these losses over the chosen rows.
  public static func tripletBackward(
    _ features: Value, farthest: Value, nearest: Value, dfeatures: Value, chosen: Store, D: Int
  ) -> RowKernel {
    RowKernel(
      "rows_triplet_backward",
      [
        .readFloats("features", features), .readFloats("farthest", farthest), .readFloats("nearest", nearest),
        .writeFloats("dfeatures", dfeatures),
      ], ["chosen": .store(chosen), "D": .int(D)])
  }
}
