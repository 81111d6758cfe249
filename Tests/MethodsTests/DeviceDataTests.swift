import Compute
import ComputeCPU
import ComputeOpenCL
import Methods
import Sessions
import Testing

/// Images that are more than a device's largest buffer can hold.
@Suite("A data set in several buffers")
struct DeviceDataTests {
  /// What two epochs leave in a network, and what it says of the training and the test set.
  private struct Outcome: Equatable {
    let state: [UInt32], logits: [Float], losses: [Float]
  }

  private func outcome<D: Device>(_ method: String, largestBuffer: Int, on device: D) throws -> Outcome {
    let made = try MethodChoice(method).make(MethodFixture.setup(largestBuffer: largestBuffer, on: device))
    _ = try MethodFixture.train(made, epochs: 2)
    let member = made.members[0], evaluated = try member.evaluate()
    return try Outcome(
      state: member.readState().bits, logits: member.trainingLogits(), losses: evaluated?.losses ?? [])
  }

  /// Of 100 images in training and 40 in the test set, no more than 30 are in a buffer: four of them, and two.
  private func expectSame<D: Device>(_ method: String, on device: D) throws {
    let whole = try outcome(method, largestBuffer: .max, on: device)
    let parts = try outcome(method, largestBuffer: 30 * 32 * 32 * 3, on: device)
    #expect(parts == whole && whole.losses.count == 40)
  }

  @Test("trains and evaluates to the same bits", arguments: ["plain", "mixup:alpha=1"])
  func builtIn(method: String) throws { try expectSame(method, on: CPUDevice(threads: 2)) }

  @Test(
    "trains and evaluates to the same bits through OpenCL",
    .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"), arguments: OpenCLDevice.Style.allCases,
    ["plain", "mixup:alpha=1"])
  func openCL(style: OpenCLDevice.Style, method: String) throws {
    let info = try #require(OpenCLDevices.first)
    try expectSame(method, on: OpenCLDevice(info, style: style))
  }
}
