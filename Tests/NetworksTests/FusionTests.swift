import Compute
import Networks
import Testing

@Suite struct `Fusing layers` {
  @Test func `merges every batch norm of a ResNet with what follows`() throws {
    let graph = try Network("resnet20").graph(batch: 2, height: 32, width: 32, channels: 3, classes: 10)
    let fused = graph.fused(for: [.normalizeAddRectify])
    var normalizations = 0
    for layer in fused.layers {
      switch layer {
      case .normalize(_, _, _, let rectify, _, _):
        normalizations += 1
        #expect(rectify)
      case .add, .rectify: Issue.record("\(layer) was not merged")
      default: break
      }
    }
    #expect(normalizations == 19)
    #expect(graph.fused(for: []).layers == graph.layers)
  }

  @Test func `reads only what was written before`() throws {
    let graph = try Network("resnet20").graph(batch: 2, height: 32, width: 32, channels: 3, classes: 10)
    let program = StepProgram.training(
      graph, forms: Set(FusedForm.allCases),
      TrainingStep(augmentation: Augmentation(crop: 4, flip: true), loss: RowFunction(kernel: "loss_ce_rows")))
    // Every value that is read was written before, except in place.
    var written = Set<Value>()
    for operation in program.operations {
      let (reads, writes) = operation.values
      #expect(reads.allSatisfy(written.contains), "\(operation.name) reads what nobody has written")
      written.formUnion(writes)
    }
  }
}
