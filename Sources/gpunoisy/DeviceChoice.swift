import ArgumentParser
import Compute
import ComputeCPU
import ComputeKernels
import ComputeOpenCL
import Failures

/// What can be done on whichever device was chosen: the one place where the device's type is opened.
protocol DeviceWork {
  associatedtype Result
  func run<D: TunableDevice>(on device: D) throws -> Result
}

/// Why `auto` took the device that it took; a reference, since work is prepared before its device is known.
final class DeviceReason {
  var text: String?
}

/// `--device`: `auto`, `cpu`, an index of `gpunoisy devices`, or part of a name.
struct DeviceChoice {
  var text: String
  /// Threads of the built-in CPU device; nil for one per processor.
  var threads: Int?
  static let instructionSetHelp: ArgumentHelp = """
    Kernels of the built-in CPU path: one of 'gpunoisy devices -v'; default the first. amx and avx512_bf16 differ from \
    avx512 with --precision mixed only.
    """
  /// Kernels of the built-in CPU device, by a name of `CPUDevice.instructionSets`; nil for the first.
  var instructionSet: String?
  /// What is computed with: the device's matrix units are used for `tf32` and, where there are some, for `mixed`.
  var precision = Precision.fp32
  /// Where the choices of launches come from.
  var tuning = TuningSource.standard
  /// Whether an OpenCL device replays recorded steps; nil where that pays.
  var commandBuffers: Bool?

  /// Checks that a device that was asked for by number or name can be used, without opening it.
  ///
  /// - Throws: `.deviceUnavailable`, `.usage`.
  func check() throws {
    try checkInstructionSet()
    switch text.lowercased() {
    case "cpu": try checkBuiltIn()
    case "auto": break
    default:
      StandardOutput.reserve()
      _ = try matrixUnits(of: DeviceList.discover().device(named: text))
    }
  }

  /// Opens the device and does the work on it.
  ///
  /// - Parameters:
  ///   - reason: where given, keeps why `auto` took the device, in place of a note; of GPUs that it passes over, there
  ///     are notes all the same.
  ///   - note: is told which device `auto` took, and why.
  /// - Throws: `.deviceUnavailable` if exactly the device that was asked for cannot be used; `.usage` for an instruction
  ///   set with another device than the built-in one.
  func open<Work: DeviceWork>(
    _ work: Work, reason kept: DeviceReason? = nil, note: @escaping (String) -> Void
  ) throws -> Work.Result {
    try checkInstructionSet()
    switch text.lowercased() {
    case "cpu": return try work.run(on: tuned(builtIn(), note))
    case "auto":
      StandardOutput.reserve()
      let list = DeviceList.discover()
      let gpus = list.devices.filter {
        $0.kind == .gpu && $0.isSupported && (precision != .tf32 || $0.hasMatrixUnits)
      }
      for gpu in gpus {
        // A device is chosen before the work begins; one that is lost later is a failure.
        let device: OpenCLDevice
        do {
          let (opened, problem) = try building(for: gpu, note) {
            let device = try OpenCLDevice(gpu, matrixUnits: matrixUnits(of: gpu), commandBuffers: commandBuffers)
            return (device, try QuickCheck.problem(with: device))
          }
          if let problem {
            note("auto: '\(gpu.name)' failed its self-test: \(problem)")
            continue
          }
          device = opened
        } catch let failure as Failure where failure.kind == .deviceUnavailable {
          note("auto: '\(gpu.name)' cannot be used: \(failure.what)")
          continue
        }
        kept?.text = "the first OpenCL GPU that passes its self-test"
        if kept == nil { note("auto: taking '\(gpu.name)', the first OpenCL GPU that passes its self-test.") }
        return try work.run(on: tuned(device, note))
      }
      let reason =
        list.absence ?? (gpus.isEmpty ? "OpenCL lists \(list.devices.count) device(s), but no GPU" : "none passed")
      kept?.text = "no usable GPU; see gpunoisy devices"
      if kept == nil { note("auto: no usable GPU (\(reason)); using the built-in CPU path. See: gpunoisy devices") }
      return try work.run(on: tuned(builtIn(), note))
    default:
      StandardOutput.reserve()
      let info = try DeviceList.discover().device(named: text)
      let device = try building(for: info, note) {
        try OpenCLDevice(
          info, matrixUnits: matrixUnits(of: info), panels: info.multipliesBFloat16 ? precision.activations : .float32,
          commandBuffers: commandBuffers)
      }
      return try work.run(on: tuned(device, note))
    }
  }

  /// Compiling kernels may take minutes, and happens once for each driver.
  private func building<T>(
    for device: DeviceInfo, _ note: @escaping (String) -> Void, _ work: () throws -> T
  ) rethrows -> T {
    // This thread waits for the compiler meanwhile, so that nobody else is telling anything.
    nonisolated(unsafe) let note = note
    let name = device.name
    return try SlowNotice.during({ note("building kernels for \(name); this happens once for each driver") }, work)
  }

  private func tuned<D: TunableDevice>(_ device: D, _ note: (String) -> Void) throws -> D {
    device.tuning = try tuning.tuning(for: device, precision, note: note)
    return device
  }

  /// Whether the device, or one that `auto` may take, has matrix units.
  var hasMatrixUnits: Bool {
    let devices = DeviceList.discover().devices
    switch text.lowercased() {
    case "cpu": return false
    case "auto": return devices.contains { $0.kind == .gpu && $0.isSupported && $0.hasMatrixUnits }
    default: return (try? DeviceList.discover().device(named: text).hasMatrixUnits) ?? false
    }
  }

  private func checkInstructionSet() throws(Failure) {
    guard let instructionSet else { return }
    guard text.lowercased() == "cpu" else {
      throw Failure(
        .usage, "--instruction-set is for the built-in CPU path.", why: "the device is '\(text)'.",
        fix: "add --device cpu, or remove it.")
    }
    guard CPUDevice.instructionSets.contains(instructionSet) else {
      throw Failure(
        .usage, "there is no instruction set '\(instructionSet)' here.",
        why: "this program and this processor have \(CPUDevice.instructionSets.joined(separator: ", ")).",
        fix: "choose one of these, or remove it.")
    }
  }

  private func builtIn() throws -> CPUDevice {
    try checkBuiltIn()
    return try CPUDevice(threads: threads, instructionSet: instructionSet, panels: precision.activations)
  }

  private func checkBuiltIn() throws(Failure) {
    if precision == .tf32 { throw lackOfMatrixUnits("the built-in CPU path") }
  }

  private func matrixUnits(of device: DeviceInfo) throws(Failure) -> MatrixUnits? {
    switch precision {
    case .fp32: return nil
    case .mixed: return device.hasMatrixUnits ? .bfloat16 : nil
    case .tf32:
      guard device.hasMatrixUnits else { throw lackOfMatrixUnits("'\(device.name)'") }
      return .tf32
    }
  }

  private func lackOfMatrixUnits(_ device: String) -> Failure {
    Failure(
      .configuration, "--precision tf32 does not work on \(device).",
      why: "TF32 is a format of the matrix units of NVIDIA's GPUs, from compute capability 8.0 on.",
      fix: "use --precision fp32 or mixed.")
  }
}
