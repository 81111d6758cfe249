import Compute
import ComputeKernels

/// One choice that differs from the standard, to be tried.
public struct Candidate: Sendable, Hashable {
  /// What is chosen, and for which convolutions.
  public let key: Tuning.Key
  /// The number that is tried.
  public let number: Int

  /// A choice to be tried.
  public init(_ key: Tuning.Key, _ number: Int) {
    self.key = key
    self.number = number
  }

  /// The choice alone as a tuning.
  public var tuning: Tuning { Tuning([key: number]) }

  /// Whether it changes any launch of an operation on the device.
  public func changes<D: TunableDevice>(_ operation: TensorOperation, on device: D) -> Bool {
    let before = device.tuning
    defer { device.tuning = before }
    device.tuning = .standard
    let standard = device.launches(for: operation)
    device.tuning = tuning
    let tuned = device.launches(for: operation)
    return standard.count != tuned.count || zip(standard, tuned).contains { !$0.isSame(as: $1) }
  }

  /// Every candidate for the convolutions of a program that changes some launch, in the order of `Tuning.Key`.
  public static func all<D: TunableDevice>(for program: StepProgram, on device: D) -> [Candidate] {
    let operations = program.fused { device.supports($0) }.operations
    let windows = Set(operations.compactMap(\.convolution))
    let keys = windows.flatMap { window in Tuning.Choice.allCases.map { Tuning.Key($0, window) } }.sorted()
    return keys.flatMap { key in
      var seen: [[[KernelLaunch]]] = []
      return key.choice.candidates.map { Candidate(key, $0) }.filter { candidate in
        let changed = operations.filter { candidate.changes($0, on: device) }
        guard !changed.isEmpty else { return false }
        // Numbers out of range become the same launches.
        let launches = candidate.launches(for: changed, on: device)
        let isNew = !seen.contains { known in
          known.count == launches.count
            && zip(known, launches).allSatisfy { $0.count == $1.count && zip($0, $1).allSatisfy { $0.isSame(as: $1) } }
        }
        if isNew { seen.append(launches) }
        return isNew
      }
    }
  }

  private func launches<D: TunableDevice>(for operations: [TensorOperation], on device: D) -> [[KernelLaunch]] {
    let before = device.tuning
    defer { device.tuning = before }
    device.tuning = tuning
    return operations.map { device.launches(for: $0) }
  }
}

extension KernelLaunch {
  fileprivate func isSame(as other: KernelLaunch) -> Bool {
    kernel == other.kernel && global == other.global && local == other.local
      && arguments.count == other.arguments.count
      && zip(arguments, other.arguments).allSatisfy { $0.name == $1.name && $0.value == $1.value }
  }
}
