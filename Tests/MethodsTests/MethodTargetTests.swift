import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import FileFormats
import Glibc
import Methods
import Sessions
import Testing

/// What methods keep of each sample, and draw, looked at step by step from outside.
@Suite("What a method keeps of every sample")
struct MethodTargetTests {
  private let K = MethodFixture.classes, N = MethodFixture.data.count

  private func softmax(_ z: ArraySlice<Float>) -> [Double] {
    let largest = Double(z.max() ?? 0), powers = z.map { exp(Double($0) - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// The ids and logits of a step's rows.
  private func rows<D: Device>(
    _ member: TrainingSession<D>, _ step: Int
  ) throws -> [(id: Int, logits: ArraySlice<Float>)] {
    let ids = member.ids(ofFirst: step + 1).suffix(member.batchSizes[step]).map { Int($0) }
    let logits = try member.logits(ofStep: step)
    return ids.enumerated().map { ($1, logits[$0 * K..<($0 + 1) * K]) }
  }

  private func expectTargets<D: Device>(on device: D) throws {
    let momentum = 0.6, method = try MethodChoice("elr:momentum=\(momentum)").make(MethodFixture.setup(on: device))
    var expected = [Double](repeating: 0, count: N * K)
    let outcomes = try MethodFixture.train(method, epochs: 3) { _, step in
      for (id, logits) in try rows(method.members[0], step) {
        let bounded = softmax(logits).map { min(max($0, 1e-4), 1 - 1e-4) }, sum = bounded.reduce(0, +)
        for k in 0..<K {
          expected[id * K + k] = momentum * expected[id * K + k] + (1 - momentum) * bounded[k] / sum
        }
      }
    }
    let found = try method.members[0].floats("target")
    #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    // Suspicion is how little of the target is the given class, and is ranked by the true labels.
    let suspicion = try #require(try method.suspicion()), labels = MethodFixture.data.labels
    #expect(suspicion.indices.allSatisfy { suspicion[$0] == 1 - Double(found[$0 * K + Int(labels[$0])]) })
    let truth = try #require(MethodFixture.data.trueLabels)
    let tops = (0..<N).map { id in (0..<K).max { found[id * K + $0] < found[id * K + $1] } ?? 0 }
    let given = Double((0..<N).count { tops[$0] == Int(labels[$0]) }) / Double(N)
    let right = Double((0..<N).count { tops[$0] == Int(truth[$0]) }) / Double(N)
    #expect(outcomes[2].figures[0] == given && outcomes[2].figures[1] == right)
    #expect(outcomes[2].figures[2] == MethodFixture.data.score(ofSuspicion: suspicion)?.areaUnderROC)
    #expect(outcomes[2].figures.count == method.figures.count)
  }

  private func expectOffsets<D: Device>(on device: D) throws {
    let lambda = 20.0, rate = 0.01
    let method = try MethodChoice("aux:lambda=\(lambda)").make(MethodFixture.setup(on: device))
    let labels = MethodFixture.data.labels
    var expected = [Double](repeating: 0, count: N * K), margins = [Double](repeating: 0, count: N)
    let outcomes = try MethodFixture.train(method, epochs: 3) { epoch, step in
      let rows = try rows(method.members[0], step), predictions = try method.members[0].sampleResults().predictions
      for (id, logits) in rows {
        let z = Array(logits), label = Int(labels[id])
        let p = softmax(ArraySlice((0..<K).map { z[$0] + Float(lambda * expected[id * K + $0]) }))
        for k in 0..<K {
          expected[id * K + k] -= rate * lambda * (p[k] - (k == label ? 1 : 0)) / Double(rows.count)
        }
        // What is noted of the network is without its offsets.
        #expect(z[Int(predictions[id])] == z.max())
        let other = (0..<K).filter { $0 != label }.map { z[$0] }.max() ?? 0
        if epoch > 0 { margins[id] += Double(z[label]) - Double(other) }
      }
    }
    let found = try method.members[0].floats("offset")
    #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    let sums = try method.members[0].marginSums()
    #expect(sums.counts.allSatisfy { $0 == 2 })
    #expect(zip(sums.sums, margins).allSatisfy { abs($0 - $1) < 1e-4 })
    let suspicion = try #require(try method.suspicion())
    #expect(suspicion.indices.allSatisfy { suspicion[$0] == Double(found[$0 * K + Int(labels[$0])]) })
    #expect(outcomes[2].figures == [MethodFixture.data.score(ofSuspicion: suspicion)?.areaUnderROC])
  }

  private func expectConfidence<D: Device>(on device: D) throws {
    let method = try MethodChoice("car:lambda=0.5,start=2,every=2,momentum=0.6").make(MethodFixture.setup(on: device))
    let labels = MethodFixture.data.labels, member = method.members[0]
    var expected = (0..<N * K).map { $0 % K == Int(labels[$0 / K]) ? 1.0 : 1e-4 }
    let outcomes = try MethodFixture.train(method, epochs: 4) { epoch, step in
      // Epochs count from 1: targets move in the second and in the fourth.
      guard epoch % 2 == 1 else { return }
      for (id, logits) in try rows(member, step) {
        for (k, p) in softmax(logits).enumerated() {
          expected[id * K + k] = max(0.6 * expected[id * K + k] + 0.4 * p, 1e-4)
        }
      }
    }
    #expect(zip(try member.floats("target"), expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    let confidence = try member.floats("confidence"), suspicion = try #require(try method.suspicion())
    #expect(confidence.allSatisfy { (0...1).contains($0) } && Set(confidence).count > 90)
    #expect(suspicion.indices.allSatisfy { suspicion[$0] == 1 - Double(confidence[$0]) })
    let truth = try #require(MethodFixture.data.trueLabels)
    let right = (0..<N).filter { truth[$0] == labels[$0] }
    let mean = right.reduce(0) { $0 + Double(confidence[$1]) } / Double(right.count)
    #expect(abs(try #require(outcomes[3].figures[0]) - mean) < 1e-12)
    #expect(outcomes[3].figures.count == method.figures.count)
    // Held at 1, it is not learned, and its head does not move but by weight decay.
    let held = try MethodChoice("car:learned=0").make(MethodFixture.setup(on: device))
    _ = try MethodFixture.train(held, epochs: 1)
    #expect(try held.members[0].floats("confidence").allSatisfy { $0 == 1 })
    let gradient = try #require(try held.members[0].readState().momenta.first { $0.name == "indicator.bias" })
    #expect(abs(gradient.values[0]) < 1e-3)
  }

  @Test("is how sure the network is, and a target that follows") func confidence() throws {
    try expectConfidence(on: CPUDevice())
  }

  @Test("follows the predictions, as its target") func targets() throws { try expectTargets(on: CPUDevice()) }

  @Test("goes down the loss, as its offset") func offsets() throws { try expectOffsets(on: CPUDevice()) }

  @Test(
    "is the same through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func throughOpenCL(style: OpenCLDevice.Style) throws {
    let device = try OpenCLDevice(try #require(OpenCLDevices.first), style: style)
    try expectTargets(on: device)
    try expectOffsets(on: device)
    try expectConfidence(on: device)
  }

  @Test("counts by its weight")
  func weights() throws {
    // A sample of weight 0 has no part in the gradient, so its offset stays.
    var weights = [Float](repeating: 1, count: N)
    for id in stride(from: 0, to: N, by: 4) { weights[id] = 0 }
    let method = try MethodChoice("aux").make(MethodFixture.setup(weights: weights, on: CPUDevice()))
    _ = try MethodFixture.train(method, epochs: 1)
    let offsets = try method.members[0].floats("offset")
    for id in 0..<N {
      let moved = offsets[id * K..<(id + 1) * K].contains { $0 != 0 }
      #expect(moved == (weights[id] > 0))
    }
  }

  @Test("is, for a mixture, another image of its batch, and the same share in a batch")
  func mixtures() {
    let sizes = [32, 32, 32, 4], mixtures = Mixtures(alpha: 1, seed: 7, epoch: 2, batchSizes: sizes)
    var first = 0
    for size in sizes {
      #expect(Set(mixtures.partners[first..<first + size]) == Set(first..<first + size))
      #expect(Set(mixtures.factors[first..<first + size]).count == 1)
      first += size
    }
    #expect(mixtures.partners.count == 100 && Set(mixtures.factors).count == 4)
    #expect(mixtures.factors.allSatisfy { (0...1).contains($0) })
    #expect(mixtures == Mixtures(alpha: 1, seed: 7, epoch: 2, batchSizes: sizes))
    #expect(mixtures != Mixtures(alpha: 1, seed: 7, epoch: 3, batchSizes: sizes))
    #expect(mixtures != Mixtures(alpha: 1, seed: 8, epoch: 2, batchSizes: sizes))
    #expect(Mixtures(alpha: 0, seed: 7, epoch: 2, batchSizes: sizes).factors.allSatisfy { $0 == 1 })
  }

  @Test("is, for all parameters together, where they started, which a checkpoint keeps")
  func anchor() throws {
    let setup = try MethodFixture.setup(on: CPUDevice())
    let method = try MethodChoice("rdi:lambda=10").make(setup)
    let first = try method.members[0].readState().parameters
    let outcomes = try MethodFixture.train(method, epochs: 2)
    let distance = try #require(outcomes[1].figures[0]), now = try method.members[0].readState().parameters
    var moved = 0.0, size = 0.0
    for (before, after) in zip(first, now) {
      for (a, b) in zip(before.values, after.values) {
        moved += (Double(b) - Double(a)) * (Double(b) - Double(a))
        size += Double(a) * Double(a)
      }
    }
    #expect(abs(distance - (moved / size).squareRoot()) < 1e-9 && distance > 0.001)
    var file = SafetensorsFile(metadata: [:])
    try method.store(in: &file)
    for tensor in first {
      #expect(try file.floats("state.anchor.\(tensor.name)", shape: tensor.shape) == tensor.values)
    }
    // Weights that replace the first ones are where a network starts.
    let replaced = try MethodChoice("rdi:lambda=10").make(setup)
    try replaced.members[0].writeWeights(parameters: now, running: nil)
    _ = try replaced.begin(EpochStart(epoch: 0, step: 0, learningRate: 0.01))
    var start = SafetensorsFile(metadata: [:])
    try replaced.store(in: &start)
    for tensor in now {
      #expect(try start.floats("state.anchor.\(tensor.name)", shape: tensor.shape) == tensor.values)
    }
    // Another network is pulled to the same place.
    let other = try MethodChoice("rdi:lambda=10").make(setup)
    try other.members[0].write(try method.members[0].readState())
    try other.restore(from: file)
    for method in [method, other] {
      _ = try method.begin(EpochStart(epoch: 2, step: 0, learningRate: 0.01))
      try method.step(0)
    }
    #expect(try method.members[0].readState().bits == other.members[0].readState().bits)
  }
}
