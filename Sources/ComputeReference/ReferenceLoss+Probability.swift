/// The losses that depend on p_y alone.
extension ReferenceLoss {
  /// (1 − p)^γ, and `own` times the part γ · p · (1 − p)^(γ − 1) · (−log p) that its own derivative adds to the gradient
  /// of −(1 − p)^γ · log p.
  static func focus(
    _ p: ReferenceNumber, _ other: ReferenceNumber, _ logarithm: ReferenceNumber, gamma: ReferenceNumber,
    own: ReferenceNumber
  ) -> ReferenceNumber {
    let ratio = other.value > 0 ? -logarithm / other : 1
    return other.power(gamma) * (1 + own * gamma * p * ratio)
  }

  static let ofProbability: [ReferenceLoss] = [
    // Cross entropy: L = −log p_y.
    ReferenceLoss("ce", []) { row, _ in
      (-row.logProbability, row.gradient(weight: 1))
    },
    // Mean absolute error: L = scale · (1 − p_y).
    ReferenceLoss("mae", [2]) { row, parameters in
      (parameters[0] * row.otherProbability, row.gradient(weight: parameters[0] * row.probability))
    },
    // Reverse cross entropy, with A in the place of log 0: L = −A · (1 − p_y).
    ReferenceLoss("rce", [-4]) { row, parameters in
      (-parameters[0] * row.otherProbability, row.gradient(weight: -parameters[0] * row.probability))
    },
    // Symmetric cross entropy: L = α · CE + β · RCE, weight α − β · A · p_y.
    ReferenceLoss("sce", [0.1, 1, -4]) { row, parameters in
      let (alpha, beta, A) = (parameters[0], parameters[1], parameters[2])
      return (
        -(alpha * row.logProbability) - beta * A * row.otherProbability,
        row.gradient(weight: alpha - beta * A * row.probability)
      )
    },
    // Generalised cross entropy: L = (1 − p_y^q) / q, weight p_y^q; truncated at k: L(k) and weight 0 for p_y ≤ k.
    ReferenceLoss("gce", [0.7, 0]) { row, parameters in
      let (q, k) = (parameters[0], parameters[1])
      let isCounted = k.value == 0 || row.probability.value > k.value
      let exponent = q * (isCounted ? row.logProbability : k.logarithm)
      return (-exponent.exponentialMinusOne / q, row.gradient(weight: isCounted ? exponent.exponential : 0))
    },
    // Asymmetric generalised cross entropy: L = ((a + 1)^q − (a + p_y)^q) / q, weight p_y · (a + p_y)^(q − 1).
    ReferenceLoss("agce", [0.6, 0.6]) { row, parameters in
      let (a, q) = (parameters[0], parameters[1])
      // (a + p_y)^q = (a + 1)^q · (1 − (1 − p_y) / (a + 1))^q, which keeps the digits of 1 − p_y.
      let ratio = (-(row.otherProbability / (a + 1))).logarithmOfOnePlus
      let full = (q * (a + 1).logarithm).exponential
      let power = ((q - 1) * (a + row.probability).logarithm).exponential
      return (-(full * (q * ratio).exponentialMinusOne) / q, row.gradient(weight: row.probability * power))
    },
    // Asymmetric unhinged loss: L = ((a − p_y)^q − (a − 1)^q) / q, weight p_y · (a − p_y)^(q − 1).
    ReferenceLoss("aul", [5.5, 3]) { row, parameters in
      let (rest, q) = (parameters[0] - 1, parameters[1])
      let ratio = (row.otherProbability / rest).logarithmOfOnePlus
      let least = (q * rest.logarithm).exponential
      let power = ((q - 1) * (rest + row.otherProbability).logarithm).exponential
      return (least * (q * ratio).exponentialMinusOne / q, row.gradient(weight: row.probability * power))
    },
    // Asymmetric exponential loss: L = e^(−p_y / a), weight p_y / a · L.
    ReferenceLoss("ael", [2.5]) { row, parameters in
      let loss = (-(row.probability / parameters[0])).exponential
      return (loss, row.gradient(weight: row.probability / parameters[0] * loss))
    },
    // The bounded cross entropy of peer loss: L = −log(p_y + ε), weight p_y / (p_y + ε).
    ReferenceLoss("peer", [0.5, 1e-5, 0]) { row, parameters in
      let p = row.probability, guarded = p + parameters[1]
      // log(p + ε) = log p + log(1 + ε / p), which keeps the digits near p = 1 that the plain form loses.
      let logarithm =
        p.value > 0.5 ? row.logProbability + (parameters[1] / p).logarithmOfOnePlus : guarded.logarithm
      return (-logarithm, row.gradient(weight: p / guarded))
    },
    // Focal loss: L = −(1 − p_y)^γ · log p_y, the factor's own gradient left out where it counts as a constant.
    ReferenceLoss("focal", [0.5, 0]) { row, parameters in
      let other = row.otherProbability, gamma = parameters[0]
      let weight = focus(row.probability, other, row.logProbability, gamma: gamma, own: 1 - parameters[1])
      return (-row.logProbability * other.power(gamma), row.gradient(weight: weight))
    },
    // Polynomial soft weighting of l = −log p_y: L = λ / m · (1 − (1 − l / λ)^m), m = d / (d − 1), below l = λ, and
    // λ / m above; weight (1 − l / λ)^(1 / (d − 1)).
    ReferenceLoss("polysoft", [6, 2.5]) { row, parameters in
      let (lambda, d) = (parameters[0], parameters[1])
      let ratio = -row.logProbability / lambda, most = (d - 1) * lambda / d
      guard ratio.value < 1 else { return (most, row.gradient(weight: 0)) }
      let logarithm = (-ratio).logarithmOfOnePlus
      return (
        -most * (d / (d - 1) * logarithm).exponentialMinusOne,
        row.gradient(weight: (logarithm / (d - 1)).exponential)
      )
    },
    // Taylor cross entropy: L = Σ (1 − p_y)^i / i for i = 1 … t, weight 1 − (1 − p_y)^t = p_y · Σ (1 − p_y)^(i − 1).
    ReferenceLoss("taylor", [3]) { row, parameters in
      var power: ReferenceNumber = 1, loss: ReferenceNumber = 0, sum: ReferenceNumber = 0
      for i in 1...Int(parameters[0].value) {
        sum.add(power)
        power = power * row.otherProbability
        loss.add(power / ReferenceNumber(Double(i)))
      }
      return (loss, row.gradient(weight: row.probability * sum))
    },
    // Cross entropy of ε-softmax: L = −log max((p_y + m · [y is the prediction]) / (1 + m), least).
    ReferenceLoss("esoftmax", [100, 1e-8]) { row, parameters in
      let m = parameters[0], p = row.probability, most = -parameters[1].logarithm
      if row.label != row.prediction, m.logarithmOfOnePlus.value - row.logProbability.value >= most.value {
        return (most, row.gradient(weight: 0))
      }
      return row.label == row.prediction
        ? (-(-(row.otherProbability / (1 + m))).logarithmOfOnePlus, row.gradient(weight: p / (p + m)))
        : (m.logarithmOfOnePlus - row.logProbability, row.gradient(weight: 1))
    },
    // Normalised mean absolute error: L = (1 − p_y) / (K − 1).
    ReferenceLoss("nmae", []) { row, _ in
      let scale = 1 / ReferenceNumber(Double(row.logits.count - 1))
      return (scale * row.otherProbability, row.gradient(weight: scale * row.probability))
    },
  ]
}
