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
    let standard = device.lower(operation)
    device.tuning = tuning
    return device.lower(operation) != standard
  }

  /// Every candidate for the convolutions of a program that changes some launch, in the order of `Tuning.Key`.
  public static func all<D: TunableDevice>(for program: StepProgram, on device: D) -> [Candidate] {
    let operations = program.fused { device.supports($0) }.operations
    // A record names a window by nine numbers, one of which is the padding on all sides.
    let windows = Set(operations.compactMap(\.convolution)).filter(\.isPaddedAlike)
    let keys = windows.flatMap { window in Tuning.Choice.allCases.map { Tuning.Key($0, window) } }.sorted()
    return keys.flatMap { key in
      var seen: [[Lowered?]] = []
      return key.choice.candidates.map { Candidate(key, $0) }.filter { candidate in
        let changed = operations.filter { candidate.changes($0, on: device) }
        guard !changed.isEmpty else { return false }
        // Numbers out of range become the same launches.
        let lowered = candidate.lower(changed, on: device), isNew = !seen.contains(lowered)
        if isNew { seen.append(lowered) }
        return isNew
      }
    }
  }

  private func lower<D: TunableDevice>(_ operations: [TensorOperation], on device: D) -> [Lowered?] {
    let before = device.tuning
    defer { device.tuning = before }
    device.tuning = tuning
    return operations.map { device.lower($0) }
  }
}
