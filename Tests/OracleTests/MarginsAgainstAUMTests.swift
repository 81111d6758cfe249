import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import FileFormats
import Losses
import Networks
import TestSupport
import Testing
import Training

@Suite("The area under the margin")
struct MarginsAgainstAUMTests {
  /// The example of the `aum` package's behaviour: two samples seen twice, one of them with another label each time.
  @Test("of a worked example is what the aum package says")
  func workedExample() throws {
    #expect(try Self.workedExample(on: CPUDevice()) == [7: 0.375, 3: -0.5])
    if let info = DeviceList.discover().devices.first(where: \.isSupported) {
      #expect(try Self.workedExample(on: OpenCLDevice(info)) == [7: 0.375, 3: -0.5])
    }
  }

  private static func workedExample<D: Device>(on device: D) throws -> [Int: Float] {
    let N = 8, ids: [Int32] = [7, 3]
    let seen: [(logits: [Float], labels: [Int32])] = [
      ([1.5, 2.25, -0.5, 0, 3, 1], [1, 2]), ([0.5, 2, 2, 4, 3, 1], [1, 0]),
    ]
    var stores: [Store: D.Buffer] = [:]
    for store in [
      Store.labels, .order, .counters, .numbers, .sampleLoss, .samplePrediction, .marginSum, .marginLost, .marginCount,
    ] {
      stores[store] = try device.allocate(byteCount: 16 * 4)
    }
    var state = StepState()
    state.recordsMargins = true
    try device.write(state.counters, to: stores[.counters]!)
    try device.write(ids, to: stores[.order]!)
    let logits = try device.allocate(byteCount: 6 * 4), dlogits = try device.allocate(byteCount: 6 * 4)
    let z = Value(index: 0), dz = Value(index: 1)
    let launches = try device.prepare(
      .loss(LossRows(RowFunction(kernel: "loss_ce_rows"), B: 2, K: 3, logits: z, dlogits: dz, peer: false))
    ) { operand in
      switch operand {
      case .value(let value): value == z ? logits : dlogits
      case .store(let store): stores[store]!
      }
    }
    for step in seen {
      var labels = [Int32](repeating: 0, count: N)
      for (id, label) in zip(ids, step.labels) { labels[Int(id)] = label }
      try device.write(labels, to: stores[.labels]!)
      try device.write(step.logits, to: logits)
      for launch in launches { try device.enqueue(launch) }
    }
    let sums = try device.read(Float.self, count: N, from: stores[.marginSum]!)
    let counts = try device.read(Int32.self, count: N, from: stores[.marginCount]!)
    return Dictionary(
      uniqueKeysWithValues: (0..<N).filter { counts[$0] > 0 }.map { ($0, sums[$0] / Float(counts[$0])) })
  }

  @Test(
    "of a training run is what the aum package makes of its logits",
    .enabled(if: PythonOracle.has("torch, safetensors, aum"), "\(PythonOracle.absence)"))
  func trainingRun() throws {
    try expectAgreement(on: CPUDevice())
    if let info = DeviceList.discover().devices.first(where: \.isSupported) {
      try expectAgreement(on: OpenCLDevice(info))
    } else {
      print("SKIPPED: there is no OpenCL device to compare with the aum package")
    }
  }

  /// Three epochs, shuffled and augmented, of which the first does not count.
  private func expectAgreement<D: Device>(on device: D) throws {
    let N = 128, B = 32, K = 10, epochs = 3
    var data = Shapes.samples(seed: 5, count: N, isTest: false)
    for id in stride(from: 0, to: N, by: 3) { data.labels[id] = (data.labels[id] + 1) % Int32(K) }
    let settings = try TrainingSession<D>.Settings(
      network: Network("resnet20"), loss: Loss("ce"), batchSize: B, augmentation: Augmentation(crop: 4, flip: true))
    let session = try TrainingSession(settings, train: data, test: nil, classes: K, on: device)
    var logits: [Float] = [], labels: [Int32] = [], ids: [Int32] = []
    for epoch in 0..<epochs {
      try session.begin(epoch: epoch, learningRate: 0.05, recordsMargins: epoch > 0)
      for step in session.batchSizes.indices {
        try session.run(step: step)
        guard epoch > 0 else { continue }
        logits += try #require(session.wholeBatches).readLogits()
        let batch = session.ids(ofFirst: step + 1).suffix(B)
        ids += batch
        labels += batch.map { data.labels[Int($0)] }
      }
    }
    let state = try session.readState()
    #expect(state.marginCount == [Int32](repeating: Int32(epochs - 1), count: N))

    let scratch = ScratchFolder()
    let steps = ids.count / B
    var request = SafetensorsFile(metadata: ["steps": "\(steps)"])
    request["logits"] = .init(logits, shape: [steps, B, K])
    request["labels"] = .init(labels, shape: [steps, B])
    request["ids"] = .init(ids, shape: [steps, B])
    try request.write(to: scratch("request"))
    try Oracle.run("margins", scratch("request"), scratch.path)
    let table = try CSV(decoding: FileBytes.read(scratch("aum_values.csv")), name: "aum_values.csv")
    #expect(table.header == ["sample_id", "aum"])
    var theirs = [Double](repeating: .nan, count: N)
    for row in table.rows { theirs[try #require(Int(row[0]))] = try #require(Double(row[1])) }
    let ours = (0..<N).map {
      (Double(state.marginSum[$0]) - Double(state.marginLost[$0])) / Double(state.marginCount[$0])
    }
    // The package sums in double precision what we sum in two floats.
    let comparison = Comparison("areas under the margin on \(device.name) ", ours, theirs, tolerance: 1e-6)
    #expect(comparison.passes, "\(comparison)")
  }
}
