import Compute
import ComputeCPU
import Datasets
import Failures
import FileFormats
import Glibc
import Methods
import Networks
import Reports
import Sessions
import TestSupport
import Testing
import Training

/// Networks of which only the last layer is trained, and layers that have a learning rate of their own.
@Suite struct `Pretrained layers` {
  private let scratch = ScratchFolder()

  private func settings(epochs: Int = 2) throws -> RunSettings {
    var settings = RunSettings()
    (settings.model, settings.limitTrain, settings.limitTest) = (try Network("resnet20"), 48, 20)
    (settings.batchSize, settings.epochs, settings.augment) = (16, epochs, RunSettings.AugmentationKind.none)
    return settings
  }

  /// Weights of the network, random ones, in a file without the last layer.
  private func weights() throws -> String {
    var settings = try settings()
    settings.seed = 7
    let trainer = try Trainer(settings, data: RunData(settings), on: CPUDevice(threads: 1))
    let state = try trainer.session.readState()
    var file = SafetensorsFile()
    for tensor in state.parameters.dropLast(2) + state.running {
      file[tensor.name] = .init(tensor.values, shape: tensor.shape)
    }
    try file.write(to: scratch("weights"))
    return scratch("weights")
  }

  private func frozen(_ settings: RunSettings) throws -> Trainer<CPUDevice> {
    let device = try CPUDevice(threads: 1), data = try RunData(settings)
    let network = try FrozenNetwork(settings, data, weights: weights(), on: device) { _, _ in }
    return try Trainer(settings, data: data, frozen: network, on: device)
  }

  /// The checkpoint of a trainer that has run within a folder.
  private func checkpoint(_ trainer: Trainer<CPUDevice>) throws -> SafetensorsFile {
    let folder = try RunFolder.create(at: scratch("run"), force: true)
    let record = RunRecord(
      command: "train", version: "0", arguments: [], device: "cpu", driver: "", tuning: .null, seeds: [:],
      data: .init(
        name: "shapes", layout: "shapes", trainCount: 48, testCount: 20, classCount: 10, fingerprint: "", samples: "",
        classNames: trainer.data.dataset.classNames, path: nil))
    trainer.write(into: RunJournal(folder: folder, record: record))
    #expect(try trainer.run() == .finished)
    return try SafetensorsFile.read(folder.lastCheckpoint)
  }

  // A method whose answer is an average keeps two layers, both of which make a whole network.
  @Test(arguments: ["plain", "self"])
  func `stay as they are, and the checkpoint is the whole network with its new last layer`(method: String) throws {
    var settings = try settings()
    settings.method = try MethodChoice(method)
    let trainer = try frozen(settings)
    let file = try checkpoint(trainer), before = try SafetensorsFile.read(scratch("weights"))
    for name in before.names { #expect(file[name] == before[name], "\(name)") }
    // What was measured of the layer alone is what the whole network gives.
    let evaluator = try Evaluator(checkpoint: scratch("run/checkpoints/last.safetensors"), on: CPUDevice(threads: 1))
    let test = try #require(trainer.data.dataset.test), whole = try evaluator.logits(test)
    let alone = try #require(try trainer.session.testLogits())
    let largest = zip(whole, alone).map { abs($0 - $1) }.max() ?? 1
    #expect(largest < 1e-4 && whole.count == 200, "\(largest)")
    #expect(try evaluator.score(test).accuracy == trainer.history.epochs.last?.testAccuracy)
  }

  /// Softmax regression over standardised features with Nesterov's momentum and weight decay, written anew in double
  /// precision.
  @Test func `feed a last layer that learns as softmax regression does`() throws {
    let settings = try settings(epochs: 3), trainer = try frozen(settings)
    let before = try trainer.session.readState().parameters
    let data = try #require(trainer.frozen?.data), features = data.dataset.train.images
    let (K, D) = (10, features.channels)
    let mean = data.normalization.mean, deviation = data.normalization.standardDeviation
    let rows = features.pixels.withUnsafeBytes { bytes in
      (0..<48 * D).map { index -> Double in
        let value = bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        return (Double(value) - Double(mean[index % D])) / Double(deviation[index % D])
      }
    }
    var w = before[0].values.map(Double.init) + before[1].values.map(Double.init)
    var v = [Double](repeating: 0, count: w.count)
    let rate = settings.optimizer.learningRate
    for epoch in 0..<3 {
      try trainer.session.begin(epoch: epoch, learningRate: rate, recordsMargins: false)
      for step in 0..<3 { try trainer.session.run(step: step) }
      let ids = Array(trainer.session.ids(ofFirst: 3))
      for step in 0..<3 {
        var gradient = [Double](repeating: 0, count: w.count)
        for id in ids[16 * step..<16 * step + 16] {
          let x = rows[Int(id) * D..<(Int(id) + 1) * D], label = Int(data.dataset.train.labels[Int(id)])
          let z = (0..<K).map { k in w[K * D + k] + zip(w[k * D..<(k + 1) * D], x).map(*).reduce(0, +) }
          let highest = z.max() ?? 0, e = z.map { exp($0 - highest) }, sum = e.reduce(0, +)
          for k in 0..<K {
            let d = (e[k] / sum - (k == label ? 1 : 0)) / 16
            gradient[K * D + k] += d
            for (column, value) in x.enumerated() { gradient[k * D + column] += d * value }
          }
        }
        for i in w.indices {
          let g = gradient[i] + settings.optimizer.weightDecay * w[i]
          v[i] = 0.9 * v[i] + g
          w[i] -= rate * (g + 0.9 * v[i])
        }
      }
    }
    let after = try trainer.session.readState().parameters
    let found = after[0].values + after[1].values
    let worst = zip(found, w).map { abs(Double($0) - $1) }.max() ?? 1
    #expect(worst < 1e-4, "\(worst)")
    #expect(after[0].values != before[0].values)
  }

  @Test func `learn at a rate of their own`() throws {
    func trained(_ rate: Double) throws -> [SessionState.Tensor] {
      var settings = try settings(epochs: 1)
      settings.optimizer.pretrainedRate = rate
      let trainer = try Trainer(settings, data: RunData(settings), on: CPUDevice(threads: 1))
      try trainer.initialize(from: scratch("weights"))
      #expect(try trainer.run() == .finished)
      return try trainer.session.readState().parameters
    }
    let before = try SafetensorsFile.read(weights())
    let (none, some, full) = (try trained(0), try trained(0.1), try trained(1))
    for (index, tensor) in none.dropLast(2).enumerated() {
      #expect(before[tensor.name] == .init(tensor.values, shape: tensor.shape), "\(tensor.name)")
      let (slow, fast) = (some[index].values, full[index].values)
      #expect(slow != tensor.values && fast != tensor.values && slow != fast, "\(tensor.name)")
    }
    #expect(none.last?.values != full.last?.values)
  }

  @Test func `keep their batch norms' statistics where these are asked for`() throws {
    func trained(_ statistics: RunSettings.BatchNormStatistics) throws -> Trainer<CPUDevice> {
      var settings = try self.settings(epochs: 1)
      // Random weights with statistics that are not theirs: outputs are large.
      (settings.batchNorm, settings.optimizer.learningRate) = (statistics, 1e-6)
      let trainer = try Trainer(settings, data: RunData(settings), on: CPUDevice(threads: 1))
      try trainer.initialize(from: weights())
      #expect(try trainer.run() == .finished)
      return trainer
    }
    let before = try SafetensorsFile.read(weights())
    for (statistics, stay) in [(RunSettings.BatchNormStatistics.running, true), (.batch, false)] {
      let trainer = try trained(statistics)
      for tensor in try trainer.session.readState().running {
        #expect((before[tensor.name] == .init(tensor.values, shape: tensor.shape)) == stay, "\(tensor.name)")
      }
    }
    // What a step computes is what evaluation computes of the same weights.
    var settings = try settings(epochs: 1)
    (settings.batchNorm, settings.optimizer.learningRate, settings.limitTest) = (.running, 0, nil)
    let trainer = try Trainer(settings, data: RunData(settings), on: CPUDevice(threads: 1))
    try trainer.initialize(from: weights())
    try trainer.session.begin(epoch: 0, learningRate: 0, recordsMargins: false)
    try trainer.session.run(step: 0)
    let alone = try trainer.session.logits(ofStep: 0), ids = Array(trainer.session.ids(ofFirst: 1))
    let session = trainer.session, images = trainer.data.dataset.train.images
    let stores = Dictionary(
      uniqueKeysWithValues: [Store.parameters, .running, .inputStatistics].map { ($0, session.buffer($0)) })
    let plans = try EvaluationPlans(
      DeviceData(trainer.data.dataset.train, on: session.device), ids: ids,
      graph: {
        try settings.model.graph(
          batch: $0, height: images.height, width: images.width, channels: images.channels, classes: 10)
      }, stores: stores, shared: SharedMemory())
    let evaluated = try plans.logits(on: session.device)
    let largest = zip(alone, evaluated).map { abs($0 - $1) }.max() ?? 1
    let scale = alone.map { abs($0) }.max() ?? 0
    #expect(largest <= 1e-5 * scale && alone.count == evaluated.count, "\(largest) of \(scale)")
  }

  @Test func `are needed for the features`() throws {
    let settings = try settings(), data = try RunData(settings)
    var file = try SafetensorsFile.read(weights())
    file["layer1.0.conv1.weight"] = nil
    try file.write(to: scratch("less"))
    #expect {
      try FrozenNetwork(settings, data, weights: scratch("less"), on: CPUDevice(threads: 1)) { _, _ in }
    } throws: {
      ($0 as? Failure)?.kind == .badInput
    }
  }
}
