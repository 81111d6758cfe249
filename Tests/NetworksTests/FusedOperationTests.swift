import Compute
import Networks
import Testing

/// A device whose fused operations are those of 3×3 convolutions with stride 1.
private func supports(_ operation: TensorOperation) -> Bool {
  if case .convolve(let convolve) = operation, convolve.finished != nil { return false }
  guard let window = operation.convolution else { return false }
  return window.KH == 3 && window.KW == 3 && window.stride == 1 && window.C % 16 == 0
}

private func program(peer: Bool, shortcut: String = "average") throws -> StepProgram {
  .training(
    try Network("resnet32:shortcut=\(shortcut)").graph(batch: 2, height: 32, width: 32, channels: 3, classes: 10),
    forms: Set(FusedForm.allCases),
    TrainingStep(augmentation: Augmentation(crop: 4, flip: true), loss: RowFunction(kernel: "loss_ce_rows"), peer: peer)
  )
}

@Suite struct `Fusing batch norms with convolutions` {
  @Test(arguments: [false, true], ["average", "stride"])
  func `leaves no value to be read before it is written`(peer: Bool, shortcut: String) throws {
    let fused = try program(peer: peer, shortcut: shortcut).fused(where: supports)
    var written = Set<Value>()
    for operation in fused.operations {
      // The second pass must not live from what the first has left.
      if case .augment = operation { written = [] }
      let (reads, writes) = operation.values
      #expect(
        reads.allSatisfy(written.contains), "\(operation.name) \(operation.shapeText) reads what nobody has written")
      written.formUnion(writes)
    }
  }

  /// ResNet-32 has 31 convolutions with a batch norm behind each: the first reads images, two have stride 2, and the
  /// other 28 have a batch norm on either side.
  @Test(arguments: [false, true]) func `finds every place in ResNet-32`(peer: Bool) throws {
    let plain = try program(peer: peer), fused = plain.fused(where: supports), passes = peer ? 2 : 1
    var counts: [String: Int] = [:]
    for operation in fused.operations { counts[operation.name, default: 0] += 1 }
    func expect(_ name: String, _ count: Int, _ location: SourceLocation = #_sourceLocation) {
      #expect(counts[name, default: 0] == count * passes, "\(name)", sourceLocation: location)
    }
    expect("normalize, convolve", 28)
    expect("convolve", 3)
    // What stride 2 and the mean over all pixels read.
    expect("normalize", 3)
    // Behind the first batch norm, and within 15 blocks: without a residual.
    expect("normalize, convolve backward weights", 16)
    expect("convolve backward weights", 15)
    expect("convolve, normalize backward data", 28)
    expect("convolve backward data", 2)
    // Above the ReLUs whose gradient comes from elsewhere, and below the convolutions that do not take part.
    expect("normalize backward sums", 3)
    expect("normalize backward apply", 3)
    expect("normalize backward", 0)
    expect("add", 0)
    var kept = 0, halves = 0
    for operation in fused.operations {
      if case .convolve(let convolve) = operation, convolve.normalized?.output != nil { kept += 1 }
      if case .convolveBackwardData(let backward) = operation, backward.above != nil, backward.below != nil {
        halves += 1
      }
    }
    // Only what begins a block is kept, for its end; what lies within blocks is never written.
    #expect(kept == 13 * passes)
    #expect(halves == 28 * passes)
  }

  @Test func `finds every place in the evaluation of ResNet-32`() throws {
    let graph = try Network("resnet32").graph(batch: 2, height: 32, width: 32, channels: 3, classes: 10)
    let operations = StepProgram.evaluation(graph, forms: Set(FusedForm.allCases)).fused(where: supports).operations
    let kept = operations.compactMap { operation in
      if case .convolve(let convolve) = operation { convolve.normalized.map { $0.output != nil } } else { nil }
    }
    #expect(kept.count == 28 && kept.count { $0 } == 13)
    #expect(operations.count { if case .normalize = $0 { true } else { false } } == 3)
  }

  /// 16 blocks, of which the first does not expand, between the first convolution and the last.
  @Test func `leaves no batch norm in the evaluation of EfficientNet-Lite0`() throws {
    let network = try Network("efficientnet-lite0")
    let graph = try network.graph(batch: 2, height: 65, width: 40, channels: 3, classes: 10)
    let operations = StepProgram.evaluation(graph, forms: Set(FusedForm.allCases)).fused { _ in true }.operations
    var counts: [String: Int] = [:], written = Set<Value>()
    for operation in operations {
      counts[operation.name, default: 0] += 1
      let (reads, writes) = operation.values
      #expect(reads.allSatisfy(written.contains), "\(operation.name) reads what nobody has written")
      written.formUnion(writes)
    }
    #expect(counts["convolve, normalize"] == 33 && counts["depthwise, normalize"] == 16)
    let apart = ["convolve", "depthwise", "normalize", "add", "rectify"]
    #expect(apart.allSatisfy { counts[$0] == nil }, "\(counts)")
    let residuals = operations.count { operation in
      if case .convolve(let convolve) = operation { convolve.finished?.residual != nil } else { false }
    }
    #expect(residuals == 9)
  }

  @Test func `changes nothing where the device has nothing`() throws {
    let plain = try program(peer: true), same = plain.fused { _ in false }
    #expect(same.operations == plain.operations && same.counts == plain.counts)
  }
}
