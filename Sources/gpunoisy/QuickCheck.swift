import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Failures
import Losses
import Networks
import Training

/// A few training steps of a small network on a device and on the built-in CPU: what `auto` asks of a GPU before it
/// takes it.
///
/// The full check is `gpunoisy selftest`.
enum QuickCheck {
  /// What is wrong with the device; nil if its weights agree with the CPU's.
  static func problem(with device: OpenCLDevice) throws -> String? {
    do {
      let expected = try weights(on: CPUDevice()), found = try weights(on: device)
      // Two steps at a small rate: float32 rounding stays below 1e-5, that of matrix units is a thousand times larger; a
      // wrong kernel, or not-a-number, shows at once.
      let tolerance: Float = device.matrixUnits == nil ? 1e-4 : 5e-3
      let wrong = zip(expected, found).count { !(abs($0 - $1) <= tolerance) }
      return wrong == 0 ? nil : "\(wrong) of \(expected.count) weights are wrong after two steps"
    } catch let failure as Failure {
      return failure.what
    }
  }

  private static func weights<D: Device>(on device: D) throws -> [Float] {
    let data = Shapes.samples(seed: 7, count: 20, isTest: false)
    var settings = TrainingSession<D>.Settings(
      network: try Network("resnet20"), loss: try Loss("sce"), batchSize: 16,
      augmentation: Augmentation(crop: 4, flip: true))
    settings.seed = 7
    let session = try TrainingSession(settings, train: data, test: nil, classes: 10, on: device)
    try session.begin(epoch: 0, learningRate: 1e-3, recordsMargins: true)
    for step in session.batchSizes.indices { try session.run(step: step) }
    return try session.readState().parameters.flatMap(\.values)
  }
}
