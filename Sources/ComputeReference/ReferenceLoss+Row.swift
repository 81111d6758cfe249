/// The losses of whole rows.
extension ReferenceLoss {
  /// log(p + ε), which keeps the digits near p = 1 that the plain form loses.
  private static func guarded(
    _ p: ReferenceNumber, _ logarithm: ReferenceNumber, _ guardNumber: ReferenceNumber
  ) -> ReferenceNumber {
    p.value > 0.5 ? logarithm + (guardNumber / p).logarithmOfOnePlus : (p + guardNumber).logarithm
  }

  private static func count(_ row: ReferenceRow) -> ReferenceNumber { ReferenceNumber(Double(row.logits.count)) }

  static let ofRow: [ReferenceLoss] = [
    // Label smoothing: L = −Σ t_k · log p_k with t = (1 − ε) · [k = y] + ε / K; dL/dz_k = p_k − t_k.
    ReferenceLoss("lsr", [0.1]) { row, parameters in
      let share = parameters[0] / count(row)
      let targets = row.logits.indices.map { $0 == row.label ? 1 - parameters[0] + share : share }
      return (
        -zip(targets, row.logProbabilities).map { $0 * $1 }.sum,
        row.gradient { row.probabilities[$0] - targets[$0] }
      )
    },
    // Normalised cross entropy: L = N / D, N = −log p_y, D = −Σ log p_k; dL/dz_k = (p_k − L · (K · p_k − 1)) / D.
    ReferenceLoss("nce", []) { row, _ in
      let D = -row.logProbabilities.sum, loss = -row.logProbability / D
      let slope = (1 - loss * count(row)) / D
      return (loss, row.gradient { slope * row.probabilities[$0] + loss / D })
    },
    // Normalised focal loss: L = N / D, N = f(p_y), D = Σ f(p_k), f(p) = −(1 − p)^γ · log p. With u_k = −f'(p_k) · p_k
    // and U their sum: dL/dz_k = (u_y · p_k − L · (U · p_k − u_k)) / D.
    ReferenceLoss("nfl", [0.5, 0]) { row, parameters in
      let gamma = parameters[0]
      let terms = row.logits.indices.map { -row.logProbabilities[$0] * row.other($0).power(gamma) }
      let focuses = row.logits.indices.map {
        focus(row.probabilities[$0], row.other($0), row.logProbabilities[$0], gamma: gamma, own: 1 - parameters[1])
      }
      let D = terms.sum, loss = terms[row.label] / D
      let slope = (focuses[row.label] - loss * focuses.sum) / D
      return (loss, row.gradient { slope * row.probabilities[$0] + loss / D * focuses[$0] })
    },
    // Normalised generalised cross entropy: L = (1 − p_y^q) / (K − S), S = Σ p_k^q;
    // dL/dz_k = q · (p_y^q · p_k − L · (S · p_k − p_k^q)) / (K − S).
    ReferenceLoss("ngce", [0.1]) { row, parameters in
      let q = parameters[0], exponents = row.logProbabilities.map { q * $0 }
      let powers = exponents.map(\.exponential)
      let D = exponents.map { -$0.exponentialMinusOne }.sum
      let loss = -exponents[row.label].exponentialMinusOne / D
      let slope = q * (powers[row.label] - loss * powers.sum) / D
      return (loss, row.gradient { slope * row.probabilities[$0] + q * loss / D * powers[$0] })
    },
    // Normalised negative cross entropy: L = 1 − v_y / V, v_k = max(0, log p_k − log least), V = Σ v_k. With n the
    // number of v_k above 0: dL/dz_k = ([v_y > 0] · p_k − v_y / V · (n · p_k − [v_k > 0])) / V.
    ReferenceLoss("nnce", [1e-7]) { row, parameters in
      let above = row.logProbabilities.map { ($0 - parameters[0].logarithm).rectified }
      let V = above.sum, share = above[row.label] / V
      let active = ReferenceNumber(Double(above.count { $0.value > 0 }))
      let slope = ((above[row.label].value > 0 ? 1 : 0) - active * share) / V
      return (
        above.indices.filter { $0 != row.label }.map { above[$0] }.sum / V,
        row.gradient { slope * row.probabilities[$0] + (above[$0].value > 0 ? share / V : 0) }
      )
    },
    // Soft bootstrapping: L = −Σ t_k · log p_k, t = β · [k = y] + (1 − β) · p; with H = −Σ p_k · log p_k,
    // dL/dz_k = β · p_k − (1 − β) · p_k · (log p_k + H).
    ReferenceLoss("bootsoft", [0.95]) { row, parameters in
      let beta = parameters[0], rest = 1 - beta
      let terms = zip(row.probabilities, row.logProbabilities).map { $0 * $1 }
      let entropy = -terms.sum
      return (
        rest * entropy - beta * row.logProbability,
        row.gradient { (beta - rest * entropy) * row.probabilities[$0] - rest * terms[$0] }
      )
    },
    // Hard bootstrapping: the same with t = β · [k = y] + (1 − β) · [k is the prediction]; dL/dz_k = p_k − t_k.
    ReferenceLoss("boothard", [0.8]) { row, parameters in
      let rest = 1 - parameters[0]
      return (
        -(parameters[0] * row.logProbability) - rest * row.logProbabilities[row.prediction],
        row.gradient { $0 == row.prediction ? row.probabilities[$0] - rest : row.probabilities[$0] }
      )
    },
    // The regularised loss of CORES², all classes alike: L = −log p_y + β / K · Σ log(p_k + ε). With
    // w_k = p_k / (p_k + ε) and W their sum: dL/dz_k = p_k + β / K · (w_k − W · p_k). The sieve leaves out rows with
    // −log p_y above the mean of −log(p_k + ε).
    ReferenceLoss("cores2", [2, 1e-8, 1, 0]) { row, parameters in
      let share = parameters[0] / count(row), epsilon = parameters[1]
      let logarithms = zip(row.probabilities, row.logProbabilities).map { guarded($0, $1, epsilon) }
      if parameters[2].value > 0, row.logProbability.value < logarithms.sum.value / count(row).value {
        return (0, row.gradient { _ in 0 })
      }
      let weights = row.probabilities.map { $0 / ($0 + epsilon) }
      let slope = 1 - share * weights.sum
      return (
        share * logarithms.sum - row.logProbability,
        row.gradient { slope * row.probabilities[$0] + share * weights[$0] }
      )
    },
  ]
}
