import Compute

/// The layers of plain convolutional networks.
extension OperationCase {
  private static let biasAt = 16

  static func bias(M: Int, C: Int) -> OperationCase {
    let packed = Packed(offset: biasAt, outputs: C, inputs: 1)
    return OperationCase(
      .bias(AddBias(M: M, C: C, input: value(0), biasAt: biasAt, output: value(1))), shape: text([M, C]),
      contents: [
        operand(0): .normal(M * C), operand(1): written(M * C),
        .store(.parameters): .parameters(packed.end + margin, [packed]),
      ])
  }

  static func biasBackward(M: Int, C: Int, accumulate: Bool) -> OperationCase {
    let count = Packed(offset: biasAt, outputs: C, inputs: 1).end + margin
    return OperationCase(
      .biasBackward(AddBiasBackward(M: M, C: C, doutput: value(0), biasAt: biasAt, accumulate: accumulate)),
      shape: text([M, C]) + (accumulate ? ", accumulate" : ""),
      contents: [
        operand(0): .normal(M * C), .store(.gradients): accumulate ? .normal(count) : .nothing(count),
      ])
  }

  static func dropout(B: Int, M: Int, C: Int, _ dropout: Dropout, peer: Bool) -> OperationCase {
    OperationCase(
      .dropout(ApplyDropout(B: B, M: M, C: C, input: value(0), output: value(1), dropout: dropout, peer: peer)),
      shape: text([B, M, C]) + ", \(dropout.rate)" + (dropout.dropsChannels ? " of channels" : "")
        + ", layer \(dropout.layer)" + (peer ? ", peer" : ""),
      contents: [
        operand(0): .normal(B * M * C), operand(1): written(B * M * C), .store(.counters): counters(),
      ])
  }

  static func flatten(B: Int, M: Int, C: Int) -> OperationCase {
    OperationCase(
      .flatten(Flatten(B: B, M: M, C: C, input: value(0), output: value(1))), shape: text([B, M, C]),
      contents: [operand(0): .normal(B * M * C), operand(1): written(B * M * C)])
  }

  static func flattenBackward(B: Int, M: Int, C: Int) -> OperationCase {
    OperationCase(
      .flattenBackward(FlattenBackward(B: B, M: M, C: C, doutput: value(0), dinput: value(1))),
      shape: text([B, M, C]),
      contents: [operand(0): .normal(B * M * C), operand(1): written(B * M * C)])
  }

  static let plainLayers: [OperationCase] = {
    let rows = [(1, 1), (3, 5), (7, 10), (513, 17), (1025, 33), (2048, 64), (98, 196)]
    let images = [(1, 1, 1), (2, 9, 3), (3, 16, 196), (2, 35, 17), (5, 1, 128), (1, 4, 6)]
    return rows.flatMap { M, C in
      [bias(M: M, C: C), biasBackward(M: M, C: C, accumulate: false), biasBackward(M: M, C: C, accumulate: true)]
    }
      + images.enumerated().flatMap { index, image in
        let (B, M, C) = image
        return [flatten(B: B, M: M, C: C), flattenBackward(B: B, M: M, C: C)]
          + [(false, false), (true, false), (false, true), (true, true)].map { channels, peer in
            dropout(
              B: B, M: M, C: C, Dropout(rate: channels ? 0.25 : 0.2, dropsChannels: channels, layer: 41 * index),
              peer: peer)
          }
      }
  }()
}
