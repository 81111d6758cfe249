import Compute

// MARK: - Element by element

extension OperationCase {
  static func add(count: Int) -> OperationCase {
    OperationCase(
      .add(Add(count: count, a: value(0), b: value(1), output: value(2))), shape: "\(count)",
      contents: [operand(0): .normal(count), operand(1): .normal(count), operand(2): written(count)])
  }

  private static func text(_ count: Int, _ slope: Float, _ limit: Float) -> String {
    "\(count)" + (slope == 0 ? "" : ", slope \(slope)") + (limit == .infinity ? "" : ", limit \(limit)")
  }

  static func rectify(count: Int, slope: Float = 0, limit: Float = .infinity) -> OperationCase {
    OperationCase(
      .rectify(Rectify(count: count, input: value(0), output: value(1), slope: slope, limit: limit)),
      shape: text(count, slope, limit),
      contents: [operand(0): .normal(count), operand(1): written(count)])
  }

  static func rectifyBackward(count: Int, slope: Float = 0, limit: Float = .infinity) -> OperationCase {
    OperationCase(
      .rectifyBackward(
        RectifyBackward(
          count: count, doutput: value(0), output: value(1), dinput: value(2), slope: slope, limit: limit)),
      shape: text(count, slope, limit),
      // A leaky rectifier's output is negative where its input is.
      contents: [
        operand(0): .normal(count), operand(1): slope == 0 ? .rectified(count, limit: limit) : .normal(count),
        operand(2): written(count),
      ])
  }

  // MARK: Shortcut

  static func shortcut(_ shape: [Int], _ outputShape: [Int], _ kind: Shortcut) -> OperationCase {
    OperationCase(
      .shortcut(
        ApplyShortcut(shape: shape, outputShape: outputShape, kind: kind, input: value(0), output: value(1))),
      shape: "\(text(shape)), \(kind.rawValue)",
      contents: [operand(0): .normal(shape.reduce(1, *)), operand(1): written(outputShape.reduce(1, *))])
  }

  static func shortcutBackward(_ shape: [Int], _ outputShape: [Int], _ kind: Shortcut) -> OperationCase {
    OperationCase(
      .shortcutBackward(
        ApplyShortcutBackward(
          shape: shape, outputShape: outputShape, kind: kind, doutput: value(0), dinput: value(1))),
      shape: "\(text(shape)), \(kind.rawValue)",
      contents: [operand(0): .normal(outputShape.reduce(1, *)), operand(1): written(shape.reduce(1, *))])
  }

  // MARK: Pooling

  private static func text(_ window: Window, _ maximum: Bool, _ ties: Bool) -> String {
    var words = "\(text([window.B, window.H, window.W, window.C])), \(maximum ? "max" : "average") \(window.KH)"
    words += "×\(window.KW) / \(window.stride)"
    if window.padding != 0 { words += " + \(window.padding)" }
    return words + (ties ? ", ties" : "")
  }

  static func pool(_ window: Window, maximum: Bool) -> OperationCase {
    OperationCase(
      .pool(Pool(window: window, input: value(0), output: value(1), maximum: maximum)),
      shape: text(window, maximum, false),
      contents: [
        // All below zero, so that padding taken for zeros would win.
        operand(0): .normal(window.inputCount, mean: -5),
        operand(1): written(window.outputCount),
      ])
  }

  static func poolBackward(_ window: Window, maximum: Bool, ties: Bool = false) -> OperationCase {
    let count = window.inputCount
    return OperationCase(
      .poolBackward(
        PoolBackward(window: window, doutput: value(0), input: value(1), dinput: value(2), maximum: maximum)),
      shape: text(window, maximum, ties),
      contents: [
        operand(0): .normal(window.outputCount),
        operand(1): ties ? .steps(count) : .normal(count), operand(2): written(count),
      ])
  }

  static func globalAverage(B: Int, M: Int, C: Int) -> OperationCase {
    OperationCase(
      .globalAverage(GlobalAverage(B: B, M: M, C: C, input: value(0), output: value(1))), shape: text([B, M, C]),
      contents: [operand(0): .normal(B * M * C), operand(1): written(B * C)])
  }

  static func globalAverageBackward(B: Int, M: Int, C: Int) -> OperationCase {
    OperationCase(
      .globalAverageBackward(GlobalAverageBackward(B: B, M: M, C: C, doutput: value(0), dinput: value(1))),
      shape: text([B, M, C]),
      contents: [operand(0): .normal(B * C), operand(1): written(B * M * C)])
  }

  // MARK: Linear layers

  private static let weightsAt = 32

  private static func packed(_ N: Int, _ K: Int) -> (weights: Packed, bias: Packed) {
    let weights = Packed(offset: weightsAt, outputs: N, inputs: K)
    return (weights, Packed(offset: weights.end + 16, outputs: N, inputs: 1))
  }

  private static func parameters(_ N: Int, _ K: Int) -> Content {
    let (weights, bias) = packed(N, K)
    return .parameters(bias.end + margin, [weights, bias])
  }

  static func linear(M: Int, N: Int, K: Int) -> OperationCase {
    OperationCase(
      .linear(
        Linear(
          M: M, N: N, K: K, input: value(0), weightsAt: weightsAt, biasAt: packed(N, K).bias.offset,
          output: value(1))),
      shape: "\(text([M, K])) → \(N)",
      contents: [operand(0): .normal(M * K), operand(1): written(M * N), .store(.parameters): parameters(N, K)])
  }

  static func linearBackwardData(M: Int, N: Int, K: Int) -> OperationCase {
    OperationCase(
      .linearBackwardData(
        LinearBackwardData(M: M, N: N, K: K, doutput: value(0), weightsAt: weightsAt, dinput: value(1))),
      shape: "\(text([M, K])) → \(N)",
      contents: [operand(0): .normal(M * N), operand(1): written(M * K), .store(.parameters): parameters(N, K)])
  }

  static func linearBackwardWeights(M: Int, N: Int, K: Int, accumulate: Bool) -> OperationCase {
    let bias = packed(N, K).bias, count = bias.end + margin
    return OperationCase(
      .linearBackwardWeights(
        LinearBackwardWeights(
          M: M, N: N, K: K, input: value(0), doutput: value(1), weightsAt: weightsAt, biasAt: bias.offset,
          accumulate: accumulate)),
      shape: "\(text([M, K])) → \(N)" + (accumulate ? ", accumulate" : ""),
      contents: [
        operand(0): .normal(M * K), operand(1): .normal(M * N),
        .store(.gradients): accumulate ? .normal(count) : .nothing(count),
      ])
  }

  // MARK: The table

  static let layers: [OperationCase] = {
    var cases = [1, 15, 4096, 4097, 10_000].flatMap {
      [
        add(count: $0), rectify(count: $0), rectifyBackward(count: $0), rectify(count: $0, slope: 0.01),
        rectifyBackward(count: $0, slope: 0.01), rectify(count: $0, limit: 1), rectifyBackward(count: $0, limit: 1),
      ]
    }
    let images = [
      [2, 32, 32, 16], [2, 16, 16, 32], [2, 28, 28, 16], [2, 14, 14, 32], [1, 5, 7, 3], [3, 13, 5, 17], [7, 2, 3, 33],
      [1, 1, 5, 10],
    ]
    for image in images {
      for kind in Shortcut.allCases where kind == .stride || image[1] > 1 {
        let round = kind == .average ? 0 : 1
        let output = [image[0], (image[1] + round) / 2, (image[2] + round) / 2, 2 * image[3]]
        cases += [shortcut(image, output, kind), shortcutBackward(image, output, kind)]
      }
    }
    let windows = [
      Window(2, 16, 16, 32, 32, 2, stride: 2, padding: 0), Window(2, 28, 28, 3, 3, 3, stride: 2, padding: 1),
      Window(1, 7, 13, 17, 17, 3, stride: 1, padding: 1),
      Window(3, 5, 5, 1, 1, 2, stride: 1, padding: 0), Window(1, 13, 7, 33, 33, 5, stride: 3, padding: 2),
      Window(1, 1, 1, 10, 10, 1, stride: 1, padding: 0),
      Window(1, 5, 7, 16, 16, 3, stride: 3, padding: 0), Window(1, 7, 7, 5, 5, 2, stride: 3, padding: 1),
    ]
    for window in windows {
      for maximum in [false, true] {
        cases += [pool(window, maximum: maximum), poolBackward(window, maximum: maximum)]
      }
      cases.append(poolBackward(window, maximum: true, ties: true))
    }
    for (B, M, C) in [(2, 64, 64), (2, 49, 64), (3, 1, 5), (1, 49, 17), (2, 1000, 33)] {
      cases += [globalAverage(B: B, M: M, C: C), globalAverageBackward(B: B, M: M, C: C)]
    }
    let products = [
      (2, 10, 64), (1, 1, 1), (3, 5, 17), (7, 33, 48), (9, 100, 31), (13, 17, 10), (37, 16, 64), (8, 2, 3),
      // More rows than are added up at a time.
      (131, 70, 50), (260, 3, 9),
    ]
    for (M, N, K) in products {
      cases += [
        linear(M: M, N: N, K: K), linearBackwardData(M: M, N: N, K: K),
        linearBackwardWeights(M: M, N: N, K: K, accumulate: false),
        linearBackwardWeights(M: M, N: N, K: K, accumulate: true),
      ]
    }
    return cases
  }()
}
