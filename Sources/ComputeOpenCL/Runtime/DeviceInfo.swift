import CKernels

/// An OpenCL driver as the loader presents it.
public struct Platform: Equatable, Sendable {
  /// For example `NVIDIA CUDA`.
  public var name: String
  /// Who made the driver.
  public var vendor: String
  /// For example `OpenCL 3.0 CUDA 12.4.131`.
  public var version: String

  /// Describes a driver.
  public init(name: String, vendor: String, version: String) {
    self.name = name
    self.vendor = vendor
    self.version = version
  }
}

/// What an OpenCL device says about itself.
///
/// A value: listing devices creates nothing on them. `Context` opens the device.
public struct DeviceInfo: Equatable, Sendable {
  /// The kinds of device, in the order in which devices are listed.
  public enum Kind: Int, Comparable, Sendable, CaseIterable {
    case gpu, accelerator, cpu, other

    /// Whether `left` is listed before `right`.
    public static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
  }

  /// For example `NVIDIA H200`.
  public var name: String
  /// Who made the device.
  public var vendor: String
  /// For example `575.51`.
  public var driverVersion: String
  /// The driver that has it.
  public var platform: Platform
  /// What it is.
  public var kind: Kind
  /// For example `OpenCL 3.0 CUDA`.
  public var version: String
  /// The language of its kernels, for example `OpenCL C 1.2`.
  public var languageVersion: String
  /// What it can do beyond its version, such as `cl_khr_fp16`.
  public var extensions: [String]

  /// How many cores or multiprocessors work at once.
  public var computeUnits = 1
  /// Its highest clock in MHz; 0 if unknown.
  public var clockFrequency = 0
  /// Memory for buffers.
  public var globalMemoryBytes: UInt64 = 0
  /// The largest buffer that the driver promises; some create larger ones.
  public var maxAllocationBytes: UInt64 = 0
  /// Memory that the work-items of a group share.
  public var localMemoryBytes: UInt64 = 0
  /// Whether local memory is memory of its own, as on GPUs, and not a piece of global memory.
  public var hasDedicatedLocalMemory = false
  /// The most work-items in a group.
  public var maxWorkGroupSize = 1
  /// The largest work-group along each dimension.
  public var maxWorkItemSizes: [Int] = []
  /// How many floats the driver likes to see in a vector.
  public var preferredFloatVectorWidth = 1
  /// How many floats fit into a vector register of the device.
  public var nativeFloatVectorWidth = 1
  /// The first number of NVIDIA's compute capability; 0 for other devices.
  public var computeCapability = 0
  /// The most bytes that all arguments of a kernel may take.
  public var maxParameterBytes = 1024
  /// Whether the driver lets programs use it.
  public var isAvailable = true
  /// Whether its driver compiles kernels.
  public var hasCompiler = true

  /// How it records launches and replays them; nil if it does not.
  public var commandBuffers: CommandBufferSupport?

  /// The address of the driver's device; 0 in a description that was made by hand.
  ///
  /// Such root devices live as long as the process, so that the address is a value like any other.
  var address: UInt = 0

  /// Describes a device that no driver stands behind; `Context` refuses it.
  public init(
    name: String, vendor: String = "", driverVersion: String = "",
    platform: Platform = Platform(name: "", vendor: "", version: ""), kind: Kind = .other,
    version: String = "OpenCL 1.2", languageVersion: String = "OpenCL C 1.2", extensions: [String] = []
  ) {
    self.name = name
    self.vendor = vendor
    self.driverVersion = driverVersion
    self.platform = platform
    self.kind = kind
    self.version = version
    self.languageVersion = languageVersion
    self.extensions = extensions
  }

  /// Whether kernels may compute with `half` (`cl_khr_fp16`).
  ///
  /// NVIDIA's drivers do not say so although their newer compilers accept `half`.
  public var hasHalf: Bool { extensions.contains("cl_khr_fp16") }

  /// Whether its compiler takes NVIDIA's instructions as inline assembly, and it has matrix units for TF32 and bfloat16:
  /// compute capability 8.0 and newer.
  public var hasMatrixUnits: Bool {
    platform.vendor.hasPrefix("NVIDIA") && extensions.contains("cl_nv_compiler_options") && computeCapability >= 8
  }

  /// Whether it runs on this machine's processor, which multiplies pairs of bfloat16 twice as fast as float32, and its
  /// compiler takes that instruction as inline assembly: PoCL's does.
  public var multipliesBFloat16: Bool {
    guard kind == .cpu, platform.name == "Portable Computing Language" else { return false }
    return (0..<gpunoisy_instruction_set_count()).contains {
      gpunoisy_instruction_set_multiplies_bfloat16($0) && gpunoisy_instruction_set_works($0)
        && gpunoisy_instruction_set_pays($0)
    }
  }

  /// Whether the device has OpenCL 1.2 or newer, the oldest that can be used.
  public var isSupported: Bool {
    guard let number = version.split(separator: " ").dropFirst().first else { return false }
    let parts = number.split(separator: ".").map { Int($0) ?? 0 }
    guard parts.count >= 2 else { return false }
    return (parts[0], parts[1]) >= (1, 2)
  }
}
