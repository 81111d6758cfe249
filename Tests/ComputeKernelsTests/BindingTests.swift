import Compute
import ComputeKernels
import Failures
import Testing

@Suite struct `Binding a launch to its kernel` {
  private static let signature = KernelSignature(
    name: "f",
    arguments: [
      .init(name: "input", kind: .buffer, type: "float"), .init(name: "counters", kind: .buffer, type: "int"),
      .init(name: "n", kind: .int, type: "int"), .init(name: "slope", kind: .float, type: "float"),
    ])
  private static let said: KernelArguments = [
    "input": .value(Value(index: 3)), "n": .int(7), "slope": .float(0.5), "of_another_kernel": .int(1),
  ]

  private func values(_ own: KernelArguments, saying said: KernelArguments = said) throws -> [OperationArgument] {
    try Launch("f", global: [1], own).bound(to: Self.signature, saying: said).map(\.value)
  }

  private func message(_ own: KernelArguments, saying said: KernelArguments = said) throws -> String {
    let failure = #expect(throws: Failure.self) { try values(own, saying: said) }
    #expect(failure?.kind == .bug)
    return try #require(failure).what
  }

  @Test func `takes what the operation says, and the store of a name that it does not say`() throws {
    #expect(
      try values([:]) == [.value(Value(index: 3)), .store(.counters), .int(7), .float(0.5)],
      "in the kernel's order")
  }

  @Test func `takes what the launch passes before anything else`() throws {
    let own: KernelArguments = ["input": .noBuffer, "counters": .store(.numbers), "n": .int(8)]
    #expect(try values(own) == [.noBuffer, .store(.numbers), .int(8), .float(0.5)])
  }

  @Test func `tells what nobody gives, what the kernel lacks, and what is of another kind`() throws {
    #expect(try message([:], saying: [:]) == "f: nobody gives argument 'input'.")
    #expect(try message(["m": .int(1)]) == "f has no argument 'm', which the host passes.")
    for (name, value) in [
      ("n", OperationArgument.float(7)), ("n", .store(.numbers)), ("slope", .int(1)), ("input", .int(1)),
      ("counters", .float(1)), ("n", .noBuffer),
    ] {
      #expect(try message([name: value]).hasPrefix("f: argument '\(name)' is of another kind in the kernel"))
    }
  }
}
