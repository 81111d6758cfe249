import ComputeKernels
import Failures
import Losses
import Testing

@Suite struct `The catalogue of losses` {
  @Test func `gives every loss a kernel of its name`() {
    for entry in Loss.catalogue {
      #expect(KernelSources.signatures["loss_\(entry.name)_rows"] != nil, "\(entry.name) has no kernel")
      #expect(entry.parameters.count <= 8)
      for parameter in entry.parameters { #expect(parameter.range.contains(parameter.defaultValue)) }
      #expect(!entry.formula.isEmpty && !entry.source.isEmpty)
    }
    let names = Loss.catalogue.flatMap { [$0.name] + $0.aliases }
    #expect(Set(names).count == names.count)
  }

  @Test func `reads and writes the same text`() throws {
    for entry in Loss.catalogue {
      let loss = try Loss(entry.name)
      #expect(try Loss(loss.description).values == loss.values)
    }
    #expect(try Loss("sce").description == "sce:alpha=0.1,beta=1,A=-4")
    #expect(try Loss("sce:A=-9.21").values == [0.1, 1, -9.21])
    #expect(try Loss("generalized-cross-entropy:q=0.5").entry.name == "gce")
    #expect(try Loss("peer:alpha=0.25").peerWeight == -0.25)
    #expect(try Loss("ce").peerWeight == nil)
  }

  @Test(arguments: [
    "nosuch", "", "gce:q=7", "gce:q=0", "gce:q=x", "gce:p=0.5", "ce:q=1", "gce:q", "sce:A=4", "sce:alpha=nan",
  ])
  func `refuses unknown names and values out of range`(text: String) {
    #expect { try Loss(text) } throws: { ($0 as? Failure)?.kind == .usage }
  }
}
