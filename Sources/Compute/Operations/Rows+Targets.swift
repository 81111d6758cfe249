/// The row kernels of Kernels/shared/rows_targets.cl: what a loss is of, and what is added to it, beside a sample's label.
extension RowKernel {
  /// Logits as the loss of AUX sees them: `shifted` = logits + λ · offset, with λ the first of
  /// `StepState.methodNumbers`.
  ///
  /// - Parameters:
  ///   - shifted: [B, K].
  ///   - offset: a column [N, K] of floats.
  /// - Source: Hu, Li and Yu, "Simple and effective regularization methods for training on noisily labeled data with
  ///   generalization guarantee", ICLR 2020.
  public static func shift(_ logits: Value, by offset: Store, into shifted: Value, K: Int) -> RowKernel {
    RowKernel(
      "rows_shift", [.readFloats("logits", logits), .writeFloats("shifted", shifted)],
      ["offset": .store(offset), "K": .int(K)])
  }

  /// Moves the offsets of AUX down their gradient, λ · `dlogits`, at the step's learning rate; and notes the network's own
  /// prediction and, where `StepState.countsDynamics` is set, its margin, which the loss saw shifted.
  public static func offset(_ logits: Value, dlogits: Value, offset: Store, K: Int) -> RowKernel {
    RowKernel(
      "rows_offset", [.readFloats("logits", logits), .readFloats("dlogits", dlogits)],
      ["offset": .store(offset), "K": .int(K)])
  }

  /// Early-learning regularisation: moves the sample's target, then adds λ log(1 − ⟨target, p⟩) to its loss.
  ///
  /// `StepState.methodNumbers` begins with the target's momentum and λ.
  ///
  /// - Parameters:
  ///   - scratch: [B, K].
  ///   - target: a column [N, K] of floats that begins with 0.
  /// - Source: Liu, Niles-Weed, Razavian and Fernandez-Granda, "Early-learning regularization prevents memorization of
  ///   noisy labels", NeurIPS 2020, and its code.
  public static func earlyLearning(
    _ logits: Value, scratch: Value, dlogits: Value, target: Store, K: Int
  ) -> RowKernel {
    RowKernel(
      "rows_early_learning",
      [.readFloats("logits", logits), .writeFloats("scratch", scratch), .changeFloats("dlogits", dlogits)],
      ["target": .store(target), "K": .int(K)])
  }

  /// Confidence-adaptive regularisation, in place of the loss and gradient that were there.
  ///
  /// `StepState.methodNumbers` begins with λ, β, the target's momentum, the least confidence with which it moves, and
  /// three times 1 or 0: whether targets move, whether they take the labels' place, whether confidence is learned.
  ///
  /// - Parameters:
  ///   - logits: with the gradient that is written.
  ///   - indicator: a number for each row, whose sigmoid is the confidence, with its gradient.
  ///   - scratch: [B, K].
  ///   - target, confidence: columns of floats, [N, K] and [N].
  /// - Source: Lu, Bo and He, "Noise attention learning: enhancing noise robustness by gradient scaling", NeurIPS 2022,
  ///   and its code.
  public static func confidence(
    logits: (value: Value, gradient: Value), indicator: (value: Value, gradient: Value), scratch: Value, target: Store,
    confidence: Store, K: Int
  ) -> RowKernel {
    RowKernel(
      "rows_confidence",
      [
        .readFloats("logits", logits.value), .readFloats("indicator", indicator.value),
        .writeFloats("scratch", scratch), .writeFloats("dlogits", logits.gradient),
        .writeFloats("dindicator", indicator.gradient),
      ], ["target": .store(target), "confidence": .store(confidence), "K": .int(K)])
  }

  /// The targets [B, K] of mixed images: f for the sample's label and 1 − f for its partner's (`Store.partners`,
  /// `Store.factors`).
  ///
  /// - Source: Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
  public static func mixedTargets(_ targets: Value, K: Int) -> RowKernel {
    RowKernel("rows_mixed_targets", [.writeFloats("targets", targets)], ["K": .int(K)])
  }

  /// Cross entropy against `targets` [B, K], each row of which sums to 1, in place of the loss and gradient that were there.
  public static func softLoss(_ logits: Value, targets: Value, dlogits: Value, K: Int) -> RowKernel {
    RowKernel(
      "rows_soft_loss",
      [.readFloats("logits", logits), .readFloats("targets", targets), .writeFloats("dlogits", dlogits)],
      ["K": .int(K)])
  }

  /// A mean teacher's probabilities of a batch, and the moving average of those that it gave a sample over the epochs.
  ///
  /// `StepState.methodNumbers` begins with the average's momentum.
  ///
  /// - Parameters:
  ///   - logits: the teacher's.
  ///   - guesses: [B, K] of floats, for `consistency`.
  ///   - ensemble: a column [N, K] of floats, negative where the sample was not seen yet.
  /// - Source: Nguyen et al., "SELF: learning to filter noisy labels with self-ensembling", ICLR 2020.
  public static func ensemble(_ logits: Value, into guesses: Store, ensemble: Store, K: Int) -> RowKernel {
    RowKernel(
      "rows_ensemble", [.readFloats("logits", logits)],
      ["guesses": .store(guesses), "ensemble": .store(ensemble), "K": .int(K)])
  }

  /// Adds strength / K · ‖p − guess‖² to the loss of each sample, whose own part counts by its weight, 0 or 1.
  ///
  /// The second of `StepState.methodNumbers` is the strength.
  ///
  /// - Parameters:
  ///   - guesses: what `ensemble` wrote.
  ///   - scratch: [B, K].
  ///   - weight: a column [N] of floats.
  /// - Source: Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS 2017, and its code.
  public static func consistency(
    _ logits: Value, with guesses: Store, scratch: Value, dlogits: Value, weight: Store, K: Int
  ) -> RowKernel {
    RowKernel(
      "rows_consistency",
      [.readFloats("logits", logits), .writeFloats("scratch", scratch), .changeFloats("dlogits", dlogits)],
      ["guesses": .store(guesses), "weight": .store(weight), "K": .int(K)])
  }
}
