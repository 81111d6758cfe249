import Compute
import ComputeOpenCL
import ComputeReference
import OpenCLTestSupport
import Testing

/// Every kernel of both families on the first OpenCL device, whatever its kind: the kernels for GPUs run on CPUs too.
@Suite(.serialized) struct `Every kernel through OpenCL` {
  /// Bytes of the largest case under the simulator, which computes a million times slower than a device.
  static let simulatedBytes = 6_000
  /// Larger ones that it computes too, for kernels of CPUs that small ones do not reach: tiles of few channels, 2×2 and 4×4
  /// tiles of many, and gathered taps.
  static let simulatedShapes = ["1×13×5×48 → 16", "13×2×2×64 → 80", "16×3×3×48 → 80", "2×9×7×32 → 80"]

  /// - Parameter large: whether those of `simulatedShapes` are among them.
  private static func isSimulated(_ operationCase: OperationCase, large: Bool) -> Bool {
    operationCase.byteCount <= simulatedBytes
      || large && simulatedShapes.contains { operationCase.shape.hasPrefix($0) }
  }

  @Test(
    .enabled(if: FirstDevice.supported != nil, "\(FirstDevice.absence)"),
    arguments: OpenCLDevice.Style.allCases, ElementType.allCases)
  func `agrees with double precision`(style: OpenCLDevice.Style, activations: ElementType) throws {
    let info = try #require(FirstDevice.supported)
    var cases = OperationCase.all
    if info.platform.name == "Oclgrind" {
      cases = cases.filter { Self.isSimulated($0, large: style == .vectors && activations == .float32) }
    }
    let test = try SelfTest(on: OpenCLDevice(info, style: style), cases: cases, activations: activations)
    #expect(test.cases.count > 80)
    try expectAllToPass(test)
  }

  @Test(.enabled(if: FirstDevice.supported != nil, "\(FirstDevice.absence)"), arguments: ElementType.allCases)
  func `multiplies pairs of bfloat16 as near to double precision as these allow`(activations: ElementType) throws {
    let info = try #require(FirstDevice.supported), device = try OpenCLDevice(info, panels: .bfloat16)
    var cases = OperationCase.all.filter { device.rounding(of: $0.operation) > 0x1p-24 }
    #expect(info.kind != .cpu || cases.count > 40)
    if info.platform.name == "Oclgrind" {
      cases = cases.filter { activations == .bfloat16 && Self.isSimulated($0, large: true) }
    }
    try expectAllToPass(SelfTest(on: device, cases: cases, activations: activations))
  }

  private func expectAllToPass(_ test: SelfTest<OpenCLDevice>) throws {
    for result in try test.run() where !result.passed {
      Issue.record(
        "\(result.name) \(result.shape): \(result.worstError) of \(result.tolerance) roundings, \(result.detail)")
    }
  }

  @Test(
    .enabled(if: FirstDevice.fast != nil, "\(FirstDevice.slowness)"), arguments: OpenCLDevice.Style.allCases)
  func `gives the same bits twice`(style: OpenCLDevice.Style) throws {
    let info = try #require(FirstDevice.fast)
    let test = try SelfTest(on: OpenCLDevice(info, style: style))
    for operationCase in test.cases.filter({ $0.byteCount <= 200_000 }) {
      let first = try test.outputs(of: operationCase, inputs: operationCase.inputs)
      let second = try test.outputs(of: operationCase, inputs: operationCase.inputs)
      #expect(first == second, "\(operationCase.name)")
    }
  }
}
