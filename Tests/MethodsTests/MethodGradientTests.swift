import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Glibc
import Methods
import Sessions
import Testing

/// Whole steps of a perceptron against finite differences of the method's objective, which is written here in double
/// precision from bytes to the mean over the batch.
@Suite("The gradient of a method's step")
struct MethodGradientTests {
  /// What the objective of a step is made from.
  private struct Objective {
    var images: [[Double]], labels: [Int]
    /// Of each row: what is added to its logits, what it is held to, and whether the loss is against several classes.
    var offsets: [[Double]] = [], targets: [[Double]] = [], softTargets: [[Double]] = []
    var regulariser = 0.0, pull = 0.0
    var anchor: [[Double]] = []
    /// Of each other network, the logarithms of its probabilities for each row, which this one learns from.
    var others: [[[Double]]] = []
    /// Lambda and beta of a loss that is scaled by confidence, where it is.
    var confidence: (lambda: Double, beta: Double)?
    /// Which rows count with their label, and what all are to be consistent with, where there is such a thing.
    var kept: [Double] = [], guesses: [[Double]] = [], consistency = 0.0

    /// The layers' weights and biases in order: fc1, fc2, perhaps the second head, fc3.
    func value(_ parameters: [[Double]]) -> Double {
      let total = images.indices.reduce(0.0) { sum, row in
        let (logits, indicator) = logits(images[row], parameters)
        return sum + (confidence == nil ? loss(row, logits) : confidentLoss(row, logits, indicator))
      }
      let away = zip(parameters, anchor).reduce(0.0) { sum, pair in
        sum + zip(pair.0, pair.1).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      return total / Double(images.count) + pull / 2 * away
    }

    /// The mean over the other networks of the divergence of this one's prediction from theirs.
    private func divergence(_ row: Int, _ logs: [Double]) -> Double {
      var sum = 0.0
      for other in others {
        for (theirs, own) in zip(other[row], logs) { sum += exp(theirs) * (theirs - own) }
      }
      return sum / Double(max(others.count, 1))
    }

    private func logits(_ image: [Double], _ parameters: [[Double]]) -> ([Double], indicator: Double) {
      var x = image
      func linear(_ layer: Int) -> [Double] {
        let (weights, biases) = (parameters[2 * layer], parameters[2 * layer + 1])
        return biases.indices.map { n in
          var sum = biases[n]
          for k in x.indices { sum += weights[n * x.count + k] * x[k] }
          return sum
        }
      }
      for layer in 0..<2 { x = linear(layer).map { max(0, $0) } }
      return (linear(parameters.count / 2 - 1), parameters.count > 6 ? linear(2)[0] : 0)
    }

    private func confidentLoss(_ row: Int, _ z: [Double], _ indicator: Double) -> Double {
      guard let (lambda, beta) = confidence else { return .nan }
      let largest = z.max() ?? 0, sum = z.reduce(0) { $0 + exp($1 - largest) }, tau = 1 / (1 + exp(-indicator))
      var loss = -lambda * log(tau)
      for (k, s) in targets[row].enumerated() {
        let q = min(max(tau * exp(z[k] - largest) / sum + (1 - tau) * s, 1e-7), 1)
        loss -= s * log(q) + beta * q * log(s)
      }
      return loss
    }

    private func loss(_ row: Int, _ logits: [Double]) -> Double {
      let z = offsets.isEmpty ? logits : zip(logits, offsets[row]).map { $0 + $1 }
      let largest = z.max() ?? 0, normaliser = largest + log(z.reduce(0) { $0 + exp($1 - largest) })
      let logs = z.map { $0 - normaliser }
      if !softTargets.isEmpty { return -zip(softTargets[row], logs).reduce(0) { $0 + $1.0 * $1.1 } }
      if !guesses.isEmpty {
        let squares = zip(logs, guesses[row]).reduce(0.0) { $0 + (exp($1.0) - $1.1) * (exp($1.0) - $1.1) }
        return -kept[row] * logs[labels[row]] + consistency / Double(logs.count) * squares
      }
      guard !targets.isEmpty else { return -logs[labels[row]] + divergence(row, logs) }
      let agreement = zip(targets[row], logs).reduce(0) { $0 + $1.0 * min(max(exp($1.1), 1e-4), 1 - 1e-4) }
      return -logs[labels[row]] + regulariser * log(1 - agreement)
    }
  }

  private static let data = MethodFixture.data

  /// An image as the network sees it: normalised, channel by channel.
  private func image(_ id: Int, _ normalization: Normalization) -> [Double] {
    let images = Self.data.images, size = images.imageSize, C = images.channels
    let bytes = images.pixels[id * size..<(id + 1) * size]
    return (0..<C).flatMap { c in
      stride(from: bytes.startIndex + c, to: bytes.endIndex, by: C).map {
        (Double(bytes[$0]) / 255 - Double(normalization.mean[c])) / Double(normalization.standardDeviation[c])
      }
    }
  }

  private func expectDerivative<D: Device>(_ text: String, on device: D) throws {
    let K = MethodFixture.classes
    var setup = try MethodFixture.setup(
      "mlp:width=128,dropout=0", augmentation: Augmentation(crop: 0, flip: false), on: device)
    setup.session.optimizer.weightDecay = 0
    let choice = try MethodChoice(text), method = try choice.make(setup), member = method.members[0]
    let start = try member.readState().parameters
    // An epoch moves parameters and columns away from where they begin.
    _ = try MethodFixture.train(method, epochs: 1)
    var state = try member.readState()
    for index in state.momenta.indices {
      state.momenta[index].values = [Float](repeating: 0, count: state.momenta[index].values.count)
    }
    try member.write(state)
    _ = try method.begin(EpochStart(epoch: 1, step: 0, learningRate: 0))
    try method.step(0)
    // Without decay, and from momenta of zero, these are the gradients.
    let gradients = try member.readState().momenta.map { $0.values.map(Double.init) }

    let ids = member.ids(ofFirst: 1).map { Int($0) }, labels = Self.data.labels
    var objective = Objective(
      images: ids.map { image($0, member.normalization) }, labels: ids.map { Int(labels[$0]) })
    func rows(_ name: String, _ factor: Double = 1) throws -> [[Double]] {
      let column = try member.floats(name)
      return ids.map { id in column[id * K..<(id + 1) * K].map { factor * Double($0) } }
    }
    switch choice.entry.name {
    case "rdi":
      objective.anchor = start.map { $0.values.map { choice["anchor"] * Double($0) } }
      objective.pull = choice["lambda"] * choice["lambda"] / Double(Self.data.count)
    case "aux": objective.offsets = try rows("offset", choice["lambda"])
    case "elr": (objective.targets, objective.regulariser) = (try rows("target"), choice["lambda"])
    case "mixup":
      let mixtures = Mixtures(alpha: choice["alpha"], seed: 7, epoch: 1, batchSizes: [ids.count])
      let f = Double(mixtures.factors[0]), own = objective
      for (row, partner) in mixtures.partners.enumerated() {
        objective.images[row] = zip(own.images[row], own.images[partner]).map { f * $0 + (1 - f) * $1 }
        var target = [Double](repeating: 0, count: K)
        target[own.labels[row]] += f
        target[own.labels[partner]] += 1 - f
        objective.softTargets.append(target)
      }
    case "self":
      // With a momentum of 0 the ensemble is what the teacher has just said.
      (objective.guesses, objective.consistency) = (try rows("ensemble"), choice["consistency"])
      let kept = try member.floats("kept")
      objective.kept = ids.map { Double(kept[$0]) }
      #expect(Set(objective.kept) == [0, 1])
    case "mutual":
      for other in method.members.dropFirst() {
        let logits = try other.logits(ofStep: 0).map(Double.init)
        objective.others.append(
          ids.indices.map { row in
            let z = logits[row * K..<(row + 1) * K]
            let normaliser = log(z.reduce(0.0) { $0 + exp($1) })
            return z.map { $0 - normaliser }
          })
      }
    case "car": (objective.targets, objective.confidence) = (try rows("target"), (choice["lambda"], choice["beta"]))
    default: preconditionFailure("\(text) has no objective here")
    }

    let parameters = state.parameters.map { $0.values.map(Double.init) }
    let largest = gradients.joined().reduce(0) { max($0, abs($1)) }
    for (index, gradient) in gradients.enumerated() {
      // Those with the largest gradients of each layer, and some others.
      let order = gradient.indices.sorted { abs(gradient[$0]) > abs(gradient[$1]) }
      for element in order.prefix(3) + [0, gradient.count / 2] {
        var (above, below) = (parameters, parameters)
        above[index][element] += 1e-5
        below[index][element] -= 1e-5
        let difference = (objective.value(above) - objective.value(below)) / 2e-5
        #expect(
          abs(gradient[element] - difference) <= 1e-4 * largest, "\(text), \(state.parameters[index].name)[\(element)]")
      }
    }
  }

  private static let methods = [
    "rdi:lambda=8", "rdi:lambda=8,anchor=0", "aux:lambda=20", "elr:momentum=0.5,lambda=3", "mixup:alpha=1",
    "car:lambda=0.5,beta=0.1,start=2,every=1,momentum=0.8", "self:every=1,momentum=0,consistency=30,ramp=0",
    "mutual:members=2", "mutual:members=3",
  ]

  @Test("is the derivative of its objective", arguments: methods)
  func derivative(method: String) throws { try expectDerivative(method, on: CPUDevice()) }

  @Test(
    "is the derivative of its objective through OpenCL",
    .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"), arguments: methods)
  func derivativeThroughOpenCL(method: String) throws {
    let info = try #require(OpenCLDevices.first)
    try expectDerivative(method, on: OpenCLDevice(info, style: .workGroups))
  }
}
