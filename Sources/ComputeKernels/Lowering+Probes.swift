import CLayout
import Compute

/// A number that leaves sums finite however often they are multiplied by it and added to.
private let factor: Float = 0.5, addend: Float = 1

extension VectorLowering {
  /// The launch of a measurement.
  public func launch(for probe: DeviceProbe) -> KernelLaunch {
    switch probe {
    case .emptyLaunch:
      KernelLaunch("bench_empty", ["target": .store(.vectors)], global: [DeviceProbe.emptyItems])
    case .multiplyAdd(let items, let rounds):
      KernelLaunch(
        "bench_multiply_add",
        ["target": .store(.vectors), "rounds": .int(rounds), "factor": .float(factor), "addend": .float(addend)],
        global: [items])
    case .copy(let count):
      KernelLaunch(
        "bench_copy",
        ["source": .store(.workspace), "target": .store(.vectors), "n": .int(count), "factor": .float(1)],
        global: [quotient(count, ELEMENTS_PER_ITEM)])
    }
  }
}

extension WorkGroupLowering {
  /// The launch of a measurement.
  public func launch(for probe: DeviceProbe) -> KernelLaunch {
    switch probe {
    case .emptyLaunch: items("bench_empty", ["target": .store(.vectors)], DeviceProbe.emptyItems)
    case .multiplyAdd(let count, let rounds):
      items(
        "bench_multiply_add",
        ["target": .store(.vectors), "rounds": .int(rounds), "factor": .float(factor), "addend": .float(addend)],
        count)
    case .copy(let count):
      quads(
        "bench_copy",
        ["source": .store(.workspace), "target": .store(.vectors), "n": .int(count), "factor": .float(1)], count)
    }
  }
}
