import Compute

/// The row kernel of Kernels/shared/rows_distil.cl.
extension OperationCase {
  /// - Parameter others: what the other network's logits are like.
  static func distil(
    B: Int, K: Int, weight: Float = 1, temperature: Float = 1, logits: Logits = .ordinary, others: Logits = .ordinary
  ) -> OperationCase {
    var state = StepState()
    state.methodNumbers = [weight, temperature]
    var words = [text([B, K]), "weight \(weight)", "temperature \(temperature)"]
    if logits != .ordinary { words.append(logits.rawValue) }
    if others != .ordinary { words.append("from \(others.rawValue)") }
    return rows(
      .distil(value(0), from: .logits(1), scratch: value(1), dlogits: value(2), K: K), B: B, words,
      [
        operand(0): logits.content(B: B, K: K), .store(.logits(1)): others.content(B: B, K: K),
        operand(1): .nothing(B * K), operand(2): .normal(B * K + margin, deviation: 0.1),
        .store(.counters): counters(), .store(.numbers): .floats(state.numbers), .store(.sampleLoss): .normal(N),
      ], meaningful: [operand(1): []])
  }

  static let distil: [OperationCase] = {
    var cases: [OperationCase] = []
    for (B, K) in [(1, 2), (16, 10), (5, 11), (61, 100)] { cases.append(distil(B: B, K: K)) }
    cases.append(distil(B: 16, K: 10, weight: 0.5, temperature: 2))
    cases.append(distil(B: 16, K: 10, weight: 0.25, temperature: 0.5))
    for logits in [Logits.extreme, .ties] {
      cases.append(distil(B: 40, K: 10, logits: logits))
      cases.append(distil(B: 40, K: 10, temperature: 4, others: logits))
      cases.append(distil(B: 40, K: 10, temperature: 4, logits: logits, others: logits))
    }
    return cases
  }()
}
