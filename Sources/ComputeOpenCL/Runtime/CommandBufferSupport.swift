import COpenCL

/// What a device says about recording launches and replaying them (`cl_khr_command_buffer`).
public struct CommandBufferSupport: Equatable, Sendable {
  /// The extension's version.
  public struct Version: Comparable, CustomStringConvertible, Sendable {
    /// The three numbers of `major.minor.patch`.
    public var major: Int, minor: Int, patch: Int

    /// A version from its three numbers.
    public init(_ major: Int, _ minor: Int, _ patch: Int) {
      (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// A version as `cl_version` packs it: 10, 10 and 12 bits.
    init(packed: UInt32) { self.init(Int(packed >> 22), Int(packed >> 12 & 0x3FF), Int(packed & 0xFFF)) }

    /// Such as `0.9.0`.
    public var description: String { "\(major).\(minor).\(patch)" }

    /// Whether `left` is older than `right`.
    public static func < (left: Version, right: Version) -> Bool {
      (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
  }

  /// The extension's name.
  static let name = "cl_khr_command_buffer"

  /// The versions in which the functions that are used have the parameters with which they are called.
  ///
  /// The changes from the first provisional version to the final 1.0 left them alone; a second major version may not.
  public static let knownVersions = Version(0, 9, 0)..<Version(2, 0, 0)

  /// What the driver implements.
  public var version: Version
  /// Whether a command buffer may be enqueued again while it is still running.
  public var allowsSimultaneousUse: Bool
  /// Properties that a queue must have, as the bits of `cl_command_queue_properties`.
  public var requiredQueueProperties: UInt64

  /// Describes what a driver offers.
  public init(version: Version, allowsSimultaneousUse: Bool = true, requiredQueueProperties: UInt64 = 0) {
    self.version = version
    self.allowsSimultaneousUse = allowsSimultaneousUse
    self.requiredQueueProperties = requiredQueueProperties
  }

  /// Whether `CommandBuffer` can use it: a known version, on an in-order queue, with steps enqueued ahead of the device.
  public var isUsable: Bool {
    Self.knownVersions.contains(version) && allowsSimultaneousUse && requiredQueueProperties == 0
  }

  /// Nil if the device does not tell the version; it is told since OpenCL 3.0.
  init?(asking device: cl_device_id) {
    func ask(_ parameter: Int32) throws(OpenCLError) -> UInt64 {
      try infoValue("clGetDeviceInfo", as: cl_ulong.self) {
        opencl.clGetDeviceInfo(device, cl_device_info(parameter), $0, $1, nil)
      }
    }
    let bytes = try? infoArray("clGetDeviceInfo", of: UInt8.self, atMost: 1 << 20) {
      opencl.clGetDeviceInfo(device, cl_device_info(OPENCL_DEVICE_EXTENSIONS_WITH_VERSION), $0, $1, $2)
    }
    guard let version = bytes.flatMap({ Self.version(of: Self.name, in: $0) }),
      let capabilities = try? ask(OPENCL_DEVICE_COMMAND_BUFFER_CAPABILITIES),
      let required = try? ask(OPENCL_DEVICE_COMMAND_BUFFER_REQUIRED_QUEUE_PROPERTIES)
    else { return nil }
    self.init(
      version: version,
      allowsSimultaneousUse: capabilities & UInt64(OPENCL_COMMAND_BUFFER_CAPABILITY_SIMULTANEOUS_USE) != 0,
      requiredQueueProperties: required)
  }

  /// Finds an extension in a list of `cl_name_version`: 4 bytes of version, 64 of name up to its first zero.
  private static func version(of name: String, in bytes: [UInt8]) -> Version? {
    let stride = 68
    for start in Swift.stride(from: 0, through: bytes.count - stride, by: stride) {
      let entry = bytes[start..<start + stride]
      guard entry.dropFirst(4).prefix(while: { $0 != 0 }).elementsEqual(name.utf8) else { continue }
      return Version(packed: entry.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) })
    }
    return nil
  }
}

extension DeviceInfo {
  /// Whether steps are recorded and replayed unless that is asked for or forbidden.
  ///
  /// It saves the host's work for each launch. On CPUs that is little beside the kernels, and some drivers run what is
  /// replayed on fewer cores. Elsewhere it is taken where the driver has a final version of the extension.
  public var prefersCommandBuffers: Bool {
    guard let commandBuffers else { return false }
    return commandBuffers.isUsable && commandBuffers.version >= .init(1, 0, 0) && kind != .cpu
  }
}
