import Compute

/// The arithmetic on rows that losses and training methods bring.
extension OperationCase {
  /// A case of a kernel with its numbers, for `B` rows.
  static func rows(like kernel: RowKernel, B: Int) -> OperationCase {
    switch kernel.kernel {
    case "rows_scale": return scale(B: B, K: kernel["K"])
    case "rows_smallest": return smallest(B: B, keep: B / 2, slot: kernel["slot"])
    case "rows_smallest_after": return smallest(B: B, after: B / 3, keep: B / 4, slot: kernel["slot"])
    case "rows_dynamics":
      return dynamics(B: B, K: kernel["K"], classes: kernel["classes"], softmax: kernel["softmax"] != 0)
    case "rows_streak": return streak(B: B, K: kernel["K"])
    case "rows_distil": return distil(B: B, K: kernel["K"])
    case "rows_triplet": return triplet(B: B, D: kernel["D"], labels: 5, slot: kernel["slot"])
    case "rows_triplet_backward": return tripletBackward(B: B, D: kernel["D"])
    default: return division(like: kernel, B: B) ?? targets(like: kernel, B: B)
    }
  }

  static func rows(
    _ kernel: RowKernel, B: Int, _ words: [String], _ contents: [Operand: Content],
    meaningful: [Operand: [Range<Int>]] = [:]
  ) -> OperationCase {
    precondition(first + B <= N, "a case has at most \(N - first) rows")
    return OperationCase(
      .rows(ComputeRows(kernel, count: B)), shape: ([kernel.kernel] + words).joined(separator: ", "),
      contents: contents.merging([.store(.order): order(0)]) { given, _ in given }, meaningful: meaningful)
  }

  /// - Parameter isEmpty: whether no sample of the batch counts.
  static func scale(B: Int, K: Int, isEmpty: Bool = false) -> OperationCase {
    // A third of the samples do not count, and the others unlike.
    let weights = (0..<N).map { id -> Float in isEmpty || id % 3 == 1 ? 0 : id % 4 == 0 ? 0.3 : 1 }
    return rows(
      .scale(value(0), by: .sampleWeights, K: K), B: B, [text([B, K])] + (isEmpty ? ["none counts"] : []),
      [
        operand(0): .normal(B * K + margin, deviation: 1), .store(.sampleWeights): .floats(weights),
        .store(.counters): counters(),
      ])
  }

  /// Losses with many ties, and some that are not numbers.
  static func smallest(B: Int, keep: Int, slot: Int = 1) -> OperationCase {
    var state = StepState()
    state.methodNumbers = [Float](repeating: 0, count: slot) + [Float(keep)]
    let losses = (0..<N).map { id -> Float in id % 13 == 5 ? .nan : Float(id * 7 % 9) }
    return rows(
      .smallest(of: .sampleLoss, into: .column("kept"), slot: slot), B: B, ["\(keep) of \(B)"],
      [
        .store(.sampleLoss): .floats(losses), .store(.column("kept")): .nothing(N), .store(.counters): counters(),
        .store(.numbers): .floats(state.numbers),
      ])
  }

  /// The same behind the first rows.
  static func smallest(B: Int, after first: Int, keep: Int, slot: Int = 2) -> OperationCase {
    var state = StepState()
    state.methodNumbers = [Float](repeating: 0, count: slot) + [Float(first), Float(keep)]
    let losses = (0..<N).map { id -> Float in id % 13 == 5 ? .nan : Float(id * 7 % 9) }
    return rows(
      .smallestAfter(of: .sampleLoss, into: .column("kept"), slot: slot), B: B,
      ["\(keep) of \(B) after \(first)"],
      [
        .store(.sampleLoss): .floats(losses), .store(.column("kept")): .nothing(N), .store(.counters): counters(),
        .store(.numbers): .floats(state.numbers),
      ])
  }

  static func dynamics(
    B: Int, K: Int, classes: Int, softmax: Bool, counts: Bool = true, logits: Logits = .ordinary
  ) -> OperationCase {
    typealias Name = RowKernel.Dynamics
    func column(_ name: String) -> Operand { .store(.column(name)) }
    var words = [text([B, K]), softmax ? "softmax" : "logits"]
    if classes < K { words.append("\(classes) classes") }
    if !counts { words.append("not counted") }
    if logits != .ordinary { words.append(logits.rawValue) }
    return rows(
      .dynamics(value(0), scratch: value(1), K: K, classes: classes, softmax: softmax), B: B, words,
      [
        operand(0): logits.content(B: B, K: K), operand(1): .nothing(B * K), .store(.labels): .integers(labels(K: K)),
        .store(.counters): counters(countsDynamics: counts), .store(.marginSum): .normal(N, deviation: 100),
        .store(.marginLost): .normal(N, deviation: 1e-6), .store(.marginCount): .integers((0..<Int32(N)).map { $0 }),
        column(Name.lossSum): .normal(N, deviation: 100), column(Name.lossLost): .normal(N, deviation: 1e-6),
        column(Name.errorSum): .normal(N, deviation: 100), column(Name.errorLost): .normal(N, deviation: 1e-6),
        column(Name.probabilitySum): .positive(N * classes),
        column(Name.forgettings): .integers((0..<Int32(N)).map { $0 % 5 }),
        column(Name.wasRight): .integers((0..<Int32(N)).map { $0 % 2 }), column(Name.epochMargin): .nothing(N),
      ], meaningful: [operand(1): []])
  }

  static func streak(B: Int, K: Int, counts: Bool = true, gain: Float = 1, logits: Logits = .ordinary) -> OperationCase
  {
    var state = StepState()
    state.methodNumbers = [0, 3, gain]
    // Some are abandoned already, some are about to be.
    let weights = (0..<N).map { id -> Float in id % 7 == 3 ? 0 : 1 }
    return rows(
      .streak(value(0), scratch: value(1), K: K, streak: .column("streak"), weight: .column("weight")), B: B,
      [text([B, K]), "gain \(gain)"] + (counts ? [] : ["not counted"]) + (logits == .ordinary ? [] : [logits.rawValue]),
      [
        operand(0): logits.content(B: B, K: K), operand(1): .nothing(B * K), .store(.labels): .integers(labels(K: K)),
        .store(.counters): counters(countsDynamics: counts), .store(.numbers): .floats(state.numbers),
        .store(.column("streak")): .integers((0..<Int32(N)).map { $0 % 4 }),
        .store(.column("weight")): .floats(weights),
      ], meaningful: [operand(1): []])
  }

  static let rows: [OperationCase] = {
    var cases: [OperationCase] = []
    for (B, K) in [(1, 2), (16, 10), (5, 11), (61, 100)] { cases.append(scale(B: B, K: K)) }
    cases.append(scale(B: 16, K: 10, isEmpty: true))
    for (B, keep) in [(1, 0), (1, 1), (16, 8), (61, 34), (61, 61), (37, 1)] { cases.append(smallest(B: B, keep: keep)) }
    for (B, first, keep) in [(1, 0, 1), (1, 1, 0), (16, 8, 3), (61, 30, 17), (61, 0, 34), (37, 36, 1), (16, 5, 0)] {
      cases.append(smallest(B: B, after: first, keep: keep))
    }
    for softmax in [false, true] {
      for (B, K, classes) in [(1, 2, 2), (16, 11, 10), (5, 10, 10), (61, 101, 100)] {
        cases.append(dynamics(B: B, K: K, classes: classes, softmax: softmax))
      }
      for logits in [Logits.extreme, .ties] {
        cases.append(dynamics(B: 40, K: 10, classes: 10, softmax: softmax, logits: logits))
      }
    }
    cases.append(dynamics(B: 16, K: 11, classes: 10, softmax: false, counts: false))
    for (B, K) in [(1, 2), (16, 10), (61, 100)] {
      for gain: Float in [0, 1] { cases.append(streak(B: B, K: K, gain: gain)) }
    }
    cases.append(streak(B: 16, K: 10, counts: false))
    for logits in [Logits.extreme, .ties] { cases.append(streak(B: 40, K: 10, gain: 0.5, logits: logits)) }
    return cases
  }()
}
