/// The row kernels of Kernels/shared/rows.cl.
extension RowKernel {
  /// `dlogits` [B, K], in place, from the gradient of the batch's mean loss to that of the mean weighted by `weights`.
  public static func scale(_ dlogits: Value, by weights: Store, K: Int) -> RowKernel {
    RowKernel(
      "rows_scale", [.changeFloats("dlogits", dlogits)], ["weights": .store(weights), "K": .int(K)])
  }

  /// `kept` becomes 1 for the rows of the smallest `losses` of the batch, 0 for the others.
  ///
  /// Of equal losses the earlier row counts as smaller; a loss that is not a number is the largest.
  ///
  /// - Parameters:
  ///   - losses, kept: columns [N] of floats; the losses may be another network's.
  ///   - slot: which of `StepState.methodNumbers` says how many.
  /// - Source: Han et al., "Co-teaching: robust training of deep neural networks with extremely noisy labels", NeurIPS
  ///   2018.
  public static func smallest(of losses: Store, into kept: Store, slot: Int) -> RowKernel {
    RowKernel(
      "rows_smallest", [],
      ["losses": .store(losses), "kept": .store(kept), "slot": .int(slot)])
  }

  /// `kept` becomes 1 for the first rows of a batch, and for those of the smallest `losses` behind them; 0 for the others.
  ///
  /// - Parameters:
  ///   - losses, kept: columns [N] of floats; the losses may be another network's.
  ///   - slot: which of `StepState.methodNumbers` says how many the first rows are; the next one says how many are kept
  ///     behind them.
  /// - Source: Yang et al., "Asymmetric co-teaching for unsupervised cross-domain person re-identification", AAAI 2020.
  public static func smallestAfter(of losses: Store, into kept: Store, slot: Int) -> RowKernel {
    RowKernel(
      "rows_smallest_after", [],
      ["losses": .store(losses), "kept": .store(kept), "slot": .int(slot)])
  }

  /// The columns that `dynamics` moves, beside those of margins.
  public enum Dynamics {
    /// Sums over the epochs that count and what rounding has lost of them: of cross entropies and of EL2N [N].
    public static let lossSum = "loss_sum", lossLost = "loss_lost", errorSum = "error_sum", errorLost = "error_lost"
    /// Sums of the probabilities of the real classes [N, classes].
    public static let probabilitySum = "probability_sum"
    /// Integers [N]: forgetting events, and whether the sample was predicted as labelled when it was last seen.
    public static let forgettings = "forgettings", wasRight = "was_right"
    /// The margins of the last epoch [N].
    public static let epochMargin = "epoch_margin"
  }

  /// What training shows of every sample, into the columns of margins and those of `Dynamics`.
  ///
  /// Sums move only where `StepState.countsDynamics` is set.
  ///
  /// - Parameters:
  ///   - logits: before the step's update, [B, K].
  ///   - scratch: [B, K].
  ///   - classes: of the K outputs, those that are real classes.
  ///   - softmax: whether margins are those of probabilities.
  public static func dynamics(_ logits: Value, scratch: Value, K: Int, classes: Int, softmax: Bool) -> RowKernel {
    RowKernel(
      "rows_dynamics", [.readFloats("logits", logits), .writeFloats("scratch", scratch)],
      [
        "loss_sum": .store(.column(Dynamics.lossSum)), "loss_lost": .store(.column(Dynamics.lossLost)),
        "error_sum": .store(.column(Dynamics.errorSum)), "error_lost": .store(.column(Dynamics.errorLost)),
        "probability_sum": .store(.column(Dynamics.probabilitySum)),
        "forgettings": .store(.column(Dynamics.forgettings)), "was_right": .store(.column(Dynamics.wasRight)),
        "epoch_margin": .store(.column(Dynamics.epochMargin)), "K": .int(K), "classes": .int(classes),
        "softmax": .flag(softmax),
      ])
  }

  /// Counts the epochs in a row in which a sample's margin of probabilities is too small, and abandons it by weight 0.
  ///
  /// `StepState.methodNumbers` begins with threshold, patience and gain; nothing happens unless
  /// `StepState.countsDynamics` is set.
  ///
  /// - Parameters:
  ///   - streak: a column [N] of integers.
  ///   - weight: a column [N] of floats that begins with 1.
  /// - Source: Lin and Bradic, "Learning to combat noisy labels via classification margins", arXiv 2102.00751, 2021.
  public static func streak(_ logits: Value, scratch: Value, K: Int, streak: Store, weight: Store) -> RowKernel {
    RowKernel(
      "rows_streak", [.readFloats("logits", logits), .writeFloats("scratch", scratch)],
      ["streak": .store(streak), "weight": .store(weight), "K": .int(K)])
  }
}
