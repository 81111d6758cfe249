import Compute
import ComputeCPU
import Datasets
import Failures
import Glibc
import Losses
import Networks
import Statistics
import TestSupport
import Testing
import Training

@Suite struct `A transition matrix for losses that correct labels` {
  /// Every class passes 0.3 of its samples on to the next.
  private func pairs(_ K: Int) -> TransitionMatrix {
    var matrix = TransitionMatrix(identity: K)
    for k in 0..<K { (matrix[k, k], matrix[k, (k + 1) % K]) = (0.7, 0.3) }
    return matrix
  }

  @Test(arguments: [2, 3, 10, 100])
  func `has an inverse`(K: Int) throws {
    let matrix = pairs(K), inverse = try TransitionSource.inverse(of: matrix)
    for i in 0..<K {
      for j in 0..<K {
        let product = (0..<K).reduce(0) { $0 + matrix[i, $1] * inverse[$1 * K + j] }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-12)
      }
    }
  }

  @Test func `has none where two classes have the same labels`() {
    let matrix = TransitionMatrix(classCount: 2, values: [0.5, 0.5, 0.5, 0.5])
    #expect { try TransitionSource.inverse(of: matrix) } throws: { ($0 as? Failure)?.kind == .configuration }
  }

  @Test func `is estimated from the samples that are surest of a class`() throws {
    // A network that knows the noise, and doubts it more from sample to sample: two samples of each doubt and class.
    let K = 4, truth = pairs(K)
    let logits = (0..<40 * K).flatMap { sample -> [Float] in
      let row = truth.row(sample % K), doubt = Double(sample / K % 20) / 40
      return row.map { Float(log((1 - doubt) * $0 + doubt / Double(K) + 1e-9)) }
    }
    let estimate = TransitionSource.estimate(fromLogits: logits, classes: K, quantile: 1)
    for i in 0..<K { for j in 0..<K { #expect(abs(estimate[i, j] - truth[i, j]) < 1e-6) } }
    // Below the quantile they are less sure: what is passed over is the largest chance.
    let careful = TransitionSource.estimate(fromLogits: logits, classes: K, quantile: 0.97)
    #expect((0..<K).allSatisfy { careful[$0, $0] < estimate[$0, $0] && careful[$0, $0] > 0.6 })
  }

  /// The authors' 0.97 for 10 classes and 1 for 100; between, a third of a class; of few classes 0.97 at the least.
  @Test(arguments: [(2, 0.97), (10, 0.97), (20, 0.985), (50, 0.994), (100, 1.0), (1000, 1.0)])
  func `has its anchors below a quantile that depends on the number of classes`(K: Int, quantile: Double) {
    // A rounding or two of a number near 1.
    #expect(abs(TransitionSource.quantile(classes: K) - quantile) <= 2 * quantile.ulp)
  }

  @Test(arguments: ["forward", "backward"])
  func `of no noise makes a correction cross entropy`(loss: String) throws {
    let data = Shapes.samples(seed: 2, count: 64, isTest: false), device = try CPUDevice()
    func losses(_ loss: String, _ matrix: TransitionMatrix? = nil) throws -> [Float] {
      let settings = try TrainingSession<CPUDevice>.Settings(
        network: Network("resnet20"), loss: Loss(loss), batchSize: 64, augmentation: Augmentation(crop: 0, flip: false))
      let session = try TrainingSession(settings, train: data, test: nil, classes: 10, on: device)
      if let matrix { try session.correct(by: matrix) }
      try session.begin(epoch: 0, learningRate: 0, recordsMargins: false)
      try session.run(step: 0)
      return try session.sampleResults().losses
    }
    let plain = try losses("ce"), same = try losses(loss), other = try losses(loss, pairs(10))
    for (one, two) in zip(plain, same) { #expect(abs(one - two) <= 1e-5 * max(one, 1)) }
    #expect(zip(plain, other).contains { abs($0 - $1) > 0.01 })
  }

  @Test func `is part of a session's state`() throws {
    let data = Shapes.samples(seed: 2, count: 64, isTest: false), device = try CPUDevice()
    func session() throws -> TrainingSession<CPUDevice> {
      let settings = try TrainingSession<CPUDevice>.Settings(
        network: Network("resnet20"), loss: Loss("forward"), batchSize: 64,
        augmentation: Augmentation(crop: 0, flip: false))
      return try TrainingSession(settings, train: data, test: nil, classes: 10, on: device)
    }
    let first = try session(), second = try session()
    try first.correct(by: pairs(10))
    try second.write(first.readState())
    #expect(try second.readState().transition == pairs(10).values.map { Float($0) })
  }
}
