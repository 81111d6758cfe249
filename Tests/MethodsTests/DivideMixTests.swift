import Compute
import ComputeCPU
import ComputeOpenCL
import FileFormats
import Glibc
import Methods
import Sessions
import Testing

/// How DivideMix divides an epoch.
@Suite("A division of samples")
struct DivisionTests {
  private static let ids = (0..<100).filter { $0 % 7 != 3 }.map { Int32($0) }

  private func division(_ clean: [Float], threshold: Double = 0.5, batch: Int = 8, epoch: Int = 4) -> Division {
    Division(clean: clean, ids: Self.ids, threshold: threshold, batch: batch, alpha: 4, seed: 11, epoch: epoch)
  }

  @Test("believes the labels above the threshold, and brings each of them twice in an epoch")
  func rows() {
    let clean = (0..<100).map { Float($0 % 10) / 10 }, b = 8, division = division(clean, batch: b)
    #expect(division.labelled == Self.ids.filter { clean[Int($0)] > 0.5 })
    #expect((division.labelled + division.unlabelled).sorted() == Self.ids)
    let steps = (division.labelled.count + b - 1) / b, rows = division.order.count / steps
    #expect(rows == 4 * b && division.order.count == rows * steps)
    var seen: [Int32] = [], others: [Int32] = []
    for step in 0..<steps {
      let batch = Array(division.order[step * rows..<(step + 1) * rows])
      #expect(batch[..<b] == batch[b..<2 * b] && batch[(2 * b)..<(3 * b)] == batch[(3 * b)...])
      #expect(Set(batch[..<b]).isSubset(of: division.unlabelled))
      #expect(Set(batch[(2 * b)...]).count == b && Set(batch[(2 * b)...]).isSubset(of: division.labelled))
      others += batch[..<b]
      seen += batch[(2 * b)..<(3 * b)]
      // One share for the batch, and partners that are a permutation of it.
      let places = step * rows..<(step + 1) * rows
      #expect(division.mixtures.partners[places].sorted() == Array(places))
      #expect(Set(division.mixtures.factors[places]).count == 1)
      #expect(division.mixtures.factors[places].allSatisfy { (0.5...1).contains($0) })
    }
    #expect(seen.prefix(division.labelled.count).sorted() == division.labelled)
    #expect(seen.suffix(from: division.labelled.count) == seen.prefix(seen.count - division.labelled.count))
    // None of the others comes again before all of them have come.
    #expect(others.count < division.unlabelled.count && Set(others).count == others.count)
  }

  @Test("brings the others again, in another order, where they are few")
  func rounds() {
    let clean = (0..<100).map { $0 % 10 == 0 ? 0 : 1 as Float }, division = division(clean), b = 8, rows = 4 * b
    let others = stride(from: 0, to: division.order.count, by: rows).flatMap { division.order[$0..<$0 + b] }
    let count = division.unlabelled.count, rounds = others.count / count
    #expect(count < 14 && rounds > 3)
    let orders = (0..<rounds).map { Array(others[$0 * count..<($0 + 1) * count]) }
    #expect(orders.allSatisfy { $0.sorted() == division.unlabelled } && Set(orders).count == rounds)
  }

  @Test("has a batch of each kind at least, taken by chance and then by id")
  func least() {
    let sure = division([Float](repeating: 1, count: 100)), ids = Self.ids
    #expect(sure.unlabelled == Array(ids.suffix(8)) && sure.labelled == Array(ids.dropLast(8)))
    let none = division([Float](repeating: 0.1, count: 100))
    #expect(none.labelled == Array(ids.prefix(8)) && none.unlabelled == Array(ids.dropFirst(8)))
    let ranked = division((0..<100).map { Float($0) / 1000 })
    #expect(ranked.labelled == Array(ids.suffix(8)))
    // Half and half of two batches.
    let smallest = Division(
      clean: [Float](repeating: 1, count: 100), ids: ids, threshold: 0.5, batch: ids.count / 2, alpha: 4, seed: 1,
      epoch: 0)
    #expect(smallest.labelled.count == ids.count / 2 && smallest.order.count == 4 * (ids.count / 2))
  }

  @Test("is another one in each epoch and of each seed, and mixes nothing with alpha 0")
  func draws() {
    let clean = (0..<100).map { Float($0 % 10) / 10 }, first = division(clean)
    #expect(first == division(clean) && first.order != division(clean, epoch: 5).order)
    let other = Division(clean: clean, ids: Self.ids, threshold: 0.5, batch: 8, alpha: 0, seed: 12, epoch: 4)
    #expect(other.order != first.order && other.mixtures.factors.allSatisfy { $0 == 1 })
  }
}

/// What DivideMix decides, looked at from outside.
@Suite("DivideMix")
struct DivideMixTests {
  private let N = MethodFixture.data.count, K = MethodFixture.classes

  private func steps<D: Device>(_ method: any Method<D>, epoch: Int, from first: Int = 0, to last: Int? = nil) throws
    -> Int
  {
    let sizes = try method.begin(EpochStart(epoch: epoch, step: first, learningRate: 0.01))
    for step in first..<(last ?? sizes.count) { try method.step(step) }
    return sizes.count
  }

  private func finish<D: Device>(_ method: any Method<D>, epoch: Int) throws -> EpochOutcome {
    try method.finish(EpochEnd(epoch: epoch, ids: method.members[0].ids(ofFirst: 100)))
  }

  @Test("judges labels by the other network's losses, once the first epochs are over")
  func judges() throws {
    let setup = try MethodFixture.setup(on: CPUDevice())
    let method = try MethodChoice("dividemix:warm=2,history=2").make(setup), labels = MethodFixture.data.labels
    var outcomes: [EpochOutcome] = []
    for epoch in 0..<4 {
      let used = try method.members.map { try $0.floats("clean") }
      let count = try steps(method, epoch: epoch)
      #expect(count <= method.stepLimit && (epoch < 2 ? count == 4 : count > 1))
      outcomes.append(try finish(method, epoch: epoch))
      #expect(outcomes[epoch].figures.count == method.figures.count)
      let now = try method.members.map { try $0.floats("clean") }
      guard epoch > 0 else {
        #expect(now.joined().allSatisfy { $0 == -1 } && outcomes[0].figures[0] == nil)
        #expect(try method.suspicion()?.allSatisfy(\.isNaN) == true)
        continue
      }
      for (member, clean) in zip(method.members, now) {
        let logits = try member.trainingLogits(), results = try member.sampleResults(), least = results.losses.min()!
        let most = results.losses.max()!
        for id in 0..<N {
          let z = logits[id * K..<(id + 1) * K].map(Double.init)
          let loss = log(z.reduce(0) { $0 + exp($1) }) - z[Int(labels[id])]
          #expect(abs(Double(results.losses[id]) - loss) < 1e-4 * max(1, loss))
          #expect((0...1).contains(clean[id]))
        }
        // Losses as parts of their range, and those of the epoch before.
        let history = try member.floats("losses")
        for id in 0..<N {
          #expect(abs(history[2 * id] - (results.losses[id] - least) / (most - least)) < 1e-5)
          #expect((history[2 * id + 1] == -1) == (epoch == 1))
        }
      }
      let suspicion = try #require(try method.suspicion())
      for id in 0..<N {
        let mean = (Double(now[0][id]) + Double(now[1][id])) / 2
        #expect(suspicion[id] == 1 - mean)
      }
      #expect(outcomes[epoch].figures[4] == MethodFixture.data.score(ofSuspicion: suspicion)?.areaUnderROC)
      guard epoch > 1 else { continue }
      // What each network learned by is what the other one had found before.
      let counts = used.map { clean in clean.count { $0 > 0.5 } }
      if counts.allSatisfy({ (16...84).contains($0) }) {
        #expect(outcomes[epoch].figures[0] == Double(counts.reduce(0, +)) / Double(2 * N))
      }
    }
  }

  @Test("goes on to the same bits from a checkpoint inside each network's part of an epoch", arguments: [0, 1, 2])
  func resumes(phase: Int) throws {
    let setup = try MethodFixture.setup(on: CPUDevice()), choice = try MethodChoice("dividemix:warm=1,ramp=2")
    func prepared() throws -> any Method<CPUDevice> {
      let method = try choice.make(setup)
      _ = try steps(method, epoch: 0)
      _ = try finish(method, epoch: 0)
      _ = try steps(method, epoch: 1)
      _ = try finish(method, epoch: 1)
      return method
    }
    let whole = try prepared(), count = try steps(whole, epoch: 2)
    _ = try finish(whole, epoch: 2)

    let stopped = try prepared(), at = [1, count - 1, count][phase]
    _ = try steps(stopped, epoch: 2, to: at)
    var file = SafetensorsFile(metadata: [:])
    try stopped.store(in: &file)
    let other = try choice.make(setup)
    for (from, to) in zip(stopped.members, other.members) { try to.write(from.readState()) }
    try other.restore(from: file)
    #expect(try steps(other, epoch: 2, from: at) == count)
    _ = try finish(other, epoch: 2)
    for (mine, wanted) in zip(other.members, whole.members) {
      #expect(try mine.readState().bits == wanted.readState().bits)
      #expect(try mine.readState().columns == wanted.readState().columns)
    }
    var (left, wanted) = (SafetensorsFile(metadata: [:]), SafetensorsFile(metadata: [:]))
    try other.store(in: &left)
    try whole.store(in: &wanted)
    #expect(left[LossMixture.name] == wanted[LossMixture.name] && left[LossMixture.name] != nil)
  }

  @Test("does not judge anew in the midst of an epoch")
  func midst() throws {
    let method = try MethodChoice("dividemix:warm=1").make(MethodFixture.setup(on: CPUDevice()))
    _ = try steps(method, epoch: 0)
    _ = try finish(method, epoch: 0)
    let before = try method.members.map { try $0.floats("clean") }
    _ = try steps(method, epoch: 1, to: 1)
    _ = try finish(method, epoch: 1)
    #expect(try method.members.map { try $0.floats("clean") } == before)
  }

  private func expectSum<D: Device>(on device: D) throws {
    let setup = try MethodFixture.setup(on: device), method = try MethodChoice("dividemix:warm=1").make(setup)
    #expect(method.answer == .sum)
    _ = try MethodFixture.train(method, epochs: 2)
    let results = try #require(try method.evaluate())
    let logits = try method.members.map { try #require(try $0.testLogits()).map(Double.init) }
    for (id, label) in MethodFixture.test.labels.enumerated() {
      let z = (0..<K).map { (logits[0][id * K + $0] + logits[1][id * K + $0]) / 2 }
      let loss = log(z.reduce(0) { $0 + exp($1) }) - z[Int(label)]
      #expect(abs(Double(results.losses[id]) - loss) < 1e-5 * max(1, loss))
      #expect(z[Int(results.predictions[id])] >= z.max()! - 1e-6)
      #expect(abs(Double(results.confidences[id]) - exp(-loss)) < 1e-5)
    }
  }

  @Test("answers by the sum of both networks' predictions") func answers() throws { try expectSum(on: CPUDevice()) }

  @Test(
    "answers so through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func answersThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectSum(on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("needs a batch of samples")
  func tooFew() throws {
    var setup = try MethodFixture.setup(on: CPUDevice())
    for size in [1, 128] {
      setup.session.batchSize = size
      #expect(throws: (any Error).self) { try MethodChoice("dividemix").make(setup) }
    }
    setup.session.batchSize = 100
    _ = try MethodChoice("dividemix").make(setup)
  }
}
