import Compute

extension OperationCase {
  /// The convolutions whose fused forms are tested: 3×3 with whole vectors of channels first, then others.
  private static let fusedWindows: [Window] = {
    [
      Window(2, 28, 28, 16, 16), Window(2, 14, 14, 32, 32), Window(1, 7, 7, 64, 64), Window(3, 5, 13, 16, 48),
      Window(1, 13, 5, 48, 16), Window(3, 1, 5, 32, 16), Window(1, 11, 1, 16, 32), Window(7, 1, 1, 16, 16),
      Window(33, 3, 3, 16, 16), Window(2, 9, 12, 16, 16), Window(1, 4, 300, 16, 16),
      // Many channels.
      Window(2, 12, 11, 80, 48), Window(13, 2, 2, 64, 80), Window(1, 14, 15, 100, 68), Window(16, 3, 3, 48, 80),
      // What a device may leave to the operations apart.
      Window(3, 7, 13, 17, 31), Window(1, 9, 9, 16, 32, stride: 2), Window(1, 7, 7, 3, 16),
      Window(1, 6, 5, 48, 16, 1, padding: 0),
      // Few channels in tiles of 4×4 pixels: several pieces, the last of few rows, and part of a tile at either end.
      Window(2, 19, 15, 16, 32), Window(1, 15, 19, 32, 16),
    ]
  }()

  /// The window on which every variant is tested.
  private static let variedWindow = Window(
    B: 2, H: 5, W: 7, C: 16, O: 48, KH: 3, KW: 3, stride: 1, padding: 1)

  static let fused: [OperationCase] = {
    /// Whether bit `bit` of a number is on: variants by their number.
    func on(_ number: Int, _ bit: Int) -> Bool { number >> bit & 1 == 1 }
    func forward(_ window: Window, _ variant: Int) -> OperationCase? {
      // What needs the residual for its mask is always kept.
      if on(variant, 0) && on(variant, 1) && !on(variant, 2) { return nil }
      return convolveNormalized(
        window, residual: on(variant, 0), rectify: on(variant, 1), kept: on(variant, 2), statistics: on(variant, 3))
    }
    func backward(_ window: Window, _ variant: Int, accumulate: Bool) -> OperationCase? {
      let below = [nil, Mask.none, .read, .recomputed][variant >> 2]
      if below == nil && !on(variant, 0) { return nil }
      return convolveBackwardDataNormalized(
        window, normalized: on(variant, 0), addend: on(variant, 1), below: below,
        accumulate: accumulate && below != nil)
    }
    var cases = (0..<16).compactMap { forward(variedWindow, $0) }
    cases += (0..<16).compactMap { backward(variedWindow, $0, accumulate: on($0, 0) != on($0, 1)) }
    cases.append(convolveBackwardWeightsNormalized(variedWindow, rectify: false, accumulate: true))
    cases += Mask.allCases.map {
      convolveBackwardDataNormalized(
        variedWindow, normalized: true, addend: false, below: $0, accumulate: false, isConstant: true)
    }
    for (index, window) in fusedWindows.enumerated() {
      // What networks need most on every window: blocks' middles and ends; masks computed and read; with and without
      // a gradient from elsewhere.
      cases += [index % 2 == 0 ? 10 : 2, index % 3 == 0 ? 15 : 6].compactMap { forward(window, $0) }
      cases += [13, index % 3 == 0 ? 11 : index % 3 == 1 ? 14 : 3].compactMap {
        backward(window, $0, accumulate: index % 2 == 1)
      }
      cases.append(convolveBackwardWeightsNormalized(window, rectify: true, accumulate: index % 2 == 1))
    }
    let shapes = [(98, 64), (1, 5), (1025, 33)]
    for (index, shape) in shapes.enumerated() {
      cases.append(normalizeBackwardApply(M: shape.0, C: shape.1))
      for (position, mask) in Mask.allCases.enumerated() {
        cases.append(
          normalizeBackwardSums(
            M: shape.0, C: shape.1, mask: mask, inPlace: (index + position) % 2 == 0, accumulate: position == index))
        cases.append(
          normalizeBackwardSums(
            M: shape.0, C: shape.1, mask: mask, inPlace: (index + position) % 2 == 0, accumulate: position == index,
            isConstant: true))
      }
    }
    return cases
  }()
}
