import CLayout
import Compute

extension DeviceProbe {
  /// The arguments of a measurement's kernel; the factor leaves sums finite however often they are multiplied by it.
  fileprivate var arguments: KernelArguments {
    switch self {
    case .emptyLaunch: ["target": .store(.vectors)]
    case .multiplyAdd(_, let rounds):
      ["target": .store(.vectors), "rounds": .int(rounds), "factor": .float(0.5), "addend": .float(1)]
    case .copy(let count):
      ["source": .store(.workspace), "target": .store(.vectors), "n": .int(count), "factor": .float(1)]
    }
  }
}

extension VectorLowering {
  /// The launch of a measurement.
  public func launch(for probe: DeviceProbe) -> Launch {
    switch probe {
    case .emptyLaunch: Launch("bench_empty", global: [DeviceProbe.emptyItems], probe.arguments)
    case .multiplyAdd(let items, _): Launch("bench_multiply_add", global: [items], probe.arguments)
    case .copy(let count): Launch("bench_copy", global: [ceilDivide(count, ELEMENTS_PER_ITEM)], probe.arguments)
    }
  }
}

extension WorkGroupLowering {
  /// The launch of a measurement.
  public func launch(for probe: DeviceProbe) -> Launch {
    switch probe {
    case .emptyLaunch: items("bench_empty", DeviceProbe.emptyItems, probe.arguments)
    case .multiplyAdd(let count, _): items("bench_multiply_add", count, probe.arguments)
    case .copy(let count): quads("bench_copy", count, probe.arguments)
    }
  }
}
