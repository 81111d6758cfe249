import CLayout
import Compute

/// The formulas of Kernels/shared/rows_division.cl.
extension ReferenceDevice {
  static var divisionFormulas: [String: RowFormula] {
    [
      "rows_guess": RowFormula(guess, []),
      "rows_divided_targets": RowFormula(dividedTargets, ["labels", "partners", "factors", "numbers"]),
      "rows_divided_loss": RowFormula(dividedLoss, ["numbers"]), "rows_mean": RowFormula(mean, []),
      "rows_prior": RowFormula(prior, ["numbers"]),
      "rows_entropy": RowFormula(entropy, ["numbers", "sample_loss"]),
    ]
  }

  private static func number(_ bound: RowBinding, _ slot: Int) -> ReferenceNumber {
    bound.buffer("numbers").number(at: NUMBER_METHOD + slot)
  }

  private static func logits(_ bound: RowBinding) -> [ReferenceRow] {
    let K = bound.integer("K"), logits = bound.buffer("logits")
    return (0..<bound.count).map { ReferenceRow(logits: logits.numbers(at: $0 * K, count: K), label: 0) }
  }

  private static func guess(_ bound: RowBinding) {
    let K = bound.integer("K"), guesses = bound.buffer("guesses"), isFirst = bound.integer("first") != 0
    let parts = ReferenceNumber(Double(bound.integer("parts")))
    for (b, row) in logits(bound).enumerated() {
      let before = isFirst ? .zeros(K) : guesses.numbers(at: b * K, count: K)
      guesses.write(zip(before, row.probabilities).map { $0 + $1 / parts }, at: b * K)
    }
  }

  private static func dividedTargets(_ bound: RowBinding) {
    let K = bound.integer("K"), quarter = bound.count / 4, samples = bound.samples
    let first = bound.buffer("counters").integer(at: COUNTER_OFFSET)
    let targets = (0..<bound.count).map { row in
      let isLabelled = row >= 2 * quarter
      let guess = bound.buffer(isLabelled ? "labelled" : "unlabelled").numbers(at: row % quarter * K, count: K)
      let share = isLabelled ? bound.buffer("clean").number(at: samples[row]) : 0
      return ReferenceMath.sharpened(
        guess, share: share, label: bound.buffer("labels").integer(at: samples[row]), temperature: number(bound, 0))
    }
    for b in 0..<bound.count {
      let partner = bound.buffer("partners").integer(at: first + b) - first
      let factor = bound.buffer("factors").number(at: first + b)
      bound.buffer("targets").write(
        zip(targets[b], targets[partner]).map { factor * $0 + (1 - factor) * $1 }, at: b * K)
    }
  }

  private static func dividedLoss(_ bound: RowBinding) {
    let K = bound.integer("K"), half = bound.count / 2, rows = ReferenceNumber(Double(half))
    let step = bound.buffer("counters").integer(at: COUNTER_OFFSET) / bound.count
    let share = number(bound, 2) + ReferenceNumber(Double(step)) * number(bound, 3)
    let weight = number(bound, 1) * (share.value < 0 ? 0 : share.value > 1 ? 1 : share)
    for (b, row) in logits(bound).enumerated() {
      let target = bound.buffer("targets").numbers(at: b * K, count: K)
      let (_, gradient) =
        b < half
        ? ReferenceMath.consistency(row, with: target, strength: weight) : ReferenceMath.softLoss(row, targets: target)
      bound.buffer("probabilities").write(row.probabilities, at: b * K)
      bound.buffer("dlogits").write(gradient.map { $0 / rows }, at: b * K)
    }
  }

  private static func mean(_ bound: RowBinding) {
    let K = bound.integer("K"), B = ReferenceNumber(Double(bound.count)), probabilities = bound.buffer("probabilities")
    for k in 0..<K {
      let sum = (0..<bound.count).map { probabilities.number(at: $0 * K + k) }.sum
      bound.buffer("mean").write(sum / B, at: k)
    }
  }

  private static func prior(_ bound: RowBinding) {
    let K = bound.integer("K"), dlogits = bound.buffer("dlogits"), mean = bound.buffer("mean").numbers(count: K)
    let scale = number(bound, 4) / ReferenceNumber(Double(K * bound.count))
    for b in 0..<bound.count {
      let p = bound.buffer("probabilities").numbers(at: b * K, count: K)
      let shares = zip(p, mean).map { $1.value > 0 ? $0 / $1 : 0 }, along = shares.sum
      let before = dlogits.numbers(at: b * K, count: K)
      dlogits.write((0..<K).map { before[$0] - scale * (shares[$0] - p[$0] * along) }, at: b * K)
    }
  }

  private static func entropy(_ bound: RowBinding) {
    let K = bound.integer("K"), samples = bound.samples, losses = bound.buffer("sample_loss")
    let dlogits = bound.buffer("dlogits"), weight = number(bound, 5), B = ReferenceNumber(Double(bound.count))
    guard weight.value != 0 else { return }
    for (b, row) in logits(bound).enumerated() {
      let (negative, slopes) = ReferenceMath.negativeEntropy(row)
      losses.write(losses.number(at: samples[b]) + weight * negative, at: samples[b])
      let before = dlogits.numbers(at: b * K, count: K)
      dlogits.write(zip(before, slopes).map { $0 + weight / B * $1 }, at: b * K)
    }
  }
}

extension ReferenceMath {
  /// v^(1/T) / Σ v^(1/T) of v = share · [k = label] + (1 − share) · guess.
  public static func sharpened(
    _ guess: [ReferenceNumber], share: ReferenceNumber, label: Int, temperature T: ReferenceNumber
  ) -> [ReferenceNumber] {
    let belief = guess.enumerated().map { k, value in (1 - share) * value + (k == label ? share : 0) }
    let most = belief.max { $0.value < $1.value } ?? 1
    let powers = belief.map { ($0 / most).power(1 / T) }, sum = powers.sum
    return powers.map { $0 / sum }
  }

  /// Σ p_k log p_k of a row, −H, and its gradient p_k (log p_k + H).
  public static func negativeEntropy(_ row: ReferenceRow) -> ReferenceLoss.Result {
    let p = row.probabilities, logs = row.logProbabilities, sum = zip(p, logs).map { $0 * $1 }.sum
    return (sum, zip(p, logs).map { $0 * ($1 - sum) })
  }
}
