/// The row kernel of Kernels/shared/rows_distil.cl.
extension RowKernel {
  /// Distillation from another network: adds weight · T² · KL(t ‖ q) to each row's loss, and its gradient to `dlogits`, with
  /// t = softmax(other / T) as a constant, and q = softmax(logits / T).
  ///
  /// `StepState.methodNumbers` begins with the weight and the temperature T.
  ///
  /// - Parameters:
  ///   - other: the other network's logits [B, K] of the same images.
  ///   - scratch: [B, K].
  /// - Source: Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", arXiv:1503.02531, 2015; Zhang,
  ///   Xiang, Hospedales and Lu, "Deep mutual learning", CVPR 2018.
  public static func distil(
    _ logits: Value, from other: Store, scratch: Value, dlogits: Value, K: Int
  ) -> RowKernel {
    RowKernel(
      "rows_distil",
      [.readFloats("logits", logits), .writeFloats("scratch", scratch), .changeFloats("dlogits", dlogits)],
      ["other": .store(other), "K": .int(K)])
  }
}
