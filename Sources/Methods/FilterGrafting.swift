import Compute
import Glibc
import Sessions

/// Networks with orders and crops of their own, each of which takes over weights of the one before it after every epoch.
///
/// The ring's first network takes from its last one, and all from the weights as they were before (`Grafting`). It is done
/// when the next epoch begins: the networks that are measured, and kept in checkpoints, are those that were trained, as in
/// the authors' code, and the last epoch is not followed by a grafting. Momenta stay as they are.
///
/// With teachers it is DGD, densifying knowledge with grafting and distillation: each network learns from the labels and
/// from trained networks, which do not change: L = loss(z, y) + w T² · mean over the teachers of KL(softmax(z_t / T) ‖
/// softmax(z / T)). Its gradient is that of the soft cross entropy against the mean of the teachers' probabilities, which
/// the paper has. Teachers see the images as each student does.
/// - Source: Meng et al., "Filter grafting for deep neural networks", CVPR 2020, arXiv:2001.05868, and its code,
///   fxmeng/filter-grafting; Cheng et al., "Filter grafting for deep neural networks: reason, method, and
///   cultivation", arXiv:2004.12311, 2020, and its code, filtergrafting/filter-grafting.
final class FilterGrafting<D: Device>: Method {
  let members: [TrainingSession<D>]
  let figures: [Figure]
  private let networks: [Plain<D>], setup: MethodSetup<D>
  /// nil where networks are left as they are.
  private let grafting: Grafting?
  /// Of each network, the forward passes of its teachers.
  private let teachers: [[TeacherPasses<D>]]
  /// The factor of each network's learning rate.
  private let rates: [Double]

  var stages: [Stage] { networks[0].stages }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    let count = Int(choice["members"])
    members = try (0..<count).map { try setup.member($0, hasOwnBatches: true) }
    let isTaught = choice.entry.needsTeachers
    let weights = try setup.teachers.map {
      try TeacherWeights($0, images: setup.train.set.images, classes: setup.classes, on: setup.train.device)
    }
    teachers = try members.map { member in try weights.map { try TeacherPasses($0, of: member) } }
    networks = try zip(members, teachers).map { member, teachers in
      guard isTaught else { return try Plain(setup, member) }
      let lent = teachers.enumerated().map { (Store.logits($0), $1.logits) }
      return try Plain(
        setup, member, lent: Dictionary(uniqueKeysWithValues: lent),
        numbers: [Float(choice["weight"] / Double(max(teachers.count, 1))), Float(choice["temperature"])],
        teaching: { step, dlogits in
          let program = step.program, scratch = step.scratch()
          for teacher in teachers.indices {
            step.rows(
              .distil(
                program.logits, from: .logits(teacher), scratch: scratch, dlogits: dlogits, K: program.classes))
          }
        })
    }
    grafting =
      isTaught && choice["graft"] == 0
      ? nil : Grafting(amplitude: choice["amplitude"], steepness: choice["steepness"])
    rates = (1...count).map { number in
      choice["rates"] == 1 ? (1 + cos(Double.pi * Double(count - number) / Double(count))) / 2 : 1
    }
    (self.setup, figures) = (setup, Grafting.figures(of: count))
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    // A checkpoint is taken behind an epoch's last step or within an epoch, never between this and the first step.
    if let grafting, epoch.epoch > 0, epoch.step == 0 {
      for (member, weights) in zip(members, grafting.ring(try weights())) {
        try member.writeWeights(parameters: weights.parameters, running: weights.running)
      }
    }
    for (network, rate) in zip(networks, rates) {
      _ = try network.begin(
        EpochStart(epoch: epoch.epoch, step: epoch.step, learningRate: rate * epoch.learningRate))
    }
    return members[0].batchSizes
  }

  func step(_ step: Int) throws {
    for (network, teachers) in zip(networks, teachers) {
      for teacher in teachers { try teacher.run(step: step) }
      try network.step(step)
    }
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    let accuracies = try MemberAccuracies.values(of: members, setup, first: epoch.testAccuracy)
    let weights = try weights(), grafted = grafting?.ring(weights) ?? weights
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let entropies: [Double?] = weights.map { mean($0.entropies) }
    let invalid: [Double?] = [weights, grafted].map { mean($0.map(\.invalidShare)) }
    return EpochOutcome(figures: accuracies + invalid + entropies)
  }

  private func weights() throws -> [LayerWeights] {
    try members.map {
      let (parameters, running) = try $0.readWeights()
      return LayerWeights(parameters: parameters, running: running)
    }
  }
}
