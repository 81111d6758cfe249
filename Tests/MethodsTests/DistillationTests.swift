import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Glibc
import Methods
import Networks
import Sessions
import Testing

/// Students and their teachers, looked at step by step from outside.
@Suite("Distillation and grafting")
struct DistillationTests {
  private let K = MethodFixture.classes
  private static let plainImages = Augmentation(crop: 0, flip: false)

  /// A network that has learned a little, with what its inputs are normalised by, and its logits of all images.
  private func teacher(_ network: String, seed: UInt64, mean: Float = 0.4) throws -> (Teacher, logits: [Float]) {
    let device = try CPUDevice()
    var setup = try MethodFixture.setup(network, augmentation: Self.plainImages, on: device)
    setup.session.seed = seed
    let own = Normalization(mean: [mean, 0.5, 0.45], standardDeviation: [0.3, 0.2, 0.25])
    let session = try TrainingSession(
      setup.session, train: setup.train, test: nil, classes: K, normalization: own)
    try session.prepare { step, _ in session.plainStep(&step) }
    try session.begin(epoch: 0, learningRate: 0.05, recordsMargins: false)
    for step in session.batchSizes.indices { try session.run(step: step) }
    let (parameters, running) = try session.readWeights()
    return (
      Teacher(network: try Network(network), parameters: parameters, running: running, normalization: own),
      try session.trainingLogits()
    )
  }

  private func logarithms(_ z: ArraySlice<Float>, _ temperature: Double) -> [Double] {
    let scaled = z.map { Double($0) / temperature }, largest = scaled.max() ?? 0
    let sum = scaled.reduce(0) { $0 + exp($1 - largest) }
    return scaled.map { $0 - largest - log(sum) }
  }

  private func expectLosses<D: Device>(_ count: Int, on device: D) throws {
    let teachers = try [teacher("resnet20", seed: 3), teacher("mlp:dropout=0", seed: 4, mean: 0.2)].prefix(count)
    let setup = try MethodFixture.setup(augmentation: Self.plainImages, teachers: teachers.map(\.0), on: device)
    let method = try MethodChoice("dgd:temperature=3,weight=0.7").make(setup), labels = MethodFixture.data.labels
    var steps = 0
    _ = try MethodFixture.train(method, epochs: 2) { _, step in
      steps += 1
      for member in method.members {
        let ids = member.ids(ofFirst: step + 1).suffix(member.batchSizes[step])
        let logits = try member.logits(ofStep: step), losses = try member.sampleResults().losses
        for (row, id) in ids.enumerated() {
          let z = logits[row * K..<(row + 1) * K], own = logarithms(z, 3)
          var expected = -logarithms(z, 1)[Int(labels[Int(id)])]
          for teacher in teachers {
            let theirs = logarithms(teacher.logits[Int(id) * K..<(Int(id) + 1) * K], 3)
            let divergence = zip(theirs, own).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            expected += 0.7 * 9 * divergence / Double(count)
          }
          #expect(abs(Double(losses[Int(id)]) - expected) < 1e-4 * max(1, expected))
        }
      }
    }
    #expect(steps == 8 && method.members.count == 2)
  }

  @Test("adds the mean divergence from the teachers, with their own inputs, to each loss", arguments: [1, 2])
  func losses(count: Int) throws { try expectLosses(count, on: CPUDevice()) }

  @Test(
    "adds it through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func lossesThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectLosses(2, on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  private func trained(
    _ text: String, _ teachers: [Teacher], threads: Int = 2, epochs: Int = 2
  ) throws -> [[UInt32]] {
    let setup = try MethodFixture.setup(teachers: teachers, on: CPUDevice(threads: threads))
    let method = try MethodChoice(text).make(setup)
    _ = try MethodFixture.train(method, epochs: epochs)
    return try method.members.map { try $0.readState().bits }
  }

  @Test("is grafting, or plain training, where teachers have no weight")
  func withoutWeight() throws {
    let teachers = [try teacher("mlp:dropout=0", seed: 4).0]
    #expect(try trained("dgd:weight=0", teachers) == trained("grafting", []))
    #expect(try trained("dgd:weight=0,members=1", teachers) == trained("plain", []))
    #expect(try trained("dgd:members=1", teachers) != trained("plain", []))
  }

  @Test("is distillation of each student by itself where nothing is grafted")
  func withoutGrafting() throws {
    let teachers = try [teacher("mlp:dropout=0", seed: 4).0, teacher("resnet20", seed: 5).0]
    let apart = try trained("dgd:graft=0", teachers), alone = try trained("dgd:members=1", teachers)
    #expect(apart[0] == alone[0] && apart[1] != alone[0])
    #expect(try trained("dgd", teachers, epochs: 1) == trained("dgd:graft=0", teachers, epochs: 1))
    #expect(try trained("dgd", teachers) != apart)
  }

  @Test("gives the same bits for any number of threads")
  func threads() throws {
    let teachers = try [teacher("cnn4", seed: 6).0, teacher("resnet20", seed: 5).0]
    let one = try trained("dgd", teachers, threads: 1)
    #expect(try trained("dgd", teachers, threads: 2) == one && trained("dgd", teachers, threads: 3) == one)
  }

  @Test("says how good the students are, and what their filters are like")
  func figures() throws {
    let setup = try MethodFixture.setup(teachers: [try teacher("mlp", seed: 4).0], on: CPUDevice())
    let method = try MethodChoice("dgd:members=3,graft=0").make(setup)
    _ = try MethodFixture.train(method, epochs: 1)
    let values = try method.finish(EpochEnd(epoch: 0, ids: [], testAccuracy: 0.5)).figures
    #expect(method.figures.count == values.count && values.allSatisfy { $0 != nil })
    // Without grafting the filters stay as they are.
    #expect(values[3] == values[4])
  }
}
