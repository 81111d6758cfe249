import ComputeOpenCL

/// The OpenCL device that tests use: the first one.
public enum FirstDevice {
  /// What the drivers of this machine offer.
  public static let list = DeviceList.discover()
  /// Whether there is any device.
  public static var isPresent: Bool { !list.devices.isEmpty }
  /// The first device that trains.
  public static let supported: DeviceInfo? = list.devices.first(where: \.isSupported)
  /// The first device that trains, unless it is a simulator, on which some tests would take for ever.
  public static var fast: DeviceInfo? { supported.flatMap { $0.platform.name == "Oclgrind" ? nil : $0 } }
  /// Every device that can record the launches of a step.
  public static let recording: [DeviceInfo] = list.devices.filter { $0.commandBuffers?.isUsable == true }

  // Why a test is skipped, for `.enabled(if:_:)`. `Tools/test` looks for the first.

  /// Without `isPresent` or `supported`.
  public static let absence = "needs an OpenCL device: \(list.absence ?? "none is supported")"
  /// Without `fast`.
  public static let slowness = supported == nil ? absence : "a simulator is too slow for it"
  /// Without `recording`.
  public static let recordingAbsence = isPresent ? "no OpenCL device has command buffers" : absence
}
