import Compute

/// The row kernels of Kernels/shared/rows_division.cl.
extension OperationCase {
  /// A case of a kernel with its numbers, for `B` rows; nil where it is another's.
  static func division(like kernel: RowKernel, B: Int) -> OperationCase? {
    switch kernel.kernel {
    case "rows_guess": return guess(B: B, K: kernel["K"], parts: kernel["parts"], isFirst: kernel["first"] != 0)
    case "rows_divided_targets": return dividedTargets(B: B, K: kernel["K"])
    case "rows_divided_loss": return dividedLoss(B: B, K: kernel["K"])
    case "rows_mean": return mean(B: B, K: kernel["K"])
    case "rows_prior": return prior(B: B, K: kernel["K"])
    case "rows_entropy": return entropy(B: B, K: kernel["K"])
    default: return nil
    }
  }

  private static func numbers(temperature: Float = 0.5, share: Float = 0.25, weight: Float = 1) -> Content {
    var state = StepState()
    state.methodNumbers = [temperature, 25, share, 0.125, weight, weight]
    return .floats(state.numbers)
  }

  /// Rows of probabilities, some of which are sure, and some exactly so.
  private static func probabilities(_ count: Int, _ K: Int) -> Content {
    .floats(
      (0..<count).flatMap { b -> [Float] in
        let rest: Float = b % 4 == 0 ? 0 : 0.1 * Float(b % 4)
        var row = [Float](repeating: rest / Float(K), count: K)
        row[b * 3 % K] += 1 - rest
        return row
      })
  }

  static func guess(B: Int, K: Int, parts: Int = 4, isFirst: Bool = false, logits: Logits = .ordinary) -> OperationCase
  {
    rows(
      .guess(value(0), scratch: value(1), into: .column("guesses"), parts: parts, isFirst: isFirst, K: K), B: B,
      [text([B, K]), "part of \(parts)"] + (isFirst ? ["the first"] : [])
        + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .nothing(B * K),
        .store(.column("guesses")): .positive(B * K + margin), .store(.counters): counters(),
      ], meaningful: [operand(1): []])
  }

  static func dividedTargets(B: Int, K: Int, temperature: Float = 0.5) -> OperationCase {
    let partners = (0..<N).map { position -> Int32 in
      let row = position - first
      return Int32((0..<B).contains(row) ? first + (row * 7 + 3) % B : 0)
    }
    let quarter = B / 4
    return rows(
      .dividedTargets(
        value(0), unlabelled: .column("unlabelled"), labelled: .column("labelled"), clean: .column("clean"), K: K),
      B: B, [text([B, K]), "temperature \(temperature)"],
      [
        operand(0): written(B * K), .store(.column("unlabelled")): probabilities(quarter, K),
        .store(.column("labelled")): probabilities(quarter, K),
        .store(.column("clean")): .floats((0..<N).map { $0 % 5 == 0 ? 1 : Float($0) / Float(N) }),
        .store(.labels): .integers(labels(K: K)), .store(.peerOrder): order(1), .store(.counters): counters(),
        .store(.partners): .integers(partners), .store(.numbers): numbers(temperature: temperature),
        .store(.factors): .floats((0..<N).map { $0 % 6 == 0 ? 1 : 0.5 + Float($0) / Float(2 * N) }),
      ])
  }

  /// - Parameter share: how much the unlabelled rows count at the epoch's first step.
  static func dividedLoss(B: Int, K: Int, share: Float = 0.25, logits: Logits = .ordinary) -> OperationCase {
    rows(
      .dividedLoss(value(0), targets: value(1), probabilities: value(2), dlogits: value(3), K: K), B: B,
      [text([B, K]), "share \(share)"] + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): probabilities(B, K), operand(2): written(B * K),
        operand(3): written(B * K), .store(.counters): counters(), .store(.numbers): numbers(share: share),
      ])
  }

  static func mean(B: Int, K: Int) -> OperationCase {
    rows(
      .mean(of: value(0), into: value(1), K: K), B: B, [text([B, K])],
      [operand(0): probabilities(B, K), operand(1): written(K), .store(.counters): counters()])
  }

  static func prior(B: Int, K: Int) -> OperationCase {
    // A class that no row has anything of is among them.
    let mean = (0..<K).map { k -> Float in k == K - 1 && K > 2 ? 0 : 1 / Float(K + k) }
    return rows(
      .prior(value(0), mean: value(1), dlogits: value(2), K: K), B: B, [text([B, K])],
      [
        operand(0): probabilities(B, K), operand(1): .floats(mean), operand(2): .normal(B * K + margin, deviation: 0.1),
        .store(.counters): counters(), .store(.numbers): numbers(),
      ])
  }

  static func entropy(B: Int, K: Int, weight: Float = 1, logits: Logits = .ordinary) -> OperationCase {
    rows(
      .entropy(value(0), scratch: value(1), dlogits: value(2), K: K), B: B,
      [text([B, K]), "weight \(weight)"] + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .nothing(B * K),
        operand(2): .normal(B * K + margin, deviation: 0.1), .store(.counters): counters(),
        .store(.numbers): numbers(weight: weight), .store(.sampleLoss): .normal(N),
      ], meaningful: [operand(1): []])
  }

  static let division: [OperationCase] = {
    var cases: [OperationCase] = []
    for (B, K) in [(4, 2), (16, 10), (20, 11), (60, 100)] {
      cases += [guess(B: B, K: K), guess(B: B, K: K, parts: 2, isFirst: true), dividedTargets(B: B, K: K)]
      cases += [dividedLoss(B: B, K: K), mean(B: B, K: K), prior(B: B, K: K), entropy(B: B, K: K)]
    }
    cases += [dividedTargets(B: 16, K: 10, temperature: 0.01), dividedTargets(B: 16, K: 10, temperature: 2)]
    for share: Float in [-1, 0, 1.5] { cases.append(dividedLoss(B: 16, K: 10, share: share)) }
    cases.append(entropy(B: 16, K: 10, weight: 0))
    for logits in [Logits.extreme, .ties] {
      cases += [guess(B: 40, K: 10, logits: logits), dividedLoss(B: 40, K: 10, logits: logits)]
      cases.append(entropy(B: 40, K: 10, logits: logits))
    }
    return cases
  }()
}
