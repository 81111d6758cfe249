import Compute

/// What methods add to the loss of a row, in double precision.
extension ReferenceMath {
  /// Early-learning regularisation (Liu et al., NeurIPS 2020): λ log(1 − Σ t_k q_k), where q is p kept within bounds, and t
  /// counts as a constant.
  public struct EarlyLearning: Sendable {
    /// Between these numbers the authors keep probabilities; outside them there is no slope.
    public static let bounds: ClosedRange<Float> = 1e-4...0.9999

    private let row: ReferenceRow
    private let bounded: [ReferenceNumber]

    /// The regulariser of a row of logits.
    public init(_ row: ReferenceRow) {
      self.row = row
      let least = ReferenceNumber(Self.bounds.lowerBound), most = ReferenceNumber(Self.bounds.upperBound)
      bounded = row.probabilities.map { $0.value < least.value ? least : $0.value > most.value ? most : $0 }
    }

    /// The target after this row: m t + (1 − m) q / Σ q.
    public func target(_ target: [ReferenceNumber], momentum: ReferenceNumber) -> [ReferenceNumber] {
      let sum = bounded.sum
      return zip(target, bounded).map { momentum * $0 + (1 - momentum) * ($1 / sum) }
    }

    /// The regulariser and its gradient −λ / (1 − s) · p_k (t_k − Σ t_j p_j), sums without the classes outside the bounds.
    public func penalty(_ target: [ReferenceNumber], weight: ReferenceNumber) -> ReferenceLoss.Result {
      let agreement = zip(target, bounded).map { $0 * $1 }.sum, rest = 1 - agreement
      let own = target.indices.map { bounded[$0].value == row.probabilities[$0].value ? target[$0] : 0 }
      let along = zip(own, row.probabilities).map { $0 * $1 }.sum
      let gradient = own.indices.map { -(weight / rest * row.probabilities[$0] * (own[$0] - along)) }
      return (weight * rest.logarithm, gradient)
    }
  }

  /// Confidence-adaptive regularisation of a row, as the code of NAL (Lu et al., NeurIPS 2022) has it.
  public struct Confidence: Sendable {
    /// The least number in a target, and in a mixed prediction.
    public static let targetLeast: Float = 1e-4, mixedLeast: Float = 1e-7

    private let row: ReferenceRow
    /// τ and 1 − τ, and log τ.
    public let confidence: ReferenceNumber
    let rest: ReferenceNumber, logarithm: ReferenceNumber

    /// A row of logits with its indicator u, τ = 1 / (1 + e^−u); nil for a confidence of 1.
    public init(_ row: ReferenceRow, indicator: ReferenceNumber?) {
      self.row = row
      guard let u = indicator else {
        (confidence, rest, logarithm) = (1, 0, 0)
        return
      }
      let size = u.value < 0 ? u : -u, e = size.exponential, small = e / (1 + e), large = 1 / (1 + e)
      (confidence, rest) = u.value < 0 ? (small, large) : (large, small)
      logarithm = u.value < 0 ? u - e.logarithmOfOnePlus : -e.logarithmOfOnePlus
    }

    /// The target after this row: m t + (1 − m) p, at least 1e-4.
    public func target(_ target: [ReferenceNumber], momentum: ReferenceNumber) -> [ReferenceNumber] {
      zip(target, row.probabilities).map {
        let moved = momentum * $0 + (1 - momentum) * $1, least = ReferenceNumber(Self.targetLeast)
        return moved.value > least.value ? moved : least
      }
    }

    /// What stands for the label before targets do.
    public var label: [ReferenceNumber] {
      row.probabilities.indices.map { $0 == row.label ? 1 : ReferenceNumber(Self.targetLeast) }
    }

    /// −Σ s log q − λ log τ − β Σ q log s with q = τ p + (1 − τ) s, and its gradients for logits and indicator.
    public func loss(
      against s: [ReferenceNumber], lambda: ReferenceNumber, beta: ReferenceNumber
    ) -> (loss: ReferenceNumber, dlogits: [ReferenceNumber], dindicator: ReferenceNumber) {
      let p = row.probabilities, least = ReferenceNumber(Self.mixedLeast)
      let mixed = zip(p, s).map { confidence * $0 + rest * $1 }
      let q = mixed.map { $0.value < least.value ? least : $0.value > 1 ? 1 : $0 }
      let terms = zip(s, q).map { s, q in s * q.logarithm + beta * q * s.logarithm }
      let slopes = q.indices.map { k -> ReferenceNumber in
        q[k].value == mixed[k].value ? -(s[k] / q[k]) - beta * s[k].logarithm : 0
      }
      let along = zip(p, slopes).map { $0 * $1 }.sum
      let apart = slopes.indices.map { (p[$0] - s[$0]) * slopes[$0] }.sum
      return (
        -terms.sum - lambda * logarithm, slopes.indices.map { confidence * p[$0] * (slopes[$0] - along) },
        rest * (confidence * apart - lambda)
      )
    }
  }

  /// Cross entropy against targets that sum to 1: −Σ t_k log p_k, with the gradient p_k − t_k.
  ///
  /// - Returns: the gradient of the largest target's class as minus the sum of the others.
  public static func softLoss(_ row: ReferenceRow, targets: [ReferenceNumber]) -> ReferenceLoss.Result {
    let loss = zip(targets, row.logProbabilities).map { $0 * -$1 }.sum
    var largest = 0
    for k in targets.indices where targets[k].value > targets[largest].value { largest = k }
    var gradient = targets.indices.map { $0 == largest ? 0 : row.probabilities[$0] - targets[$0] }
    gradient[largest] = -gradient.sum
    return (loss, gradient)
  }

  /// c (θ − θ₀) on top of what gradients there are: the gradient of c / 2 ‖θ − θ₀‖².
  public static func pull(
    _ gradients: [ReferenceNumber], parameters: [ReferenceNumber], to anchor: [ReferenceNumber], by c: ReferenceNumber
  ) -> [ReferenceNumber] {
    c.value == 0 ? gradients : gradients.indices.map { gradients[$0] + c * (parameters[$0] - anchor[$0]) }
  }

  /// Consistency of a row with a guess that counts as a constant, c / K Σ (p_k − g_k)² (Tarvainen and Valpola, NeurIPS
  /// 2017), and its gradient 2 c / K p_k (p_k − g_k − Σ p_j (p_j − g_j)).
  public static func consistency(
    _ row: ReferenceRow, with guess: [ReferenceNumber], strength c: ReferenceNumber
  ) -> ReferenceLoss.Result {
    let p = row.probabilities, away = zip(p, guess).map { $0 - $1 }, scale = c / ReferenceNumber(Double(p.count))
    let along = zip(p, away).map { $0 * $1 }.sum
    return (scale * away.map { $0 * $0 }.sum, p.indices.map { 2 * scale * p[$0] * (away[$0] - along) })
  }

  /// The moving average after one more update: θ̄ + r (θ − θ̄), r = max(1 / (t + 1), least).
  public static func average(
    _ average: [ReferenceNumber], of parameters: [ReferenceNumber], least: ReferenceNumber, updates: Int
  ) -> [ReferenceNumber] {
    let mean = 1 / ReferenceNumber(Double(updates + 1)), rate = mean.value > least.value ? mean : least
    return zip(average, parameters).map { $0 + rate * ($1 - $0) }
  }

  /// θ − rate · g, or θ − rate · g / ‖g‖, where g of zeros moves nothing; and ‖g‖.
  public static func step(
    from start: [ReferenceNumber], along vector: [ReferenceNumber], rate: ReferenceNumber,
    slowed: (count: Int, rate: ReferenceNumber) = (0, 1), isUnit: Bool
  ) -> (to: [ReferenceNumber], norm: ReferenceNumber) {
    let norm = vector.map { $0 * $0 }.sum.squareRoot
    let scale: ReferenceNumber = !isUnit ? 1 : norm.value > 0 ? 1 / norm : 0
    let moved = start.indices.map { i in
      start[i] - scale * (i < slowed.count ? slowed.rate : rate) * vector[i]
    }
    return (moved, norm)
  }
}
