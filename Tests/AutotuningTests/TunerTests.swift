import Autotuning
import Compute
import ComputeCPU
import ComputeKernels
import Failures
import Losses
import Networks
import Testing

/// The built-in CPU path with one kernel spoiled: weight gradients in other than the standard number of pieces are one
/// piece short.
private final class SpoiledDevice: TunableDevice {
  private let device: CPUDevice
  init() throws { device = try CPUDevice(threads: 1) }
  var name: String { device.name }
  var driver: String { device.driver }
  var forms: Set<FusedForm> { device.forms }
  var formats: Set<ElementType> { device.formats }
  var tuning: Tuning {
    get { device.tuning }
    set { device.tuning = newValue }
  }
  func supports(_ fused: TensorOperation) -> Bool { device.supports(fused) }
  func allocate(byteCount: Int) throws -> CPUDevice.Buffer { try device.allocate(byteCount: byteCount) }
  func write(_ bytes: UnsafeRawBufferPointer, to buffer: CPUDevice.Buffer, at offset: Int) throws {
    try device.write(bytes, to: buffer, at: offset)
  }
  func read(_ buffer: CPUDevice.Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    try device.read(buffer, at: offset, into: bytes)
  }
  func workspace(for operation: TensorOperation) throws -> (workspace: Int, vectors: Int) {
    try device.workspace(for: operation)
  }
  func prepare(
    _ operation: TensorOperation, activations: ElementType, buffer: (Operand) -> CPUDevice.Buffer
  ) throws -> [CPUDevice.Prepared] {
    let prepared = try device.prepare(operation, activations: activations, buffer: buffer)
    return tuning == .standard ? prepared : prepared.dropLast()
  }
  func enqueue(_ prepared: CPUDevice.Prepared) throws { try device.enqueue(prepared) }
  func flush() throws { try device.flush() }
  func lower(_ operation: TensorOperation) -> Lowered? { device.lower(operation) }
}

@Suite struct `The search for faster launches` {
  private static let window = Window(B: 8, H: 16, W: 16, C: 32, O: 32, KH: 3, KW: 3, stride: 1, padding: 1)
  private static func key(_ choice: Tuning.Choice) -> Tuning.Key { .init(choice, window) }

  private func program<D: Device>(on device: D, _ precision: Precision = .fp32) throws -> StepProgram {
    StepProgram.training(
      try Network("resnet20").graph(batch: 8, height: 32, width: 32, channels: 3, classes: 10), forms: device.forms,
      precision: precision, TrainingStep(augmentation: Augmentation(crop: 4, flip: true), loss: try Loss("ce").function)
    )
  }

  @Test func `takes the fastest of what is clearly faster`() throws {
    let times = [1: 0.99, 2: 0.5, 3: 0.4, 4: 0.2]
    let tuner = Tuner(
      [1, 2, 3, 4].map { Candidate(Self.key(.winogradRows), $0) } + [Candidate(Self.key(.weightChunks), 1)]
    ) {
      // The fastest of all is lost, and so is not the one that wins.
      $0.number == 4
        ? .lost("it crashed (signal 11)")
        : .measured(TrialResult(standardSeconds: 1, seconds: times[$0.number] ?? 1))
    }
    #expect(tuner.rows.count == 2)
    #expect(tuner.tuning == Tuning([Self.key(.winogradRows): 3]))
    #expect(tuner.rows[1].winner == nil)
  }

  @Test func `wants to see a winner twice`() throws {
    var trials: [Int: Int] = [:]
    let tuner = Tuner([1, 2, 3].map { Candidate(Self.key(.winogradRows), $0) }) {
      trials[$0.number, default: 0] += 1
      // The first time, 3 is lucky.
      let seconds = $0.number == 1 ? 1 : $0.number == 2 ? 0.8 : trials[3] == 1 ? 0.5 : 1.1
      return .measured(TrialResult(standardSeconds: 1, seconds: seconds))
    }
    #expect(tuner.tuning == Tuning([Self.key(.winogradRows): 2]))
    #expect(trials == [1: 1, 2: 2, 3: 2])
  }

  @Test func `tries what changes some launch, once`() throws {
    let device = try CPUDevice(threads: 1)
    let candidates = Candidate.all(for: try program(on: device), on: device)
    #expect(candidates.contains { $0.key.choice == .winogradRows && $0.number == 4 })
    #expect(candidates.contains { $0.key.choice == .weightChunks })
    // Choices of GPUs' kernels change nothing here.
    #expect(!candidates.contains { [.weightGroups, .tileItems].contains($0.key.choice) })
    #expect(Set(candidates).count == candidates.count)
    #expect(device.tuning == .standard)
  }

  @Test(arguments: [Precision.fp32, .mixed])
  func `measures a candidate that computes right`(precision: Precision) throws {
    let device = try CPUDevice(threads: 1)
    let trial = Trial(of: try program(on: device, precision), precision, on: device)
    let result = try trial.run(Candidate(Self.key(.winogradRows), 2))
    #expect(result.standardSeconds > 0 && result.seconds > 0)
    #expect(device.tuning == .standard)
  }

  @Test func `drops a candidate that computes wrong`() throws {
    let device = try SpoiledDevice()
    let trial = Trial(of: try program(on: device), .fp32, on: device)
    #expect {
      _ = try trial.run(Candidate(Self.key(.weightChunks), 2))
    } throws: {
      ($0 as? Failure)?.kind == .checkFailed
    }
  }
}

@Suite struct `A process for a candidate` {
  @Test func `may end, fail, crash and hang`() throws {
    func run(_ script: String, within seconds: Double = 30) throws -> ChildProcess.Ending {
      try ChildProcess.run("/bin/sh", arguments: ["-c", script], within: seconds)
    }
    #expect(try run("echo 1 2; echo why >&2") == .exited(code: 0, output: "1 2\n", errors: "why\n"))
    #expect(try run("exit 3") == .exited(code: 3, output: "", errors: ""))
    #expect(try run("kill -SEGV $$") == .crashed(signal: 11))
    #expect(try run("sleep 20", within: 0.2) == .tooSlow)
    #expect(try run("exec >&- 2>&-; sleep 20", within: 0.2) == .tooSlow)
    // More than a pipe holds.
    guard case .exited(0, let output, _) = try run("head -c 300000 /dev/zero | tr '\\0' x") else {
      Issue.record("a long output did not arrive")
      return
    }
    #expect(output.utf8.count == 300_000)
  }
}
