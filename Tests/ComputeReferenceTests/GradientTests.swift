import Compute
import ComputeReference
import Statistics
import TestSupport
import Testing

/// Central differences in double precision: off by about h² = 1e-10, and by 1e-16 / h = 1e-11 from rounding.
@Suite("Every gradient of the reference is the derivative of what it belongs to")
struct GradientTests {
  private static let step = 1e-5
  private static let tolerance = 1e-8

  /// Numbers in ±2, far apart from each other and from 0 against the step of the differences.
  private func numbers(_ count: Int, _ key: UInt32) -> [Double] {
    let random = CounterRandom(seed: 99)
    return (0..<count).map { 4 * random.uniform(.initialization, key, UInt32($0)) - 2 }
  }

  /// Checks that `gradient` is the derivative of Σ weights · function(x) at x.
  private func expect(
    _ name: String, of x: [Double], _ gradient: [ReferenceNumber], weights: [Double],
    _ location: SourceLocation = #_sourceLocation, _ function: ([ReferenceNumber]) -> [ReferenceNumber]
  ) {
    func total(_ x: [Double]) -> Double { zip(function(.init(x)).values, weights).reduce(0) { $0 + $1.0 * $1.1 } }
    let differences = x.indices.map { i in
      var (above, below) = (x, x)
      above[i] += Self.step
      below[i] -= Self.step
      return (total(above) - total(below)) / (2 * Self.step)
    }
    let comparison = Comparison(name, gradient.values, differences, tolerance: Self.tolerance, scale: 1e-3)
    #expect(comparison.passes, "\(comparison)", sourceLocation: location)
  }

  @Test(
    "for convolutions",
    arguments: [
      Window(B: 2, H: 5, W: 4, C: 3, O: 2, KH: 3, KW: 3, stride: 1, padding: 1),
      Window(B: 1, H: 6, W: 5, C: 2, O: 3, KH: 3, KW: 3, stride: 2, padding: 1),
      Window(B: 1, H: 7, W: 7, C: 1, O: 2, KH: 5, KW: 2, stride: 3, padding: 2),
      Window(B: 3, H: 4, W: 4, C: 2, O: 2, KH: 1, KW: 1, stride: 2, padding: 0),
      Window(same: 3, B: 1, H: 5, W: 4, C: 2, O: 3, stride: 2),
    ])
  func convolution(window: Window) {
    let x = numbers(window.B * window.H * window.W * window.C, 0)
    let w = numbers(window.O * window.C * window.KH * window.KW, 1)
    let r = numbers(window.B * window.P * window.Q * window.O, 2)
    expect("input", of: x, ReferenceMath.convolveBackwardData(.init(r), weights: .init(w), window), weights: r) {
      ReferenceMath.convolve($0, weights: .init(w), window)
    }
    expect("weights", of: w, ReferenceMath.convolveBackwardWeights(.init(r), input: .init(x), window), weights: r) {
      ReferenceMath.convolve(.init(x), weights: $0, window)
    }
  }

  @Test(
    "for depthwise convolutions",
    arguments: [
      Window(same: 3, B: 2, H: 5, W: 4, C: 3, O: 3), Window(same: 3, B: 1, H: 5, W: 4, C: 2, O: 2, stride: 2),
      Window(same: 5, B: 1, H: 6, W: 3, C: 2, O: 2, stride: 2),
      Window(B: 1, H: 7, W: 5, C: 1, O: 1, KH: 2, KW: 3, stride: 2, padding: 1),
    ])
  func depthwise(window: Window) {
    let x = numbers(window.B * window.H * window.W * window.C, 0), w = numbers(window.C * window.KH * window.KW, 1)
    let r = numbers(window.B * window.P * window.Q * window.C, 2)
    expect("input", of: x, ReferenceMath.depthwiseBackwardData(.init(r), weights: .init(w), window), weights: r) {
      ReferenceMath.depthwise($0, weights: .init(w), window)
    }
    expect("weights", of: w, ReferenceMath.depthwiseBackwardWeights(.init(r), input: .init(x), window), weights: r) {
      ReferenceMath.depthwise(.init(x), weights: $0, window)
    }
  }

  @Test("for a ReLU with a limit")
  func limitedRectify() {
    let x = numbers(40, 0), r = numbers(40, 1)
    let output = ReferenceMath.rectify(.init(x), limit: 0.25)
    #expect(zip(x, output).allSatisfy { $1.value == min(0.25, max(0, $0)) })
    #expect(output.contains { $0.value == 0.25 } && output.contains { $0.value > 0 && $0.value < 0.25 })
    expect("input", of: x, ReferenceMath.rectifyBackward(.init(r), output: output, limit: 0.25), weights: r) {
      ReferenceMath.rectify($0, limit: 0.25)
    }
  }

  @Test("for linear layers")
  func linear() {
    let (M, N, K) = (3, 4, 5)
    let x = numbers(M * K, 0), w = numbers(N * K, 1), bias = numbers(N, 2), r = numbers(M * N, 3)
    let gradients = ReferenceMath.linearBackward(.init(r), input: .init(x), weights: .init(w), M: M, N: N, K: K)
    func linear(_ x: [ReferenceNumber], _ w: [ReferenceNumber], _ b: [ReferenceNumber]) -> [ReferenceNumber] {
      ReferenceMath.linear(x, weights: w, bias: b, M: M, N: N, K: K)
    }
    expect("input", of: x, gradients.dinput, weights: r) { linear($0, .init(w), .init(bias)) }
    expect("weights", of: w, gradients.dweights, weights: r) { linear(.init(x), $0, .init(bias)) }
    expect("bias", of: bias, gradients.dbias, weights: r) { linear(.init(x), .init(w), $0) }
  }

  @Test("for batch norm with a residual, with and without ReLU", arguments: [false, true])
  func batchNorm(rectify: Bool) {
    let (M, C) = (7, 3)
    let x = numbers(M * C, 0), residual = numbers(M * C, 1), r = numbers(M * C, 2)
    let gamma = numbers(C, 3), beta = numbers(C, 4)
    func normalize(
      _ x: [ReferenceNumber], _ gamma: [ReferenceNumber], _ beta: [ReferenceNumber], _ residual: [ReferenceNumber]
    ) -> [ReferenceNumber] {
      let (mean, variance) = ReferenceMath.batchStatistics(x, M: M, C: C)
      return ReferenceMath.normalize(
        x, by: .init(mean: mean, inverse: ReferenceMath.inverseDeviation(variance), gamma: gamma, beta: beta),
        residual: residual, rectify: rectify)
    }
    let (mean, variance) = ReferenceMath.batchStatistics(.init(x), M: M, C: C)
    let norm = ReferenceMath.Normalization(
      mean: mean, inverse: ReferenceMath.inverseDeviation(variance), gamma: .init(gamma))
    let gradients = ReferenceMath.normalizeBackward(
      .init(r), output: normalize(.init(x), .init(gamma), .init(beta), .init(residual)), input: .init(x), by: norm,
      rectify: rectify)
    expect("input", of: x, gradients.dinput, weights: r) {
      normalize($0, .init(gamma), .init(beta), .init(residual))
    }
    let sums = ReferenceMath.normalizeBackwardSums(gradients.dresidual, input: .init(x), by: norm)
    let halves = ReferenceMath.normalizeBackwardApply(
      gradients.dresidual, input: .init(x), by: norm, means: sums.means, slopes: sums.slopes)
    expect("input in halves", of: x, halves, weights: r) {
      normalize($0, .init(gamma), .init(beta), .init(residual))
    }
    expect("gamma in halves", of: gamma, sums.dgamma, weights: r) {
      normalize(.init(x), $0, .init(beta), .init(residual))
    }
    expect("beta in halves", of: beta, sums.dbeta, weights: r) {
      normalize(.init(x), .init(gamma), $0, .init(residual))
    }
    expect("gamma", of: gamma, gradients.dgamma, weights: r) {
      normalize(.init(x), $0, .init(beta), .init(residual))
    }
    expect("beta", of: beta, gradients.dbeta, weights: r) {
      normalize(.init(x), .init(gamma), $0, .init(residual))
    }
    expect("residual", of: residual, gradients.dresidual, weights: r) {
      normalize(.init(x), .init(gamma), .init(beta), $0)
    }
  }

  @Test("for batch norm whose statistics stay, with and without ReLU", arguments: [false, true])
  func constantStatistics(rectify: Bool) {
    let (M, C) = (7, 3)
    let x = numbers(M * C, 0), r = numbers(M * C, 2), mean = numbers(C, 5), gamma = numbers(C, 3), beta = numbers(C, 4)
    let inverse = numbers(C, 6).map { 1 + abs($0) }
    func normalize(
      _ x: [ReferenceNumber], _ gamma: [ReferenceNumber], _ beta: [ReferenceNumber]
    ) -> [ReferenceNumber] {
      ReferenceMath.normalize(
        x, by: .init(mean: .init(mean), inverse: .init(inverse), gamma: gamma, beta: beta), rectify: rectify)
    }
    let norm = ReferenceMath.Normalization(
      mean: .init(mean), inverse: .init(inverse), gamma: .init(gamma), isConstant: true)
    let gradients = ReferenceMath.normalizeBackward(
      .init(r), output: normalize(.init(x), .init(gamma), .init(beta)), input: .init(x), by: norm, rectify: rectify)
    let sums = ReferenceMath.normalizeBackwardSums(gradients.dresidual, input: .init(x), by: norm)
    let halves = ReferenceMath.normalizeBackwardApply(
      gradients.dresidual, input: .init(x), by: norm, means: sums.means, slopes: sums.slopes)
    for dinput in [gradients.dinput, halves] {
      expect("input", of: x, dinput, weights: r) { normalize($0, .init(gamma), .init(beta)) }
    }
    for dgamma in [gradients.dgamma, sums.dgamma] {
      expect("gamma", of: gamma, dgamma, weights: r) { normalize(.init(x), $0, .init(beta)) }
    }
    for dbeta in [gradients.dbeta, sums.dbeta] {
      expect("beta", of: beta, dbeta, weights: r) { normalize(.init(x), .init(gamma), $0) }
    }
  }

  @Test(
    "for pooling", arguments: [false, true],
    [
      Window(B: 2, H: 5, W: 4, C: 3, O: 3, KH: 2, KW: 2, stride: 2, padding: 0),
      Window(B: 1, H: 6, W: 5, C: 2, O: 2, KH: 3, KW: 3, stride: 2, padding: 1),
      Window(B: 1, H: 5, W: 5, C: 1, O: 1, KH: 3, KW: 3, stride: 1, padding: 1),
    ])
  func pooling(maximum: Bool, window: Window) {
    let x = numbers(window.B * window.H * window.W * window.C, 0)
    let r = numbers(window.B * window.P * window.Q * window.C, 1)
    expect(
      "input", of: x, ReferenceMath.poolBackward(.init(r), input: .init(x), maximum: maximum, window), weights: r
    ) { ReferenceMath.pool($0, maximum: maximum, window) }
  }

  @Test("for the mean over all pixels")
  func globalAverage() {
    let x = numbers(2 * 6 * 3, 0), r = numbers(2 * 3, 1)
    expect("input", of: x, ReferenceMath.globalAverageBackward(.init(r), B: 2, M: 6, C: 3), weights: r) {
      ReferenceMath.globalAverage($0, B: 2, M: 6, C: 3)
    }
  }

  @Test("for shortcuts", arguments: Shortcut.allCases)
  func shortcut(kind: Shortcut) {
    let shape = [2, 5, 6, 3], round = kind == .average ? 0 : 1
    let outputShape = [2, (5 + round) / 2, (6 + round) / 2, 6]
    let x = numbers(shape.reduce(1, *), 0), r = numbers(outputShape.reduce(1, *), 1)
    expect(
      "input", of: x,
      ReferenceMath.shortcutBackward(.init(r), kind: kind, shape: shape, outputShape: outputShape), weights: r
    ) { ReferenceMath.shortcut($0, kind: kind, shape: shape, outputShape: outputShape) }
  }

  @Test("for leaky ReLU", arguments: [Float(0.01), 0.2])
  func leakyRectify(slope: Float) {
    let x = numbers(20, 0), r = numbers(20, 1)
    let output = ReferenceMath.rectify(.init(x), slope: slope)
    #expect(zip(x, output).allSatisfy { $1.value == ($0 < 0 ? Double(slope) * $0 : $0) })
    let gradient = ReferenceMath.rectifyBackward(.init(r), output: output, slope: slope)
    expect("input", of: x, gradient, weights: r) { ReferenceMath.rectify($0, slope: slope) }
  }

  @Test("for biases and flattening")
  func biasAndFlatten() {
    let (B, M, C) = (2, 6, 3)
    let x = numbers(B * M * C, 0), bias = numbers(C, 1), r = numbers(B * M * C, 2)
    expect("bias", of: bias, ReferenceMath.biasBackward(.init(r), C: C), weights: r) {
      ReferenceMath.bias(.init(x), $0)
    }
    // Channel 1 of the second image begins with its first pixel's.
    #expect(ReferenceMath.flatten(.init(x), M: M, C: C)[M * C + M].value == x[M * C + 1])
    expect("flattened", of: x, ReferenceMath.flattenBackward(.init(r), M: M, C: C), weights: r) {
      ReferenceMath.flatten($0, M: M, C: C)
    }
  }

  @Test("for dropout, which is its own gradient", arguments: [false, true])
  func dropout(channels: Bool) {
    let (B, M, C) = (4, 25, 10), layer = Dropout(rate: 0.25, dropsChannels: channels, layer: 3)
    let x = numbers(B * M * C, 0), r = numbers(B * M * C, 1)
    let draw = ReferenceMath.DropoutDraw(seed: 9, epoch: 2, first: 7, peer: false)
    let output = ReferenceMath.dropout(.init(x), layer, M: M, C: C, draw)
    #expect(zip(x, output).allSatisfy { $1.value == 0 || abs($1.value - $0 / 0.75) < 1e-12 })
    // Of 1000 numbers about 250 go; of 40 channels about 10, each as a whole.
    let dropped = output.indices.filter { output[$0].value == 0 }
    #expect((channels ? 50...450 : 200...300).contains(dropped.count))
    let whole = Set(dropped.map { $0 / (M * C) * C + $0 % C }).count * M == dropped.count
    #expect(whole == channels)
    expect("input", of: x, ReferenceMath.dropout(.init(r), layer, M: M, C: C, draw), weights: r) {
      ReferenceMath.dropout($0, layer, M: M, C: C, draw)
    }
    let others = [
      ReferenceMath.DropoutDraw(seed: 8, epoch: 2, first: 7, peer: false),
      .init(seed: 9, epoch: 3, first: 7, peer: false),
      .init(seed: 9, epoch: 2, first: 11, peer: false), .init(seed: 9, epoch: 2, first: 7, peer: true),
    ]
    for other in others {
      #expect(ReferenceMath.dropout(.init(x), layer, M: M, C: C, other).values != output.values)
    }
    let another = Dropout(rate: 0.25, dropsChannels: channels, layer: 4)
    #expect(ReferenceMath.dropout(.init(x), another, M: M, C: C, draw).values != output.values)
  }

  @Test("for ReLU")
  func rectify() {
    let x = numbers(20, 0), r = numbers(20, 1)
    let gradient = ReferenceMath.rectifyBackward(.init(r), output: ReferenceMath.rectify(.init(x)))
    expect("input", of: x, gradient, weights: r) { ReferenceMath.rectify($0) }
  }
}
