import Compute
import ComputeReference
import TestSupport
import Testing

/// Expected values were computed by PyTorch 2.13, from whole numbers so that the convolutions are exact.
@Suite("The reference agrees with PyTorch")
struct GoldenVectorTests {
  /// -5, 2, 9, 5, 1, ...: (7 i) mod 11 − 5.
  private func numbers(_ count: Int, _ step: Int = 7, _ modulus: Int = 11) -> [ReferenceNumber] {
    (0..<count).map { ReferenceNumber(Double($0 * step % modulus - modulus / 2)) }
  }

  private func expect(
    _ actual: [ReferenceNumber], _ expected: [Double], _ location: SourceLocation = #_sourceLocation
  ) {
    let comparison = Comparison("", actual.values, expected, tolerance: 1e-11)
    #expect(comparison.passes, "\(comparison)", sourceLocation: location)
  }

  @Test("on a convolution and its gradients")
  func convolution() {
    let window = Window(B: 2, H: 5, W: 4, C: 2, O: 3, KH: 3, KW: 3, stride: 2, padding: 1)
    let input = numbers(2 * 5 * 4 * 2), weights = numbers(3 * 2 * 3 * 3, 5, 7)
    let doutput = numbers(2 * 3 * 2 * 3, 3, 5)
    expect(
      ReferenceMath.convolve(input, weights: weights, window),
      [
        -14, 0, -28, 12, 21, 9, -16, -49, -40, -24, 15, 26, -13, -22, 18, 7, 34, 40, 15, 15, 15, -25, -17, -30,
        -5, 16, 2, -28, -40, -3, 13, 32, 23, 13, -27, -11,
      ])
    expect(
      ReferenceMath.convolveBackwardData(doutput, weights: weights, window),
      [
        -5, 3, -11, 11, 4, 4, 4, -10, 8, 8, -6, 5, -12, 13, 4, -13, 3, -5, 8, -3, -3, 1, -1, -4, -2, -7, 7, 7, -7,
        -2, -1, 4, 1, -3, -3, 8, -5, 3, -1, 7, 4, 4, 11, -11, 3, -5, -1, -2, -12, 13, 8, -14, -2, -7, -1, 8, -3,
        1, -5, -5, 1, -3, -1, 9, -7, -2, -14, 8, 13, -12, 4, 0, -5, 3, -11, 11, 4, 4, 4, -10,
      ])
    expect(
      ReferenceMath.convolveBackwardWeights(doutput, input: input, window),
      [
        -16, -16, 19, -18, -12, 32, 7, 10, 19, 10, 7, -13, 18, -23, -23, -12, -13, 7, 11, -7, -26, 9, -6, -3, -16,
        -16, 19, 7, 22, -8, 9, 1, -7, 10, 7, -13, 8, -8, 14, 16, -15, -13, 11, -7, -26, -6, -8, -8, -20, 30, -1,
        7, 22, -8,
      ])
  }

  @Test("on a convolution with a filter that is not square")
  func rectangularConvolution() {
    let window = Window(B: 2, H: 5, W: 4, C: 2, O: 1, KH: 2, KW: 3, stride: 1, padding: 0)
    expect(
      ReferenceMath.convolve(numbers(2 * 5 * 4 * 2), weights: numbers(2 * 2 * 3, 5, 7), window),
      [
        -1, 32, 32, 32, 32, 32, 32, 32, 32, -56, 32, -78, -1, -56, -56, -1,
      ])
  }

  @Test("on a depthwise convolution with TensorFlow's padding and its gradients, and on ReLU6")
  func depthwise() {
    // One row of zeros above and below, one column on the right only.
    let window = Window(same: 3, B: 2, H: 5, W: 4, C: 2, O: 2, stride: 2)
    #expect(window.padding == 1 && window.left == 0 && window.P == 3 && window.Q == 2)
    let input = numbers(2 * 5 * 4 * 2), weights = numbers(2 * 3 * 3, 5, 7), doutput = numbers(2 * 3 * 2 * 2, 3, 5)
    expect(
      ReferenceMath.depthwise(input, weights: weights, window),
      [
        16, 16, -7, -7, 26, 25, -9, -5, 21, 0, -39, -9, -17, -21, 11, 3, 21, -18, 15, 28, -40, 23, 16, 3,
      ])
    expect(
      ReferenceMath.depthwiseBackwardData(doutput, weights: weights, window),
      [
        4, 1, -6, -1, 0, -1, -3, -2, 2, 2, 6, 4, -6, -4, 5, 2, 0, -2, 0, 2, -2, 5, 3, 1, -6, -4, 4, 0, 5, 2, -7, -2,
        -4, 0, 6, 0, 6, 1, -6, -1, 2, 2, -3, -2, -1, -8, 0, 2, -2, 4, 5, 2, -8, -11, 4, 0, -2, -1, 3, 1, -3, 3, 6, 0,
        5, -2, -7, -2, 3, 5, -8, -4, 4, 1, -6, -1, 0, -1, -3, -2,
      ])
    expect(
      ReferenceMath.depthwiseBackwardWeights(doutput, input: input, window),
      [-21, 26, 8, -11, 13, 12, 8, -14, -2, 8, 8, 6, -30, 1, -6, -22, 8, -1])
    let output = ReferenceMath.rectify([-1, 0, 0.5, 6, 7], limit: 6)
    expect(output, [0, 0, 0.5, 6, 6])
    expect(ReferenceMath.rectifyBackward([1, 1, 1, 1, 1], output: output, limit: 6), [0, 0, 1, 0, 0])
  }

  @Test("on batch norm with residual and ReLU, its running statistics and its gradients")
  func batchNorm() {
    let (M, C) = (6, 2)
    let input = numbers(M * C), residual = numbers(M * C, 5, 13).map { $0 / 4 }
    let (mean, variance) = ReferenceMath.batchStatistics(input, M: M, C: C)
    let inverse = ReferenceMath.inverseDeviation(variance), gamma: [ReferenceNumber] = [1.5, -0.5]
    let norm = ReferenceMath.Normalization(mean: mean, inverse: inverse, gamma: gamma, beta: [0.25, 1])
    let output = ReferenceMath.normalize(input, by: norm, residual: residual, rectify: true)
    expect(
      output,
      [
        0, 0.508315979381, 0.836511841409, 0, 1.575069212335, 2.983368041237, 2.313626583261, 1.798336804124, 0,
        0.61330556701, 1.582697631718, 1.02338886598,
      ])
    let moved = ReferenceMath.movedStatistics(
      runningMean: [0.5, -1], runningVariance: [2, 0.75], mean: mean, variance: variance, M: M)
    expect(moved.mean, [0.333333333333, -0.866666666667])
    expect(moved.variance, [2.896666666667, 2.101666666667])
    let gradients = ReferenceMath.normalizeBackward(
      numbers(M * C, 3, 7), output: output, input: input, by: norm, rectify: true)
    expect(
      gradients.dinput,
      [
        -0.176455388443, 0.016940454486, 1.126598075411, 0.047433272561, 0.444908378031, 0.25613991577,
        -0.23678131935, 0.431643146216, -0.238290024134, -0.407926509936, -0.919979721514, -0.344230279097,
      ])
    expect(gradients.dgamma, [2.260401933628, 1.450104123712])
    expect(gradients.dbeta, [5, 0])
  }

  @Test("on pooling with padding, where largest pixels are equal")
  func pooling() {
    let window = Window(B: 1, H: 5, W: 5, C: 1, O: 1, KH: 3, KW: 3, stride: 2, padding: 1)
    let input = numbers(25, 3, 4), doutput = (1...9).map { ReferenceNumber(Double($0)) }
    expect(ReferenceMath.pool(input, maximum: true, window), [1, 1, 1, 1, 1, 1, 1, 1, 0])
    expect(
      ReferenceMath.poolBackward(doutput, input: input, maximum: true, window),
      [
        0, 3, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 8, 9, 0, 0, 7, 0, 0, 0,
      ])
    expect(ReferenceMath.pool(input, maximum: false, window).map { $0 * 9 }, [0, -3, -4, -3, -6, -1, -4, -1, -4])
    expect(
      ReferenceMath.poolBackward(doutput.map { $0 * 9 }, input: input, maximum: false, window),
      [
        1, 3, 2, 5, 3, 5, 12, 7, 16, 9, 4, 9, 5, 11, 6, 11, 24, 13, 28, 15, 7, 15, 8, 17, 9,
      ])
  }

  @Test(
    "on three steps of SGD with clipped gradients",
    arguments: [
      (true, [0.822511822968, -2.330765280587, 0.288124126126], [0.266863683208, 1.077439531351, 0.949614862495]),
      (false, [0.846366093697, -2.233972279145, 0.373560755056], [0.267949290914, 1.078503095292, 0.949897449445]),
    ])
  func stochasticGradientDescent(nesterov: Bool, parameters: [Double], momenta: [Double]) {
    var state: (parameters: [ReferenceNumber], momenta: [ReferenceNumber]) = ([1, -2, 0.5], [0, 0, 0])
    let gradients: [[ReferenceNumber]] = [[3, 4, 0], [0.1, -0.2, 0.3], [-1, 2, 2]]
    for gradient in gradients {
      state = ReferenceMath.stochasticGradientDescent(
        parameters: state.parameters, gradients: gradient, momenta: state.momenta,
        .init(rate: 0.1, momentum: 0.9, decay: 0.01, nesterov: nesterov, clipNorm: 1))
    }
    expect(state.parameters, parameters)
    expect(state.momenta, momenta)
  }
}
