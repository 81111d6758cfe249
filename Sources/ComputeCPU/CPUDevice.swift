import CKernels
import Compute
import ComputeKernels
import Failures
import FileFormats
import Glibc
import Synchronization

/// The built-in CPU device: the barrier-free kernels as machine code, run over threads.
///
/// It needs no OpenCL.
///
/// Results do not depend on the number of threads: the pieces of work, and the order of every sum, depend on shapes
/// alone. Enqueueing computes; there is nothing to wait for.
public final class CPUDevice: KernelDevice {
  /// The instruction sets that this program was built for and this processor has: first the one that is used unless
  /// another is asked for.
  public static var instructionSets: [String] {
    working.filter { !gpunoisy_instruction_set_is_emulated($0) }.map(name(ofInstructionSet:))
  }

  /// These, and those that are emulated by others: slow, for tests only.
  public static var testedInstructionSets: [String] { working.map(name(ofInstructionSet:)) }

  private static func name(ofInstructionSet set: Int32) -> String {
    String(cString: gpunoisy_instruction_set_name(set))
  }

  private static let working: [Int32] = {
    let working = (0..<gpunoisy_instruction_set_count()).filter { gpunoisy_instruction_set_works($0) }
    return working.filter { gpunoisy_instruction_set_pays($0) } + working.filter { !gpunoisy_instruction_set_pays($0) }
  }()

  /// Zero-filled memory, aligned for the widest vectors.
  public final class Buffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) throws {
      // calloc: pages that are never touched cost nothing.
      guard byteCount < Int.max - 64, let base = calloc(1, byteCount + 64) else {
        throw Failure(
          .outOfMemory, "there is no memory for \(byteCount) more bytes.",
          why: "the system refused the allocation.", fix: "use a smaller --batch-size, or a machine with more memory.")
      }
      allocation = base
      allocatedBytes.add(byteCount, ordering: .relaxed)
      let aligned = UnsafeMutableRawPointer(bitPattern: (UInt(bitPattern: base) + 63) & ~63) ?? base
      bytes = UnsafeMutableRawBufferPointer(start: aligned, count: byteCount)
      adviseHugePages()
    }

    /// Asks the system for pages of 2 MB, which it gives on request only: panels are written to dozens of pages at a time.
    private func adviseHugePages() {
      guard bytes.count >= 4 << 20 else { return }
      let page = UInt(getpagesize()), start = UInt(bitPattern: bytes.baseAddress)
      let first = (start + page - 1) / page * page, last = (start + UInt(bytes.count)) / page * page
      // Advice: where it is not taken, all is as before.
      _ = madvise(UnsafeMutableRawPointer(bitPattern: first), Int(last - first), MADV_HUGEPAGE)
    }

    private let allocation: UnsafeMutableRawPointer

    deinit {
      allocatedBytes.subtract(bytes.count, ordering: .relaxed)
      free(allocation)
    }
  }

  /// A kernel with its arguments and index space.
  public final class Prepared {
    let call: gpunoisy_kernel
    let size: (Int32, Int32, Int32)
    /// The arguments' values side by side, and a pointer to each: what the kernel's caller unpacks.
    private let values: UnsafeMutablePointer<UInt64>
    let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// Keeps the memory behind the pointers alive.
    private let buffers: [Buffer]

    init(call: gpunoisy_kernel, size: (Int32, Int32, Int32), values given: [UInt64], buffers: [Buffer]) {
      self.call = call
      self.size = size
      self.buffers = buffers
      values = .allocate(capacity: given.count)
      pointers = .allocate(capacity: given.count)
      for (index, value) in given.enumerated() {
        (values + index).initialize(to: value)
        (pointers + index).initialize(to: UnsafeMutableRawPointer(values + index))
      }
    }

    deinit {
      values.deallocate()
      pointers.deallocate()
    }
  }

  /// What `Device.name` asks for.
  public let name: String
  /// What `Device.driver` asks for.
  public let driver: String
  /// What `Device.forms` asks for.
  public let forms: Set<FusedForm> = [.convolveWithStatistics, .normalizeAddRectify]
  /// How the device can store activations; see `Device`.
  public let formats: Set<ElementType> = [.float32, .bfloat16]
  /// The threads that work together, the caller among them.
  public let threads: Int
  /// What becomes of operations; see `KernelDevice`.
  public var lowering: any Lowering
  /// The kernels' declarations; see `KernelDevice`.
  public var signatures: [String: KernelSignature] { KernelSources.signatures(for: .vectors) }
  /// What panels hold; see `VectorLowering`.
  private let panels: ElementType
  private let set: Int32
  private let team: OpaquePointer

  /// - Parameters:
  ///   - threads: how many threads work together; nil for one per processor.
  ///   - instructionSet: a name from `testedInstructionSets`; nil for the best of `instructionSets`.
  ///   - panels: what Winograd's kernels and panels multiply: float32; or bfloat16, where the instruction set multiplies
  ///     that.
  ///   - tuning: choices of launches.
  public init(
    threads: Int? = nil, instructionSet: String? = nil, panels: ElementType = .float32, tuning: Tuning = .standard
  ) throws {
    let chosen = Self.working.first { instructionSet == nil || Self.name(ofInstructionSet: $0) == instructionSet }
    guard let chosen else {
      throw Failure(
        .deviceUnavailable, "this processor cannot run the '\(instructionSet ?? "")' kernels.",
        why: "it has \(Self.instructionSets.joined(separator: ", ")).", fix: "remove --instruction-set.")
    }
    guard gpunoisy_instruction_set_open(chosen) else {
      throw Failure(
        .deviceUnavailable, "the system does not let this process use '\(Self.name(ofInstructionSet: chosen))'.",
        why: "it was asked for the registers that these instructions need, and refused.",
        fix: "choose another --instruction-set.")
    }
    set = chosen
    let panels = gpunoisy_instruction_set_multiplies_bfloat16(chosen) ? panels : .float32
    lowering = VectorLowering(panels: panels, tuning: tuning)
    self.panels = panels
    self.threads = max(1, threads ?? Processors.available)
    driver = Self.name(ofInstructionSet: chosen)
    name = "cpu (built in, \(driver), \(self.threads) \(self.threads == 1 ? "thread" : "threads"))"
    guard let team = gpunoisy_threads_create(Int32(self.threads)) else {
      throw Failure(
        .configuration, "cannot start \(self.threads) threads.", why: "the system is at its limit.",
        fix: "use fewer --threads; this process may use \(Processors.available) processors.")
    }
    self.team = team
  }

  deinit { gpunoisy_threads_destroy(team) }

  /// What the machine, control groups and `ulimit -v` leave; see `Device`.
  public var memory: DeviceMemory? {
    DeviceMemory(
      left: MemoryLimit.left(besides: allocatedBytes.load(ordering: .relaxed)), owner: "this process", isHost: true)
  }

  /// Zero-filled memory; see `Device`.
  public func allocate(byteCount: Int) throws -> Buffer { try Buffer(byteCount: byteCount) }

  /// Replaces bytes; see `Device`.
  public func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws {
    precondition(offset >= 0 && offset + bytes.count <= buffer.bytes.count, "writing past the end of a buffer")
    UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[offset..<offset + bytes.count]).copyMemory(from: bytes)
  }

  /// Waits and copies; see `Device`.
  public func read(_ buffer: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    precondition(offset >= 0 && offset + bytes.count <= buffer.bytes.count, "reading past the end of a buffer")
    bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[offset..<offset + bytes.count]))
  }

  /// Puts the arguments side by side; see `KernelDevice`.
  public func bind(
    _ launch: Launch, _ arguments: [(name: String, value: BoundArgument<Buffer>)], activations: ElementType
  ) throws -> Prepared {
    guard
      let call = gpunoisy_find_kernel(set, activations == .bfloat16, panels == .bfloat16, launch.kernel)
    else {
      throw Failure(
        .bug, "the built-in CPU device has no kernel '\(launch.kernel)'.",
        why: "it is missing from Kernels/native/native_set.h.", fix: "add it there; please report this.")
    }
    var buffers: [Buffer] = []
    let values = arguments.map { argument -> UInt64 in
      switch argument.value {
      case .buffer(let buffer):
        buffers.append(buffer)
        return UInt64(UInt(bitPattern: buffer.bytes.baseAddress))
      case .noBuffer: return 0
      case .int(let int): return UInt64(UInt32(bitPattern: Int32(int)))
      case .float(let float): return UInt64(float.bitPattern)
      }
    }
    let size = launch.global.map(Int32.init) + [1, 1]
    return Prepared(call: call, size: (size[0], size[1], size[2]), values: values, buffers: buffers)
  }

  /// Runs one launch after all that came before; see `Device`.
  public func enqueue(_ prepared: Prepared) throws {
    gpunoisy_threads_run(
      team, prepared.call, prepared.pointers, prepared.size.0, prepared.size.1, prepared.size.2)
  }

  /// Hands over what was enqueued; see `Device`.
  public func flush() throws {}
}

/// Bytes of all buffers of this process; pages that were not touched yet are not counted by the system.
private let allocatedBytes = Atomic<Int>(0)
