extension ReferenceMath {
  /// The numbers of one step of stochastic gradient descent.
  public struct DescentNumbers: Sendable {
    let rate: ReferenceNumber, momentum: ReferenceNumber, decay: ReferenceNumber, l1: ReferenceNumber
    let nesterov: Bool
    let clipNorm: ReferenceNumber?
    let slowed: (count: Int, rate: ReferenceNumber)

    /// Rates as they are, that of the first `slowed.count` parameters apart; no largest norm for nil.
    public init(
      rate: ReferenceNumber, slowed: (count: Int, rate: ReferenceNumber) = (0, 1), momentum: ReferenceNumber,
      decay: ReferenceNumber, l1: ReferenceNumber = 0,
      nesterov: Bool, clipNorm: ReferenceNumber?
    ) {
      (self.rate, self.momentum, self.decay, self.l1) = (rate, momentum, decay, l1)
      (self.nesterov, self.clipNorm, self.slowed) = (nesterov, clipNorm, slowed)
    }
  }

  /// One step of `torch.optim.SGD`, after `clip_grad_norm_` where there is a largest norm.
  ///
  /// g = gradient · min(1, clip / (norm + 1e-6)) + decay · w + l1 · sign(w); v = momentum · v + g; w −= rate · v, or with Nesterov
  /// w −= rate · (g + momentum · v). PyTorch has no l1.
  public static func stochasticGradientDescent(
    parameters: [ReferenceNumber], gradients: [ReferenceNumber], momenta: [ReferenceNumber], _ numbers: DescentNumbers
  ) -> (parameters: [ReferenceNumber], momenta: [ReferenceNumber]) {
    let scale = clipScale(gradients, numbers.clipNorm), momentum = numbers.momentum
    var (parameters, momenta) = (parameters, momenta)
    for i in parameters.indices {
      let gradient = scale * gradients[i] + penalty(parameters[i], decay: numbers.decay, l1: numbers.l1)
      let velocity = momentum * momenta[i] + gradient
      let rate = i < numbers.slowed.count ? numbers.slowed.rate : numbers.rate
      momenta[i] = velocity
      parameters[i] = parameters[i] - rate * (numbers.nesterov ? gradient + momentum * velocity : velocity)
    }
    return (parameters, momenta)
  }

  /// The numbers of one step of Adam.
  public struct AdamNumbers: Sendable {
    let rate: ReferenceNumber, slowed: (count: Int, rate: ReferenceNumber)
    let firstDecay: ReferenceNumber, secondDecay: ReferenceNumber, epsilon: ReferenceNumber
    let decay: ReferenceNumber, l1: ReferenceNumber
    /// The number of this update, from 1.
    let update: Int
    let clipNorm: ReferenceNumber?
  }

  /// One step of `torch.optim.Adam` with its L2 penalty, after `clip_grad_norm_` where there is a largest norm.
  ///
  /// m = b1 m + (1 − b1) g; v = b2 v + (1 − b2) g²; w −= rate / (1 − b1^t) · m / (√(v / (1 − b2^t)) + epsilon).
  public static func adam(
    parameters: [ReferenceNumber], gradients: [ReferenceNumber], means: [ReferenceNumber], squares: [ReferenceNumber],
    _ numbers: AdamNumbers
  ) -> (parameters: [ReferenceNumber], means: [ReferenceNumber], squares: [ReferenceNumber]) {
    let scale = clipScale(gradients, numbers.clipNorm)
    func bias(_ decay: ReferenceNumber) -> ReferenceNumber {
      decay.value == 0 ? 1 : -(ReferenceNumber(Double(numbers.update)) * decay.logarithm).exponentialMinusOne
    }
    let (first, second) = (bias(numbers.firstDecay), bias(numbers.secondDecay))
    var (parameters, means, squares) = (parameters, means, squares)
    for i in parameters.indices {
      let gradient = scale * gradients[i] + penalty(parameters[i], decay: numbers.decay, l1: numbers.l1)
      means[i] = numbers.firstDecay * means[i] + (1 - numbers.firstDecay) * gradient
      squares[i] = numbers.secondDecay * squares[i] + (1 - numbers.secondDecay) * gradient * gradient
      let rate = i < numbers.slowed.count ? numbers.slowed.rate : numbers.rate
      parameters[i] =
        parameters[i]
        - rate / first * means[i] / ((squares[i] / second).squareRoot + numbers.epsilon)
    }
    return (parameters, means, squares)
  }

  /// What clipping multiplies gradients with.
  private static func clipScale(_ gradients: [ReferenceNumber], _ clipNorm: ReferenceNumber?) -> ReferenceNumber {
    guard let clipNorm else { return 1 }
    let limit = clipNorm / (gradients.map { $0 * $0 }.sum.squareRoot + 1e-6)
    return limit.value < 1 ? limit : 1
  }

  /// The gradient of decay / 2 · w² + l1 · |w|.
  private static func penalty(_ w: ReferenceNumber, decay: ReferenceNumber, l1: ReferenceNumber) -> ReferenceNumber {
    decay * w + (w.value > 0 ? l1 : w.value < 0 ? -l1 : 0)
  }
}
