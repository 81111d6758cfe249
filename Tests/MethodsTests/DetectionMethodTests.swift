import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Detection
import Methods
import Sessions
import Testing

/// The sums that the device keeps, against those of `SampleDynamics` in double precision.
@Suite("The networks of a detection")
struct DetectionMethodTests {
  /// By how much a sum of compensated floats may be off, as a share of the sum of its terms' sizes.
  private let tolerance = 1e-6

  private func expectSums<D: Device>(_ margin: MarginKind, on device: D) throws {
    var settings = DetectionSettings()
    (settings.detector, settings.margin, settings.keepMargins) = (.combined, margin, true)
    let epochs = 4, data = MethodFixture.data
    let method = try DetectionMethod(
      MethodFixture.setup(epochs: epochs, on: device), settings, judged: data)
    let network = method.networks[0], labels = network.labels(data.labels, classes: MethodFixture.classes)
    var oracle = network.emptyDynamics(samples: data.count, classes: MethodFixture.classes, margin: margin)
    var sizes = [Double](repeating: 0, count: data.count), history: [Float] = []
    let outcomes = try MethodFixture.train(method, epochs: epochs) { epoch, step in
      let member = method.members[0]
      if step == 0 { oracle.beginEpoch() }
      let ids = member.ids(ofFirst: step + 1).suffix(member.batchSizes[step])
      let logits = try member.logits(ofStep: step)
      let isFinite = oracle.add(logits: logits, ids: ids, labels: labels, counts: epoch > 0)
      #expect(isFinite)
      if epoch > 0 { for id in ids { sizes[Int(id)] += Double(abs(oracle.epochMargins[Int(id)])) } }
      if step == member.batchSizes.count - 1 { history += oracle.epochMargins }
    }
    // Threshold samples do not count in the scores of training.
    guard case .pass(let thresholds) = network.kind else { preconditionFailure("passes come first") }
    #expect(Set(try #require(outcomes[0].scored)) == Set(data.labelledIDs).subtracting(thresholds))

    _ = try method.result()
    let found = try #require(method.results.first), dynamics = found.dynamics
    #expect(dynamics.marginCount == oracle.marginCount && dynamics.marginCount.allSatisfy { $0 == 3 })
    #expect(dynamics.forgettings == oracle.forgettings && dynamics.wasRight == oracle.wasRight)
    for id in 0..<data.count {
      #expect(abs(dynamics.marginSum[id] - oracle.marginSum[id]) <= tolerance * sizes[id])
      #expect(abs(dynamics.lossSum[id] - oracle.lossSum[id]) <= tolerance * oracle.lossSum[id])
      #expect(abs(dynamics.errorSum[id] - oracle.errorSum[id]) <= tolerance * oracle.errorSum[id])
    }
    for (ours, theirs) in zip(dynamics.probabilitySum, oracle.probabilitySum) { #expect(abs(ours - theirs) <= 1e-5) }
    #expect(found.marginHistory.count == history.count)
    for (ours, theirs) in zip(found.marginHistory, history) {
      #expect(abs(ours - theirs) <= 1e-5 * max(1, abs(theirs)))
    }
    #expect(found.sketch.epochs == Array(1...epochs))
  }

  @Test("sum up what the host would", arguments: MarginKind.allCases)
  func sums(margin: MarginKind) throws { try expectSums(margin, on: CPUDevice()) }

  @Test(
    "sum up what the host would, through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func sumsThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectSums(.logits, on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("never take a sample of weight zero for a threshold sample, and do not judge it")
  func weightZero() throws {
    var judged = MethodFixture.data, weights = [Float](repeating: 1, count: judged.count)
    for id in stride(from: 0, to: judged.count, by: 4) { (weights[id], judged.labels[id]) = (0, LabelledSet.noLabel) }
    var settings = DetectionSettings()
    settings.detector = .combined
    let method = try DetectionMethod(
      MethodFixture.setup(epochs: 2, weights: weights, on: CPUDevice()), settings, judged: judged)
    for network in method.networks {
      switch network.kind {
      case .pass(let ids), .fold(let ids): #expect(ids.allSatisfy { $0 % 4 != 0 } && !ids.isEmpty)
      case .selection: Issue.record("no method was asked for")
      }
    }
    let outcomes = try MethodFixture.train(method, epochs: 2)
    // It is drawn, since batch norm is to see it, but counts nowhere.
    #expect(method.members[0].ids(ofFirst: 4).contains(0))
    #expect(try #require(outcomes[1].scored).allSatisfy { $0 % 4 != 0 })
    _ = try method.result()
    let result = DetectionResult(
      settings, judged, classes: MethodFixture.classes, stages: [method.networks[0]], results: method.results)
    #expect(result.samples.allSatisfy { $0.id % 4 != 0 } && result.samples.count == 75)
    #expect(result.passes[0].ids.allSatisfy { $0 % 4 != 0 })
  }

  @Test(
    "of a method are those of the method alone, whose suspicion they leave",
    arguments: ["co-teaching:rate=0.3,ramp=2", "dividemix:warm=1,ramp=1"])
  func selection(text: String) throws {
    let data = MethodFixture.data, choice = try MethodChoice(text), device = try CPUDevice(), epochs = 3
    var settings = DetectionSettings()
    settings.detector = try #require(SelectionMethod(rawValue: choice.entry.name)).detector
    var setup = try MethodFixture.setup(epochs: epochs, on: device)
    setup.session.optimizer.learningRate = setup.stage.rate(0)
    let detection = try DetectionMethod(setup, settings, choice, judged: data)
    _ = try MethodFixture.train(detection, epochs: epochs)
    let file = try #require(try detection.result())
    setup.session.seed = detection.networks[0].seed
    let alone = try choice.make(setup)
    _ = try MethodFixture.train(alone, epochs: epochs)
    let suspicion = try #require(try alone.suspicion())
    #expect(try file.doubles("detect.suspicion", shape: [data.count]) == suspicion)
    let result = try #require(detection.results.first), probabilities = try #require(result.probabilities)
    let both = try alone.members.map { try $0.trainingLogits() }, logits = zip(both[0], both[1]).map { ($0 + $1) / 2 }
    for (ours, theirs) in zip(probabilities, Softmax.rows(logits, classes: MethodFixture.classes)) {
      #expect(abs(ours - theirs) < 1e-5)
    }
    let found = DetectionResult(
      settings, data, classes: MethodFixture.classes, stages: detection.networks, results: detection.results)
    #expect(found.samples.map(\.id) == data.labelledIDs.map { Int($0) })
    #expect(found.samples.allSatisfy { $0.quality != nil && $0.predicted != nil && $0.area == nil })
  }
}
