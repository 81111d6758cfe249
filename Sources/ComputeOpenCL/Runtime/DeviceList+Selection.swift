import Failures

extension DeviceList {
  /// Finds the device that `text` means: its index in the list, or a part of its name in any case.
  ///
  /// A part of a name must fit exactly one device, unless it is one device's whole name. Never another device silently.
  ///
  /// - Throws: `.deviceUnavailable` when there is no such device or it cannot be used, `.usage` when several fit.
  public func device(named text: String) throws(Failure) -> DeviceInfo {
    if devices.isEmpty {
      throw Failure(
        .deviceUnavailable, "device \(text) is not available.", why: absence ?? "There is no OpenCL device.",
        fix: """
          install your GPU's OpenCL driver (Debian: nvidia-opencl-icd, intel-opencl-icd, mesa-opencl-icd), \
          or run on the CPU with --device cpu.
          """)
    }
    let device = try match(text)
    if !device.isAvailable {
      throw Failure(
        .deviceUnavailable, "device \(text) (\(device.name)) is not available.",
        why: "its driver says so (CL_DEVICE_AVAILABLE is false).", fix: choice)
    }
    if !device.hasCompiler {
      throw Failure(
        .deviceUnavailable, "device \(text) (\(device.name)) cannot build kernels.",
        why: "its driver has no compiler (CL_DEVICE_COMPILER_AVAILABLE is false).", fix: choice)
    }
    if !device.isSupported {
      throw Failure(
        .deviceUnavailable, "device \(text) (\(device.name)) is too old.",
        why: "it has \(device.version); OpenCL 1.2 is needed.", fix: choice)
    }
    return device
  }

  private func match(_ text: String) throws(Failure) -> DeviceInfo {
    if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
      if let index = Int(text), index < devices.count { return devices[index] }
      let range = devices.count == 1 ? "is one, number 0" : "are \(devices.count), numbers 0 to \(devices.count - 1)"
      throw Failure(
        .deviceUnavailable, "device \(text) is not available.", why: "there \(range): \(listing(devices.indices)).",
        fix: choice)
    }
    let wanted = text.lowercased()
    let candidates = devices.indices.filter { text.isEmpty || devices[$0].name.lowercased().contains(wanted) }
    let exact = candidates.filter { devices[$0].name.lowercased() == wanted }
    if let only = exact.count == 1 ? exact.first : candidates.count == 1 && !text.isEmpty ? candidates.first : nil {
      return devices[only]
    }
    if candidates.isEmpty {
      throw Failure(
        .deviceUnavailable, "no device is called '\(text)'.",
        why: "the OpenCL devices here are \(listing(devices.indices)).", fix: choice)
    }
    throw Failure(
      .usage, "the device '\(text)' is ambiguous.",
      why: "it matches \(listing(candidates)).", fix: "use the number, for example --device \(candidates[0]).")
  }

  private var choice: String { "choose one that `gpunoisy devices` lists, or use --device cpu." }

  /// The devices at `indices` as `0 (NVIDIA H200), 1 (…)`.
  private func listing(_ indices: some Sequence<Int>) -> String {
    indices.map { "\($0) (\(devices[$0].name))" }.joined(separator: ", ")
  }
}
