extension ReferenceLoss {
  /// log of exp_t(−distance) = (1 + (t − 1) · distance)^(−1 / (t − 1)), with heat = t − 1.
  private static func tempered(_ distance: ReferenceNumber, _ heat: ReferenceNumber) -> ReferenceNumber {
    heat.value > 0 ? -((heat * distance).logarithmOfOnePlus / heat) : -distance
  }

  /// What to take from the logits, beyond the largest, so that exp_t of them sums to 1.
  ///
  /// Found without rounding; the roundings are those of the sum, through the derivative of the shift.
  private static func normalization(_ distances: [ReferenceNumber], _ heat: ReferenceNumber) -> ReferenceNumber {
    let t = heat + 1
    func sums(_ shift: Double) -> (sum: ReferenceNumber, slope: ReferenceNumber) {
      let logarithms = distances.map { tempered($0 + ReferenceNumber(shift), heat) }
      return (logarithms.map(\.exponential).sum, logarithms.map { (t * $0).exponential }.sum)
    }
    // The sum falls with the shift: it is at least 1 at 0, and at most 1 where even K equal logits have that sum.
    let classes = ReferenceNumber(Double(distances.count))
    var low = 0.0
    var high = heat.value > 0 ? (heat * classes.logarithm).exponentialMinusOne.value / heat.value : classes.value
    for _ in 0..<1100 {
      let middle = 0.5 * (low + high)
      if middle == low || middle == high { break }
      if sums(middle).sum.value > 1 { low = middle } else { high = middle }
    }
    let (sum, slope) = sums(low)
    return ReferenceNumber(low, roundings: sum.roundings / slope.value + low)
  }

  /// The bi-tempered logistic loss, with t = exp_t2(z − λ), which sums to 1:
  /// L = −log_t1(t_y) − (1 − Σ t_k^(2 − t1)) / (2 − t1).
  ///
  /// With u_k = (t_k − [k = y]) · t_k^(t2 − t1), dL/dz_k = u_k − t_k^t2 / Σ t_j^t2 · Σ u_j.
  static let bitempered = ReferenceLoss("bitempered", [0.8, 1.2]) { row, parameters in
    let cold = 1 - parameters[0], heat = parameters[1] - 1
    let distances = row.logits.map { row.logits[row.prediction] - $0 }
    let shift = normalization(distances, heat)
    let logarithms = distances.map { tempered($0 + shift, heat) }
    let others = logarithms.indices.filter { $0 != row.label }
    let escorts = logarithms.map { ((1 + heat) * $0).exponential }
    let terms = logarithms.map { ((1 + heat + cold) * $0).exponential }
    let own = logarithms[row.label]
    let sum =
      others.map { terms[$0] }.sum - others.map { logarithms[$0].exponential }.sum * ((heat + cold) * own).exponential
    let power = cold.value > 0 ? (cold * own).exponentialMinusOne / cold : own
    let powers = logarithms.map { ((1 + cold) * $0).exponential }.sum
    let ratio = sum / escorts.sum
    return (-power - (1 - powers) / (1 + cold), row.gradient { terms[$0] - ratio * escorts[$0] })
  }
}
