import Compute
import ComputeKernels
import Failures
import FileFormats

/// A device behind OpenCL: one context, one in-order queue, the kernels in the variants that suit its kind.
///
/// It either works as asked or throws; it never falls back to another device or to slower kernels silently.
public final class OpenCLDevice: KernelDevice {
  /// The two families of kernels.
  public enum Style: String, Sendable, CaseIterable {
    /// Independent work-items with 16-wide vectors, for CPU-type devices.
    case vectors
    /// Work-groups with local memory and barriers, for GPUs and accelerators.
    case workGroups
  }

  /// A bound kernel and its index space, or several that are replayed in one piece.
  public enum Prepared {
    case launch(CommandBuffer.Launch)
    case recording(CommandBuffer)
  }

  /// What `Device.name` asks for.
  public let name: String
  /// What `Device.driver` asks for.
  public let driver: String
  /// What `Device.forms` asks for.
  public let forms: Set<FusedForm> = [.convolveWithStatistics, .normalizeAddRectify]
  /// What the driver tells of the device.
  public let info: DeviceInfo
  /// The family of kernels in force.
  public let style: Style
  /// What 3 × 3 convolutions multiply on matrix units; nil where they do not.
  public let matrixUnits: MatrixUnits?
  /// What panels of the kernels for CPUs hold; see `VectorLowering`.
  private let panels: ElementType
  /// Whether plans are recorded and replayed; see `recorded`.
  public let recordsLaunches: Bool
  /// Whether the kernels came compiled from the cache.
  public var isFromCache: Bool { programs.values.allSatisfy(\.isFromCache) }
  /// How the device can store activations; see `Device`.
  public let formats: Set<ElementType> = [.float32, .bfloat16]
  /// What becomes of operations; see `KernelDevice`.
  public var lowering: any Lowering
  /// The kernels' declarations; see `KernelDevice`.
  public var signatures: [String: KernelSignature] {
    KernelSources.signatures(for: Self.family(style, matrixUnits))
  }
  private let queue: CommandQueue
  private let cache: ProgramCache?
  /// The kernels by how activations are stored; those for bfloat16 are built when first asked for.
  private var programs: [ElementType: Program]
  /// A queue that keeps times, made when first asked for.
  private var timingQueue: CommandQueue?

  /// Opens a device and builds its kernels (or loads them from the cache).
  ///
  /// - Parameters:
  ///   - style: nil for the family that suits the device's kind.
  ///   - matrixUnits: what 3 × 3 convolutions of the work-group kernels multiply on matrix units; nil for single
  ///     precision without them. Where `DeviceInfo.hasMatrixUnits` is false the same is computed slowly, for tests.
  ///   - panels: what Winograd's kernels and panels of the kernels for CPUs multiply: float32, or bfloat16. Where
  ///     `DeviceInfo.multipliesBFloat16` is false the same is computed slowly, for tests.
  ///   - cache: where compiled kernels are kept; nil for the place that suits the driver.
  ///   - commandBuffers: whether plans are recorded and replayed; nil where that pays.
  ///   - tuning: choices of launches.
  /// - Throws: `.configuration` if command buffers are asked for of a device that has none to use.
  public init(
    _ info: DeviceInfo, style: Style? = nil, matrixUnits: MatrixUnits? = nil, panels: ElementType = .float32,
    cache: ProgramCache? = nil, commandBuffers: Bool? = nil, tuning: Tuning = .standard
  ) throws {
    let canRecord = info.commandBuffers?.isUsable == true
    if commandBuffers == true, !canRecord {
      throw Failure(
        .configuration, "\(info.name) has no usable command buffers.",
        why: info.commandBuffers.map { "its driver has version \($0.version) of them, which lacks needed features." }
          ?? "its driver does not offer cl_khr_command_buffer with a version.",
        fix: "remove --command-buffers.")
    }
    recordsLaunches = commandBuffers ?? info.prefersCommandBuffers
    self.info = info
    self.style = style ?? (info.kind == .cpu ? .vectors : .workGroups)
    name = info.name
    driver = "\(info.platform.name) \(info.driverVersion)"
    let context = try Context(info)
    queue = try CommandQueue(context)
    self.matrixUnits = self.style == .workGroups ? matrixUnits : nil
    self.panels = self.style == .vectors ? panels : .float32
    self.cache = cache ?? .standard(for: info)
    let built = try Self.build(
      self.style, .float32, self.matrixUnits, self.panels, in: context, cache: self.cache)
    programs = [.float32: built]
    switch self.style {
    case .vectors: lowering = VectorLowering(panels: self.panels, tuning: tuning)
    case .workGroups:
      // A driver may allow smaller groups for a kernel that needs many registers.
      let limits = try KernelSources.signatures(for: .workGroups).values.filter { $0.room == "workgroup" }.map {
        try built.kernel($0.name).maxWorkGroupSize
      }
      lowering = try WorkGroupLowering(
        maxWorkGroupSize: min(info.maxWorkGroupSize, limits.min() ?? info.maxWorkGroupSize),
        localMemory: Int(clamping: info.localMemoryBytes), matrixUnits: self.matrixUnits, tuning: tuning)
    }
  }

  private static func family(_ style: Style, _ matrixUnits: MatrixUnits?) -> KernelSources.Family {
    style == .vectors ? .vectors : matrixUnits == nil ? .workGroups : .matrixUnits
  }

  private static func build(
    _ style: Style, _ activations: ElementType, _ matrixUnits: MatrixUnits?, _ panels: ElementType,
    in context: Context, cache: ProgramCache?
  ) throws -> Program {
    let info = context.device
    var options = style == .vectors ? ["-DGPUNOISY_CPU"] : []
    if style == .vectors, info.nativeFloatVectorWidth < 16 {
      // 16 registers of 8 floats, or fewer: smaller tiles, so that the sums stay in registers.
      options += ["-DCONV_PIXELS=6", "-DCONV_BLOCKS=1", "-DWINOGRAD_STEP=4"]
    }
    if activations == .bfloat16 { options.append("-DACTIVATION_BFLOAT16") }
    if panels == .bfloat16 { options.append("-DPANEL_BFLOAT16") }
    if panels == .bfloat16, info.multipliesBFloat16 { options.append("-DPANEL_DOT") }
    // Oclgrind's watch over uninitialised values does not know what LLVM's optimiser makes of them, and Oclgrind has no
    // kernel that asks for cache lines.
    if info.platform.name == "Oclgrind" { options += ["-cl-opt-disable", "-DGPUNOISY_SIMULATED"] }
    // Other drivers do not know the units' instructions: some crash on inline assembly.
    options += matrixUnits?.buildOptions(isNative: info.hasMatrixUnits) ?? []
    let sources = KernelSources.files(for: family(style, matrixUnits))
    return try Program.build(
      sources.map { ($0.name, $0.text) }, options: options.joined(separator: " "), in: context, cache: cache)
  }

  private func program(_ activations: ElementType) throws -> Program {
    if let built = programs[activations] { return built }
    let built = try Self.build(style, activations, matrixUnits, panels, in: queue.context, cache: cache)
    programs[activations] = built
    return built
  }

  /// What is left of the device's memory, and on a CPU of the machine's; see `Device`.
  ///
  /// The largest buffer that a driver promises is no limit here: some make larger ones, and the others refuse by
  /// themselves.
  public var memory: DeviceMemory? {
    let allocated = queue.context.allocatedBytes.load(ordering: .relaxed)
    guard info.globalMemoryBytes > 0 else { return nil }
    let own = DeviceMemory(left: Int(clamping: info.globalMemoryBytes) - allocated, owner: name)
    guard info.kind == .cpu else { return own }
    let host = DeviceMemory(left: MemoryLimit.left(besides: allocated), owner: "this process", isHost: true)
    return host.left < own.left ? host : own
  }

  /// Zero-filled memory; see `Device`.
  public func allocate(byteCount: Int) throws -> Buffer {
    let buffer = try Buffer(queue.context, byteCount: max(byteCount, 4))
    try queue.fill(buffer, with: UInt8(0))
    return buffer
  }

  /// Replaces bytes; see `Device`.
  public func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws {
    // A few numbers are copied and need not wait; a data set is not worth a second copy.
    if bytes.count <= 4096 {
      try queue.enqueueWrite(bytes, to: buffer, at: offset)
    } else {
      try queue.write(bytes, to: buffer, at: offset)
    }
  }

  /// Waits and copies; see `Device`.
  public func read(_ buffer: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    try queue.read(into: bytes, from: buffer, at: offset)
  }

  /// Sets the arguments of a kernel object; see `KernelDevice`.
  public func bind(
    _ launch: Launch, _ arguments: [(name: String, value: BoundArgument<Buffer>)], activations: ElementType
  ) throws -> Prepared {
    let kernel = try program(activations).kernel(launch.kernel)
    try kernel.bind(
      arguments.map { name, value in
        switch value {
        case .buffer(let buffer): (name, KernelArgument.buffer(buffer))
        case .noBuffer: (name, .none)
        case .int(let int): (name, .int(int))
        case .float(let float): (name, .float(float))
        }
      })
    return .launch(
      CommandBuffer.Launch(kernel, global: launch.global, local: launch.local ?? launch.global.map { _ in 1 }))
  }

  /// One recording of all launches where the device replays them, or else the launches themselves; see `Device`.
  public func recorded(_ prepared: [Prepared]) -> [Prepared] {
    guard recordsLaunches else { return prepared }
    let launches = prepared.flatMap(\.launches)
    return CommandBuffer(launches, for: queue).map { [.recording($0)] } ?? prepared
  }

  /// Runs one launch, or one recording, after all that came before; see `Device`.
  public func enqueue(_ prepared: Prepared) throws {
    switch prepared {
    case .launch(let launch): try queue.enqueue(launch.kernel, global: launch.global, local: launch.local)
    case .recording(let recording): try recording.replay()
    }
  }

  /// Hands over what was enqueued; see `Device`.
  public func flush() throws { try queue.flush() }

  /// Runs one launch alone, or those of a recording, and returns the seconds that the device spent on it.
  ///
  /// Waits.
  public func seconds(of prepared: Prepared) throws -> Double {
    try queue.finish()
    let timing = try timingQueue ?? CommandQueue(queue.context, isProfiling: true)
    timingQueue = timing
    let times = try prepared.launches.map {
      try timing.enqueueTimed($0.kernel, global: $0.global, local: $0.local)
    }
    try timing.finish()
    return try times.reduce(0) { try $0 + $1.seconds() }
  }
}

extension OpenCLDevice.Prepared {
  fileprivate var launches: [CommandBuffer.Launch] {
    switch self {
    case .launch(let launch): [launch]
    case .recording(let recording): recording.launches
    }
  }
}
