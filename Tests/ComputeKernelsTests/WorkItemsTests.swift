import Compute
import ComputeKernels
import Networks
import Testing

/// Launches whose work-items are too few for the threads of a large processor.
@Suite struct `Work-items of ResNet-18's launches` {
  /// Four for each of 16 threads; two where panels are made, which takes a small part of an operation's time.
  private static func enough(_ kernel: String) -> Int { panels.contains(kernel) ? 32 : 64 }
  private static let panels: Set = ["winograd_wide_input", "winograd_wide_gradient", "gather_input"]
  /// The share of a step's arithmetic from which a launch is looked at.
  private static let share = 0.01
  /// What transforms weights, or adds up partial sums, in next to no time.
  private static let small: Set = [
    "winograd_weights", "winograd_reduce_weights",
    "gather_weights", "gather_forward_weights", "conv_transpose_weights", "reduce_partials",
    "batchnorm_combine", "batchnorm_combine_tiles", "batchnorm_backward_combine",
  ]

  @Test(arguments: [ElementType.float32, .bfloat16])
  func `are four for each of 16 threads at batch 32`(panels: ElementType) throws {
    let lowering = VectorLowering(panels: panels)
    let graph = try Network("resnet18").graph(batch: 32, height: 32, width: 32, channels: 3, classes: 10)
    var step = StepBuilder(graph, forms: Set(FusedForm.allCases))
    step.gradients(
      Augmentation(crop: 4, flip: true), RowFunction(kernel: "loss_ce_rows", inputs: .row), peer: false,
      weighted: false)
    step.update(.sgd, clip: false)
    let operations = step.program.fused { lowering.lower($0) != nil }.operations
    let all = operations.reduce(0.0) { $0 + $1.cost.operations }
    for operation in operations {
      let launches = try #require(lowering.lower(operation)).launches.filter { !Self.small.contains($0.kernel) }
      guard !launches.isEmpty else { continue }
      let share = operation.cost.operations / all / Double(launches.count)
      guard share > Self.share else { continue }
      for launch in launches {
        let items = launch.global.reduce(1, *)
        #expect(
          items >= Self.enough(launch.kernel), "\(operation.name) \(operation.shapeText), \(launch.kernel): \(items)")
      }
    }
  }
}
