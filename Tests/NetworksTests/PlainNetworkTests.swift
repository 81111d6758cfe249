import Compute
import Failures
import Networks
import Testing

@Suite struct `The plain networks of the catalogue` {
  private func graph(_ name: String, size: Int = 32, channels: Int = 3) throws -> Graph {
    try Network(name).graph(batch: 2, height: size, width: size, channels: channels, classes: 10)
  }

  private func shapes(_ graph: Graph) -> [String: [Int]] {
    Dictionary(uniqueKeysWithValues: graph.parameters.entries.map { ($0.name, $0.shape) })
  }

  @Test func `have the names of PyTorch code`() throws {
    let eight = shapes(try graph("cnn8")), four = shapes(try graph("cnn4", size: 28, channels: 1))
    #expect(eight["block3.1.out_conv.0.weight"] == [196, 196, 3, 3] && eight["block3.1.out_conv.0.bias"] == [196])
    #expect(eight["block1.0.out_conv.1.weight"] == [64] && eight["fc1.1.bias"] == [256])
    #expect(eight["fc1.0.weight"] == [256, 3136] && eight["fc2.weight"] == [10, 256])
    #expect(four["block2.0.out_conv.0.weight"] == [64, 32, 3, 3] && four["fc1.0.weight"] == [128, 3136])
    let nine = shapes(try graph("cnn9")), fifty = shapes(try graph("resnet50", size: 64))
    #expect(nine["c7.weight"] == [512, 256, 3, 3] && nine["c9.bias"] == [128] && nine["bn8.weight"] == [256])
    #expect(nine["l_c1.weight"] == [10, 128])
    #expect(fifty["layer1.0.downsample.0.weight"] == [256, 64, 1, 1] && fifty["layer1.1.downsample.0.weight"] == nil)
    #expect(fifty["layer4.0.conv2.weight"] == [512, 512, 3, 3] && fifty["layer4.2.bn3.bias"] == [2048])
    #expect(fifty["conv1.weight"] == [64, 3, 7, 7] && fifty["conv1.bias"] == nil && fifty["fc.bias"] == [10])
  }

  @Test func `start as Keras' he_normal does`() throws {
    let table = try graph("cnn8").parameters, values = table.initialValues(seed: 3)
    func own(_ name: String) throws -> [Float] {
      let entry = try #require(table.entries.first { $0.name == name })
      return entry.unpack(values[entry.offset..<entry.offset + entry.packedCount])
    }
    for (name, inputs) in [("block3.1.out_conv.0.weight", 9.0 * 196), ("fc1.0.weight", 3136)] {
      let weights = try own(name).map(Double.init), wanted = (2 / inputs).squareRoot()
      let deviation = (weights.reduce(0) { $0 + $1 * $1 } / Double(weights.count)).squareRoot()
      // Over 300,000 draws: the deviation is within 1 %, and the largest near the cut.
      #expect(abs(deviation / wanted - 1) < 0.01, "\(name)")
      let cut = 2 * wanted / 0.879626, largest = weights.map { abs($0) }.max() ?? 0
      #expect(largest <= cut && largest > 0.99 * cut, "\(name)")
    }
    #expect(try own("fc1.0.bias").allSatisfy { $0 == 0 })
    #expect(try own("block1.0.out_conv.0.bias").allSatisfy { $0 == 0 })
  }

  @Test(arguments: [("cnn8", 7), ("cnn4", 3), ("cnn9", 27), ("resnet50", 31), ("efficientnet-lite0", 31)])
  func `refuse images that are too small`(name: String, size: Int) throws {
    #expect { try graph(name, size: size) } throws: { ($0 as? Failure)?.kind == .configuration }
    #expect(try graph(name, size: size + 1).layers.isEmpty == false)
  }

  private func operations(_ graph: Graph, training: Bool) -> [TensorOperation] {
    let forms = Set(FusedForm.allCases)
    guard training else { return StepProgram.evaluation(graph, forms: forms).operations }
    return StepProgram.training(
      graph, forms: forms,
      TrainingStep(
        augmentation: Augmentation(crop: 4, flip: true), loss: RowFunction(kernel: "loss_peer_rows"), peer: true)
    ).operations
  }

  @Test func `drop in training alone, each layer and pass with numbers of its own`() throws {
    var drawn: [[String]] = []
    for operation in operations(try graph("cnn9"), training: true) {
      guard case .dropout(let drop) = operation else { continue }
      #expect(drop.dropout.rate == 0.25 && drop.dropout.dropsChannels)
      drawn.append(["\(drop.dropout.layer)", "\(drop.peer)"])
    }
    // Forward and backward, of the step and then of its peer samples.
    #expect(drawn == [0, 1, 1, 0].map { ["\($0)", "false"] } + [0, 1, 1, 0].map { ["\($0)", "true"] })
    let evaluation = operations(try graph("cnn9"), training: false)
    #expect(!evaluation.contains { if case .dropout = $0 { true } else { false } })
    var written = Set<Value>()
    for operation in evaluation {
      let (reads, writes) = operation.values
      #expect(reads.allSatisfy(written.contains), "\(operation.name) reads what nobody has written")
      written.formUnion(writes)
    }
  }

  @Test func `compute no gradient that nothing asks for`() throws {
    let names = operations(try graph("mlp"), training: true).map(\.name)
    #expect(!names.contains("flatten backward"))
    // Of three layers, the first needs none for its input: two in either pass.
    #expect(names.filter { $0 == "linear backward data" }.count == 4)
    #expect(names.filter { $0 == "linear backward weights" }.count == 6)
  }

  @Test func `never merge a leaky ReLU with a batch norm`() throws {
    let fused = try graph("cnn9").fused(for: Set(FusedForm.allCases))
    let slopes = fused.layers.compactMap { if case .rectify(_, let slope, _, _) = $0 { slope } else { nil } }
    #expect(slopes == [Float](repeating: 0.01, count: 9))
    let plain = try graph("cnn8").fused(for: Set(FusedForm.allCases))
    #expect(!plain.layers.contains { if case .rectify = $0 { true } else { false } })
  }
}
