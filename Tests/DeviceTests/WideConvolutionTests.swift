import Compute
import ComputeCPU
import ComputeReference
import Testing

/// Winograd's algorithm computes a tile of pixels from all that they read and from all weights, so that their errors depend
/// on the largest of these.
@Suite struct `Convolutions of many channels` {
  /// How much larger one pixel is than the others.
  private static let factor: Float = 4096
  /// The largest tile, by whose borders all tiles lie.
  private static let tile = 4

  private static func floats(_ bytes: [UInt8]) -> [Float] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
  }

  private static func bytes(_ floats: [Float]) -> [UInt8] { floats.withUnsafeBytes { Array($0) } }

  /// The largest magnitude within the reach of a tile, of each channel.
  private static func spread(_ pixels: [Float], _ window: Window) -> [Float] {
    let reach = tile + 1, row = window.W * window.C
    var result = pixels.map(abs)
    for (step, count, each) in [(window.C, window.W, row), (row, window.H, window.H * row)] {
      let before = result
      for i in result.indices {
        let place = i % each / step
        for other in max(0, place - reach)...min(count - 1, place + reach) {
          result[i] = max(result[i], before[i + (other - place) * step])
        }
      }
    }
    return result
  }

  private static let cases: [(OperationCase, Convolve)] = OperationCase.all.compactMap { operationCase in
    guard case .convolve(let convolve) = operationCase.operation, convolve.normalized == nil,
      convolve.finished == nil, convolve.statistics == nil, convolve.window.KH == 3, convolve.window.stride == 1,
      min(convolve.window.C, convolve.window.O) >= 32, max(convolve.window.C, convolve.window.O) >= 64
    else { return nil }
    return (operationCase, convolve)
  }

  @Test(arguments: CPUDevice.testedInstructionSets)
  func `lose digits to a large pixel in its own tiles alone`(instructionSet: String) throws {
    let test = SelfTest(
      on: try CPUDevice(threads: 2, instructionSet: instructionSet, panels: .bfloat16), cases: [])
    let reference = SelfTest(on: ReferenceDevice(), cases: [])
    #expect(Self.cases.count >= 9)
    for (operationCase, convolve) in Self.cases {
      let window = convolve.window, input = Operand.value(convolve.input), output = Operand.value(convolve.output)
      var inputs = operationCase.inputs
      var pixels = Self.floats(try #require(inputs[input]))
      let large = (window.H / 2 * window.W + window.W / 2) * window.C
      for c in large..<large + window.C { pixels[c] *= Self.factor }
      inputs[input] = Self.bytes(pixels)
      let actual = Self.floats(try #require(try test.outputs(of: operationCase, inputs: inputs)[output]))
      let expected = Self.floats(try #require(try reference.outputs(of: operationCase, inputs: inputs)[output]))

      // The sizes of the sums, if every pixel were as large as the largest that its tile reads.
      inputs[input] = Self.bytes(Self.spread(pixels, window))
      inputs[.store(.parameters)] = Self.bytes(Self.floats(try #require(inputs[.store(.parameters)])).map(abs))
      let sizes = Self.floats(try #require(try reference.outputs(of: operationCase, inputs: inputs)[output]))

      for b in 0..<window.B {
        for p in 0..<window.P {
          for q in 0..<window.Q {
            for o in 0..<window.O {
              func place(_ p: Int, _ q: Int) -> Int { ((b * window.P + p) * window.Q + q) * window.O + o }
              let (top, left) = (p / Self.tile * Self.tile, q / Self.tile * Self.tile)
              var size: Float = 0
              for row in top..<min(top + Self.tile, window.P) {
                for column in left..<min(left + Self.tile, window.Q) { size = max(size, sizes[place(row, column)]) }
              }
              let error = abs(actual[place(p, q)] - expected[place(p, q)])
              let allowed = Float(SelfTest<CPUDevice>.roundings * test.unit(of: operationCase.operation)) * size
              guard error <= allowed else {
                Issue.record("\(operationCase.name): \(error) of \(allowed) at \([b, p, q, o])")
                return
              }
            }
          }
        }
      }
    }
  }
}
