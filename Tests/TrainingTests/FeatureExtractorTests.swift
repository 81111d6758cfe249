import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Failures
import FileFormats
import Glibc
import Networks
import OpenCLTestSupport
import TestSupport
import Testing
import Training

@Suite("Features of images")
struct FeatureExtractorTests {
  private static let height = 33, width = 40, count = 4
  private static var imageSize: Int { height * width * 3 }
  private static let pixels = (0..<count * imageSize).map {
    UInt8(truncatingIfNeeded: ($0 / 7 % 97) * ($0 / imageSize + 3) + $0 % 89)
  }

  /// Numbers within ±1/2 that are the same in PyTorch, multiples of 2^-12.
  private static func numbers(_ count: Int, _ key: Int) -> [Float] {
    (0..<count).map { i in
      var x = UInt64(i) &* 2_654_435_761 &+ UInt64(key) &* 40_503
      x %= 1 << 32
      x = (x ^ (x >> 15)) &* 2_246_822_519 % (1 << 32)
      x = (x ^ (x >> 13)) % 4096
      return Float(x) / 4096 - 0.5
    }
  }

  /// Weights by a formula under which activations neither vanish nor grow.
  private static func weights(of graph: Graph) -> SafetensorsFile {
    var file = SafetensorsFile()
    for entry in graph.parameters.entries + graph.running.entries {
      var values = numbers(entry.count, entry.name.utf8.reduce(0) { $0 + Int($1) })
      if entry.name.hasSuffix("running_var") {
        values = values.map { 1 + $0 }
      } else if entry.name.hasSuffix("running_mean") {
        values = values.map { $0 / 4 }
      } else if entry.shape.count == 4 {
        let inputs = entry.shape.dropFirst().reduce(1, *)
        let scale = Float(exp2(log2((24 / Double(inputs)).squareRoot()).rounded()))
        values = values.map { $0 * scale }
      } else if entry.shape.count == 1 {
        values = values.map { entry.name.hasSuffix(".weight") ? 1 + $0 / 2 : $0 / 2 }
      }
      file[entry.name] = .init(values, shape: entry.shape)
    }
    return file
  }

  /// Of four images: seven features and the sum of all, computed by PyTorch 2.13 in double precision with the same
  /// weights and images.
  private static let golden: [([Double], sum: Double)] = [
    ([0.0810114317, 0, 1.74613952, 3.88196521, 0.716217437, 0.147971975, 0], 1690.02165),
    ([0.114126384, 0, 1.5814055, 3.78157845, 0.868972209, 2.15009054, 0.327482749], 1693.03942),
    ([0, 0.914957957, 0.929057854, 4.09538684, 2.11712417, 1.493887, 0.0294670398], 1678.120983),
    ([0.393651431, 1.03016608, 1.75115885, 4.21445848, 1.02776024, 1.53901051, 0], 1709.878151),
  ]

  private func expectGolden<D: Device>(on device: D) throws {
    let network = try Network("efficientnet-lite0")
    let graph = try network.graph(batch: 1, height: Self.height, width: Self.width, channels: 3, classes: 10)
    // Three images a batch: the last is smaller.
    let extractor = try FeatureExtractor(
      network: network, weights: Self.weights(of: graph), device: device, batch: 3, height: Self.height,
      width: Self.width, channels: 3)
    var done: [Int] = []
    let features = try extractor.features(of: Self.pixels) { count, all in
      done.append(count)
      #expect(all == 4)
    }
    #expect(extractor.width == 1280 && features.count == 4 * 1280 && done == [3, 4])
    for (image, golden) in Self.golden.enumerated() {
      let row = features[image * 1280..<(image + 1) * 1280].map(Double.init)
      let chosen = [0, 1, 17, 319, 640, 1000, 1279].map { row[$0] }
      let values = Comparison("features of image \(image)", chosen, golden.0, tolerance: 1e-5)
      #expect(values.passes, "\(device.name): \(values)")
      let sum = Comparison("sum of image \(image)", [row.reduce(0, +)], [golden.sum], tolerance: 1e-6)
      #expect(sum.passes, "\(device.name): \(sum)")
    }
  }

  @Test func `by EfficientNet-Lite0 are PyTorch's`() throws { try expectGolden(on: CPUDevice()) }

  @Test(.enabled(if: FirstDevice.supported != nil, "\(FirstDevice.absence)"))
  func `by EfficientNet-Lite0 are PyTorch's through OpenCL`() throws {
    try expectGolden(on: OpenCLDevice(try #require(FirstDevice.supported)))
  }

  @Test func `need weights of the network's shapes`() throws {
    let network = try Network("efficientnet-lite0"), device = try CPUDevice()
    let graph = try network.graph(batch: 1, height: 32, width: 32, channels: 3, classes: 10)
    var file = Self.weights(of: graph)
    func kind() -> Failure.Kind? {
      do {
        _ = try FeatureExtractor(network: network, weights: file, device: device, height: 32, width: 32, channels: 3)
        return nil
      } catch { return (error as? Failure)?.kind }
    }
    file["_fc.weight"] = nil  // is not needed
    #expect(kind() == nil)
    file["_bn1.bias"] = .init([Float](repeating: 0, count: 7), shape: [7])
    #expect(kind() == .badInput)
    file["_bn1.bias"] = .init([Float](repeating: .nan, count: 1280), shape: [1280])
    #expect(kind() == .badInput)
  }
}
