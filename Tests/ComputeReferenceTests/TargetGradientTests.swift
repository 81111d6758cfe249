import Compute
import ComputeReference
import Glibc
import Statistics
import TestSupport
import Testing

/// Central differences of fourth order in double precision.
@Suite("What methods add to a loss has the gradient that is its derivative")
struct TargetGradientTests {
  private static let step = 1e-4, tolerance = 1e-8

  private func numbers(_ count: Int, deviation: Double, _ key: UInt32) -> [Double] {
    let random = CounterRandom(seed: 8)
    return (0..<count).map { deviation * random.normal(.initialization, key, UInt32($0)) }
  }

  private func expect(
    _ name: String, at x: [Double], _ gradient: [Double], _ location: SourceLocation = #_sourceLocation,
    _ value: ([Double]) -> Double
  ) {
    let differences = x.indices.map { k in
      func moved(_ steps: Double) -> Double {
        var moved = x
        moved[k] += steps * Self.step
        return value(moved)
      }
      return (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * Self.step)
    }
    let comparison = Comparison(name, gradient, differences, tolerance: Self.tolerance, scale: 1e-2)
    #expect(comparison.passes, "\(comparison)", sourceLocation: location)
  }

  private func row(_ z: [Double]) -> ReferenceRow { ReferenceRow(logits: .init(z), label: 0) }

  @Test("in early-learning regularisation, with the target held", arguments: [2, 3, 10, 100])
  func earlyLearning(K: Int) {
    for (key, deviation) in [0.5, 1, 3].enumerated() {
      let z = numbers(K, deviation: deviation, UInt32(key))
      var before = [ReferenceNumber](repeating: 0, count: K)
      before[K - 1] = 0.5
      let target = ReferenceMath.EarlyLearning(row(z)).target(before, momentum: 0.7)
      let sum = target.reduce(0.0) { $0 + $1.value }
      #expect(abs(sum - (0.7 * 0.5 + 0.3)) < 1e-12, "what is added sums to 1")
      let gradient = ReferenceMath.EarlyLearning(row(z)).penalty(target, weight: 3).dlogits
      expect("\(K) classes, deviation \(deviation)", at: z, gradient.map(\.value)) {
        ReferenceMath.EarlyLearning(row($0)).penalty(target, weight: 3).loss.value
      }
    }
  }

  @Test("in early-learning regularisation, where probabilities are at their bounds")
  func bounds() {
    // p of the first class is above 0.9999, and of the last below 1e-4: neither has a slope.
    let z: [Double] = [12, 0, -3], regulariser = ReferenceMath.EarlyLearning(row(z))
    let target = regulariser.target([0, 0, 0], momentum: 0)
    #expect(abs(target[0].value - 0.9999 / (0.9999 + 2e-4)) < 1e-8)
    let (loss, gradient) = regulariser.penalty(target, weight: 2)
    #expect(loss.value < -10 && gradient.allSatisfy { $0.value == 0 })
  }

  @Test("in cross entropy against several classes", arguments: [2, 3, 10, 100])
  func softLoss(K: Int) {
    for (key, share) in [0.0, 0.3, 0.5, 1].enumerated() {
      let z = numbers(K, deviation: 2, UInt32(key))
      var targets = [ReferenceNumber](repeating: 0, count: K)
      (targets[0], targets[K - 1]) = (ReferenceNumber(share), ReferenceNumber(1 - share))
      expect("\(K) classes, \(share)", at: z, ReferenceMath.softLoss(row(z), targets: targets).dlogits.map(\.value)) {
        ReferenceMath.softLoss(row($0), targets: targets).loss.value
      }
    }
  }

  @Test("in a loss that is scaled by confidence, for logits and for the indicator", arguments: [2, 3, 10, 100])
  func confidence(K: Int) {
    for (key, u) in [-4.0, -0.5, 0.5, 4].enumerated() {
      let z = numbers(K, deviation: 2, UInt32(key)), lambda: ReferenceNumber = 0.5, beta: ReferenceNumber = 0.1
      func made(_ z: [Double], _ u: Double) -> ReferenceMath.Confidence {
        ReferenceMath.Confidence(row(z), indicator: ReferenceNumber(u))
      }
      let here = made(z, u)
      #expect(abs(here.confidence.value - 1 / (1 + exp(-u))) < 1e-15)
      let moved = here.target(here.label, momentum: 0.9)
      for target in [here.label, moved] {
        let result = here.loss(against: target, lambda: lambda, beta: beta), name = "\(K) classes, indicator \(u)"
        expect(name, at: z, result.dlogits.map(\.value)) {
          made($0, u).loss(against: target, lambda: lambda, beta: beta).loss.value
        }
        expect(name, at: [u], [result.dindicator.value]) {
          made(z, $0[0]).loss(against: target, lambda: lambda, beta: beta).loss.value
        }
      }
    }
    // With full confidence it is cross entropy, but for the least number in the label.
    let sure = ReferenceMath.Confidence(row([1, 0]), indicator: nil)
    let result = sure.loss(against: sure.label, lambda: 7, beta: 0), p = row([1, 0]).logProbabilities.map(\.value)
    #expect(abs(result.loss.value - (-p[0] - Double(Float(1e-4)) * p[1])) < 1e-12 && result.dindicator.value == 0)
  }

  @Test("in consistency with a guess that is held", arguments: [2, 3, 10, 100])
  func consistency(K: Int) {
    for (key, deviation) in [0.5, 1, 3].enumerated() {
      let z = numbers(K, deviation: deviation, UInt32(key)), guess = row(numbers(K, deviation: 2, 9)).probabilities
      let result = ReferenceMath.consistency(row(z), with: guess, strength: 20)
      let squares = zip(row(z).probabilities, guess).reduce(0.0) {
        $0 + ($1.0.value - $1.1.value) * ($1.0.value - $1.1.value)
      }
      #expect(abs(result.loss.value - 20 / Double(K) * squares) < 1e-12)
      expect("\(K) classes, deviation \(deviation)", at: z, result.dlogits.map(\.value)) {
        ReferenceMath.consistency(row($0), with: guess, strength: 20).loss.value
      }
    }
  }

  @Test("in an average that is a plain mean at first")
  func average() {
    func moved(after updates: Int) -> Double {
      ReferenceMath.average([1], of: [3], least: 0.1, updates: updates)[0].value
    }
    #expect(moved(after: 1) == 2 && abs(moved(after: 3) - 1.5) < 1e-12 && abs(moved(after: 50) - 1.2) < 1e-12)
  }

  @Test("in the divergence from another network's prediction", arguments: [2, 3, 10, 100])
  func distillation(K: Int) {
    for (key, T) in [0.5, 1, 2, 4].enumerated() {
      let z = numbers(K, deviation: 2, UInt32(key)), other = numbers(K, deviation: 2, UInt32(100 + key))
      func loss(_ z: [Double]) -> ReferenceLoss.Result {
        ReferenceMath.distillation(.init(z), from: .init(other), weight: 0.7, temperature: ReferenceNumber(T))
      }
      let here = loss(z)
      #expect(here.loss.value > 0 && abs(loss(other).loss.value) < 1e-12)
      expect("\(K) classes, temperature \(T)", at: z, here.dlogits.map(\.value)) { loss($0).loss.value }
      // Written out, with the logarithms of both.
      func logs(_ z: [Double]) -> [Double] {
        let sum = z.reduce(0) { $0 + exp($1 / T) }
        return z.map { $0 / T - log(sum) }
      }
      let divergence = zip(logs(other), logs(z)).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
      #expect(abs(here.loss.value - 0.7 * T * T * divergence) < 1e-12)
    }
  }

  @Test("in the distance to the start")
  func pull() {
    let x = numbers(20, deviation: 1, 0), anchor = numbers(20, deviation: 1, 1), c = 0.3
    let gradient = ReferenceMath.pull(
      [ReferenceNumber](repeating: 0, count: 20), parameters: .init(x), to: .init(anchor), by: ReferenceNumber(c))
    expect("pull", at: x, gradient.map(\.value)) { x in
      zip(x, anchor).reduce(0) { $0 + c / 2 * ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
  }
}
