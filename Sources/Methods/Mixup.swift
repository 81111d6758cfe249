import Compute
import Sessions
import Statistics

/// One network that learns from mixtures of two images, and of their labels.
///
/// Of each batch one share f is drawn from Beta(alpha, alpha), and an order: image r becomes f · (image r) + (1 − f) · (image
/// π(r)), each cropped and mirrored as it is in that epoch, and the loss f · CE(y_r) + (1 − f) · CE(y_π(r)). With alpha 0
/// nothing is mixed. What is written of training samples is about mixed images and the labels of the first ones.
/// - Source: Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018,
///   arXiv:1710.09412, and its code, facebookresearch/mixup-cifar10.
final class Mixup<D: Device>: Method {
  let members: [TrainingSession<D>]
  let stages: [Stage]
  private let setup: MethodSetup<D>, alpha: Double
  private let partners: D.Buffer, factors: D.Buffer

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    (self.setup, stages, alpha) = (setup, [setup.stage], choice["alpha"])
    let member = try setup.member(), count = max(member.sampleIDs.count, 1)
    members = [member]
    partners = try member.device.allocate(byteCount: 4 * count)
    factors = try member.device.allocate(byteCount: 4 * count)
    try member.prepare(lent: [.partners: partners, .factors: factors]) { step, _ in
      step.images(member.settings.augmentation, mixed: true)
      step.forward(.batch)
      // Predictions and margins are those by the given label.
      let dlogits = step.loss(member.settings.loss.function), targets = step.scratch(), program = step.program
      step.rows(.mixedTargets(targets, K: program.classes))
      step.rows(
        .softLoss(program.logits, targets: targets, dlogits: dlogits, K: program.classes))
      step.backward()
      member.update(&step)
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    let member = members[0], sizes = member.batchSizes
    try member.begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
      recordsMargins: setup.recordsMargins(epoch.epoch))
    let mixtures = Mixtures(alpha: alpha, seed: member.settings.seed, epoch: epoch.epoch, batchSizes: sizes)
    let order = Array(member.ids(ofFirst: sizes.count))
    try member.device.write(mixtures.partners.map { order[$0] }, to: partners)
    try member.device.write(mixtures.factors, to: factors)
    return sizes
  }
}

/// Which images of an epoch are mixed, and how: a function of seed and epoch.
public struct Mixtures: Sendable, Equatable {
  /// For each position of the epoch's order, the position of the image that it is mixed with: one of the same batch.
  public private(set) var partners: [Int] = []
  /// For each position, the share of its own image: the same within a batch.
  public private(set) var factors: [Float] = []
  /// Batches.
  let steps: Int

  /// The draws of an epoch.
  ///
  /// - Parameters:
  ///   - alpha: the shape of the beta distribution; 0 mixes nothing.
  ///   - batchSizes: images of each step.
  ///   - keepsLarger: whether each image's own share is the larger one.
  public init(alpha: Double, seed: UInt64, epoch: Int, batchSizes: [Int], keepsLarger: Bool = false) {
    steps = batchSizes.count
    let random = CounterRandom(seed: seed), epoch = UInt32(epoch)
    for (step, size) in batchSizes.enumerated() {
      let first = partners.count
      let drawn = alpha > 0 ? random.beta(alpha, .mixFactor, epoch, UInt32(step)) : 1
      let factor = keepsLarger ? max(drawn, 1 - drawn) : drawn
      factors += [Float](repeating: Float(factor), count: size)
      partners += first..<first + size
      // Fisher and Yates' order of the batch, drawn by position.
      for place in stride(from: size - 1, to: 0, by: -1) {
        let other = random.integer(below: place + 1, .mixPartner, epoch, UInt32(first + place))
        partners.swapAt(first + place, first + other)
      }
    }
  }
}
