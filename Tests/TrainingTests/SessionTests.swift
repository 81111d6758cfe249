import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Losses
import Networks
import OpenCLTestSupport
import TestSupport
import Testing
import Training

/// A small run that tests build upon.
private func session<D: Device>(
  _ network: String = "resnet20", loss: String = "sce", batch: Int = 32, train: LabelledSet,
  test: LabelledSet? = nil, augmentation: Augmentation = Augmentation(crop: 4, flip: true), seed: UInt64 = 3,
  precision: Precision = .fp32, classes: Int = 10, on device: D
) throws -> TrainingSession<D> {
  var settings = try TrainingSession<D>.Settings(
    network: Network(network), loss: Loss(loss), batchSize: batch, augmentation: augmentation)
  (settings.seed, settings.precision) = (seed, precision)
  return try TrainingSession(settings, train: train, test: test, classes: classes, on: device)
}

/// Runs whole epochs and returns the mean training loss of the first step and the weights at the end.
private func run<D: Device>(
  _ session: TrainingSession<D>, epochs: Int, rate: Double = 0.05
) throws -> (firstLoss: Double, weights: [Float]) {
  var firstLoss = Double.nan
  for epoch in 0..<epochs {
    try session.begin(epoch: epoch, learningRate: rate, recordsMargins: epoch > 0)
    for step in session.batchSizes.indices {
      try session.run(step: step)
      if epoch == 0, step == 0 {
        let losses = try session.sampleResults().losses, ids = session.ids(ofFirst: 1)
        firstLoss = ids.reduce(0) { $0 + Double(losses[Int($1)]) } / Double(ids.count)
      }
    }
  }
  return (firstLoss, try session.readState().parameters.flatMap(\.values))
}

@Suite struct `A training session` {
  let data = Shapes.samples(seed: 2, count: 100, isTest: false)

  @Test(arguments: [Precision.fp32, .mixed])
  func `gives the same bits again, whatever the number of threads`(precision: Precision) throws {
    let one = try run(session(train: data, precision: precision, on: CPUDevice(threads: 1)), epochs: 2)
    let two = try run(session(train: data, precision: precision, on: CPUDevice(threads: 2)), epochs: 2)
    let three = try run(session(train: data, precision: precision, on: CPUDevice(threads: 3)), epochs: 2)
    #expect(one.weights == two.weights && two.weights == three.weights)
    let other = try run(session(train: data, seed: 4, precision: precision, on: CPUDevice()), epochs: 2)
    #expect(one.weights != other.weights)
  }

  @Test(
    .enabled(if: FirstDevice.supported != nil, "\(FirstDevice.absence)"),
    arguments: OpenCLDevice.Style.allCases, [Precision.fp32, .mixed])
  func `gives the same bits again through OpenCL`(style: OpenCLDevice.Style, precision: Precision) throws {
    let info = try #require(FirstDevice.supported)
    let device = try OpenCLDevice(info, style: style)
    let first = try run(session(train: data, precision: precision, on: device), epochs: 1)
    let second = try run(session(train: data, precision: precision, on: device), epochs: 1)
    #expect(first.weights == second.weights)
  }

  @Test func `is close to single precision in mixed precision`() throws {
    let whole = try session(train: data, on: CPUDevice()),
      half = try session(train: data, precision: .mixed, on: CPUDevice())
    let first = try run(whole, epochs: 1, rate: 1e-3), second = try run(half, epochs: 1, rate: 1e-3)
    // One rounding of 2^-9 for each of some 60 stored tensors between image and loss.
    #expect(abs(first.firstLoss - second.firstLoss) <= 60 * 0x1p-9 * first.firstLoss)
    #expect(first.firstLoss != second.firstLoss)
    #expect(first.weights != second.weights)
  }

  /// By how much the gradients of some losses are smaller than that of cross entropy where all classes are alike.
  private static let smallness = ["ael": 5.0, "nce": 20, "nfl": 20, "ngce": 20, "nmae": 20, "nnce": 10, "aul": 0.1]
  /// What some losses need to learn a few images.
  private static let parameters = [
    "peer": ":alpha=0.1", "ce+sr": ":rho=1", "dmi": ":warm=20,rate=0.05", "cores2": ":beta=0.5",
  ]

  @Test(arguments: Loss.all.map(\.entry.name))
  func `overfits 32 images with every loss`(loss: String) throws {
    var few = Shapes.samples(seed: 9, count: 32, isTest: false)
    // Two of the ten classes: losses whose gradient vanishes with p_y are slow to leave ten equal probabilities.
    few.labels = few.labels.map { $0 % 2 }
    let session = try session(
      loss: loss + (Self.parameters[loss] ?? ""), batch: 16, train: few,
      augmentation: Augmentation(crop: 0, flip: false), on: CPUDevice())
    var right = 0
    for epoch in 0..<400 where right < 29 {
      let rate = 0.02 * (Self.smallness[loss] ?? 1)
      try session.begin(epoch: epoch, learningRate: rate, recordsMargins: false)
      for step in session.batchSizes.indices { try session.run(step: step) }
      right = zip(try session.sampleResults().predictions, few.labels).filter { $0 == $1 }.count
    }
    #expect(right >= 29, "\(right) of 32 learned")
  }

  @Test(arguments: [10, 100])
  func `goes on from cross entropy with the determinant loss`(classes: Int) throws {
    var few = Shapes.samples(seed: 9, count: 64, isTest: false)
    // Ten classes among those that there are.
    few.labels = few.labels.map { $0 * Int32(classes / 10) }
    let session = try session(
      loss: "dmi:warm=20", batch: 32, train: few, augmentation: Augmentation(crop: 0, flip: false), classes: classes,
      on: CPUDevice())
    var losses: [Float] = []
    for epoch in 0..<32 {
      try session.begin(epoch: epoch, learningRate: epoch < 20 ? 0.02 : 1e-4, recordsMargins: false)
      for step in session.batchSizes.indices { try session.run(step: step) }
      losses.append(try session.sampleResults().losses.reduce(0, +) / 64)
    }
    // -log |det U| falls; means, since a batch's depends on which classes it has.
    func mean(_ epochs: Range<Int>) -> Float { losses[epochs].reduce(0, +) / Float(epochs.count) }
    #expect(mean(28..<32) < mean(20..<24) - 0.1, "\(losses)")
  }

  @Test func `puts a state back to the same bits`() throws {
    let device = try CPUDevice()
    let whole = try session(train: data, on: device)
    let expected = try run(whole, epochs: 2).weights
    let first = try session(train: data, on: device)
    try first.begin(epoch: 0, learningRate: 0.05, recordsMargins: false)
    for step in first.batchSizes.indices { try first.run(step: step) }
    try first.begin(epoch: 1, learningRate: 0.05, recordsMargins: true)
    try first.run(step: 0)
    let second = try session(train: data, seed: 3, on: device)
    try second.write(first.readState())
    try second.begin(epoch: 1, step: 1, learningRate: 0.05, recordsMargins: true)
    for step in second.batchSizes.indices.dropFirst() { try second.run(step: step) }
    #expect(try second.readState().parameters.flatMap(\.values) == expected)
    #expect(try second.readState().marginSum == whole.readState().marginSum)
    #expect(try second.readState().marginCount == [Int32](repeating: 1, count: 100))
  }

  @Test func `visits every sample once in an epoch`() throws {
    let session = try session(batch: 32, train: data, on: CPUDevice())
    #expect(session.batchSizes == [32, 32, 32, 4])
    try session.begin(epoch: 0, learningRate: 0, recordsMargins: false)
    let ids = Array(session.ids(ofFirst: 4))
    #expect(ids.sorted() == (0..<100).map { Int32($0) })
    try session.begin(epoch: 1, learningRate: 0, recordsMargins: false)
    #expect(Array(session.ids(ofFirst: 4)) != ids)
  }

  /// Drawn together they would be a sample of the data once more, and peer loss would unlearn it.
  @Test func `draws the images of peers and their labels apart`() throws {
    func losses(alpha: Int) throws -> [Float] {
      // Without batch norm, crops and dropout the loss of an image with a label is the same in every batch.
      let session = try session(
        "mlp:width=128,dropout=0", loss: "peer:alpha=\(alpha)", train: data,
        augmentation: Augmentation(crop: 0, flip: false), on: CPUDevice())
      try session.begin(epoch: 0, learningRate: 0, recordsMargins: false)
      for step in session.batchSizes.indices { try session.run(step: step) }
      return try session.sampleResults().losses
    }
    let own = try losses(alpha: 0), peers = zip(own, try losses(alpha: 1)).map { $0 - $1 }
    let known = peers.count { peer in own.contains { abs($0 - peer) <= 1e-5 } }
    // Of ten classes, one label in ten is that of the image.
    #expect(known < 30, "\(known) of \(peers.count) peers are samples with their own label")
  }

  @Test(.enabled(if: FirstDevice.supported != nil, "\(FirstDevice.absence)"))
  func `agrees between the built-in CPU and OpenCL`() throws {
    let info = try #require(FirstDevice.supported)
    let cpu = try session(train: data, on: CPUDevice())
    let openCL = try session(train: data, on: OpenCLDevice(info))
    let first = try run(cpu, epochs: 1, rate: 1e-3), second = try run(openCL, epochs: 1, rate: 1e-3)
    // The same crops, flips and order exactly, so that the first loss differs by rounding alone.
    #expect(abs(first.firstLoss - second.firstLoss) <= 1e-5 * first.firstLoss)
    #expect(cpu.ids(ofFirst: 4) == openCL.ids(ofFirst: 4))
    let difference = zip(first.weights, second.weights).reduce(0) { max($0, abs($1.0 - $1.1)) }
    // Four steps at a rate of 1e-3: rounding stays far below one step's movement.
    #expect(difference < 1e-4, "\(difference)")
  }

  @Test(.enabled(if: !FirstDevice.recording.isEmpty, "\(FirstDevice.recordingAbsence)"))
  func `gives the same bits whether OpenCL replays recorded steps or not`() throws {
    for info in FirstDevice.recording {
      func result(recorded: Bool) throws -> SessionState {
        let device = try OpenCLDevice(info, commandBuffers: recorded)
        let session = try session(train: data, on: device)
        let plan = try #require(session.wholeBatches)
        let launches = plan.prepared.reduce(0) { $0 + $1.count }
        #expect(launches > 100 && plan.enqueueCount == (recorded ? 1 : launches))
        _ = try run(session, epochs: 2)
        return try session.readState()
      }
      let (plain, recorded) = (try result(recorded: false), try result(recorded: true))
      func bits(_ state: SessionState) -> [UInt32] {
        (state.parameters + state.momenta + state.running).flatMap { $0.values.map(\.bitPattern) }
          + (state.marginSum + state.marginLost + state.sampleLoss).map(\.bitPattern)
      }
      #expect(bits(plain) == bits(recorded), "\(info.name)")
      #expect(plain.marginCount == recorded.marginCount && plain.marginCount.allSatisfy { $0 == 1 })
      #expect(plain.samplePrediction == recorded.samplePrediction)
      #expect(plain.parameters.allSatisfy { $0.values.allSatisfy(\.isFinite) })
    }
  }
}
