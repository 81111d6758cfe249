import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Methods
import Sessions
import Statistics
import Testing

/// Who is an inlier, what batches are made of and what is chosen from them, looked at from outside.
@Suite("Asymmetric co-teaching")
struct AsymmetricCoTeachingTests {
  private static let data = Bands.data, N = Bands.data.count

  /// The losses of a network over the batch of another one's step, normalised by the batch.
  private func losses<D: Device>(
    of judge: TrainingSession<D>, on other: TrainingSession<D>, step: Int
  ) throws -> [Float] {
    let device = judge.device
    func buffer(_ count: Int) throws -> D.Buffer { try device.allocate(byteCount: 4 * max(count, 1)) }
    let lent: [Store: D.Buffer] = [
      .order: other.buffer(.order), .counters: try buffer(StepState.counterCount), .sampleLoss: try buffer(Self.N),
      .samplePrediction: try buffer(Self.N), .running: try buffer(judge.running.packedCount),
    ]
    var state = other.state
    (state.recordsMargins, state.member) = (false, judge.settings.member)
    state.offset = other.batchSizes[..<step].reduce(0, +)
    try device.write(state.counters, to: lent[.counters]!)
    let plan = try judge.plan(of: other.batchSizes[step], precision: .fp32, lent: lent) { written in
      written.images(judge.settings.augmentation)
      written.forward(.batch)
      written.loss(judge.settings.loss.function)
    }
    try plan.run()
    return try device.read(Float.self, count: Self.N, from: lent[.sampleLoss]!)
  }

  private func ids<D: Device>(_ member: TrainingSession<D>, _ step: Int) -> [Int] {
    member.ids(ofFirst: step + 1).suffix(member.batchSizes[step]).map { Int($0) }
  }

  /// What neighbours say, by all pairs of features.
  private func expected(_ features: [Float], _ k: Int) -> (inlier: [Float], label: [Int32], suspicion: [Double]) {
    let points = Matrix(directionsOf: features, width: features.count / Self.N), given = Self.data.labels
    var result = (inlier: [Float](), label: [Int32](), suspicion: [Double]())
    for i in 0..<Self.N {
      let nearness = (0..<Self.N).map { points.product(i, $0) }
      let near = (0..<Self.N).filter { $0 != i }.sorted { (-nearness[$0], $0) < (-nearness[$1], $1) }.prefix(k)
      let labels = near.map { given[$0] }
      func count(_ label: Int32) -> Int { labels.count { $0 == label } }
      let most = labels.map(count).max() ?? 0
      result.inlier.append(count(given[i]) == most ? 1 : 0)
      result.label.append(count(given[i]) == most ? -1 : labels.first { count($0) == most } ?? -1)
      result.suspicion.append(1 - Double(count(given[i])) / Double(k))
    }
    return result
  }

  private func expectDecisions<D: Device>(on device: D) throws {
    let setup = try MethodFixture.setup("mlp", epochs: 5, of: Self.data, on: device)
    let method = try MethodChoice("asymmetric-co-teaching:warm=1,every=2,neighbours=7,keep=0.4").make(setup)
    let main = method.members[0], second = method.members[1], given = Self.data.labels
    let truth = try #require(Self.data.trueLabels)
    var wanted: (inlier: [Float], label: [Int32], suspicion: [Double])?
    for epoch in 0..<5 {
      // Rounds begin with epochs 1 and 3; of two, the first keeps 0.4 + 0.6 / 2.
      if epoch == 1 || epoch == 3 { wanted = expected(try main.features(), 7) }
      let share = epoch < 3 ? 0.7 : 1.0
      let sizes = try method.begin(EpochStart(epoch: epoch, step: 0, learningRate: 0.02))
      guard let wanted else {
        #expect(try main.floats("inlier").allSatisfy { $0 == 1 })
        for step in sizes.indices { try method.step(step) }
        continue
      }
      #expect(try main.floats("inlier") == wanted.inlier && main.integers("relabelled") == wanted.label)
      let labels = (0..<Self.N).map { wanted.label[$0] >= 0 ? wanted.label[$0] : given[$0] }
      for member in method.members {
        #expect(try device.read(Int32.self, count: Self.N, from: member.buffer(.labels)) == labels)
      }
      let outliers = wanted.inlier.count { $0 == 0 }
      #expect(outliers > 4 && Self.N - outliers >= MethodFixture.batch)
      for (step, size) in sizes.enumerated() {
        let own = ids(second, step), mixed = ids(main, step), half = size - min(size / 2, outliers)
        #expect(Set(own).count == size && own.allSatisfy { wanted.inlier[$0] == 1 })
        #expect(Set(mixed).count == size)
        #expect(mixed.enumerated().allSatisfy { wanted.inlier[$1] == ($0 < half ? 1 : 0) })
        let before = try losses(of: main, on: second, step: step)
        try method.step(step)
        func smallest(_ rows: [Int], _ losses: [Float]) -> Set<Int> {
          let keep = max(1, Int(share * Double(rows.count) + 1e-9))
          return Set(
            rows.indices.sorted { (losses[rows[$0]], $0) < (losses[rows[$1]], $1) }.prefix(keep).map { rows[$0] })
        }
        let kept = try second.floats("kept"), chosen = smallest(own, before)
        #expect(own.allSatisfy { kept[$0] == (chosen.contains($0) ? 1 : 0) })
        // The second network has learned already when it judges, and does not change afterwards.
        let easy = smallest(Array(mixed[half...]), try losses(of: second, on: main, step: step))
        let keptByMain = try main.floats("kept")
        #expect(
          mixed.enumerated().allSatisfy { keptByMain[$1] == ($0 < half || easy.contains($1) ? 1 : 0) })
      }
      let ids = main.ids(ofFirst: sizes.count)
      let outcome = try method.finish(EpochEnd(epoch: epoch, ids: ids)), figures = outcome.figures
      #expect(figures.count == method.figures.count && outcome.scored == Set(ids).sorted())
      let inliers = (0..<Self.N).filter { wanted.inlier[$0] == 1 },
        right = (0..<Self.N).filter { truth[$0] == given[$0] }
      let both = Double(Set(inliers).intersection(right).count)
      #expect(figures[0] == Double(inliers.count) / Double(Self.N))
      #expect(figures[1] == both / Double(inliers.count) && figures[2] == both / Double(right.count))
      let renamed = (0..<Self.N).filter { wanted.inlier[$0] == 0 }
      #expect(figures[4] == Double(renamed.count { labels[$0] == truth[$0] }) / Double(renamed.count))
    }
    let last = expected(try main.features(), 7).suspicion
    #expect(try #require(try method.suspicion()) == last)
  }

  @Test("asks neighbours by features, and chooses by the other network's losses")
  func decisions() throws { try expectDecisions(on: CPUDevice()) }

  @Test(
    "decides alike through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func decisionsThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectDecisions(on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("believes everybody where too few labels are their neighbours', and where nobody is asked")
  func fewInliers() throws {
    var random = MethodFixture.data
    // Every image has a class of its own kind of neighbours: none agrees.
    random.labels = (0..<Int32(random.count)).map { ($0 * 7 + $0 / 10) % 10 }
    let setup = try MethodFixture.setup("mlp", of: random, on: CPUDevice())
    let method = try MethodChoice("asymmetric-co-teaching:warm=0,every=1,neighbours=99").make(setup)
    _ = try MethodFixture.train(method, epochs: 1)
    let kept = try method.members[0].floats("inlier").count { $0 == 1 }
    #expect(kept == random.count || kept >= MethodFixture.batch)
    let alone = try MethodChoice("asymmetric-co-teaching:warm=1,every=1,exchange=0").make(
      MethodFixture.setup("mlp", of: Bands.data, on: CPUDevice()))
    let figures = try MethodFixture.train(alone, epochs: 3)[2].figures
    #expect(alone.members.count == 1 && figures.count == alone.figures.count && figures[0] ?? 1 < 1)
    let inliers = try alone.members[0].floats("inlier")
    #expect(alone.members[0].ids(ofFirst: 4).allSatisfy { inliers[Int($0)] == 1 })
    #expect(try alone.members[0].floats("kept").allSatisfy { $0 == 1 })
    let late = try MethodChoice("asymmetric-co-teaching:warm=9").make(setup)
    let outcomes = try MethodFixture.train(late, epochs: 2)
    #expect(outcomes[1].figures[0] == 1 && outcomes[1].figures[4] == nil)
    #expect(try #require(try late.suspicion()).allSatisfy { (0...1).contains($0) })
  }
}

/// 100 images of five kinds that every network tells apart, a bright band at another height each.
///
/// Every sixth has another kind's label.
enum Bands {
  static let data: LabelledSet = {
    let random = CounterRandom(seed: 9), side = 32
    let pixels = (0..<100).flatMap { id in
      (0..<side * side * 3).map { place -> UInt8 in
        let isBand = place / (side * 3) / 6 == id % 5
        return UInt8((isBand ? 170 : 40) + random.integer(below: 60, .noise, UInt32(id), UInt32(place)))
      }
    }
    let kinds = (0..<Int32(100)).map { $0 % 5 }
    return LabelledSet(
      images: ImageSet(count: 100, height: side, width: side, channels: 3, pixels: pixels),
      labels: kinds.enumerated().map { $0 % 6 == 0 ? ($1 + 1) % 5 : $1 }, trueLabels: kinds)
  }()
}
