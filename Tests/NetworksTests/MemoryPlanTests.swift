import Compute
import Networks
import Testing

/// Two values in one slab at the same time would be silent corruption: no device notices it.
@Suite struct `The memory of a step` {
  /// A step of a network, as a device with or without fused layers and operations takes it.
  struct Step: Sendable, CustomTestStringConvertible {
    let network: String
    var classes = 10
    var peer = false
    var weighted = false
    var trains = true
    var precision = Precision.fp32
    var fuses = false

    var testDescription: String {
      let kinds = [peer ? "peer" : "", weighted ? "weighted" : "", trains ? "" : "evaluation", fuses ? "fused" : ""]
      return ([network, "\(classes)", precision.rawValue] + kinds.filter { !$0.isEmpty }).joined(separator: ", ")
    }

    func program() throws -> StepProgram {
      let side = ["resnet50", "efficientnet-lite0"].contains(network) ? 64 : 32
      let graph = try Network(network).graph(batch: 4, height: side, width: side, channels: 3, classes: classes)
      let forms: Set<FusedForm> = fuses ? Set(FusedForm.allCases) : []
      let program =
        trains
        ? StepProgram.training(
          graph, forms: forms, precision: precision,
          TrainingStep(
            augmentation: Augmentation(crop: 4, flip: true), loss: RowFunction(kernel: "loss_ce_rows"), peer: peer,
            weighted: weighted))
        : StepProgram.evaluation(graph, forms: forms, precision: precision)
      return program.fused { _ in fuses }
    }
  }

  private static let networks = [
    "resnet20", "resnet18", "preact-resnet18", "cnn8", "cnn4", "mlp", "resnet50", "efficientnet-lite0",
  ]

  static let steps = networks.flatMap { network in
    [false, true].flatMap { fuses in
      [
        Step(network: network, fuses: fuses), Step(network: network, classes: 200, fuses: fuses),
        Step(network: network, peer: true, fuses: fuses), Step(network: network, weighted: true, fuses: fuses),
        Step(network: network, precision: .mixed, fuses: fuses),
        Step(network: network, classes: 200, trains: false, fuses: fuses),
      ]
    }
  }

  /// From its first operation to its last; the host reads logits after the step.
  private static func lifetimes(_ program: StepProgram) -> [Value: ClosedRange<Int>] {
    var lifetimes: [Value: ClosedRange<Int>] = [:]
    for (index, operation) in program.operations.enumerated() {
      let (reads, writes) = operation.values
      for value in reads + writes { lifetimes[value] = (lifetimes[value]?.lowerBound ?? index)...index }
    }
    if let range = lifetimes[program.logits] {
      lifetimes[program.logits] = range.lowerBound...program.operations.count
    }
    return lifetimes
  }

  @Test(arguments: steps)
  func `is never shared by values that are alive together`(step: Step) throws {
    let program = try step.program(), plan = MemoryPlan(program)
    let alive = Self.lifetimes(program).map { (value: $0, range: $1, slab: plan.slab(of: $0)) }
    #expect(alive.count > 4 && plan.slabs.count < alive.count, "some share memory")
    for (index, one) in alive.enumerated() {
      for other in alive[..<index] where one.range.overlaps(other.range) {
        #expect(one.slab != other.slab, "values \(one.value.index) and \(other.value.index)")
      }
    }
  }

  @Test(arguments: steps)
  func `is large enough, and holds what was written until it is read`(step: Step) throws {
    let program = try step.program(), plan = MemoryPlan(program)
    var holder: [Int: Value] = [:]
    for operation in program.operations {
      let (reads, writes) = operation.values
      for value in reads { #expect(holder[plan.slab(of: value)] == value, "\(operation.name) reads \(value.index)") }
      // A result goes into memory of its own, or over the very value that the operation reads.
      #expect(Set(Set(reads + writes).map(plan.slab(of:))).count == Set(reads + writes).count, "\(operation.name)")
      for value in writes {
        holder[plan.slab(of: value)] = value
        let needed = program.counts[value.index] * program.elementTypes[value.index].byteCount
        #expect(plan.slabs[plan.slab(of: value)] >= needed, "value \(value.index)")
      }
    }
    #expect(holder[plan.slab(of: program.logits)] == program.logits, "the host reads logits after the step")
  }

  @Test func `is not taken for a value that is kept in a store`() throws {
    let graph = try Network("resnet20").graph(batch: 4, height: 32, width: 32, channels: 3, classes: 10)
    func program(keeps: Bool) -> StepProgram {
      var step = StepBuilder(graph, forms: [])
      step.images(Augmentation(crop: 0, flip: false))
      step.forward(.batch)
      if keeps { step.keep(step.program.logits, in: .logits(0)) }
      step.cut()
      step.loss(RowFunction(kernel: "loss_ce_rows"))
      step.backward()
      step.update(.sgd, clip: false)
      return step.program.fused { _ in false }
    }
    let kept = program(keeps: true), plan = MemoryPlan(kept)
    #expect(kept.kept == [kept.logits: .logits(0)])
    // Logits are 40 numbers, and no other value of the step has so few.
    #expect(MemoryPlan(program(keeps: false)).slabs.count == plan.slabs.count + 1)
    for operation in kept.operations {
      for value in operation.values.writes where value != kept.logits {
        let needed = kept.counts[value.index] * kept.elementTypes[value.index].byteCount
        #expect(plan.slabs[plan.slab(of: value)] >= needed)
      }
    }
  }
}
