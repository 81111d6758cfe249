import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import FileFormats
import Methods
import Sessions
import Statistics
import Testing

/// Clusters as labels, looked at from outside.
@Suite("Asymmetric co-teaching of clusters")
struct AsymmetricClustersTests {
  private static let data = Bands.data, N = Bands.data.count
  private static let text =
    "asymmetric-co-teaching:labels=clusters,every=2,share=0.05,minimum=3,reciprocal=8,keep=0.5,margin=1"

  private func ids<D: Device>(_ member: TrainingSession<D>, _ step: Int) -> [Int] {
    member.ids(ofFirst: step + 1).suffix(member.batchSizes[step]).map { Int($0) }
  }

  private func weights<D: Device>(_ member: TrainingSession<D>) throws -> [[Float]] {
    try member.readWeights().parameters.map(\.values)
  }

  private func expectRounds<D: Device>(on device: D) throws {
    let setup = try MethodFixture.setup("resnet20", epochs: 4, of: Self.data, on: device)
    let method = try MethodChoice(Self.text).make(setup)
    let main = method.members[0], second = method.members[1]
    var radius: Double?
    for epoch in 0..<4 {
      let before = try main.features()
      let sizes = try method.begin(EpochStart(epoch: epoch, step: 0, learningRate: 0.02))
      let inlier = try main.floats("inlier"), labels = try main.integers("cluster")
      if epoch % 2 == 0 {
        let points = Matrix(directionsOf: before, width: before.count / Self.N)
        let distances = ReciprocalDistances(points, NearestNeighbours(of: points, 8), near: 8, mean: 6)
        radius = radius ?? distances.meanOfSmallest(share: 0.05)
        let clusters = DensityClusters(distances, radius: try #require(radius), minimum: 3)
        for id in 0..<Self.N where clusters.labels[id] >= 0 { #expect(labels[id] == clusters.labels[id]) }
        #expect(inlier == clusters.labels.map { $0 >= 0 ? 1 : 0 })
        #expect(Set(labels) == Set(0..<Int32(clusters.count)))
        for id in 0..<Self.N where inlier[id] == 0 {
          let near = (0..<Self.N).filter { inlier[$0] == 1 }.max { points.product(id, $0) < points.product(id, $1) }
          #expect(labels[id] == labels[try #require(near)])
        }
      }
      for member in method.members {
        #expect(try device.read(Int32.self, count: Self.N, from: member.buffer(.labels)) == labels)
      }
      let outliers = inlier.count { $0 == 0 }
      #expect(outliers > 0 && outliers < Self.N - MethodFixture.batch)
      for (step, size) in sizes.enumerated() {
        try method.step(step)
        let own = ids(second, step), mixed = ids(main, step), half = size - min(size / 2, outliers)
        #expect(Set(own).count == size && own.allSatisfy { inlier[$0] == 1 })
        #expect(Set(mixed).count == size && mixed.enumerated().allSatisfy { inlier[$1] == ($0 < half ? 1 : 0) })
        let kept = try second.floats("kept"), keptByMain = try main.floats("kept")
        let share = epoch < 2 ? 0.75 : 1
        #expect(own.count { kept[$0] == 1 } == max(1, Int(share * Double(size) + 1e-9)))
        #expect(mixed.prefix(half).allSatisfy { keptByMain[$0] == 1 })
        #expect(mixed.dropFirst(half).count { keptByMain[$0] == 1 } == max(1, Int(share * Double(size - half) + 1e-9)))
      }
      let all = main.ids(ofFirst: sizes.count)
      let outcome = try method.finish(EpochEnd(epoch: epoch, ids: all)), figures = outcome.figures
      #expect(figures.count == method.figures.count && figures.allSatisfy { ($0 ?? 0).isFinite })
      #expect((0...1).contains(try #require(outcome.accuracy)))
      if epoch < 3 {
        let truth = try #require(Self.data.trueLabels), score = PairScore(clusters: labels, classes: truth)
        #expect(figures[0] == Double(Set(labels).count) && figures[1] == Double(outliers) / Double(Self.N))
        #expect(figures[2] == score.precision && figures[3] == score.recall && figures[4] == score.fScore)
      }
    }
    // The last layer has not moved, but for weight decay, and the others have.
    #expect(try method.suspicion() == nil && main.evaluate() == nil)
  }

  @Test("clusters features anew, with the first radius, and trains both networks")
  func rounds() throws { try expectRounds(on: CPUDevice()) }

  @Test(
    "clusters alike through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func roundsThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectRounds(on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("goes by no label of the data")
  func unseen() throws {
    var other = Self.data
    other.labels = other.labels.map { 4 - $0 }
    other.trueLabels = nil
    let states = try [Self.data, other].map { data in
      let method = try MethodChoice(Self.text).make(MethodFixture.setup("mlp", of: data, on: CPUDevice()))
      _ = try MethodFixture.train(method, epochs: 3)
      return try method.members.map { try $0.readState().bits }
    }
    #expect(states[0] == states[1])
  }

  @Test("gives the same bits for any number of threads")
  func threads() throws {
    let states = try [1, 2, 3].map { threads in
      let method = try MethodChoice(Self.text).make(MethodFixture.setup(of: Self.data, on: CPUDevice(threads: threads)))
      _ = try MethodFixture.train(method, epochs: 3)
      let states = try method.members.map { try $0.readState() }
      return (states.map(\.bits), states.map(\.columns))
    }
    #expect(states[1].0 == states[0].0 && states[2].0 == states[0].0)
    #expect(states[1].1 == states[0].1 && states[2].1 == states[0].1)
  }

  @Test("leaves the last layer alone, and trains one network where nothing is exchanged")
  func alone() throws {
    let setup = try MethodFixture.setup("mlp", of: Self.data, on: CPUDevice())
    let method = try MethodChoice(Self.text + ",exchange=0").make(setup), member = method.members[0]
    let before = try weights(member)
    _ = try method.begin(EpochStart(epoch: 0, step: 0, learningRate: 0.02))
    let inlier = try member.floats("inlier")
    #expect(member.ids(ofFirst: 4).allSatisfy { inlier[Int($0)] == 1 })
    try method.step(0)
    let after = try weights(member)
    #expect(method.members.count == 1 && after[0] != before[0])
    // Nothing but weight decay: 1e-4 at a rate of 0.02, with momentum.
    for (old, new) in zip(before.suffix(2), after.suffix(2)) {
      #expect(zip(old, new).allSatisfy { abs($0 - $1) <= 1e-5 * max(abs($0), 1e-3) })
    }
  }

  @Test("says what it lacks")
  func refusals() throws {
    let setup = try MethodFixture.setup("mlp", of: Self.data, on: CPUDevice())
    // No three images are within a radius of the smallest distance alone.
    let method = try MethodChoice("asymmetric-co-teaching:labels=clusters,minimum=99").make(setup)
    let failure = #expect(throws: (any Error).self) {
      try method.begin(EpochStart(epoch: 0, step: 0, learningRate: 0.1))
    }
    #expect("\(failure!)".contains("finds 0 clusters"))
    var mixed = setup
    mixed.session.precision = .mixed
    #expect(throws: (any Error).self) { try MethodChoice(Self.text).make(mixed) }
  }
}
