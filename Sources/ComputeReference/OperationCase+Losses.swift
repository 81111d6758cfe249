import Compute
import Statistics

/// Every loss, with rows of many kinds.
extension OperationCase {
  /// What the logits of a case are like.
  enum Logits: String, CaseIterable {
    case ordinary
    /// ±80: probabilities that underflow, and such that are 1.
    case extreme
    /// Many equal logits, among them the largest.
    case ties

    func content(B: Int, K: Int) -> Content {
      switch self {
      case .ordinary: return .normal(B * K, deviation: 3)
      case .ties: return .steps(B * K)
      case .extreme:
        return .floats(
          (0..<B * K).map { i -> Float in
            let draw = i * 13 / 5 % 12
            return draw == 0 ? 80 : draw % 3 == 0 ? -80 : Float(i % 7)
          })
      }
    }
  }

  /// The pass that a loss is for: the first, in an epoch whose margins are recorded or not, or the peer pass.
  enum LossPass { case recorded, unrecorded, peer }

  /// Asymmetric chances [K, K], with some zeros, or the inverse of such a matrix, which has negative entries, too.
  private static func transition(K: Int, isInverse: Bool) -> [Float] {
    // I + 0.4 · (shift by one) has, but for its last row, the inverse that begins with I - 0.4 · (shift).
    (0..<K * K).map { index -> Float in
      let row = index / K, column = index % K
      if row == column { return isInverse ? 1.5 : 0.7 }
      if column == (row + 1) % K { return isInverse ? -0.625 : 0.3 }
      return isInverse ? 0.125 / Float(max(K - 2, 1)) : 0
    }
  }

  /// A loss by its function; one that the reference does not know fails when it is prepared.
  ///
  /// - Parameter parameters: nil for those that the reference has as an example.
  static func loss(
    _ function: RowFunction, B: Int, K: Int, _ pass: LossPass = .recorded, logits: Logits = .ordinary,
    parameters: [Float]? = nil
  ) -> OperationCase {
    precondition(first + B <= N, "a case has at most \(N - first) rows")
    let peer = pass == .peer, records = pass != .unrecorded
    var state = StepState()
    state.peerWeight = -0.5
    state.lossParameters =
      parameters ?? ReferenceLoss.table[function.kernel]?.exampleParameters
      ?? (function.inputs == .determinant ? ReferenceDeterminant.exampleParameters : [])
    var words = ["\(function.kernel) \(text([B, K]))"]
    if let parameters { words.append("parameters " + parameters.map { "\($0)" }.joined(separator: " ")) }
    if logits != .ordinary { words.append(logits.rawValue) }
    if peer { words.append("peer") }
    if !records { words.append("margins not recorded") }
    var contents: [Operand: Content] = [
      operand(0): logits.content(B: B, K: K), operand(1): written(B * K), .store(.labels): .integers(labels(K: K)),
      .store(.order): order(0), .store(.peerLabelOrder): order(2),
      .store(.counters): counters(recordsMargins: records), .store(.numbers): .floats(state.numbers),
      .store(.sampleLoss): peer ? .normal(N, deviation: 1) : .nothing(N),
      .store(.samplePrediction): .integers([Int32](repeating: -9, count: N)),
      .store(.marginSum): .normal(N, deviation: 100), .store(.marginLost): .normal(N, deviation: 1e-6),
      .store(.marginCount): .integers((0..<Int32(N)).map { $0 }),
    ]
    if function.inputs == .transition {
      contents[.store(.transition)] = .floats(transition(K: K, isInverse: function.kernel == "loss_backward_rows"))
    }
    return OperationCase(
      .loss(LossRows(function, B: B, K: K, logits: value(0), dlogits: value(1), peer: peer)),
      shape: words.joined(separator: ", "),
      contents: contents)
  }

  // MARK: The table

  /// Parameters with which formulas take another path than with those of the reference's examples.
  public static let examples: [(kernel: String, parameters: [Float])] = [
    ("loss_gce_rows", [0.7, 0.2]), ("loss_polysoft_rows", [1.5, 2]), ("loss_focal_rows", [2, 1]),
    ("loss_nfl_rows", [0.5, 1]), ("loss_cores2_rows", [2, 1e-8, 0, 0]), ("loss_bitempered_rows", [1, 1]),
    ("loss_bitempered_rows", [0.7, 1]), ("loss_bitempered_rows", [1, 1.5]), ("loss_bitempered_rows", [0.5, 4]),
    ("loss_esoftmax_rows", [1e4, 1e-8]),
  ]

  static let losses: [OperationCase] = {
    var cases: [OperationCase] = []
    for kernel in ReferenceLoss.all.map(\.kernel) {
      let function = RowFunction(kernel: kernel)
      for (B, K) in [(5, 2), (16, 10), (3, 11), (7, 100)] {
        cases += [LossPass.recorded, .peer].map { loss(function, B: B, K: K, $0) }
      }
      cases.append(loss(function, B: 33, K: 10, .unrecorded))
      for logits in [Logits.extreme, .ties] { cases.append(loss(function, B: 40, K: 10, logits: logits)) }
    }
    for (kernel, parameters) in examples {
      for (B, K) in [(16, 10), (3, 11)] {
        cases.append(loss(.init(kernel: kernel), B: B, K: K, parameters: parameters))
      }
    }
    let around: [Float] = [1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.1, 1.2, 1]
    cases.append(loss(RowFunction(kernel: "loss_sum_rows"), B: 6, K: 10, .peer, parameters: around))
    // Every loss as the only part of a sum, and all neighbours in the list as its two parts.
    let sum = RowFunction(kernel: "loss_sum_rows")
    let parts = ReferenceLoss.parts.sorted { $0.key < $1.key }
    for (index, (number, part)) in parts.enumerated() {
      let next = parts[(index + 1) % parts.count]
      let own = [part, next.value].map {
        $0.exampleParameters + [Float](repeating: 0, count: 4 - $0.exampleParameters.count)
      }
      let pair = [0.75, 1.5, Float(number), Float(next.key)] + own[0] + own[1]
      cases.append(loss(sum, B: 9, K: 10, parameters: pair + [0, 0, 0, 0]))
      let alone = [1, 0, Float(number), -1] + own[0] + [0, 0, 0, 0]
      cases.append(loss(sum, B: 6, K: 10, parameters: alone + [0.5, 0.1, 1.2, 1]))
      cases.append(loss(sum, B: 6, K: 3, parameters: alone + [0.5, 0.25, 4, 0]))
    }
    for kernel in ReferenceCorrection.table.keys.sorted() {
      let function = RowFunction(kernel: kernel, inputs: .transition)
      for (B, K) in [(5, 2), (16, 10), (3, 11), (7, 100)] { cases.append(loss(function, B: B, K: K)) }
      for logits in [Logits.extreme, .ties] { cases.append(loss(function, B: 40, K: 10, logits: logits)) }
    }
    let determinant = RowFunction(kernel: ReferenceDeterminant.kernel, inputs: .determinant)
    for (B, K) in [(5, 2), (16, 10), (60, 10), (3, 11)] { cases.append(loss(determinant, B: B, K: K)) }
    for (B, K) in [(16, 10), (40, 100)] { cases.append(loss(determinant, B: B, K: K, parameters: [0, 0])) }
    cases.append(loss(determinant, B: 16, K: 10, parameters: [1e-3, 1]))
    cases.append(loss(determinant, B: 12, K: 3, parameters: [10, 0]))
    return cases
  }()
}
