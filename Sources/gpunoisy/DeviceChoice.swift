import Compute
import ComputeCPU
import ComputeOpenCL
import Failures

/// What can be done on whichever device was chosen: the one place where the device's type is opened.
protocol DeviceWork {
  associatedtype Result
  func run<D: Device>(on device: D) throws -> Result
}

/// `--device`: `auto`, `cpu`, an index of `gpunoisy devices`, or part of a name.
struct DeviceChoice {
  var text: String
  /// Threads of the built-in CPU device; nil for one per processor.
  var threads: Int?
  /// Kernels of the built-in CPU device, by a name of `CPUDevice.instructionSets`; nil for the best.
  var instructionSet: String?

  /// Checks that a device that was asked for by number or name can be used, without opening it.
  ///
  /// - Throws: `.deviceUnavailable`, `.usage`.
  func check() throws {
    try checkInstructionSet()
    if !["auto", "cpu"].contains(text.lowercased()) { _ = try DeviceList.discover().device(named: text) }
  }

  /// Opens the device and does the work on it.
  ///
  /// - Parameter note: is told which device `auto` took, and why.
  /// - Throws: `.deviceUnavailable` if exactly the device that was asked for cannot be used; `.usage` for an instruction
  ///   set with another device than the built-in one.
  func open<Work: DeviceWork>(_ work: Work, note: (String) -> Void) throws -> Work.Result {
    try checkInstructionSet()
    switch text.lowercased() {
    case "cpu": return try work.run(on: builtIn())
    case "auto":
      let list = DeviceList.discover()
      let gpus = list.devices.filter { $0.kind == .gpu && $0.isSupported }
      for gpu in gpus {
        do {
          let device = try OpenCLDevice(gpu)
          if let problem = try QuickCheck.problem(with: device) {
            note("auto: '\(gpu.name)' failed its self-test: \(problem)")
            continue
          }
          note("auto: taking '\(gpu.name)', the first OpenCL GPU that passes its self-test.")
          return try work.run(on: device)
        } catch let failure as Failure where failure.kind == .deviceUnavailable {
          note("auto: '\(gpu.name)' cannot be used: \(failure.what)")
        }
      }
      let reason =
        list.absence ?? (gpus.isEmpty ? "OpenCL lists \(list.devices.count) device(s), but no GPU" : "none passed")
      note("auto: no usable GPU (\(reason)); taking the built-in CPU path. See: gpunoisy devices")
      return try work.run(on: builtIn())
    default:
      return try work.run(on: OpenCLDevice(DeviceList.discover().device(named: text)))
    }
  }

  private func checkInstructionSet() throws(Failure) {
    guard let instructionSet else { return }
    guard text.lowercased() == "cpu" else {
      throw Failure(
        .usage, "--instruction-set is for the built-in CPU path.", why: "the device is '\(text)'.",
        fix: "add --device cpu, or leave it out.")
    }
    guard CPUDevice.instructionSets.contains(instructionSet) else {
      throw Failure(
        .usage, "there is no instruction set '\(instructionSet)' here.",
        why: "this program and this processor have \(CPUDevice.instructionSets.joined(separator: ", ")).",
        fix: "give one of these, or leave it out.")
    }
  }

  private func builtIn() throws -> CPUDevice { try CPUDevice(threads: threads, instructionSet: instructionSet) }
}
