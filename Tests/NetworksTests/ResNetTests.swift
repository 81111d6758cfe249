import Compute
import Failures
import Networks
import Testing

@Suite struct `The networks of the catalogue` {
  /// He et al., 2016, table 6; the AUM code's ResNet-32 with 10, 11 and 100 outputs, and the networks of ELR, CIFAR-10N
  /// and DivideMix (counted in PyTorch).
  @Test(arguments: [
    ("resnet20", 10, 269_722), ("resnet32", 10, 464_154), ("resnet32", 11, 464_219), ("resnet32", 100, 470_004),
    ("resnet44", 10, 658_586), ("resnet56", 10, 853_018), ("resnet110", 10, 1_727_962),
    ("resnet18", 10, 11_173_962), ("resnet34", 10, 21_282_122), ("resnet34", 100, 21_328_292),
    ("preact-resnet18", 10, 11_171_274), ("preact-resnet18", 100, 11_217_444), ("cnn9", 10, 4_434_570),
    ("cnn8", 10, 1_639_794), ("mlp:width=512,dropout=0", 10, 1_841_162), ("resnet50", 10, 23_528_522),
    ("resnet50", 1000, 25_557_032), ("efficientnet-lite0", 1000, 4_652_008),
  ])
  func `have the published number of parameters`(name: String, classes: Int, count: Int) throws {
    let graph = try Network(name).graph(batch: 1, height: 32, width: 32, channels: 3, classes: classes)
    #expect(graph.parameters.count == count)
    #expect(graph[graph.logits] == [1, classes])
  }

  /// Counted in PyTorch.
  @Test(arguments: [("cnn4", 422_090), ("mlp", 118_282)])
  func `have the published number of parameters on MNIST`(name: String, count: Int) throws {
    let graph = try Network(name).graph(batch: 1, height: 28, width: 28, channels: 1, classes: 10)
    #expect(graph.parameters.count == count)
  }

  @Test func `declare the same parameters for every batch size`() throws {
    let network = try Network("resnet20:shortcut=stride")
    let tables = try [1, 7, 128].map {
      try network.graph(batch: $0, height: 28, width: 28, channels: 1, classes: 10).parameters
    }
    #expect(tables[0] == tables[1] && tables[1] == tables[2])
  }

  @Test func `have PyTorch's names and shapes`() throws {
    let graph = try Network("resnet32").graph(batch: 1, height: 32, width: 32, channels: 3, classes: 10)
    let shapes = Dictionary(uniqueKeysWithValues: graph.parameters.entries.map { ($0.name, $0.shape) })
    #expect(shapes["conv1.weight"] == [16, 3, 3, 3])
    #expect(shapes["layer2.0.conv1.weight"] == [32, 16, 3, 3])
    #expect(shapes["layer3.4.bn2.bias"] == [64])
    #expect(shapes["fc.weight"] == [10, 64])
    #expect(graph.running.entries.contains { $0.name == "layer1.0.bn1.running_var" })
  }

  @Test func `with projections have the names of their authors' code`() throws {
    func shapes(_ name: String) throws -> [String: [Int]] {
      let graph = try Network(name).graph(batch: 1, height: 32, width: 32, channels: 3, classes: 10)
      return Dictionary(uniqueKeysWithValues: graph.parameters.entries.map { ($0.name, $0.shape) })
    }
    let plain = try shapes("resnet34"), early = try shapes("preact-resnet18")
    for shapes in [plain, early] {
      #expect(shapes["layer4.0.conv1.weight"] == [512, 256, 3, 3])
      #expect(shapes["layer2.0.shortcut.0.weight"] == [128, 64, 1, 1])
      #expect(shapes["layer2.1.shortcut.0.weight"] == nil && shapes["layer1.0.shortcut.0.weight"] == nil)
      #expect(shapes["linear.weight"] == [10, 512])
    }
    #expect(plain["layer3.0.shortcut.1.weight"] == [256] && plain["layer3.5.bn2.bias"] == [256])
    // Batch norm comes before the convolution, and none is on the shortcut.
    #expect(early["layer3.0.shortcut.1.weight"] == nil && early["layer3.0.bn1.weight"] == [128])
  }

  @Test func `with projections start as PyTorch's layers do`() throws {
    let table = try Network("resnet18").graph(batch: 1, height: 32, width: 32, channels: 3, classes: 10).parameters
    let values = table.initialValues(seed: 5)
    for (name, inputs) in [("layer2.0.conv1.weight", 576), ("layer2.0.shortcut.0.weight", 64), ("linear.bias", 512)] {
      let entry = try #require(table.entries.first { $0.name == name })
      let own = entry.unpack(values[entry.offset..<entry.offset + entry.packedCount])
      let bound = 1 / Float(inputs).squareRoot()
      #expect(own.allSatisfy { abs($0) <= bound } && own.contains { abs($0) > 0.7 * bound }, "\(name)")
    }
  }

  @Test func `start from the published distributions, the same for the same seed`() throws {
    let table = try Network("resnet32").graph(batch: 1, height: 32, width: 32, channels: 3, classes: 10).parameters
    let values = table.initialValues(seed: 5)
    #expect(values == table.initialValues(seed: 5))
    #expect(values != table.initialValues(seed: 6))
    for entry in table.entries {
      let own = entry.unpack(values[entry.offset..<entry.offset + entry.packedCount])
      #expect(entry.pack(own) == Array(values[entry.offset..<entry.offset + entry.packedCount]))
      if entry.name == "layer3.0.conv2.weight" {
        // Normal with variance 2 / (9 · 64); 36,864 draws: the standard deviation is within 2 %.
        let deviation = (own.reduce(0) { $0 + Double($1) * Double($1) } / Double(own.count)).squareRoot()
        #expect(abs(deviation / (2.0 / 576).squareRoot() - 1) < 0.02)
      }
      if entry.name == "fc.weight" { #expect(own.allSatisfy { abs($0) <= 0.125 } && own.contains { abs($0) > 0.1 }) }
      if entry.name == "bn1.weight" { #expect(own.allSatisfy { $0 == 1 }) }
    }
  }

  @Test(arguments: [
    "resnet33", "", "resnet32:shortcut=none", "resnet32:depth=3", "resnet32:shortcut", "resnet18:shortcut=stride",
  ])
  func `refuse unknown names and options`(text: String) {
    #expect { try Network(text) } throws: { ($0 as? Failure)?.kind == .usage }
  }

  @Test func `refuse images that cannot be halved twice`() throws {
    let network = try Network("resnet20")
    #expect { try network.graph(batch: 1, height: 30, width: 32, channels: 3, classes: 10) } throws: {
      ($0 as? Failure)?.kind == .configuration
    }
  }
}
