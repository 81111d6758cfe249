import Compute
import ComputeReference
import Statistics
import TestSupport
import Testing

/// Central differences of fourth order in double precision: off by about h⁴ = 1e-16, and by 1e-16 / h = 1e-12 of the loss
/// from rounding.
@Suite("Every loss's gradient is its derivative")
struct LossGradientTests {
  private static let step = 1e-4
  private static let tolerance = 1e-8

  /// Logits around 0, far apart from each other against the step of the differences.
  private func logits(_ K: Int, deviation: Double, _ key: UInt32) -> [Double] {
    let random = CounterRandom(seed: 7)
    return (0..<K).map { deviation * random.normal(.initialization, key, UInt32($0)) }
  }

  private func expect(
    _ name: String, at z: [Double], _ gradient: [Double], _ location: SourceLocation = #_sourceLocation,
    _ given: ([Double]) -> Double
  ) {
    // Of many logits those that tests give labels, the ends, and some between.
    let few = [0, 1, z.count / 2, z.count - 1] + Array(stride(from: 4, to: z.count, by: 9))
    let indices = z.count > 12 ? Set(few).sorted() : Array(z.indices)
    let differences = indices.map { k in
      func loss(at steps: Double) -> Double {
        var moved = z
        moved[k] += steps * Self.step
        return given(moved)
      }
      return (8 * (loss(at: 1) - loss(at: -1)) - (loss(at: 2) - loss(at: -2))) / (12 * Self.step)
    }
    let comparison = Comparison(
      name, indices.map { gradient[$0] }, differences, tolerance: Self.tolerance, scale: max(1e-3, 1e-2 * abs(given(z)))
    )
    #expect(comparison.passes, "\(comparison)", sourceLocation: location)
  }

  /// Every loss by its kernel, sums of neighbours in the list of parts, and each under sparse regularisation.
  private static let cases: [(name: String, kernel: String, parameters: [Float])] = {
    var cases = ReferenceLoss.all.map { ($0.kernel, $0.kernel, $0.exampleParameters) }
    // A factor that counts as a constant makes the gradient something else than the derivative.
    let detached = ["loss_focal_rows", "loss_nfl_rows"]
    cases += OperationCase.examples.filter { !detached.contains($0.kernel) }.map {
      ("\($0.kernel) \($0.parameters)", $0.kernel, $0.parameters)
    }
    let parts = ReferenceLoss.all.compactMap { loss in loss.part.map { (number: $0, loss: loss) } }
    for (index, part) in parts.enumerated() {
      let next = parts[(index + 1) % parts.count]
      func own(_ loss: ReferenceLoss) -> [Float] {
        loss.exampleParameters + [Float](repeating: 0, count: 4 - loss.exampleParameters.count)
      }
      let pair = [0.75, 1.5, Float(part.number), Float(next.number)] + own(part.loss) + own(next.loss)
      cases.append(("\(part.loss.kernel) and the next", "loss_sum_rows", pair + [0, 0, 0, 0]))
      let alone = [1, 0, Float(part.number), -1] + own(part.loss) + [0, 0, 0, 0]
      for normal in [Float(0), 1] {
        cases.append(("\(part.loss.kernel) with sr, \(normal)", "loss_sum_rows", alone + [0.5, 0.1, 1.2, normal]))
      }
    }
    return cases
  }()

  @Test("for random rows with every label", arguments: cases.indices)
  func random(index: Int) throws {
    let (name, kernel, values) = Self.cases[index]
    let loss = try #require(ReferenceLoss.table[kernel]), parameters = values.map { ReferenceNumber($0) }
    let isScaled = kernel == "loss_sum_rows" && values[15] > 0
    for (key, K) in [2, 3, 10, 100].enumerated() {
      for deviation in [1.0, 3] {
        let z = logits(K, deviation: deviation, UInt32(key))
        for label in [0, 1, K / 2, K - 1] {
          let result = loss.evaluate(ReferenceRow(logits: .init(z), label: label), parameters)
          expect("\(name), \(K) classes, label \(label)", at: z, result.dlogits.values) {
            loss.evaluate(ReferenceRow(logits: .init($0), label: label), parameters).loss.value
          }
          let sum = result.dlogits.values.reduce(0, +), size = result.dlogits.values.map(abs).max() ?? 0
          if !isScaled { #expect(abs(sum) <= 1e-13 * max(size, 1), "a gradient of softmax sums to 0") }
        }
      }
    }
  }

  @Test("for rows whose probabilities go to 0 and 1", arguments: cases.indices)
  func corners(index: Int) throws {
    let (name, kernel, values) = Self.cases[index]
    let loss = try #require(ReferenceLoss.table[kernel]), parameters = values.map { ReferenceNumber($0) }
    for K in [2, 10, 100] {
      // Logits that are divided by their norm must not be near 0, where the step is no longer small against it.
      let isScaled = kernel == "loss_sum_rows" && values[15] > 0
      for size in isScaled ? [12, 80] : [0.0, 12, 80] {
        // One class far above the others, which are apart from each other by more than the step.
        let z = (0..<K).map { $0 == 0 ? size : -size + 1e-3 * Double($0) }
        for label in [0, 1] {
          let result = loss.evaluate(ReferenceRow(logits: .init(z), label: label), parameters)
          #expect(result.loss.value.isFinite && result.dlogits.values.allSatisfy(\.isFinite), "\(name)")
          expect("\(name), \(K) classes, ±\(size), label \(label)", at: z, result.dlogits.values) {
            loss.evaluate(ReferenceRow(logits: .init($0), label: label), parameters).loss.value
          }
        }
      }
    }
  }

  @Test("for corrections by an asymmetric matrix", arguments: ReferenceCorrection.table.keys.sorted())
  func corrections(kernel: String) throws {
    let loss = try #require(ReferenceCorrection.table[kernel])
    for K in [2, 10, 100] {
      let matrix = (0..<K * K).map { index -> Double in
        let row = index / K, column = index % K
        return row == column ? 0.7 : column == (row + 1) % K ? 0.3 : kernel == "loss_backward_rows" ? -0.01 : 0
      }
      for (key, deviation) in [1.0, 3, 20].enumerated() {
        let z = logits(K, deviation: deviation, UInt32(key))
        for label in [0, K - 1] {
          let result = loss.evaluate(ReferenceRow(logits: .init(z), label: label), .init(matrix))
          expect("\(kernel), \(K) classes, label \(label)", at: z, result.dlogits.values) {
            loss.evaluate(ReferenceRow(logits: .init($0), label: label), .init(matrix)).loss.value
          }
        }
      }
    }
  }

  @Test("for the determinant of a batch, with classes that are not in it", arguments: [(12, 3), (8, 10), (30, 10)])
  func determinant(B: Int, K: Int) {
    let z = (0..<B).flatMap { logits(K, deviation: 2, UInt32($0)) }
    func results(_ z: [Double]) -> [ReferenceLoss.Result] {
      let rows = (0..<B).map { b in ReferenceRow(logits: .init(z[b * K..<(b + 1) * K]), label: b * 7 % K) }
      return ReferenceDeterminant.evaluate(rows, [1e-3, 0])
    }
    expect("\(B) of \(K) classes", at: z, results(z).flatMap(\.dlogits.values)) { results($0)[0].loss.value }
  }
}
