import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import FileFormats
import Networks
import OpenCLTestSupport
import TestSupport
import Testing
import Training

/// The features of pretrained weights, where `GPUNOISY_TEST_LITE0` names them as safetensors.
@Suite(
  "Features of EfficientNet-Lite0",
  .enabled(if: PythonOracle.has("torch, safetensors, numpy"), "\(PythonOracle.absence)"))
struct FeaturesAgainstTorchTests {
  private static let weights = FileBytes.environment("GPUNOISY_TEST_LITE0")
  private static let network = Result { try Network("efficientnet-lite0") }

  /// Bytes without structure, at even and odd sizes.
  @Test(.enabled(if: weights != nil, "GPUNOISY_TEST_LITE0 is not set"), arguments: [(224, 224), (65, 96), (97, 131)])
  func `are PyTorch's`(height: Int, width: Int) throws {
    let path = try #require(Self.weights), file = try SafetensorsFile.read(path), scratch = ScratchFolder()
    let count = 3, size = height * width * 3
    let pixels = (0..<count * size).map { UInt8(truncatingIfNeeded: ($0 / 7 % 97) &* ($0 / size + 3) &+ $0 % 89) }
    var request = SafetensorsFile()
    request["pixels"] = .init(pixels, shape: [count, height, width, 3])
    try request.write(to: scratch("request"))
    try Oracle.run("features", scratch("request"), path, scratch("result"))
    let theirs = try SafetensorsFile.read(scratch("result")).doubles("features", shape: [count, 1280])
    func check<D: Device>(_ device: D) throws {
      let extractor = try FeatureExtractor(
        network: Self.network.get(), weights: file, device: device, batch: 2, height: height, width: width, channels: 3)
      #expect(extractor.width == 1280)
      let comparison = Comparison(device.name, try extractor.features(of: pixels), theirs, tolerance: 1e-4)
      #expect(comparison.passes, "\(comparison)")
    }
    try check(CPUDevice())
    if let device = FirstDevice.supported { try check(OpenCLDevice(device)) }
  }
}
