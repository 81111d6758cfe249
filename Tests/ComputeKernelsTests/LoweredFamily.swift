import Compute
import ComputeKernels
import ComputeReference
import Testing

/// A family of kernels as a device of some kind would launch them.
struct LoweredFamily {
  let name: String
  let lowering: any Lowering
  /// Whose declarations the launches are bound to.
  let kernels: KernelSources.Family
  /// The choices of launches that are tried one after the other, besides the standard ones.
  var choices: [(Tuning.Choice, Int)] = []

  static func all() throws -> [LoweredFamily] {
    func groups(_ size: Int, _ units: MatrixUnits? = nil) throws -> WorkGroupLowering {
      try WorkGroupLowering(maxWorkGroupSize: size, localMemory: 1 << 20, matrixUnits: units)
    }
    return [
      LoweredFamily(
        name: "vectors", lowering: VectorLowering(), kernels: .vectors,
        choices: [(.winogradRows, 4), (.weightChunks, 4)]),
      LoweredFamily(name: "vectors, bfloat16", lowering: VectorLowering(panels: .bfloat16), kernels: .vectors),
      LoweredFamily(name: "groups of 64", lowering: try groups(64), kernels: .workGroups),
      LoweredFamily(name: "groups of 128", lowering: try groups(128), kernels: .workGroups),
      LoweredFamily(
        name: "groups of 256", lowering: try groups(256), kernels: .workGroups,
        choices: [(.tileItems, 64), (.weightGroups, 66)]),
      LoweredFamily(
        name: "tf32", lowering: try groups(256, .tf32), kernels: .matrixUnits,
        choices: [(.weightGroups, 66)]),
      LoweredFamily(name: "bfloat16", lowering: try groups(128, .bfloat16), kernels: .matrixUnits),
    ]
  }

  /// All launches of a step, with all choices that this family tries for its convolutions.
  func describe(_ step: LoweredStep) throws -> String {
    var text = ""
    switch step.content {
    case .program(let make):
      let program = try make().fused { lowering.lower($0) != nil }
      text += try describe(program.operations, with: lowering) + describe(MemoryPlan(program), of: program)
      guard step.isTuned else { return text }
      for (choice, number) in choices {
        let windows = Set(program.operations.compactMap(\.convolution))
        var tuned = lowering
        tuned.tuning = Tuning(Dictionary(uniqueKeysWithValues: windows.map { (Tuning.Key(choice, $0), number) }))
        text += "\(choice.rawValue) \(number)\n"
        text += try describe(program.operations, with: tuned)
      }
    case .cases:
      let operations = OperationCase.all.map(\.operation)
      text += try describe(operations.filter { !$0.isFused || lowering.lower($0) != nil }, with: lowering)
    case .probes:
      for probe in [DeviceProbe.emptyLaunch, .multiplyAdd(items: 1000, rounds: 64), .copy(count: 12_345)] {
        text += try describe(lowering.launch(for: probe), saying: [:])
      }
    }
    return text
  }

  /// Where every value lies; −1 for a store of its own.
  private func describe(_ plan: MemoryPlan, of program: StepProgram) -> String {
    let written = program.operations.flatMap { $0.values.writes }
    return "slabs \(plan.slabs), values \(written.map { program.kept[$0] == nil ? plan.slab(of: $0) : -1 })\n"
  }

  private func describe(_ operations: [TensorOperation], with lowering: any Lowering) throws -> String {
    try operations.map { operation in
      let lowered = try #require(lowering.lower(operation), "\(operation.name) \(operation.shapeText)")
      let said = operation.arguments
      let launches = try lowered.launches.map { try describe($0, saying: said) }.joined()
      return "\(operation.name): \(lowered.workspace) \(lowered.vectors)\n" + launches
    }.joined()
  }

  private func describe(_ launch: Launch, saying said: KernelArguments) throws -> String {
    let signature = try #require(KernelSources.signatures(for: kernels)[launch.kernel], "\(launch.kernel)")
    let arguments = try launch.bound(to: signature, saying: said).map {
      "\($0.name)=\(text($0.value))"
    }.joined(
      separator: " ")
    return "  \(launch.kernel) \(launch.global) \(launch.local.map { "\($0)" } ?? "-") \(arguments)\n"
  }

  private func text(_ argument: OperationArgument) -> String {
    switch argument {
    case .operand(.value(let value)): "v\(value.index)"
    case .operand(.store(.column(let name))): "column:\(name)"
    case .operand(.store(let store)): "\(store)"
    case .noBuffer: "-"
    case .int(let number): "\(number)"
    case .float(let number): "0x" + String(number.bitPattern, radix: 16)
    }
  }
}
