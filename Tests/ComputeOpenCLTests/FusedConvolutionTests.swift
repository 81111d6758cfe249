import Compute
import ComputeKernels
import ComputeOpenCL
import ComputeReference
import OpenCLTestSupport
import Testing

/// Convolutions with batch norm in the same pass, and on matrix units: against the same layers one by one, and against
/// double precision.
@Suite("OpenCL convolutions for GPUs", .serialized, .enabled(if: FirstDevice.isPresent, FirstDevice.reason))
struct FusedConvolutionTests {
  enum Arithmetic: String, CaseIterable {
    case float32, tf32, bfloat16

    var units: MatrixUnits? { MatrixUnits(rawValue: rawValue) }

    /// Layers that compute the same with other orders of additions; before a number is rounded for the matrix units, an
    /// addition's rounding may become the units'.
    var tolerance: Double { max(4e-6, (units?.unit ?? 0) / 4) }
  }

  /// Sizes that fill tiles, that fill them in part, that need several, and all three kinds of kernels.
  private static let windows: [Window] = [
    window(2, 8, 8, 64, 64), window(1, 16, 16, 32, 32), window(1, 10, 33, 16, 16), window(2, 5, 7, 48, 16),
    window(1, 9, 17, 16, 32), window(1, 11, 9, 64, 128), window(3, 1, 1, 32, 64),
  ]

  private static func window(_ B: Int, _ H: Int, _ W: Int, _ C: Int, _ O: Int) -> Window {
    Window(B: B, H: H, W: W, C: C, O: O, KH: 3, KW: 3, stride: 1, padding: 1)
  }

  private static func device(_ arithmetic: Arithmetic) throws -> OpenCLDevice {
    try OpenCLDevice(
      try #require(FirstDevice.list.devices.first), style: .workGroups, matrixUnits: arithmetic.units)
  }

  /// A simulator computes a million times slower than a device, and matrix units emulated there take minutes.
  private static let isSimulated = FirstDevice.list.devices.first?.platform.name == "Oclgrind"

  private static var cases: [Window] { isSimulated ? [window(1, 1, 1, 16, 16)] : windows }

  @Test("take batch norm along, forward", arguments: Arithmetic.allCases)
  func forward(arithmetic: Arithmetic) throws {
    let device = try Self.device(arithmetic)
    for window in Self.cases {
      let bench = OperationBench(on: device)
      for (hasResidual, rectify, keeps) in [(true, true, true), (false, true, false), (false, false, true)].prefix(
        Self.isSimulated ? 1 : 3)
      {
        let M = window.B * window.H * window.W, (C, O) = (window.C, window.O)
        let input = try bench.value(M * C), residual = hasResidual ? try bench.value(M * C) : nil
        let above = try bench.given(C), weightsAt = try bench.weights(window)
        let gammaAt = try bench.vector(C), betaAt = try bench.vector(C)

        let plain = try bench.written(M * C), expected = try bench.written(M * O), wanted = try bench.measured(O)
        try bench.run(
          .normalize(
            Normalize(
              M: M, C: C, input: input, statistics: above, gammaAt: gammaAt, betaAt: betaAt, residual: residual,
              rectify: rectify, output: plain)))
        try bench.run(
          .convolve(
            Convolve(window: window, input: plain, weightsAt: weightsAt, output: expected, statistics: wanted)))

        let kept = keeps ? try bench.written(M * C) : nil, output = try bench.written(M * O)
        let found = try bench.measured(O)
        let layer = NormalizedInput(
          input: input, statistics: above, gammaAt: gammaAt, betaAt: betaAt, residual: residual, rectify: rectify,
          output: kept)
        try bench.run(
          .convolve(
            Convolve(window: window, input: input, weightsAt: weightsAt, output: output, statistics: found)
              .normalizing(layer)))

        let context = "\(arithmetic) \(window) \(hasResidual) \(rectify) \(keeps)"
        if let kept { try bench.expect(kept, plain, "kept \(context)", tolerance: 4e-7) }
        try bench.expect(output, expected, "output \(context)", tolerance: arithmetic.tolerance)
        try bench.expect(found.mean, wanted.mean, "mean \(context)", tolerance: arithmetic.tolerance)
        try bench.expect(found.inverse, wanted.inverse, "inverse \(context)", tolerance: arithmetic.tolerance)
      }
    }
  }

  @Test("take two batch norms along, backward", arguments: Arithmetic.allCases)
  func backwardData(arithmetic: Arithmetic) throws {
    let device = try Self.device(arithmetic)
    for window in Self.cases {
      let bench = OperationBench(on: device)
      for (hasAddend, keepsBelow) in [(true, true), (false, false)].prefix(Self.isSimulated ? 1 : 2) {
        let M = window.B * window.H * window.W, (C, O) = (window.C, window.O)
        let gradient = try bench.value(M * O), upper = try bench.value(M * O), lower = try bench.value(M * C)
        let addend = hasAddend ? try bench.value(M * C) : nil
        let above = try bench.given(O), below = try bench.given(C), weightsAt = try bench.weights(window)
        let aboveGamma = try bench.vector(O), aboveBeta = try bench.vector(O)
        let belowGamma = try bench.vector(C), belowBeta = try bench.vector(C)
        let context = "\(arithmetic) \(window) \(hasAddend) \(keepsBelow)"

        // Layer by layer: the batch norm above, without a ReLU; the convolution; the batch norm below, with one.
        let output = try bench.written(M * C), dy = try bench.written(M * O), dx = try bench.written(M * C)
        let masked = try bench.written(M * C), expected = try bench.written(M * C)
        try bench.run(
          .normalize(
            Normalize(
              M: M, C: C, input: lower, statistics: below, gammaAt: belowGamma, betaAt: belowBeta, residual: nil,
              rectify: true, output: output)))
        try bench.run(
          .normalizeBackward(
            NormalizeBackward(
              M: M, C: O, doutput: gradient, output: gradient, input: upper, statistics: above, gammaAt: aboveGamma,
              betaAt: aboveBeta, rectify: false, dinput: dy, dresidual: nil, accumulate: false)))
        try bench.run(
          .convolveBackwardData(
            ConvolveBackwardData(window: window, doutput: dy, weightsAt: weightsAt, addend: addend, dinput: dx)))
        try bench.run(
          .normalizeBackward(
            NormalizeBackward(
              M: M, C: C, doutput: dx, output: output, input: lower, statistics: below, gammaAt: belowGamma,
              betaAt: belowBeta, rectify: true, dinput: expected, dresidual: masked, accumulate: false)))
        let wanted = try bench.gradients()

        let sums = try bench.written(2 * O), same = try bench.written(M * O), kept = try bench.written(M * O)
        let belowSums = try bench.written(2 * C), dinput = try bench.written(M * C), final = try bench.written(M * C)
        try bench.run(
          .normalizeBackwardSums(
            NormalizeBackwardSums(
              M: M, C: O, doutput: gradient, gradient: same,
              below: NormalizedBelow(
                layer: NormalizedInput(
                  input: upper, statistics: above, gammaAt: aboveGamma, betaAt: aboveBeta, residual: nil,
                  rectify: false, output: nil), sums: sums, accumulate: false))))
        let layer = NormalizedInput(
          input: lower, statistics: below, gammaAt: belowGamma, betaAt: belowBeta, residual: nil, rectify: true,
          output: keepsBelow ? output : nil)
        try bench.run(
          .convolveBackwardData(
            ConvolveBackwardData(window: window, doutput: same, weightsAt: weightsAt, addend: addend, dinput: dinput)
              .normalizing(
                NormalizedGradient(
                  gradient: same, input: upper, statistics: above, gammaAt: aboveGamma, sums: sums, output: kept)
              ).summing(NormalizedBelow(layer: layer, sums: belowSums, accumulate: false))))
        try bench.run(
          .normalizeBackwardApply(
            NormalizeBackwardApply(
              M: M, C: C,
              gradient: NormalizedGradient(
                gradient: dinput, input: lower, statistics: below, gammaAt: belowGamma, sums: belowSums,
                output: final))))

        try bench.expect(kept, dy, "gradient above \(context)", tolerance: 4e-6)
        try bench.expect(dinput, masked, "dinput \(context)", tolerance: arithmetic.tolerance)
        try bench.expect(final, expected, "gradient below \(context)", tolerance: 4 * arithmetic.tolerance)
        bench.expect(try bench.gradients(), wanted, "dgamma, dbeta \(context)", tolerance: 4 * arithmetic.tolerance)
      }
    }
  }

  @Test("compute their input again for the gradient of the weights", arguments: Arithmetic.allCases)
  func backwardWeights(arithmetic: Arithmetic) throws {
    let device = try Self.device(arithmetic)
    for window in Self.cases {
      let bench = OperationBench(on: device)
      let M = window.B * window.H * window.W, C = window.C
      let input = try bench.value(M * C), doutput = try bench.value(M * window.O), plain = try bench.written(M * C)
      let statistics = try bench.given(C), weightsAt = try bench.weights(window)
      let gammaAt = try bench.vector(C), betaAt = try bench.vector(C)
      try bench.run(
        .normalize(
          Normalize(
            M: M, C: C, input: input, statistics: statistics, gammaAt: gammaAt, betaAt: betaAt, residual: nil,
            rectify: true, output: plain)))
      try bench.run(
        .convolveBackwardWeights(
          ConvolveBackwardWeights(
            window: window, input: plain, doutput: doutput, weightsAt: weightsAt, accumulate: false)))
      let wanted = try bench.gradients()
      let layer = NormalizedInput(
        input: input, statistics: statistics, gammaAt: gammaAt, betaAt: betaAt, residual: nil, rectify: true,
        output: nil)
      for accumulate in [false, true].prefix(Self.isSimulated ? 1 : 2) {
        try bench.run(
          .convolveBackwardWeights(
            ConvolveBackwardWeights(
              window: window, input: input, doutput: doutput, weightsAt: weightsAt, accumulate: accumulate
            ).normalizing(layer)))
        let factor: Float = accumulate ? 0.5 : 1
        bench.expect(
          try bench.gradients().map { $0 * factor }, wanted, "\(arithmetic) \(window)", tolerance: arithmetic.tolerance)
      }
    }
  }

  @Test(
    "on matrix units are as near to double precision as their numbers allow",
    arguments: [(MatrixUnits.tf32, ElementType.float32), (.bfloat16, .float32), (.bfloat16, .bfloat16)])
  func matrixUnits(units: MatrixUnits, activations: ElementType) throws {
    let info = try #require(FirstDevice.list.devices.first)
    let device = try OpenCLDevice(info, style: .workGroups, matrixUnits: units)
    var cases = OperationCase.all.filter { device.rounding(of: $0.operation) == units.unit }
    #expect(cases.count >= 18)
    // The tests above run these kernels in the simulator.
    if Self.isSimulated { cases = [] }
    // The self-test allows more for batch statistics: the rounding of a filter is the same for all pixels.
    for result in try SelfTest(on: device, cases: cases, activations: activations).run() {
      #expect(result.passed, "\(result.name) \(result.shape): \(result.detail)")
    }
  }
}
