import Failures

/// A step program with memory and prepared operations: bound once for one device, run thousands of times.
public final class Plan<D: Device> {
  /// What the plan computes.
  public let program: StepProgram
  /// The prepared launches of each operation, in order.
  public let prepared: [[D.Prepared]]
  /// Bytes of device memory that the plan uses besides the stores; activations share theirs with other plans.
  public let byteCount: Int
  /// How many calls enqueue a step: one for each launch, or fewer where the device has recorded them.
  public var enqueueCount: Int { segments.reduce(0) { $0 + $1.count } }
  private let device: D
  private let logits: D.Buffer
  /// What `TensorOperation.cut` has cut, each recorded by itself.
  private let segments: [[D.Prepared]]

  /// Fuses what the device can, plans memory and prepares every operation.
  ///
  /// - Parameter store: the buffers that outlive the plan; `workspace` and `vectors` are the plan's own.
  public init(_ program: StepProgram, on device: D, stores: [Store: D.Buffer], shared: SharedMemory<D>) throws {
    let program = program.fused { device.supports($0) }
    self.program = program
    self.device = device
    // The kernels count in 32 bits.
    if let largest = program.counts.max(), largest > Int(Int32.max) {
      throw Failure(
        .configuration, "a batch of \(program.batch) such images is too large.",
        why: "one of its tensors has \(largest) numbers; kernels can address \(Int32.max).",
        fix: "use a smaller --batch-size.")
    }
    let needed = try Self.scratch(of: program, on: device)
    let memory = MemoryPlan(program), scratch = (needed.workspace + needed.vectors) * 4
    let need = shared.missing(memory.slabs) + scratch
    try device.requireRoom(for: need, of: "a batch of \(program.batch) images", "its activations and scratch memory") {
      program.smaller($0, of: need)
    }
    let slabs = try shared.buffers(of: memory.slabs, on: device)
    let workspace = try device.allocate(byteCount: needed.workspace * 4)
    let vectors = try device.allocate(byteCount: needed.vectors * 4)
    byteCount = memory.slabs.reduce(0, +) + scratch
    func buffer(_ operand: Operand) -> D.Buffer {
      switch operand {
      case .value(let value):
        return program.kept[value].map { buffer(.store($0)) } ?? slabs[memory.slab(of: value)]
      case .store(.workspace): return workspace
      case .store(.vectors): return vectors
      case .store(let store):
        // Most data sets lie in one buffer: kernels then never look at the others.
        guard let found = stores[store] ?? (Store.pixelParts.contains(store) ? stores[.pixels] : nil) else {
          preconditionFailure("the plan needs \(store), which is not bound")
        }
        return found
      }
    }
    prepared = try program.operations.map {
      try device.prepare($0, activations: program.elementType(of: $0), buffer: buffer)
    }
    segments = zip(program.operations, prepared).split { $0.0 == .cut }.map { segment in
      device.recorded(segment.flatMap(\.1))
    }
    logits = buffer(.value(program.logits))
  }

  /// Bytes that a plan of the program would allocate.
  public static func missing(_ program: StepProgram, on device: D, shared: SharedMemory<D>) throws -> Int {
    let program = program.fused { device.supports($0) }, scratch = try scratch(of: program, on: device)
    return shared.missing(MemoryPlan(program).slabs) + (scratch.workspace + scratch.vectors) * 4
  }

  /// Floats of scratch memory that the operations share.
  private static func scratch(of program: StepProgram, on device: D) throws -> (workspace: Int, vectors: Int) {
    var needed = (workspace: 1, vectors: 1)
    for operation in program.operations {
      let need = try device.workspace(for: operation)
      needed = (max(needed.workspace, need.workspace), max(needed.vectors, need.vectors))
    }
    return needed
  }

  /// Enqueues one step, whole.
  public func run() throws {
    for segment in segments.indices { try run(segment: segment) }
  }

  /// Enqueues a part of a step: what lies between two cuts.
  ///
  /// Other plans may run before the next part, if they share no memory with this one.
  public func run(segment: Int) throws {
    for launch in segments[segment] { try device.enqueue(launch) }
    try device.flush()
  }

  /// The logits of the last step, `[B, K]`.
  ///
  /// Waits.
  public func readLogits() throws -> [Float] {
    try device.read(Float.self, count: program.batch * program.classes, from: logits)
  }
}

/// The activations' memory, shared by plans that never run at the same time (whole batches, the last batch, evaluation).
public final class SharedMemory<D: Device> {
  private var slabs: [(count: Int, buffer: D.Buffer)] = []

  /// No memory yet.
  public init() {}

  /// One buffer of at least each size, in the order of `counts`; what does not fit is allocated.
  func buffers(of counts: [Int], on device: D) throws -> [D.Buffer] {
    try zip(counts, places(of: counts)).map { count, place in
      if let place { return slabs[place].buffer }
      slabs.append((count, try device.allocate(byteCount: count)))
      return slabs[slabs.count - 1].buffer
    }
  }

  /// Bytes that `buffers` would allocate.
  func missing(_ counts: [Int]) -> Int {
    zip(counts, places(of: counts)).reduce(0) { $0 + ($1.1 == nil ? $1.0 : 0) }
  }

  /// For each size the smallest slab that is large enough and is not another's; nil where there is none.
  private func places(of counts: [Int]) -> [Int?] {
    var taken = Set<Int>()
    return counts.map { count in
      let fitting = slabs.indices.filter { !taken.contains($0) && slabs[$0].count >= count }
      let best = fitting.min { slabs[$0].count < slabs[$1].count }
      if let best { taken.insert(best) }
      return best
    }
  }
}
