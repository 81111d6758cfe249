import Compute
import ComputeKernels
import ComputeReference
import Failures
import Training

/// What trying a candidate gave.
public struct TrialResult: Sendable, Equatable {
  /// Seconds of a step's operations that the candidate changes, as they are without it.
  public let standardSeconds: Double
  /// Seconds of the same with it.
  public let seconds: Double

  /// What was measured.
  public init(standardSeconds: Double, seconds: Double) {
    self.standardSeconds = standardSeconds
    self.seconds = seconds
  }
}

/// Tries a candidate on a device: first whether it computes right, then how fast.
public struct Trial<D: TunableDevice> {
  /// Images of the step that is compared with the reference; the reference is slow.
  private static var checkedBatch: Int { 4 }
  /// How far the results of a whole batch may be from those of the standard launches, against the largest number: sums
  /// in another order, and one rounding more where activations are stored in 16 bits.
  private static func allowance(_ activations: ElementType) -> Float { activations == .float32 ? 1e-3 : 0x1p-6 }

  private let program: StepProgram
  private let precision: Precision
  private let device: D

  /// - Parameter program: the step of the network with the batch that is tuned for.
  public init(of program: StepProgram, _ precision: Precision, on device: D) {
    self.program = program.fused { device.supports($0) }
    self.precision = precision
    self.device = device
  }

  /// Tries.
  ///
  /// - Throws: `.checkFailed` if the candidate computes anything wrong; what the device throws.
  public func run(_ candidate: Candidate) throws -> TrialResult {
    let before = device.tuning
    defer { device.tuning = before }
    device.tuning = .standard
    try check(candidate)
    let cases = OperationCase.cases(for: program, batch: program.batch) { candidate.changes($0, on: device) }
    var standard = 0.0, tuned = 0.0
    for one in cases {
      let inputs = one.inputs, count = Double(count(of: one.operation))
      let test = SelfTest(on: device, cases: [one], activations: precision.activations)
      device.tuning = .standard
      let expected = try test.outputs(of: one, inputs: inputs), plain = try test.bind(one, inputs: inputs)
      device.tuning = candidate.tuning
      let found = try test.outputs(of: one, inputs: inputs), changed = try test.bind(one, inputs: inputs)
      if let problem = difference(found, expected, one) { throw wrong(candidate, "\(one.name): \(problem)") }
      guard let buffer = plain.buffers.first?.value, let other = changed.buffers.first?.value else { continue }
      // In turns, so that a machine that slows down slows down both.
      var times: [(Double, Double)] = []
      for _ in 0..<5 {
        times.append(
          (
            try DeviceClock(device, waitingOn: buffer).secondsEach(plain.prepared, budget: 0.01),
            try DeviceClock(device, waitingOn: other).secondsEach(changed.prepared, budget: 0.01)
          ))
      }
      standard += count * Self.median(times.map(\.0))
      tuned += count * Self.median(times.map(\.1))
    }
    return TrialResult(standardSeconds: standard, seconds: tuned)
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private func count(of operation: TensorOperation) -> Int {
    program.operations.count { $0.name == operation.name && $0.shapeText == operation.shapeText }
  }

  private func wrong(_ candidate: Candidate, _ why: String) -> Failure {
    Failure(
      .checkFailed, "\(candidate.key.choice.rawValue) \(candidate.number) computes wrong numbers.", why: why + ".",
      fix: "remove it.")
  }

  /// The operations with a few images, every number against double precision.
  private func check(_ candidate: Candidate) throws {
    let whole = candidate.key.window
    let window = Window(whole, B: min(whole.B, Self.checkedBatch))
    let small = Candidate(Tuning.Key(candidate.key.choice, window), candidate.number)
    let cases = OperationCase.cases(for: program, batch: Self.checkedBatch) { $0.convolution == whole }
    device.tuning = small.tuning
    let test = SelfTest(on: device, cases: cases, activations: precision.activations)
    for result in try test.run() where !result.passed {
      throw wrong(candidate, "\(result.name) \(result.shape): \(result.detail)")
    }
    device.tuning = .standard
  }

  /// The first operand whose floats are too far from the expected ones; all begin as not-a-number.
  private func difference(
    _ found: [Operand: [UInt8]], _ expected: [Operand: [UInt8]], _ operationCase: OperationCase
  ) -> String? {
    for (operand, bytes) in expected {
      let expected = Self.floats(bytes), found = Self.floats(found[operand] ?? [])
      let largest = expected.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
      let allowed = Self.allowance(precision.activations) * largest
      for (index, (wanted, number)) in zip(expected, found).enumerated() {
        let isRight = wanted.isFinite ? abs(wanted - number) <= allowed : !number.isFinite
        if !isRight { return "\(operand)[\(index)] is \(number) instead of \(wanted)" }
      }
    }
    return nil
  }

  private static func floats(_ bytes: [UInt8]) -> [Float] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }
}
