import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Glibc
import Methods
import Sessions
import Testing

/// What networks say to one another, looked at step by step from outside.
@Suite("Mutual learning")
struct MutualLearningTests {
  private let K = MethodFixture.classes

  private func logarithms(_ z: ArraySlice<Float>) -> [Double] {
    let largest = Double(z.max() ?? 0), sum = z.reduce(0) { $0 + exp(Double($1) - largest) }
    return z.map { Double($0) - largest - log(sum) }
  }

  private func expectLosses<D: Device>(_ count: Int, on device: D) throws {
    let method = try MethodChoice("mutual:members=\(count)").make(MethodFixture.setup(on: device))
    let labels = MethodFixture.data.labels
    #expect(method.members.count == count)
    var steps = 0
    _ = try MethodFixture.train(method, epochs: 2) { _, step in
      steps += 1
      let first = method.members[0], ids = first.ids(ofFirst: step + 1).suffix(first.batchSizes[step])
      // Those before the update, of all networks for the same images.
      let logits = try method.members.map { try $0.logits(ofStep: step) }
      for (number, member) in method.members.enumerated() {
        #expect(member.ids(ofFirst: step + 1) == first.ids(ofFirst: step + 1))
        let losses = try member.sampleResults().losses
        for (row, id) in ids.enumerated() {
          let logs = logits.map { logarithms($0[row * K..<(row + 1) * K]) }
          var expected = -logs[number][Int(labels[Int(id)])]
          for other in logs.indices where other != number {
            let divergence = zip(logs[other], logs[number]).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            expected += divergence / Double(count - 1)
          }
          #expect(abs(Double(losses[Int(id)]) - expected) < 1e-5 * max(1, expected))
        }
      }
    }
    #expect(steps == 8)
  }

  @Test("adds the mean divergence from the others' predictions to each loss", arguments: [2, 3])
  func losses(count: Int) throws { try expectLosses(count, on: CPUDevice()) }

  @Test(
    "adds it through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func lossesThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectLosses(3, on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("leaves a sample of weight zero without any influence, also by what others think of it")
  func weights() throws {
    let weights = MethodFixture.data.labels.indices.map { $0 % 4 == 0 ? 0 : 1 as Float }
    func trained(_ data: LabelledSet, _ weights: [Float]?) throws -> [[UInt32]] {
      // Without batch norm a sample reaches others only through the weights.
      let setup = try MethodFixture.setup("mlp:width=128,dropout=0", weights: weights, of: data, on: CPUDevice())
      let method = try MethodChoice("mutual").make(setup)
      _ = try MethodFixture.train(method, epochs: 1)
      return try method.members.map { try $0.readState().parameters.flatMap { $0.values.map(\.bitPattern) } }
    }
    // Black in place of every image that does not count.
    let data = MethodFixture.data, images = data.images
    let pixels = images.pixels.enumerated().map { $0 / images.imageSize % 4 == 0 ? 0 : $1 }
    var other = LabelledSet(
      images: ImageSet(
        count: images.count, height: images.height, width: images.width, channels: images.channels, pixels: pixels),
      labels: data.labels)
    other.trueLabels = data.trueLabels
    let given = try trained(data, weights)
    #expect(try trained(other, weights) == given)
    #expect(try trained(other, nil) != given && trained(data, nil) != given)
  }

  @Test("says how good each network is")
  func figures() throws {
    let method = try MethodChoice("mutual:members=3").make(MethodFixture.setup(on: CPUDevice()))
    let outcomes = try MethodFixture.train(method, epochs: 1)
    #expect(method.figures.map(\.name) == ["test_acc_mean", "test_acc_2", "test_acc_3"])
    // The loop knows the first network's accuracy.
    #expect(outcomes[0].figures.count == 3 && outcomes[0].figures[0] == nil)
    let outcome = try method.finish(EpochEnd(epoch: 0, ids: [], testAccuracy: 0.5)), values = outcome.figures
    let labels = MethodFixture.test.labels
    for number in 1..<3 {
      let predictions = try #require(try method.members[number].evaluate()).predictions
      #expect(values[number] == Double(zip(predictions, labels).count { $0 == $1 }) / Double(labels.count))
    }
    let mean = (0.5 + (values[1] ?? .nan) + (values[2] ?? .nan)) / 3
    #expect(abs((values[0] ?? .nan) - mean) < 1e-15)
  }
}
