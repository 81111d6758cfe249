import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Failures
import FileFormats
import Losses
import Methods
import Sessions
import Testing

@Suite("Losses that are learned")
struct AdaptiveLossTests {
  private static let trusted = 20

  private func setup<D: Device>(
    _ network: String = "resnet20", loss: String = "gce:q=0.7", optimizer: Optimizer.Kind = .sgd,
    weights: [Float]? = nil, on device: D
  ) throws -> MethodSetup<D> {
    try MethodFixture.setup(
      network, loss: loss, optimizer: optimizer, weights: weights, trusted: Self.trusted, on: device)
  }

  /// What epochs of a method leave, and its learned parameters after each.
  private func train<D: Device>(
    _ method: String, _ setup: MethodSetup<D>, epochs: Int = 2
  ) throws -> (bits: [UInt32], path: [[Double]]) {
    let made = try MethodChoice(method).make(setup)
    let path = try MethodFixture.train(made, epochs: epochs).map { $0.figures.map { $0 ?? .nan } }
    return (try made.members[0].readState().bits, path)
  }

  // MARK: - What virtual passes leave

  private func expectPlain<D: Device>(_ network: String, _ optimizer: Optimizer.Kind, on device: D) throws {
    let plain = try train("plain", setup(network, optimizer: optimizer, on: device))
    // Where Λ moves by less than a float can hold, virtual passes are all that is left.
    for method in ["adaptive-loss:rate=0", "adaptive-loss:every=1,rate=1e-30", "adaptive-loss:every=2,rate=1e-30"] {
      let found = try train(method, setup(network, optimizer: optimizer, on: device))
      #expect(found.bits == plain.bits, "\(method), \(network)")
      #expect(found.path.allSatisfy { $0 == [Double(Float(0.7))] })
    }
    let moved = try train("adaptive-loss:every=1,rate=5", setup(network, optimizer: optimizer, on: device))
    #expect(moved.bits != plain.bits && moved.path[0] != moved.path[1], "\(moved.path)")
  }

  @Test(
    "train as the fixed loss does, bit for bit, where nothing is learned",
    // The second one drops channels; the third one has no batch norm.
    arguments: [
      ("resnet20", Optimizer.Kind.sgd), ("cnn9", .adam), ("mlp:dropout=0.2", .sgd),
    ])
  func plain(given: (network: String, optimizer: Optimizer.Kind)) throws {
    try expectPlain(given.network, given.optimizer, on: CPUDevice(threads: 2))
  }

  @Test(
    "do so through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func plainThroughOpenCL(style: OpenCLDevice.Style) throws {
    let info = try #require(OpenCLDevices.first)
    try expectPlain("resnet20", .adam, on: OpenCLDevice(info, style: style))
  }

  @Test("leave running statistics that batch norm keeps as they are")
  func keptStatistics() throws {
    var setup = try self.setup(on: CPUDevice())
    setup.session.keepsStatistics = true
    let method = try MethodChoice("adaptive-loss:every=1,rate=5").make(setup)
    let before = try method.members[0].readState().running.map(\.values)
    let path = try MethodFixture.train(method, epochs: 1)
    #expect(try method.members[0].readState().running.map(\.values) == before)
    #expect(path[0].figures != [Double(Float(0.7))])
  }

  @Test("give the same bits for any number of threads")
  func threads() throws {
    let found = try [1, 2, 3].map { try train("adaptive-loss:every=2,rate=5", setup(on: CPUDevice(threads: $0))) }
    for other in found[1...] {
      #expect(other.bits == found[0].bits)
      #expect(other.path == found[0].path)
    }
  }

  @Test("go on from any step to the same bits")
  func resume() throws {
    let device = try CPUDevice(), steps = 3, epochs = 2, text = "adaptive-loss:every=2,rate=20"
    let whole = try train(text, setup(on: device))
    for stop in 1..<steps * epochs {
      let first = try MethodChoice(text).make(setup(on: device)),
        second = try MethodChoice(text).make(setup(on: device))
      var file = SafetensorsFile()
      for number in 0..<steps * epochs {
        let method = number < stop ? first : second, isFirst = number % steps == 0 || number == stop
        if number == stop {
          try second.members[0].write(first.members[0].readState())
          try first.store(in: &file)
          try second.restore(from: file)
        }
        if isFirst {
          _ = try method.begin(EpochStart(epoch: number / steps, step: number % steps, learningRate: 0.01))
        }
        try method.step(number % steps)
      }
      #expect(try second.members[0].readState().bits == whole.bits, "stopped before step \(stop)")
    }
  }

  @Test("refuse a checkpoint whose parameters are out of range")
  func damage() throws {
    let method = try MethodChoice("adaptive-loss").make(setup(on: CPUDevice()))
    for (values, shape) in [([Float(1.5)], [1]), ([.nan], [1]), ([0.5, 0.5], [2])] {
      var file = SafetensorsFile()
      file["state.learned"] = .init(values, shape: shape)
      let failure = #expect(throws: Failure.self) { try method.restore(from: file) }
      #expect(failure?.kind == .badInput)
    }
  }

  // MARK: - How parameters move

  @Test("move in every Nth step, as fast as the schedule says, and within the loss's range")
  func moves() throws {
    let device = try CPUDevice(), epochs = 2, steps = 3
    /// The parameter after each step.
    func path(_ text: String, _ setup: MethodSetup<CPUDevice>, rates: [Double]) throws -> [Double] {
      let method = try MethodChoice(text).make(setup)
      return try (0..<epochs * steps).map { number in
        if number % steps == 0 {
          _ = try method.begin(EpochStart(epoch: number / steps, step: 0, learningRate: rates[number / steps]))
        }
        try method.step(number % steps)
        return try method.finish(EpochEnd(epoch: number / steps, ids: [])).figures[0] ?? .nan
      }
    }
    let setup = try self.setup("mlp:width=128,dropout=0", on: device)
    let fourth = try path("adaptive-loss:every=4,rate=5", setup, rates: [0.01, 0.01])
    #expect(Set(fourth[..<4]).count == 1 && fourth[4] == fourth[5] && fourth[3] != fourth[4], "\(fourth)")
    // At a rate of 0 nothing moves, neither the network nor the loss.
    let stopped = try path("adaptive-loss:every=1,rate=5", setup, rates: [0.01, 0])
    #expect(Set(stopped[..<3]).count == 3 && Set(stopped[2...]).count == 1, "\(stopped)")
    // The first move is proportional to the rate.
    let slow = try path("adaptive-loss:every=4,rate=2.5", setup, rates: [0.01, 0.01])
    let start = Double(Float(0.7)), ratio = (fourth[0] - start) / (slow[0] - start)
    #expect(abs(ratio - 2) < 1e-3, "\(ratio)")
    for text in ["adaptive-loss:every=1,rate=1000000"] {
      let wild = try path(text, setup, rates: [0.01, 0.01])
      #expect(wild.allSatisfy { (Double(Float(1e-3))...1).contains($0) } && Set(wild).count > 1, "\(wild)")
    }
  }

  @Test("learn what the paper learns, or what is named, also where samples have weights")
  func parameters() throws {
    let names = [
      ("gce:q=0.7", "auto", ["q"]), ("sce", "auto", ["alpha", "beta"]), ("bitempered", "auto", ["t1", "t2"]),
      ("polysoft", "auto", ["d"]), ("polysoft", "lambda+d", ["lambda", "d"]), ("lsr", "auto", ["epsilon"]),
      ("gce", "q+k", ["q", "k"]), ("ce+sr", "p", ["p"]), ("nce+mae", "beta+scale", ["beta", "scale"]),
    ]
    let weights = (0..<MethodFixture.data.count).map { Float($0 % 3) / 2 }
    for (loss, learn, expected) in names {
      let setup = try self.setup("mlp:width=128,dropout=0", loss: loss, weights: weights, on: CPUDevice())
      let method = try MethodChoice("adaptive-loss:learn=\(learn),every=1,rate=1").make(setup)
      #expect(method.figures.map(\.name) == expected.map { "learned_\($0)" })
      let start = try Loss(loss),
        places = expected.compactMap { name in
          start.entry.parameters.firstIndex { $0.name == name }
        }
      let end = try MethodFixture.train(method, epochs: 1)[0].figures
      for (place, value) in zip(places, end) {
        let before = Double(start.values()[place]), range = start.entry.parameters[place].range
        #expect(value != before || before == Double(range.lowerBound), "\(loss) \(start.entry.parameters[place].name)")
        #expect(range.contains(Float(value ?? .nan)))
      }
    }
  }

  @Test("weigh samples as training does: one of weight 0 does not count")
  func weights() throws {
    // Samples without weight have other labels, and nothing changes.
    let N = MethodFixture.data.count, weights = (0..<N).map { Float($0 % 2) }
    func path(_ change: Int32) throws -> [[Double]] {
      var setup = try self.setup("mlp:width=128,dropout=0", weights: weights, on: CPUDevice())
      var set = setup.train.set
      for id in stride(from: 0, to: N, by: 2) where set.labels[id] >= 0 {
        set.labels[id] = (set.labels[id] + change) % 10
      }
      setup = MethodSetup(
        session: setup.session, train: try DeviceData(set, on: setup.train.device), test: nil, heldOut: nil,
        classes: 10, weights: weights, normalization: setup.normalization, transition: nil, recordsMargins: false,
        stage: setup.stage, trusted: setup.trusted)
      return try train("adaptive-loss:every=1,rate=5", setup).path
    }
    #expect(try path(0) == path(3))
  }

  @Test(
    "are refused with 78 where the loss lacks what is to be learned",
    arguments: [
      ("gce", "d", "those that can be learned are q, k"), ("ce", "auto", "none that can be"),
      ("ce", "q", "no parameters that can be learned"), ("agce", "auto", "it has a, q"),
      ("sce", "alpha+alpha", "twice"), ("taylor", "t", "no parameters that can be"),
      ("gce:q=0.1@0/0.7@9", "q", "over the epochs"), ("focal:detached=1", "gamma", "detached=1"),
      ("nfl+mae:detached=1", "gamma", "detached=1"), ("gce", "q+", "cannot learn ''"),
      ("peer", "alpha", "whole batch"), ("dmi", "guard", "whole batch"),
    ])
  func refusals(loss: String, learn: String, words: String) throws {
    let choice = try MethodChoice("adaptive-loss:learn=\(learn)"), loss = try Loss(loss)
    let failure = #expect(throws: Failure.self) { try choice.check(loss) }
    #expect(failure?.kind == .configuration && "\(failure!)".contains(words), "\(String(describing: failure))")
  }
}

@Suite("Batches of trusted samples")
struct TrustedBatchTests {
  @Test("come round by round, each in another order, and depend on seed and turn alone")
  func rounds() {
    let batches = TrustedBatches(count: 10, batch: 3, seed: 4)
    let turns = (0..<9).map { Array(batches.places($0)) }
    for round in 0..<3 {
      let drawn = turns[3 * round..<3 * round + 3].joined()
      #expect(drawn.count == 9 && Set(drawn).count == 9 && drawn.allSatisfy { (0..<10).contains($0) })
      #expect((3 * round..<3 * round + 3).allSatisfy { batches.round($0) == round })
    }
    #expect(turns[0] != turns[3] && turns[3] != turns[6])
    #expect(Array(TrustedBatches(count: 10, batch: 3, seed: 4).places(7)) == turns[7])
    #expect(Array(TrustedBatches(count: 10, batch: 3, seed: 5).places(7)) != turns[7])
    // All of them in each turn.
    let few = TrustedBatches(count: 4, batch: 4, seed: 1)
    #expect((0..<5).allSatisfy { Set(few.places($0)).count == 4 && few.round($0) == $0 })
  }
}
