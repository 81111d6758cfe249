import Compute

/// The row kernels of Kernels/shared/rows_targets.cl.
extension OperationCase {
  /// A case of a kernel with its numbers, for `B` rows.
  static func targets(like kernel: RowKernel, B: Int) -> OperationCase {
    switch kernel.kernel {
    case "rows_shift": return shift(B: B, K: kernel["K"])
    case "rows_offset": return offset(B: B, K: kernel["K"])
    case "rows_early_learning": return earlyLearning(B: B, K: kernel["K"])
    case "rows_mixed_targets": return mixedTargets(B: B, K: kernel["K"])
    case "rows_soft_loss": return softLoss(B: B, K: kernel["K"])
    case "rows_confidence": return confidence(B: B, K: kernel["K"])
    case "rows_ensemble": return ensemble(B: B, K: kernel["K"])
    case "rows_consistency": return consistency(B: B, K: kernel["K"])
    default: preconditionFailure("\(kernel.kernel) has no case")
    }
  }

  /// The partner of each position, sometimes the sample itself, and shares of all sizes.
  static var partners: [Operand: Content] {
    let factors = (0..<N).map { position -> Float in
      if position % 5 == 0 { return 1 }
      return position % 7 == 0 ? 0 : Float(position) / Float(N)
    }
    return [.store(.partners): order(2), .store(.factors): .floats(factors)]
  }

  private static func numbers(rate: Float = 0.1, _ method: [Float]) -> Content {
    var state = StepState()
    (state.learningRate, state.methodNumbers) = (rate, method)
    return .floats(state.numbers)
  }

  private static var offsets: Store { .column("offset") }

  static func shift(B: Int, K: Int) -> OperationCase {
    rows(
      .shift(value(0), by: offsets, into: value(1), K: K), B: B, [text([B, K])],
      [
        operand(0): .normal(B * K, deviation: 3), operand(1): written(B * K), .store(offsets): .normal(N * K),
        .store(.counters): counters(), .store(.numbers): numbers([8]),
      ])
  }

  static func offset(B: Int, K: Int, counts: Bool = true, logits: Logits = .ordinary) -> OperationCase {
    rows(
      .offset(value(0), dlogits: value(1), offset: offsets, K: K), B: B,
      [text([B, K])] + (counts ? [] : ["not counted"]) + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .normal(B * K, deviation: 0.1),
        .store(offsets): .normal(N * K + margin), .store(.labels): .integers(labels(K: K)),
        .store(.counters): counters(countsDynamics: counts), .store(.numbers): numbers([8]),
        .store(.samplePrediction): .integers([Int32](repeating: -9, count: N)),
        .store(.marginSum): .normal(N, deviation: 100), .store(.marginLost): .normal(N, deviation: 1e-6),
        .store(.marginCount): .integers((0..<Int32(N)).map { $0 }),
      ])
  }

  /// Targets of samples that were seen a few times, and some that were never seen.
  static func earlyLearning(
    B: Int, K: Int, momentum: Float = 0.7, lambda: Float = 3, logits: Logits = .ordinary
  ) -> OperationCase {
    let targets = (0..<N).flatMap { id -> [Float] in
      // Most of what was believed is of one class, as it is once a network is sure.
      let rest: Float = id % 4 == 0 ? 0 : 0.06 / Float(K), own: Float = id % 4 == 0 ? 0 : 0.54
      return (0..<K).map { k -> Float in k == id % K ? own + rest : rest }
    }
    return rows(
      .earlyLearning(value(0), scratch: value(1), dlogits: value(2), target: .column("target"), K: K), B: B,
      [text([B, K]), "momentum \(momentum)", "lambda \(lambda)"] + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .nothing(B * K),
        operand(2): .normal(B * K + margin, deviation: 0.1),
        .store(.column("target")): .floats(targets), .store(.labels): .integers(labels(K: K)),
        .store(.counters): counters(), .store(.numbers): numbers([momentum, lambda]),
        .store(.sampleLoss): .normal(N),
      ], meaningful: [operand(1): []])
  }

  static func mixedTargets(B: Int, K: Int) -> OperationCase {
    rows(
      .mixedTargets(value(0), K: K), B: B, [text([B, K])],
      partners.merging([
        operand(0): written(B * K), .store(.labels): .integers(labels(K: K)), .store(.counters): counters(),
      ]) { $1 })
  }

  static func softLoss(B: Int, K: Int, logits: Logits = .ordinary) -> OperationCase {
    let targets = (0..<B).flatMap { b -> [Float] in
      let share = Float(b % 5) / 4
      var row = [Float](repeating: 0, count: K)
      (row[b % K], row[(b + 1) % K]) = (share, 1 - share)
      return row
    }
    return rows(
      .softLoss(value(0), targets: value(1), dlogits: value(2), K: K), B: B,
      [text([B, K])] + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .floats(targets), operand(2): written(B * K),
        .store(.labels): .integers(labels(K: K)), .store(.counters): counters(), .store(.sampleLoss): .nothing(N),
      ])
  }

  /// - Parameter flags: whether targets move, whether they are used, whether confidence is learned.
  static func confidence(
    B: Int, K: Int, beta: Float = 0.5, flags: [Float] = [1, 1, 1], logits: Logits = .ordinary
  ) -> OperationCase {
    let targets = (0..<N).flatMap { id -> [Float] in
      var row = [Float](repeating: 0.2 / Float(K), count: K)
      row[id % K] = 0.8
      return row
    }
    let indicators = (0..<B).map { b -> Float in
      if b % 5 < 2 { return b % 5 == 0 ? -20 : 20 }
      return Float(b % 7) - 3
    }
    return rows(
      .confidence(
        logits: (value(0), value(3)), indicator: (value(1), value(4)), scratch: value(2),
        target: .column("target"), confidence: .column("confidence"), K: K), B: B,
      [text([B, K]), "beta \(beta)", "flags \(flags.map { "\(Int($0))" }.joined())"]
        + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .floats(indicators), operand(2): .nothing(B * K),
        operand(3): written(B * K), operand(4): written(B), .store(.column("target")): .floats(targets),
        .store(.column("confidence")): .nothing(N), .store(.labels): .integers(labels(K: K)),
        .store(.counters): counters(), .store(.numbers): numbers([0.5, beta, 0.9, 0.25] + flags),
        .store(.sampleLoss): .nothing(N),
      ], meaningful: [operand(2): []])
  }

  private static var guesses: Store { .column("guesses") }

  /// Rows of probabilities, of which one is large, and where every fourth is unseen negative ones.
  private static func guesses(count: Int, K: Int, unseen: Bool) -> [Float] {
    (0..<count).flatMap { b -> [Float] in
      if unseen, b % 4 == 0 { return [Float](repeating: -1, count: K) }
      var row = [Float](repeating: 0.3 / Float(K), count: K)
      row[b * 3 % K] += 0.7
      return row
    }
  }

  static func ensemble(B: Int, K: Int, momentum: Float = 0.9, logits: Logits = .ordinary) -> OperationCase {
    rows(
      .ensemble(value(0), into: guesses, ensemble: .column("ensemble"), K: K), B: B,
      [text([B, K]), "momentum \(momentum)"] + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), .store(guesses): written(B * K),
        .store(.column("ensemble")): .floats(guesses(count: N, K: K, unseen: true)),
        .store(.labels): .integers(labels(K: K)), .store(.counters): counters(), .store(.numbers): numbers([momentum]),
      ])
  }

  /// A third of the samples count with nothing but their consistency.
  static func consistency(B: Int, K: Int, strength: Float = 100, logits: Logits = .ordinary) -> OperationCase {
    rows(
      .consistency(
        value(0), with: guesses, scratch: value(1), dlogits: value(2), weight: .column("weight"), K: K), B: B,
      [text([B, K]), "strength \(strength)"] + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .nothing(B * K),
        operand(2): .normal(B * K + margin, deviation: 0.1),
        .store(guesses): .floats(guesses(count: B, K: K, unseen: false)),
        .store(.column("weight")): .floats((0..<N).map { $0 % 3 == 0 ? 0 : 1 }),
        .store(.labels): .integers(labels(K: K)), .store(.counters): counters(),
        .store(.numbers): numbers([0, strength]), .store(.sampleLoss): .normal(N),
      ], meaningful: [operand(1): []])
  }

  static let targets: [OperationCase] = {
    var cases: [OperationCase] = []
    for (B, K) in [(1, 2), (16, 10), (5, 11), (61, 100)] {
      cases += [shift(B: B, K: K), offset(B: B, K: K), mixedTargets(B: B, K: K), softLoss(B: B, K: K)]
      cases.append(earlyLearning(B: B, K: K))
      cases += [ensemble(B: B, K: K), consistency(B: B, K: K)]
    }
    cases += [ensemble(B: 16, K: 10, momentum: 0), consistency(B: 16, K: 10, strength: 0)]
    for (B, K) in [(1, 2), (16, 10), (61, 100)] { cases.append(confidence(B: B, K: K)) }
    for flags: [Float] in [[0, 0, 1], [0, 1, 1], [1, 1, 0]] {
      cases.append(confidence(B: 16, K: 10, beta: flags[0], flags: flags))
    }
    cases.append(offset(B: 16, K: 10, counts: false))
    cases.append(earlyLearning(B: 16, K: 10, momentum: 0.9, lambda: 0))
    cases.append(earlyLearning(B: 16, K: 10, momentum: 1, lambda: 7))
    for logits in [Logits.extreme, .ties] {
      cases.append(offset(B: 40, K: 10, logits: logits))
      cases.append(earlyLearning(B: 40, K: 10, logits: logits))
      cases.append(softLoss(B: 40, K: 10, logits: logits))
      cases.append(confidence(B: 40, K: 10, logits: logits))
      cases += [ensemble(B: 40, K: 10, logits: logits), consistency(B: 40, K: 10, logits: logits)]
    }
    return cases
  }()
}
