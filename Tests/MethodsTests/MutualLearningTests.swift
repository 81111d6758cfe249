import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Failures
import Glibc
import Methods
import Networks
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

  private func expectLosses<D: Device>(_ text: String, on device: D) throws {
    let choice = try MethodChoice(text), count = choice.networks
    let method = try choice.make(MethodFixture.setup(on: device))
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

  @Test(
    "adds the mean divergence from the others' predictions to each loss",
    arguments: [
      "mutual:members=2", "mutual:members=3", "mutual:with=mlp:dropout=0", "mutual:members=3,with=cnn4+mlp:dropout=0",
    ])
  func losses(method: String) throws { try expectLosses(method, on: CPUDevice()) }

  @Test(
    "adds it through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func lossesThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectLosses(
      "mutual:members=3,with=mlp:dropout=0", on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  private func bits<D: Device>(_ method: any Method<D>) throws -> [[UInt32]] {
    try method.members.map { try $0.readState().bits }
  }

  @Test("takes networks of different kinds, which equal their own plain training where nothing is exchanged")
  func networks() throws {
    func trained(_ text: String, _ network: String = "resnet20", number: Int? = nil) throws -> [[UInt32]] {
      var setup = try MethodFixture.setup(network, on: CPUDevice())
      if let number { setup.session.member = number }
      let method = try MethodChoice(text).make(setup)
      _ = try MethodFixture.train(method, epochs: 2)
      return try bits(method)
    }
    #expect(try trained("mutual:with=resnet20") == trained("mutual"))
    let own = try trained("mutual:members=3,with=cnn4+mlp,exchange=0")
    #expect(own.count == 3 && Set(own.map(\.count)).count == 3)
    #expect(try trained("plain") == [own[0]])
    // A plain network is number 0; the others' numbers decide on their first weights.
    let networks = try MethodChoice("mutual:members=3,with=cnn4+mlp").memberNetworks(of: Network("resnet20"))
    #expect(networks.map(\.description) == ["resnet20", "cnn4", "mlp"])
    for number in 1..<3 {
      let setup = try MethodFixture.setup(networks[number].description, on: CPUDevice()),
        member = try setup.member(number)
      try member.prepare { step, _ in member.plainStep(&step) }
      for epoch in 0..<2 {
        try member.begin(epoch: epoch, learningRate: 0.01, recordsMargins: epoch > 0)
        for step in member.batchSizes.indices { try member.run(step: step) }
      }
      #expect(try member.readState().bits == own[number], "network \(number)")
    }
    #expect(try trained("mutual:members=3,with=cnn4+mlp") != own)
  }

  @Test("answers with the mean of all logits where it is asked to")
  func sum() throws {
    let method = try MethodChoice("mutual:members=3,with=cnn4+mlp,sum=1").make(MethodFixture.setup(on: CPUDevice()))
    #expect(method.answer == .sum)
    _ = try MethodFixture.train(method, epochs: 1)
    let results = try #require(try method.evaluate()), labels = MethodFixture.test.labels
    let logits = try method.members.map { try #require(try $0.testLogits()) }
    for (id, label) in labels.enumerated() {
      let means = (0..<K).map { k in logits.reduce(0 as Float) { $0 + $1[id * K + k] } / 3 }
      let logs = logarithms(means[...])
      #expect(abs(Double(results.losses[id]) + logs[Int(label)]) < 1e-5)
      #expect(abs(Double(results.confidences[id]) - exp(logs[Int(label)])) < 1e-6)
      #expect(logs[Int(results.predictions[id])] == logs.max())
    }
    #expect(try results.ofEach == method.members.map { try #require(try $0.evaluate()).predictions })
    let first = try MethodChoice("mutual:members=3,with=cnn4+mlp").make(MethodFixture.setup(on: CPUDevice()))
    _ = try MethodFixture.train(first, epochs: 1)
    #expect(try bits(first) == bits(method))
    #expect(try first.evaluate()?.losses == method.members[0].evaluate()?.losses)
    // The mean is that of the networks, whatever answers.
    let accuracies = results.ofEach.map { predictions in
      Double(labels.indices.count { predictions[$0] == labels[$0] }) / Double(labels.count)
    }
    let values = try method.finish(
      EpochEnd(epoch: 0, ids: [], testAccuracy: 0.99, testAccuracies: accuracies)
    ).figures
    #expect(try method.finish(EpochEnd(epoch: 0, ids: [])).figures == [nil, nil, nil])
    #expect(try values == first.finish(EpochEnd(epoch: 0, ids: [], testAccuracy: accuracy(first, labels))).figures)
  }

  private func accuracy<D: Device>(_ method: any Method<D>, _ labels: [Int32]) throws -> Double {
    let predictions = try #require(try method.members[0].evaluate()).predictions
    return Double(zip(predictions, labels).count { $0 == $1 }) / Double(labels.count)
  }

  @Test("refuses a network that cannot take the images, by the name of the method")
  func images() throws {
    let images = ImageSet(
      count: 64, height: 30, width: 30, channels: 3, pixels: [UInt8](repeating: 7, count: 64 * 2700))
    let data = LabelledSet(images: images, labels: (0..<64).map { Int32($0 % 10) })
    var setup = try MethodFixture.setup("mlp", of: data, on: CPUDevice())
    setup.session.augmentation = Augmentation(crop: 0, flip: false)
    let failure = #expect(throws: Failure.self) { try MethodChoice("mutual:with=resnet20").make(setup) }
    #expect(failure?.kind == .configuration && failure?.what.contains("mutual:with=resnet20: resnet20 cannot") == true)
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
