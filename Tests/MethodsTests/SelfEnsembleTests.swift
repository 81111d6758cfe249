import Compute
import ComputeCPU
import ComputeOpenCL
import FileFormats
import Glibc
import Methods
import Sessions
import Testing

/// The teacher of SELF and what is decided by it, looked at step by step from outside.
@Suite("A network that is taught by its average")
struct SelfEnsembleTests {
  private let K = MethodFixture.classes, N = MethodFixture.data.count
  private static let none = Augmentation(crop: 0, flip: false)

  /// The tensors of a kind that a method stores beside those of its networks.
  private func stored<D: Device>(_ prefix: String, _ method: any Method<D>) throws -> [[Float]] {
    var file = SafetensorsFile(metadata: [:])
    try method.store(in: &file)
    let member = method.members[0]
    return try (member.parameters.entries + member.running.entries).map {
      try file.floats(prefix + $0.name, shape: $0.shape)
    }
  }

  private func weights(_ state: SessionState) -> [[Float]] { (state.parameters + state.running).map(\.values) }

  /// How far the ensemble is from the network's own predictions after the first step.
  private func distanceOfViews<D: Device>(_ augmentation: Augmentation, on device: D) throws -> Double {
    let setup = try MethodFixture.setup(augmentation: augmentation, on: device)
    let method = try MethodChoice("self").make(setup), member = method.members[0]
    _ = try method.begin(EpochStart(epoch: 0, step: 0, learningRate: 0.01))
    try method.step(0)
    let logits = try member.logits(ofStep: 0), ensemble = try member.floats("ensemble")
    var most = 0.0
    for (row, id) in member.ids(ofFirst: 1).map({ Int($0) }).enumerated() {
      let z = logits[row * K..<(row + 1) * K].map(Double.init), sum = z.reduce(0) { $0 + exp($1) }
      for k in 0..<K { most = max(most, abs(exp(z[k]) / sum - Double(ensemble[id * K + k]))) }
    }
    // The statistics have moved alike, from the same batch.
    if augmentation == Self.none {
      let (own, average) = (
        try member.readState().running, try stored("average.", method).suffix(member.running.entries.count)
      )
      for (mine, other) in zip(own, average) {
        #expect(zip(mine.values, other).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($0)) }, "\(mine.name)")
      }
    }
    return most
  }

  private func expectViews<D: Device>(on device: D) throws {
    #expect(try distanceOfViews(Self.none, on: device) < 1e-5)
    #expect(try distanceOfViews(Augmentation(crop: 4, flip: true), on: device) > 1e-3)
  }

  @Test("sees the same images as the average, and other crops of them") func views() throws {
    try expectViews(on: CPUDevice())
  }

  @Test(
    "sees the same images through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func viewsThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectViews(on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("has the moving average of its parameters, a plain mean at first")
  func parameters() throws {
    let decay = 0.75, method = try MethodChoice("self:decay=\(decay)").make(MethodFixture.setup(on: CPUDevice()))
    let member = method.members[0], count = member.parameters.entries.count
    var expected = try member.readState().parameters.map { $0.values.map(Double.init) }, updates = 0
    _ = try MethodFixture.train(method, epochs: 2) { _, _ in
      updates += 1
      let rate = max(1 / Double(updates + 1), 1 - decay)
      for (index, tensor) in try member.readState().parameters.enumerated() {
        for (place, value) in tensor.values.enumerated() {
          expected[index][place] += rate * (Double(value) - expected[index][place])
        }
      }
    }
    for (found, wanted) in zip(try stored("average.", method).prefix(count), expected) {
      #expect(zip(found, wanted).allSatisfy { abs(Double($0) - $1) <= 1e-5 * max(abs($1), 0.1) })
    }
    #expect(updates == 8)
  }

  @Test("keeps an average of predictions, and the labels that it agrees with")
  func ensemble() throws {
    // What is kept of the predictions changes nothing of them before the first choice of labels.
    let momentum = 0.6, setup = try MethodFixture.setup(epochs: 4, on: CPUDevice())
    let last = try MethodChoice("self:every=0,momentum=0").make(setup)
    let method = try MethodChoice("self:every=3,momentum=\(momentum)").make(setup)
    let member = method.members[0], labels = MethodFixture.data.labels
    var expected = [Float](), before: [Float] = []
    _ = try MethodFixture.train(last, epochs: 3) { _, step in
      guard step == last.members[0].batchSizes.count - 1 else { return }
      let p = try last.members[0].floats("ensemble")
      expected = expected.isEmpty ? p : zip(expected, p).map { Float(momentum) * $0 + Float(1 - momentum) * $1 }
    }
    let outcomes = try MethodFixture.train(method, epochs: 4) { epoch, step in
      let kept = try member.floats("kept")
      if epoch < 3 {
        #expect(kept.allSatisfy { $0 == 1 })
        before = try member.floats("ensemble")
      } else if step == 0 {
        #expect(zip(before, expected).allSatisfy { abs($0 - $1) < 1e-6 })
        for id in 0..<N {
          let row = before[id * K..<(id + 1) * K]
          #expect(kept[id] == (row[row.startIndex + Int(labels[id])] == row.max() ? 1 : 0))
        }
      }
    }
    let kept = try member.floats("kept"), truth = try #require(MethodFixture.data.trueLabels)
    let count = kept.count { $0 > 0 }, right = (0..<N).count { kept[$0] > 0 && truth[$0] == labels[$0] }
    #expect(count > 0 && count < N)
    #expect(outcomes[2].figures[0] == 1 && outcomes[3].figures[0] == Double(count) / Double(N))
    #expect(outcomes[3].figures[1] == Double(right) / Double(count))
    #expect(outcomes[3].figures.count == method.figures.count)
    let suspicion = try #require(try method.suspicion()), now = try member.floats("ensemble")
    #expect((0..<N).allSatisfy { suspicion[$0] == 1 - Double(now[$0 * K + Int(labels[$0])]) })
    #expect(outcomes[3].figures[4] == MethodFixture.data.score(ofSuspicion: suspicion)?.areaUnderROC)
    // What is left out teaches no label, but still to be consistent.
    #expect(try member.sampleResults().losses.allSatisfy(\.isFinite))
  }

  @Test("goes back to the best of what was held out when a round begins, which a checkpoint keeps")
  func best() throws {
    let setup = try MethodFixture.setup(epochs: 4, on: CPUDevice())
    let method = try MethodChoice("self:every=2").make(setup), member = method.members[0]
    var averages: [[[Float]]] = [], ensembles: [[Float]] = []
    func train(_ method: any Method<CPUDevice>, _ epoch: Int, _ accuracy: Double?) throws {
      for step in try method.begin(EpochStart(epoch: epoch, step: 0, learningRate: 0.01)).indices {
        try method.step(step)
      }
      let ids = method.members[0].ids(ofFirst: method.members[0].batchSizes.count)
      _ = try method.finish(EpochEnd(epoch: epoch, ids: ids, heldOutAccuracy: accuracy))
    }
    for accuracy in [0.5, 0.3] {
      try train(method, averages.count, accuracy)
      averages.append(try stored("average.", method))
      ensembles.append(try member.floats("ensemble"))
    }
    #expect(averages[0] != averages[1])
    var file = SafetensorsFile(metadata: [:])
    try method.store(in: &file)
    let state = try member.readState()
    _ = try method.begin(EpochStart(epoch: 2, step: 0, learningRate: 0.01))
    #expect(try stored("average.", method) == averages[0] && weights(member.readState()) == averages[0])
    #expect(try member.floats("ensemble") == ensembles[0])
    try train(method, 2, nil)

    let other = try MethodChoice("self:every=2").make(setup)
    try other.members[0].write(state)
    try other.restore(from: file)
    try train(other, 2, nil)
    #expect(try other.members[0].readState().bits == member.readState().bits)
    #expect(try stored("average.", other) == stored("average.", method))
    #expect(try other.members[0].floats("kept") == member.floats("kept"))
  }

  @Test("is evaluated by its average")
  func answer() throws {
    let setup = try MethodFixture.setup(on: CPUDevice())
    let method = try MethodChoice("self:decay=1").make(setup), member = method.members[0]
    #expect(method.answer == .average)
    // The average stays at the plain mean of all parameters so far, which is not the last of them.
    _ = try MethodFixture.train(method, epochs: 2)
    let evaluated = try #require(try member.testLogits())
    let average = try stored("average.", method), state = try member.readState()
    let alone = try setup.member()
    try alone.prepare { step, _ in alone.plainStep(&step) }
    func evaluate(_ values: [[Float]]) throws -> [Float]? {
      var other = state
      for index in other.parameters.indices { other.parameters[index].values = values[index] }
      for index in other.running.indices { other.running[index].values = values[other.parameters.count + index] }
      try alone.writeWeights(parameters: other.parameters, running: other.running)
      return try alone.testLogits()
    }
    #expect(try evaluate(average) == evaluated && evaluate(weights(state)) != evaluated)
  }
}
