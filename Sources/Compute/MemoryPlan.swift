/// Which values share memory: a value's slab is free for others after its last reader.
///
/// Values that are kept in a store have no slab.
public struct MemoryPlan {
  /// Bytes of each slab.
  public private(set) var slabs: [Int] = []
  private var slabOf: [Int: Int] = [:]

  /// The position in `slabs` of what a value of the program is kept in.
  public func slab(of value: Value) -> Int {
    guard let slab = slabOf[value.index] else { preconditionFailure("value \(value.index) is never written") }
    return slab
  }

  /// Plans the memory of a program whose operations are in their last form (`StepProgram.fused`).
  public init(_ program: StepProgram) {
    var lastUse: [Int: Int] = [program.logits.index: Int.max]
    for (index, operation) in program.operations.enumerated() {
      let (reads, writes) = operation.values
      for value in reads + writes { lastUse[value.index] = max(lastUse[value.index] ?? 0, index) }
    }
    var free: [Int] = []
    for (index, operation) in program.operations.enumerated() {
      let (reads, writes) = operation.values
      for value in writes where slabOf[value.index] == nil && program.kept[value] == nil {
        let count = program.counts[value.index] * program.elementTypes[value.index].byteCount
        // The smallest free slab that fits but wastes less than half of itself.
        let fitting = free.filter { slabs[$0] >= count && slabs[$0] <= 2 * count }
        if let best = fitting.min(by: { slabs[$0] < slabs[$1] }) {
          free.removeAll { $0 == best }
          slabOf[value.index] = best
        } else {
          slabs.append(count)
          slabOf[value.index] = slabs.count - 1
        }
      }
      // In the operation's order: a set's would differ from process to process.
      for value in reads + writes where lastUse[value.index] == index {
        if let slab = slabOf[value.index], !free.contains(slab) { free.append(slab) }
      }
    }
  }
}
