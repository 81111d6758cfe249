import Compute
import ComputeCPU
import ComputeReference
import TestSupport
import Testing

/// A loss kernel on made-up rows, without a network.
private struct LossBench<D: Device> {
  let device: D
  let stores: [Store: D.Buffer]
  let logits: D.Buffer, dlogits: D.Buffer
  let B: Int, K: Int

  /// - Parameters:
  ///   - labels: of samples 0 ..< N; sample b stands in row b.
  ///   - transition: what a loss that corrects labels reads.
  init(
    on device: D, B: Int, K: Int, labels: [Int], state: StepState, transition: [Float] = [], workspace: Int = 1
  ) throws {
    (self.device, self.B, self.K) = (device, B, K)
    logits = try device.allocate(byteCount: B * K * 4)
    dlogits = try device.allocate(byteCount: B * K * 4)
    func floats(_ values: [Float]) throws -> D.Buffer {
      let buffer = try device.allocate(byteCount: values.count * 4)
      try device.write(values, to: buffer)
      return buffer
    }
    func integers(_ values: [Int32]) throws -> D.Buffer {
      let buffer = try device.allocate(byteCount: values.count * 4)
      try device.write(values, to: buffer)
      return buffer
    }
    let zeros = [Float](repeating: 0, count: labels.count), ids = labels.indices.map(Int32.init)
    stores = [
      .labels: try integers(labels.map(Int32.init)), .order: try integers(ids), .peerOrder: try integers(ids),
      // The peer pass's labels are those of the samples behind the first batch.
      .peerLabelOrder: try integers((0..<B).map { Int32(($0 + B) % labels.count) }),
      .counters: try integers(state.counters), .numbers: try floats(state.numbers), .sampleLoss: try floats(zeros),
      .samplePrediction: try floats(zeros), .marginSum: try floats(zeros), .marginLost: try floats(zeros),
      .marginCount: try floats(zeros), .transition: try floats(transition + [0]),
      .workspace: try floats([Float](repeating: 0, count: workspace)),
    ]
  }

  func prepare(_ kernel: String, peer: Bool, inputs: RowFunction.Inputs = .row) throws -> [D.Prepared] {
    let z = Value(index: 0), dz = Value(index: 1)
    return try device.prepare(
      .loss(
        LossRows(RowFunction(kernel: kernel, inputs: inputs), B: B, K: K, logits: z, dlogits: dz, peer: peer))
    ) { operand in
      switch operand {
      case .value(let value): return value == z ? logits : dlogits
      case .store(let store):
        guard let buffer = stores[store] else { preconditionFailure("a loss reads no \(store)") }
        return buffer
      }
    }
  }

  /// The gradients of some rows of logits.
  func gradients(
    _ kernel: String, _ rows: [[Double]], peer: Bool = false, inputs: RowFunction.Inputs = .row
  ) throws -> [Float] {
    try device.write(rows.flatMap { $0 }.map { Float($0) }, to: logits)
    for launch in try prepare(kernel, peer: peer, inputs: inputs) { try device.enqueue(launch) }
    return try device.read(Float.self, count: B * K, from: dlogits)
  }

  func column(_ store: Store) throws -> [Float] {
    guard let buffer = stores[store] else { preconditionFailure("a loss writes no \(store)") }
    return try device.read(Float.self, count: B, from: buffer)
  }
}

@Suite("The loss kernels")
struct LossKernelTests {
  /// Eight units in Float's last place, at the size of the largest number.
  private static let tolerance = 1e-6
  /// The vectors have ten digits behind the point, of which the last may be rounded.
  private static let smallest = 1e-4

  private func check<D: Device>(_ vector: LossVector, on device: D) throws {
    var state = StepState()
    state.lossParameters = vector.parameters.map { Float($0) }
    let bench = try LossBench(
      on: device, B: 1, K: 5, labels: [vector.label], state: state, transition: vector.matrix.map { Float($0) })
    let inputs: RowFunction.Inputs = vector.matrix.isEmpty ? .row : .transition
    let gradient = Comparison(
      "gradient", try bench.gradients(vector.kernel, [LossVector.logits], inputs: inputs), vector.gradient,
      tolerance: Self.tolerance, scale: Self.smallest)
    #expect(gradient.passes, "\(device.name), \(gradient)")
    let loss = Comparison(
      "loss", try bench.column(.sampleLoss), [vector.loss], tolerance: Self.tolerance, scale: Self.smallest)
    #expect(loss.passes, "\(device.name), \(loss)")
  }

  @Test("have the values that PyTorch's autograd gives", arguments: LossVector.all)
  func goldenVectors(vector: LossVector) throws {
    for set in CPUDevice.instructionSets { try check(vector, on: CPUDevice(threads: 1, instructionSet: set)) }
    try check(vector, on: ReferenceDevice())
  }

  private func checkPeer<D: Device>(on device: D) throws {
    let batch = PeerBatch()
    var state = StepState()
    state.peerWeight = -0.5
    state.lossParameters = [0.5, 1e-5]
    let bench = try LossBench(on: device, B: 4, K: 3, labels: batch.labels + batch.peerLabels, state: state)
    let first = Comparison(
      "first pass", try bench.gradients("loss_peer_rows", batch.logits), batch.gradient.flatMap { $0 },
      tolerance: Self.tolerance)
    let peer = Comparison(
      "peer pass", try bench.gradients("loss_peer_rows", batch.peerLogits, peer: true),
      batch.peerGradient.flatMap { $0 }, tolerance: Self.tolerance)
    #expect(first.passes, "\(device.name), \(first)")
    #expect(peer.passes, "\(device.name), \(peer)")
    // What is recorded is the loss that is trained: each sample's own, and its peer's with the weight -alpha.
    let losses = try bench.column(.sampleLoss).map(Double.init)
    let mean = Comparison(
      "loss", [losses.reduce(0, +) / Double(losses.count)], [batch.loss], tolerance: Self.tolerance, scale: 1)
    #expect(mean.passes, "\(device.name), \(mean)")
  }

  @Test("give the gradients of peer loss in two passes")
  func peerBatch() throws {
    for set in CPUDevice.instructionSets { try checkPeer(on: CPUDevice(threads: 1, instructionSet: set)) }
    try checkPeer(on: ReferenceDevice())
  }

  private func checkDeterminant<D: Device>(on device: D) throws {
    let batch = DeterminantBatch()
    var state = StepState()
    state.lossParameters = [1e-3, 0]
    let bench = try LossBench(on: device, B: 4, K: 3, labels: batch.labels, state: state, workspace: 13)
    let gradient = Comparison(
      "gradient", try bench.gradients("loss_dmi_rows", batch.logits, inputs: .determinant),
      batch.gradient.flatMap { $0 }, tolerance: Self.tolerance)
    #expect(gradient.passes, "\(device.name), \(gradient)")
    let loss = Comparison(
      "loss", try bench.column(.sampleLoss), [Double](repeating: batch.loss, count: 4), tolerance: Self.tolerance)
    #expect(loss.passes, "\(device.name), \(loss)")
  }

  @Test("give the gradient of the determinant loss")
  func determinantBatch() throws {
    for set in CPUDevice.instructionSets { try checkDeterminant(on: CPUDevice(threads: 1, instructionSet: set)) }
    try checkDeterminant(on: ReferenceDevice())
  }

  @Test("sum margins over many epochs without losing digits", arguments: CPUDevice.instructionSets)
  func margins(instructionSet: String) throws {
    let device = try CPUDevice(threads: 1, instructionSet: instructionSet)
    var state = StepState()
    state.recordsMargins = true
    let bench = try LossBench(on: device, B: 2, K: 2, labels: [0, 1], state: state)
    let rows: [Float] = [0.1, 0, 0.25, 1_000.1]
    try device.write(rows, to: bench.logits)
    let launches = try bench.prepare("loss_ce_rows", peer: false), epochs = 100_000
    for _ in 0..<epochs { for launch in launches { try device.enqueue(launch) } }
    // A plain sum of Floats is off by one part in 10^4 here; a compensated one by no more than its last rounding.
    let sums = zip(try bench.column(.marginSum), try bench.column(.marginLost)).map { Double($0) - Double($1) }
    let margins = [rows[0] - rows[1], rows[3] - rows[2]].map { Double($0) * Double(epochs) }
    let comparison = Comparison("margins", [sums[0] / margins[0], sums[1] / margins[1]], [1, 1], tolerance: 1e-7)
    #expect(comparison.passes, "\(comparison)")
  }
}
