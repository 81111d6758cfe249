import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Losses
import Networks
import OpenCLTestSupport
import TestSupport
import Testing
import Training

/// Real data, end to end.
///
@Suite(.serialized, .enabled(if: RealData.folder(of: "mnist") != nil, "\(RealData.absence)"))
struct `Real MNIST with 40 % wrong labels` {
  /// Three epochs of ResNet-20 with SCE on the first 12,000 images; the last test accuracy.
  private func accuracy<D: Device>(
    on device: D, precision: Precision = .fp32
  ) throws -> (test: Double, memorised: Double) {
    var settings = RunSettings()
    settings.data = try #require(RealData.folder(of: "mnist"))
    (settings.model, settings.loss, settings.noise) = try (Network("resnet20"), Loss("sce"), Noise("symmetric:0.4"))
    (settings.epochs, settings.batchSize, settings.limitTrain) = (3, 64, 12_000)
    // As 'gpunoisy train mnist' has them: at a constant rate single epochs fall far back.
    (settings.optimizer.learningRate, settings.optimizer.milestones) = (0.05, [1, 2])
    settings.precision = precision
    let trainer = try Trainer(settings, data: RunData(settings), on: device)
    #expect(try trainer.run() == .finished)
    let last = try #require(trainer.history.epochs.last)
    return (try #require(last.testAccuracy), try #require(last.wrongAccuracy))
  }

  @Test func `is learned on the built-in CPU`() throws {
    let result = try accuracy(on: CPUDevice())
    #expect(result.test > 0.90)
    #expect(result.memorised < 0.1)
  }

  @Test func `is learned in mixed precision`() throws {
    let result = try accuracy(on: CPUDevice(), precision: .mixed)
    #expect(result.test > 0.90)
    #expect(result.memorised < 0.1)
  }

  @Test(.enabled(if: FirstDevice.supported != nil, "\(FirstDevice.absence)"))
  func `is learned through OpenCL`() throws {
    let result = try accuracy(on: OpenCLDevice(try #require(FirstDevice.supported)))
    #expect(result.test > 0.90)
    #expect(result.memorised < 0.1)
  }
}
