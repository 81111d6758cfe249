import Compute
import ComputeCPU
import ComputeOpenCL
import Glibc
import Testing
import Training

/// Real data, end to end.
///
/// Needs GPUNOISY_TEST_DATA; says so and does nothing without it.
@Suite(.serialized) struct `Real MNIST with 40 % wrong labels` {
  /// Three epochs of ResNet-20 with SCE on the first 12,000 images; the last test accuracy.
  private func accuracy<D: Device>(
    on device: D, precision: Precision = .fp32
  ) throws -> (test: Double, memorised: Double)? {
    guard let folder = getenv("GPUNOISY_TEST_DATA").map({ String(cString: $0) }) else {
      print("SKIPPED: GPUNOISY_TEST_DATA is not set")
      return nil
    }
    var settings = RunSettings()
    (settings.data, settings.model, settings.loss, settings.noise) = (
      folder + "/mnist", "resnet20", "sce", "symmetric:0.4"
    )
    (settings.epochs, settings.batchSize, settings.limitTrain) = (3, 64, 12_000)
    settings.precision = precision.rawValue
    let trainer = try Trainer(settings, data: RunData(settings), on: device)
    #expect(try trainer.run() == .finished)
    let last = try #require(trainer.history.epochs.last)
    return (try #require(last.testAccuracy), try #require(last.wrongAccuracy))
  }

  @Test func `is learned on the built-in CPU`() throws {
    guard let result = try accuracy(on: CPUDevice()) else { return }
    #expect(result.test > 0.90)
    #expect(result.memorised < 0.1)
  }

  @Test func `is learned in mixed precision`() throws {
    guard let result = try accuracy(on: CPUDevice(), precision: .mixed) else { return }
    #expect(result.test > 0.90)
    #expect(result.memorised < 0.1)
  }

  @Test func `is learned through OpenCL`() throws {
    guard let info = DeviceList.discover().devices.first(where: \.isSupported) else {
      print("SKIPPED: there is no OpenCL device")
      return
    }
    guard let result = try accuracy(on: OpenCLDevice(info)) else { return }
    #expect(result.test > 0.90)
    #expect(result.memorised < 0.1)
  }
}
