/// The row kernels of Kernels/shared/rows_division.cl: DivideMix.
///
/// A step has B rows, the first half of them of samples without a label, of which each occurs twice, and the other half of
/// samples with one, twice too. `StepState.methodNumbers` begins with the temperature, the weight of the unlabelled rows,
/// the share of it at an epoch's first step and what each step adds to that share, the weight of the prior, and that of the
/// entropy.
/// - Source: Li, Socher and Hoi, "DivideMix: learning with noisy labels as semi-supervised learning", ICLR 2020, and its
///   code.
extension RowKernel {
  /// Adds softmax(logits) / parts to guesses [B, K].
  ///
  /// - Parameters:
  ///   - scratch: [B, K].
  ///   - isFirst: whether it replaces what was there.
  public static func guess(
    _ logits: Value, scratch: Value, into guesses: Store, parts: Int, isFirst: Bool, K: Int
  ) -> RowKernel {
    RowKernel(
      "rows_guess", [.readFloats("logits", logits), .writeFloats("scratch", scratch)],
      ["guesses": .store(guesses), "parts": .int(parts), "first": .flag(isFirst), "K": .int(K)])
  }

  /// The targets [B, K] of mixed rows, f · (the own one) + (1 − f) · (the partner's), each of them v^(1/T) / Σ v^(1/T): of an
  /// unlabelled sample v is its guess, and of a labelled one w · (its label) + (1 − w) · (its guess).
  ///
  /// - Parameters:
  ///   - unlabelled, labelled: guesses [B / 4, K].
  ///   - clean: w, a column [N].
  public static func dividedTargets(
    _ targets: Value, unlabelled: Store, labelled: Store, clean: Store, K: Int
  ) -> RowKernel {
    RowKernel(
      "rows_divided_targets", [.writeFloats("targets", targets)],
      [
        "unlabelled": .store(unlabelled), "labelled": .store(labelled), "clean": .store(clean),
        "order": .store(.peerOrder), "K": .int(K),
      ])
  }

  /// The gradient of the mean cross entropy of the labelled rows, and of a weight times the mean of (p_k − t_k)² over classes
  /// and unlabelled rows.
  ///
  /// - Parameters:
  ///   - targets: [B, K], rows of which sum to 1.
  ///   - probabilities: softmax(logits) [B, K], which it writes.
  public static func dividedLoss(
    _ logits: Value, targets: Value, probabilities: Value, dlogits: Value, K: Int
  ) -> RowKernel {
    RowKernel(
      "rows_divided_loss",
      [
        .readFloats("logits", logits), .readFloats("targets", targets), .writeFloats("probabilities", probabilities),
        .writeFloats("dlogits", dlogits),
      ], ["K": .int(K)])
  }

  /// The mean [K] of probabilities [B, K] over the batch.
  public static func mean(of probabilities: Value, into mean: Value, K: Int) -> RowKernel {
    RowKernel(
      "rows_mean", [.readFloats("probabilities", probabilities), .writeFloats("mean", mean)],
      ["K": .int(K)])
  }

  /// Adds the gradient of a weight times Σ 1/K · log((1/K) / mean_k).
  ///
  /// - Parameters:
  ///   - probabilities: softmax of the logits [B, K].
  ///   - mean: their mean [K].
  public static func prior(_ probabilities: Value, mean: Value, dlogits: Value, K: Int) -> RowKernel {
    RowKernel(
      "rows_prior",
      [
        .readFloats("probabilities", probabilities), .readFloats("mean", mean), .changeFloats("dlogits", dlogits),
      ], ["K": .int(K)])
  }

  /// Adds a weight times the negative entropy Σ p_k log p_k to each row's loss, and its gradient to `dlogits`.
  ///
  /// - Parameter scratch: [B, K].
  public static func entropy(_ logits: Value, scratch: Value, dlogits: Value, K: Int) -> RowKernel {
    RowKernel(
      "rows_entropy",
      [.readFloats("logits", logits), .writeFloats("scratch", scratch), .changeFloats("dlogits", dlogits)],
      ["K": .int(K)])
  }
}
