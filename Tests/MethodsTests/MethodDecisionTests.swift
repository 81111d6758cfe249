import ComputeCPU
import Datasets
import Methods
import Sessions
import Testing

/// What methods decide, looked at step by step from outside.
@Suite("The decision of a method")
struct MethodDecisionTests {
  @Test("to keep samples follows the other network's losses", arguments: [true, false])
  func coTeaching(exchanges: Bool) throws {
    let text = "co-teaching:rate=0.4,ramp=1,exchange=\(exchanges ? 1 : 0)"
    let method = try MethodChoice(text).make(MethodFixture.setup(on: CPUDevice()))
    var kept = [0, 0]
    let outcomes = try MethodFixture.train(method, epochs: 1) { _, step in
      let sizes = method.members[0].batchSizes
      let ids = method.members[0].ids(ofFirst: step + 1).suffix(sizes[step]).map { Int($0) }
      for (number, member) in method.members.enumerated() {
        // The losses are those before the update, and stay in the table until the sample comes again.
        let losses = try method.members[exchanges ? 1 - number : number].sampleResults().losses
        let weights = try member.floats("kept")
        let count = Int(0.6 * Double(ids.count))
        let expected = Set(ids.indices.sorted { (losses[ids[$0]], $0) < (losses[ids[$1]], $1) }.prefix(count))
        for (row, id) in ids.enumerated() { #expect(weights[id] == (expected.contains(row) ? 1 : 0)) }
        kept[number] += count
      }
    }
    #expect(kept == [19 * 3 + 2, 19 * 3 + 2])
    #expect(outcomes[0].figures[0] == Double(2 * (19 * 3 + 2)) / 200)
    #expect(outcomes[0].figures.count == method.figures.count)
  }

  @Test("to keep samples is scored by the true labels")
  func figures() throws {
    let method = try MethodChoice("co-teaching:rate=0.3,ramp=1").make(MethodFixture.setup(on: CPUDevice()))
    let outcome = try MethodFixture.train(method, epochs: 2)[1], data = MethodFixture.data
    let truth = try #require(data.trueLabels)
    var kept = 0, keptRight = 0, right = 0, leftOutWrong = 0
    for member in method.members {
      for (id, weight) in try member.floats("kept").enumerated() {
        let isRight = truth[id] == data.labels[id]
        kept += weight > 0 ? 1 : 0
        right += isRight ? 1 : 0
        keptRight += weight > 0 && isRight ? 1 : 0
        leftOutWrong += weight == 0 && !isRight ? 1 : 0
      }
    }
    #expect(outcome.figures[0] == Double(kept) / 200)
    #expect(outcome.figures[1] == Double(keptRight) / Double(kept))
    #expect(outcome.figures[2] == Double(keptRight) / Double(right))
    #expect(outcome.figures[3] == Double(leftOutWrong) / Double(200 - kept))
    let second = try #require(outcome.figures[4]),
      predictions = try #require(try method.members[1].evaluate()).predictions
    let labels = Shapes.samples(seed: 2, count: 40, isTest: true).labels
    #expect(second == Double(zip(predictions, labels).count { $0 == $1 }) / 40)
    let suspicion = try #require(try method.suspicion())
    let losses = try method.members.map { try $0.sampleResults().losses }
    #expect(suspicion.indices.allSatisfy { suspicion[$0] == (Double(losses[0][$0]) + Double(losses[1][$0])) / 2 })
  }

  @Test("to abandon samples counts epochs in a row, for good", arguments: ["marvel", "marvel+"])
  func marvel(name: String) throws {
    let method = try MethodChoice("\(name):patience=2,warm=1").make(MethodFixture.setup(epochs: 6, on: CPUDevice()))
    let N = MethodFixture.data.count, labels = MethodFixture.data.labels
    var streaks = [Int32](repeating: 0, count: N), abandoned = Set<Int>()
    _ = try MethodFixture.train(method, epochs: 5) { epoch, step in
      let member = method.members[0], sizes = member.batchSizes, K = MethodFixture.classes
      let ids = member.ids(ofFirst: step + 1).suffix(sizes[step]).map { Int($0) }
      let logits = try member.logits(ofStep: step), weights = try member.floats("weight")
      for (row, id) in ids.enumerated() where epoch >= 1 && !abandoned.contains(id) {
        let z = logits[row * K..<(row + 1) * K], own = z[z.startIndex + Int(labels[id])]
        let other = z.indices.filter { $0 - z.startIndex != Int(labels[id]) }.map { z[$0] }.max() ?? 0
        streaks[id] = own < other ? streaks[id] + 1 : 0
        if streaks[id] >= 2 { abandoned.insert(id) }
        if abandoned.contains(id) {
          #expect(weights[id] == 0)
        } else {
          #expect(name == "marvel" ? weights[id] == 1 : (1...2).contains(weights[id]))
        }
      }
    }
    #expect(try method.members[0].integers("streak") == streaks)
    let weights = try method.members[0].floats("weight")
    #expect(Set(weights.indices.filter { weights[$0] == 0 }) == abandoned)
    #expect(!abandoned.isEmpty && abandoned.count < N)
    #expect(try method.suspicion() == streaks.map { min(Double($0) / 2, 1) })
  }
}
