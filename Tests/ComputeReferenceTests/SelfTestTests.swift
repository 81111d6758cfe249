import Compute
import ComputeReference
import Failures
import TestSupport
import Testing

/// A device that computes as the reference does, and then spoils one number.
private final class SpoilingDevice: Device {
  enum Fault: CaseIterable {
    /// One thousandth of the largest output is added to the last.
    case inexact
    /// The last output is never written.
    case unwritten
    /// One number behind the outputs is written.
    case overrun
  }

  typealias Buffer = ReferenceDevice.Buffer

  struct Prepared {
    let launch: ReferenceDevice.Prepared
    let spoil: () throws -> Void
  }

  let reference = ReferenceDevice(fuses: true)
  let fault: Fault
  let name = "spoiling", driver = "none", forms: Set<FusedForm> = [], formats: Set<ElementType> = [.float32]

  init(_ fault: Fault) { self.fault = fault }

  func supports(_ fused: TensorOperation) -> Bool { reference.supports(fused) }

  func allocate(byteCount: Int) throws -> Buffer { try reference.allocate(byteCount: byteCount) }
  func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws {
    try reference.write(bytes, to: buffer, at: offset)
  }
  func read(_ buffer: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    try reference.read(buffer, at: offset, into: bytes)
  }
  func workspace(for operation: TensorOperation) throws -> (workspace: Int, vectors: Int) { (0, 0) }
  func flush() throws {}

  func prepare(
    _ operation: TensorOperation, activations: ElementType, buffer: (Operand) -> Buffer
  ) throws -> [Prepared] {
    // Where the operation leaves its floats, how many there are, and where they begin.
    let output: (Operand, count: Int, first: Int)
    switch operation {
    case .convolve(let one):
      output = (.value(one.output), one.window.B * one.window.P * one.window.Q * one.window.O, 0)
    case .convolveBackwardData(let one):
      output = (.value(one.dinput), one.window.B * one.window.H * one.window.W * one.window.C, 0)
    case .convolveBackwardWeights(let one):
      let window = one.window, count = Parameter.padded(window.O) * window.C * window.KH * window.KW
      output = (.store(.gradients), count, one.weightsAt)
    case .normalize(let one): output = (.value(one.output), one.M * one.C, 0)
    case .normalizeBackward(let one): output = (.value(one.dinput), one.M * one.C, 0)
    case .normalizeBackwardSums(let one): output = (.value(one.below.sums), 2 * Parameter.padded(one.C), 0)
    case .normalizeBackwardApply(let one): output = (.value(one.gradient.output), one.M * one.C, 0)
    case .linear(let one): output = (.value(one.output), one.M * one.N, 0)
    case .loss(let one): output = (.value(one.dlogits), one.B * one.K, 0)
    case .update(let one): output = (.store(.parameters), one.count, 0)
    default: preconditionFailure("\(operation.name) is not spoiled")
    }
    // Losses have rows that do not count, and constant statistics no gradient.
    let mayBeZero =
      switch operation {
      case .loss: true
      case .normalizeBackwardSums(let one): one.below.layer.statistics.isConstant
      default: false
      }
    let target = buffer(output.0), fault = fault, first = output.first
    let before = try reference.read(Float.self, count: output.count, from: target, at: first)
    return try reference.prepare(operation, buffer: buffer).map { launch in
      Prepared(launch: launch) { [reference] in
        let after = try reference.read(Float.self, count: output.count, from: target, at: first)
        // The last number that was really written: padding may have been left as it was, or set to 0.
        guard
          let last = after.indices.last(where: {
            after[$0] != before[$0] && !after[$0].isNaN && (after[$0] != 0 || mayBeZero)
          })
        else { return }
        switch fault {
        case .inexact:
          let largest = after.reduce(0) { max($0, abs($1)) }
          try reference.write([after[last] + 1e-3 * (largest == 0 ? 1 : largest)], to: target, at: first + last)
        case .unwritten: try reference.write([before[last]], to: target, at: first + last)
        case .overrun: try reference.write([Float(0)], to: target, at: first + after.count)
        }
      }
    }
  }

  func enqueue(_ prepared: Prepared) throws {
    try reference.enqueue(prepared.launch)
    try prepared.spoil()
  }
}

@Suite("The self-test")
struct SelfTestTests {
  private static let spoiled: Set<String> = [
    "convolve", "convolve backward weights", "normalize", "normalize backward", "linear", "loss", "update",
    "normalize backward sums", "normalize backward apply", "normalize, convolve", "convolve, normalize backward data",
    "normalize, convolve backward weights",
  ]

  @Test("finds the reference equal to itself")
  func passesTheReference() throws {
    for result in try SelfTest(on: ReferenceDevice(fuses: true)).run() {
      // Half a unit in the last place, from rounding on writing.
      #expect(result.worstError <= 1, "\(result.name) \(result.shape): \(result.detail)")
    }
  }

  @Test("finds a single wrong, missing or additional number in any case", arguments: SpoilingDevice.Fault.allCases)
  private func findsFaults(fault: SpoilingDevice.Fault) throws {
    let cases = OperationCase.all.filter { Self.spoiled.contains($0.operation.name) && $0.byteCount < 50_000 }
    #expect(cases.count > 200)
    for result in try SelfTest(on: SpoilingDevice(fault), cases: cases).run() {
      #expect(!result.passed, "\(result.name) \(result.shape)")
    }
  }

  @Test("has cases for every operation, each under its own name")
  func coversEverything() {
    let cases = OperationCase.all
    #expect(Set(cases.map(\.operation.name)).count == 42)
    let twice = Dictionary(grouping: cases, by: \.name).filter { $0.value.count > 1 }.keys
    #expect(twice.isEmpty)
    let kernels = cases.compactMap { tested -> String? in
      if case .loss(let loss) = tested.operation { loss.function.kernel } else { nil }
    }
    #expect(
      Set(kernels)
        == Set(ReferenceLoss.table.keys).union(ReferenceCorrection.table.keys).union([ReferenceDeterminant.kernel]))
  }

  @Test("leaves out the fused operations that a device does not have")
  func skipsWhatIsUnsupported() {
    let apart = SelfTest(on: ReferenceDevice()).cases, all = SelfTest(on: ReferenceDevice(fuses: true)).cases
    #expect(!apart.contains { $0.operation.isFused })
    #expect(all.count == OperationCase.all.count && all.count - apart.count == all.count { $0.operation.isFused })
  }

  @Test("keeps ReLUs whose masks are computed again away from their threshold")
  func masksAreDecided() throws {
    let cases = OperationCase.all.filter { tested in
      tested.contents.values.contains { if case .decided = $0 { true } else { false } }
    }
    #expect(cases.count > 15)
    for tested in cases {
      let layer: NormalizedInput?, C: Int
      switch tested.operation {
      case .normalizeBackwardSums(let sums): (layer, C) = (sums.below.layer, sums.C)
      case .convolveBackwardData(let backward): (layer, C) = (backward.below?.layer, backward.window.C)
      default: (layer, C) = (nil, 0)
      }
      let own = try #require(layer), inputs = tested.inputs
      func numbers(_ operand: Operand, at index: Int = 0, count: Int? = nil) throws -> [ReferenceNumber] {
        let bytes = try #require(inputs[operand])
        return bytes.withUnsafeBytes { raw in
          (index..<index + (count ?? raw.count / 4)).map {
            ReferenceNumber(raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self))
          }
        }
      }
      let x = try numbers(.value(own.input))
      let values = ReferenceMath.normalize(
        x,
        by: .init(
          mean: Array(try numbers(.value(own.statistics.mean)).prefix(C)),
          inverse: try numbers(.value(own.statistics.inverse)),
          gamma: try numbers(.store(.parameters), at: own.gammaAt, count: C),
          beta: try numbers(.store(.parameters), at: own.betaAt, count: C)))
      // No sum of a few roundings comes near this, nor is every number on one side.
      #expect(values.allSatisfy { abs($0.value) > 1e-3 && abs($0.value) > 100 * $0.roundings * 0x1p-24 })
      #expect(x.count < 100 || values.contains { $0.value > 0 } && values.contains { $0.value < 0 })
    }
  }

  @Test("takes the cases of a program from its operations, with small batches")
  func casesOfAProgram() {
    var graph = Graph(batch: 256, height: 32, width: 32, channels: 3)
    var x = graph.convolve(graph.images, "conv1", channels: 16, size: 3, padding: 1)
    for index in 2...4 {
      x = graph.convolve(x, "conv\(index)", channels: 16, size: 3, padding: 1)
      x = graph.rectify(graph.normalize(x, "bn\(index)"))
    }
    _ = graph.linear(graph.globalAverage(x), "fc", outputs: 10)
    let program = StepProgram.training(
      graph, forms: Set(FusedForm.allCases),
      TrainingStep(
        augmentation: Augmentation(crop: 4, flip: true), loss: RowFunction(kernel: "loss_sce_rows"), peer: true,
        clip: true))
    let cases = OperationCase.cases(for: program)
    #expect(Set(cases.map(\.operation.name)) == Set(program.operations.map(\.name)))
    // Three equal blocks behind the first convolution, and two passes: but each operation once.
    #expect(cases.count { $0.operation.name == "convolve" } == 2)
    #expect(cases.count { $0.operation.name == "normalize" } == 1)
    let batches = cases.compactMap { tested -> Int? in
      if case .convolve(let convolve) = tested.operation { convolve.window.B } else { nil }
    }
    #expect(Set(batches) == [2])
  }

  @Test("does not pass over a loss that the reference does not know")
  func unknownLoss() throws {
    var graph = Graph(batch: 2, height: 1, width: 1, channels: 3)
    _ = graph.linear(graph.globalAverage(graph.images), "fc", outputs: 4)
    let program = StepProgram.training(
      graph, forms: [],
      TrainingStep(augmentation: Augmentation(crop: 0, flip: false), loss: RowFunction(kernel: "loss_none_rows")))
    let test = SelfTest(on: ReferenceDevice(), cases: OperationCase.cases(for: program))
    #expect { try test.run() } throws: { ($0 as? Failure)?.kind == .bug }
  }

  @Test("reads weights as they are packed", arguments: [(1, 1, 1), (3, 5, 3), (17, 33, 3), (48, 16, 5)])
  func packing(O: Int, C: Int, size: Int) throws {
    var graph = Graph(batch: 1, height: size, width: size, channels: C)
    _ = graph.convolve(graph.images, "conv", channels: O, size: size, padding: 0)
    let parameter = graph.parameters.entries[0]
    let weights = (0..<parameter.count).map { Float($0 % 101) - 50 }
    let images = (0..<size * size * C).map { Float($0 % 13) - 6 }
    let device = ReferenceDevice()
    let window = Window(B: 1, H: size, W: size, C: C, O: O, KH: size, KW: size, stride: 1, padding: 0)
    let input = try device.allocate(byteCount: images.count * 4), output = try device.allocate(byteCount: O * 4)
    let parameters = try device.allocate(byteCount: parameter.packedCount * 4)
    try device.write(images, to: input)
    try device.write(parameter.pack(weights), to: parameters)
    let x = Value(index: 0), y = Value(index: 1)
    let operation = TensorOperation.convolve(Convolve(window: window, input: x, weightsAt: 0, output: y))
    let buffers: [Operand: ReferenceDevice.Buffer] = [.value(x): input, .value(y): output]
    for launch in try device.prepare(operation, buffer: { buffers[$0] ?? parameters }) { try device.enqueue(launch) }
    let expected = ReferenceMath.convolve(
      .init(images.map(Double.init)), weights: .init(weights.map(Double.init)), window)
    #expect(try device.read(Float.self, count: O, from: output).map(Double.init) == expected.values)
  }
}
