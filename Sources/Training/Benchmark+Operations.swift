import Compute
import Methods

extension Benchmark {
  /// All operations of one name and shape within a step.
  public struct Row: Sendable {
    /// `TensorOperation.name` and `shapeText`.
    public var name: String, shape: String
    /// How many there are in a step.
    public var count: Int
    /// The launches of one of them.
    public var launches: Int
    /// Milliseconds of all of them together.
    public var milliseconds: Double
    /// 10⁹ operations and 10⁹ bytes per second, by `StepProgram.cost(of:)`.
    public var gigaflops: Double, gigabytes: Double
    /// Of the time of all operations.
    public var share: Double
    /// The ceiling nearest to it, and how near (see `DevicePeaks.limit`); nil if no ceilings were measured.
    public var limit: (kind: DevicePeaks.Limit, fraction: Double)?
  }

  /// Times every operation of a step alone.
  ///
  /// Repeated one after the other, an operation may find in the caches what it would have to fetch within a step.
  static func rows<D: Device>(of method: any Method<D>, peaks: DevicePeaks?) throws -> [Row] {
    // Networks of one method have the same operations.
    let session = method.members[0], networks = method.members.count
    guard let plan = session.wholeBatches else { return [] }
    var rows: [Row] = [], costs: [TensorOperation.Cost] = []
    try begin(method)
    let clock = session.clock
    for (operation, launches) in zip(plan.program.operations, plan.prepared) where !launches.isEmpty {
      if case .advance = operation { continue }  // it would move on past the last sample
      let time = try clock.secondsEach(launches, budget: 0.005) * Double(networks)
      if let index = rows.firstIndex(where: { $0.name == operation.name && $0.shape == operation.shapeText }) {
        rows[index].count += networks
        rows[index].milliseconds += time * 1000
      } else {
        rows.append(
          Row(
            name: operation.name, shape: operation.shapeText, count: networks, launches: launches.count,
            milliseconds: time * 1000, gigaflops: 0, gigabytes: 0, share: 0))
        costs.append(plan.program.cost(of: operation))
      }
    }
    let total = rows.reduce(0) { $0 + $1.milliseconds }
    for index in rows.indices {
      let each = rows[index].milliseconds / 1000 / Double(rows[index].count)
      rows[index].gigaflops = costs[index].operations / each / 1e9
      rows[index].gigabytes = costs[index].bytes / each / 1e9
      rows[index].share = rows[index].milliseconds / total
      rows[index].limit = peaks.map {
        let limit = $0.limit(of: costs[index], launches: rows[index].launches, seconds: each)
        return (limit.limit, limit.fraction)
      }
    }
    return rows.sorted { $0.milliseconds > $1.milliseconds }
  }
}
