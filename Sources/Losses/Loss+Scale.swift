#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The same loss in a run with fewer or more epochs.
extension Loss {
  /// The loss over a share of its epochs: the epochs of schedules and all numbers of epochs are multiplied by `share`.
  ///
  /// A factor that is applied after a period is applied over as long a part of the run: where the period cannot follow,
  /// since it is a whole number and at least 1, the factor is raised to the power that makes up for it, within its range.
  public func scaled(by share: Double) -> Loss {
    var scaled = schedules.map { $0.scaled(by: share) }
    for (index, parameter) in entry.parameters.enumerated() {
      guard let epochs = parameter.epochs else { continue }
      scaled[index] = scaled[index].mapped { $0 > 0 ? max(1, ($0 * Float(share)).rounded()) : 0 }
      guard epochs == .period else { continue }
      // The number of periods in a run is its epochs over the period: E / p before, share E / q now.
      let power = Double(scaled[index].value(epoch: 0)) / (Double(schedules[index].value(epoch: 0)) * share)
      let range = entry.parameters[index - 1].range
      scaled[index - 1] = scaled[index - 1].mapped {
        min(max(Float(pow(Double($0), power)), range.lowerBound), range.upperBound)
      }
    }
    return Loss(entry: entry, schedules: scaled)
  }
}
