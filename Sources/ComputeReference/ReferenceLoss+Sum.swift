import CLayout

extension ReferenceLoss {
  /// Probabilities below this are regularised as if they were this.
  private static let least: ReferenceNumber = 1e-7

  /// The weighted sum L = α · first + β · second, of which there may be only the first, with sparse regularisation where
  /// its temperature τ is above 0: of p = softmax(u), u = z / τ or z / (τ · |z|), and L + λ · Σ max(p_k, 1e-7)^r.
  ///
  /// With n = z / |z| and g = dL/du, dL/dz = g / τ, or (g − n · (n · g)) / (τ · |z|).
  static let sum = ReferenceLoss(
    // Normalised cross entropy and the asymmetric generalised one, as published for CIFAR-10.
    "sum", [1, 4, Float(LOSS_PART_nce), Float(LOSS_PART_agce), 0, 0, 0, 0, 6, 1.5, 0, 0, 0, 0, 0, 0]
  ) { row, parameters in
    let temperature = parameters[LOSS_TEMPERATURE], isNormal = parameters[LOSS_NORMAL].value > 0
    guard temperature.value > 0 else { return plainSum(row, parameters) }
    let norm = row.logits.map { $0 * $0 }.sum.squareRoot
    let inverse = isNormal ? 1 / (norm.value > 1e-12 ? norm : 1e-12) : 1
    let sharpness = inverse / temperature
    let sharp = ReferenceRow(
      logits: row.logits.map { sharpness * ($0 - row.logits[row.prediction]) }, label: row.label)
    let (loss, gradient) = plainSum(sharp, parameters)
    let (power, lambda) = (parameters[LOSS_POWER], parameters[LOSS_LAMBDA])
    let lowest = least.logarithm
    let terms = sharp.logProbabilities.map { (power * ($0.value >= lowest.value ? $0 : lowest)).exponential }
    let pulls = zip(terms, sharp.logProbabilities).map { $1.value >= lowest.value ? $0 : 0 }
    let sumOfPulls = pulls.sum
    let total = zip(gradient, pulls).enumerated().map { k, pair in
      pair.0 + lambda * power * (pair.1 - sharp.probabilities[k] * sumOfPulls)
    }
    let balanced = sharp.gradient { total[$0] }
    let directions = row.logits.map { $0 * inverse }
    let along = isNormal ? zip(balanced, directions).map { $0 * $1 }.sum : 0
    return (loss + lambda * terms.sum, zip(balanced, directions).map { sharpness * ($0 - $1 * along) })
  }

  private static func plainSum(_ row: ReferenceRow, _ parameters: [ReferenceNumber]) -> Result {
    let weighted = [
      (LOSS_ALPHA, LOSS_FIRST_PART, LOSS_FIRST..<LOSS_SECOND), (LOSS_BETA, LOSS_SECOND_PART, LOSS_SECOND..<LOSS_SPARSE),
    ].compactMap {
      weight, number, own -> (weight: ReferenceNumber, result: Result)? in
      guard parameters[number].value >= 0 else { return nil }
      guard let part = parts[Int(parameters[number].value)] else {
        preconditionFailure("a weighted sum has parts with numbers of the table")
      }
      return (parameters[weight], part.evaluate(row, Array(parameters[own])))
    }
    return (
      weighted.map { $0.weight * $0.result.loss }.sum,
      row.gradient { k in weighted.map { $0.weight * $0.result.dlogits[k] }.sum }
    )
  }
}
