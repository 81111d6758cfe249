import Compute

/// The row kernels of Kernels/shared/rows_triplet.cl.
extension OperationCase {
  /// - Parameters:
  ///   - labels: how many different ones there are.
  ///   - share: of five samples, so many are chosen.
  static func triplet(B: Int, D: Int, labels: Int, share: Int = 5, margin distance: Float = 0.5, slot: Int = 1)
    -> OperationCase
  {
    var state = StepState()
    state.methodNumbers = [Float](repeating: 0, count: slot) + [distance]
    return rows(
      .triplet(
        value(0), farthest: value(1), nearest: value(2), chosen: .column("chosen"), D: D, slot: slot), B: B,
      [text([B, D]), "\(labels) labels", "\(share) of 5", "margin \(distance)"],
      [
        operand(0): .normal(B * D + margin), operand(1): .nothing(B), operand(2): .nothing(B),
        .store(.column("chosen")): chosen(share), .store(.labels): .integers(self.labels(K: labels)),
        .store(.counters): counters(), .store(.numbers): .floats(state.numbers), .store(.sampleLoss): .normal(N),
      ])
  }

  static func tripletBackward(B: Int, D: Int, share: Int = 5) -> OperationCase {
    // Every third row has no loss; some rows are farthest or nearest of several, and of themselves.
    let far = (0..<B).map { $0 % 3 == 2 ? -1 : Float($0 * 5 % B) }
    let near = (0..<B).map { $0 % 3 == 2 ? -1 : Float(($0 * 3 + 1) % B) }
    return rows(
      .tripletBackward(
        value(0), farthest: value(1), nearest: value(2), dfeatures: value(3), chosen: .column("chosen"), D: D),
      B: B, [text([B, D]), "\(share) of 5"],
      [
        operand(0): .normal(B * D + margin), operand(1): .floats(far), operand(2): .floats(near),
        operand(3): .nothing(B * D), .store(.column("chosen")): chosen(share), .store(.counters): counters(),
      ])
  }

  private static func chosen(_ share: Int) -> Content {
    .floats((0..<N).map { $0 % 5 < share ? 1 : 0 })
  }

  static let triplets: [OperationCase] = {
    var cases: [OperationCase] = []
    for (B, D, labels) in [(1, 3, 2), (16, 64, 4), (61, 7, 9), (37, 130, 2)] {
      cases.append(triplet(B: B, D: D, labels: labels))
      cases.append(triplet(B: B, D: D, labels: labels, share: 2, margin: 3, slot: 4))
      cases.append(tripletBackward(B: B, D: D))
      cases.append(tripletBackward(B: B, D: D, share: 2))
    }
    cases.append(triplet(B: 16, D: 8, labels: 1))
    cases.append(triplet(B: 16, D: 8, labels: 3, share: 0))
    cases.append(tripletBackward(B: 16, D: 8, share: 0))
    return cases
  }()
}
