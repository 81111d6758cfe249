import Compute
import Statistics
import Testing

/// A small training run with made-up images on any device: everything that a step needs and nothing else.
struct TrainingBench<D: Device> {
  /// Samples in the data set.
  static var N: Int { 24 }

  let device: D
  let graph: Graph
  let stores: [Store: D.Buffer]
  let plan: Plan<D>
  let evaluation: Plan<D>
  private(set) var state = StepState()

  /// - Parameter fusing: fused operations to use even if the device does not ask for them.
  init(
    on device: D, graph: Graph, loss: String = "loss_sce_rows", parameters: [Float] = [0.5, 1, -4],
    peer: Bool = false, clip: Bool = false, fusing fuses: (TensorOperation) -> Bool = { _ in false }
  ) throws {
    (self.device, self.graph) = (device, graph)
    state.seed = 42
    state.learningRate = 0.1
    state.momentum = 0.9
    state.weightDecay = 1e-3
    state.clipNorm = clip ? 0.5 : 0
    state.peerWeight = -0.3
    state.lossParameters = parameters
    state.recordsMargins = true
    stores = try Self.makeStores(on: device, graph, state)
    let shared = SharedMemory<D>()
    plan = try Plan(
      StepProgram.training(
        graph, forms: device.forms,
        TrainingStep(
          augmentation: Augmentation(crop: 2, flip: true), loss: RowFunction(kernel: loss), peer: peer, clip: clip)
      ).fused(where: fuses),
      on: device, stores: stores, shared: shared)
    evaluation = try Plan(
      StepProgram.evaluation(graph, forms: device.forms).fused(where: fuses), on: device, stores: stores,
      shared: shared)
  }

  /// The same on every device.
  private static func makeStores(
    on device: D, _ graph: Graph, _ state: StepState
  ) throws -> [Store: D.Buffer] {
    func buffer<Element: BitwiseCopyable>(_ values: [Element]) throws -> D.Buffer {
      let buffer = try device.allocate(byteCount: values.count * MemoryLayout<Element>.stride)
      try device.write(values, to: buffer)
      return buffer
    }
    let random = CounterRandom(seed: 7), shape = graph[graph.images], classes = graph[graph.logits][1]
    let zeros = [Float](repeating: 0, count: graph.parameters.packedCount)
    let column = [Float](repeating: 0, count: N)
    let pixels = (0..<N * shape.dropFirst().reduce(1, *)).map {
      UInt8(random.integer(below: 256, .shapes, UInt32($0), 0))
    }
    return [
      .parameters: try buffer(initialParameters(graph)), .gradients: try buffer(zeros), .momenta: try buffer(zeros),
      .running: try buffer(
        graph.running.entries.flatMap {
          $0.pack([Float](repeating: $0.name.hasSuffix("var") ? 1 : 0, count: $0.count))
        }),
      .numbers: try buffer(state.numbers), .counters: try buffer(state.counters), .pixels: try buffer(pixels),
      .labels: try buffer((0..<N).map { Int32($0 * 5 % classes) }),
      .inputStatistics: try buffer((0..<shape[3]).map { 0.4 + 0.1 * Float($0) } + (0..<shape[3]).map { _ in 0.25 }),
      .order: try buffer(random.permutation(of: N, .shuffle, 0)),
      .peerOrder: try buffer(random.permutation(of: N, .peerImage, 0)),
      .peerLabelOrder: try buffer(random.permutation(of: N, .peerLabel, 0)), .sampleLoss: try buffer(column),
      .samplePrediction: try buffer(column), .sampleConfidence: try buffer(column), .marginSum: try buffer(column),
      .marginLost: try buffer(column), .marginCount: try buffer(column),
    ]
  }

  /// He's initialisation, with gammas and betas that are not all 1 and 0.
  private static func initialParameters(_ graph: Graph) -> [Float] {
    let random = CounterRandom(seed: 8)
    return graph.parameters.entries.enumerated().flatMap { index, parameter in
      parameter.pack(
        (0..<parameter.count).map { i in
          let normal = Float(random.normal(.initialization, UInt32(index), UInt32(i)))
          guard parameter.shape.count > 1 else { return (parameter.name.hasSuffix("weight") ? 1 : 0) + 0.2 * normal }
          return normal * (2 / Float(parameter.shape.dropFirst().reduce(1, *))).squareRoot()
        })
    }
  }

  func floats(_ store: Store, count: Int) throws -> [Float] {
    guard let buffer = stores[store] else { preconditionFailure("a bench has no \(store)") }
    return try device.read(Float.self, count: count, from: buffer)
  }

  /// Begins an epoch: the counters go back to the first position.
  func begin(epoch: Int) throws {
    var counters = state
    counters.epoch = epoch
    guard let buffer = stores[.counters] else { return }
    try device.write(counters.counters, to: buffer)
  }

  /// Parameters in PyTorch's order, or another store of their layout.
  func unpacked(_ store: Store = .parameters) throws -> [[Double]] {
    let all = try floats(store, count: graph.parameters.packedCount)
    return graph.parameters.entries.map {
      $0.unpack(all[$0.offset..<$0.offset + $0.packedCount]).map(Double.init)
    }
  }
}

extension Graph {
  /// A network with every layer of a ResNet, small enough for the reference.
  static func tinyResNet(batch: Int, shortcut: Shortcut = .average) -> Graph {
    var graph = Graph(batch: batch, height: 8, width: 8, channels: 3)
    func block(_ input: Value, _ name: String, channels: Int) -> Value {
      let stride = graph[input][3] == channels ? 1 : 2
      var x = graph.convolve(input, "\(name).conv1", channels: channels, size: 3, stride: stride, padding: 1)
      x = graph.rectify(graph.normalize(x, "\(name).bn1"))
      x = graph.convolve(x, "\(name).conv2", channels: channels, size: 3, padding: 1)
      x = graph.normalize(x, "\(name).bn2")
      return graph.rectify(graph.add(x, stride == 1 ? input : graph.shortcut(input, shortcut)))
    }
    var x = graph.convolve(graph.images, "conv1", channels: 8, size: 3, padding: 1)
    x = graph.rectify(graph.normalize(x, "bn1"))
    x = block(x, "layer1.0", channels: 8)
    x = block(x, "layer2.0", channels: 16)
    x = block(x, "layer2.1", channels: 16)
    _ = graph.linear(graph.globalAverage(x), "fc", outputs: 10)
    return graph
  }

  /// A ResNet with the ReLUs before the convolutions, and blocks whose shortcuts have convolutions and batch norms of
  /// their own: gradients of batch norms that several operations read, in all orders.
  static func preActivationResNet(batch: Int) -> Graph {
    var graph = Graph(batch: batch, height: 8, width: 8, channels: 3)
    func activation(_ input: Value, _ name: String) -> Value { graph.rectify(graph.normalize(input, name)) }
    var x = graph.convolve(graph.images, "conv1", channels: 8, size: 3, padding: 1)
    for name in ["a", "b"] {
      var y = graph.convolve(activation(x, "\(name).bn1"), "\(name).conv1", channels: 8, size: 3, padding: 1)
      y = graph.convolve(activation(y, "\(name).bn2"), "\(name).conv2", channels: 8, size: 3, padding: 1)
      x = graph.add(y, x)
    }
    // A convolution beside its own shortcut: both take the same gradient.
    x = activation(graph.add(graph.convolve(x, "c.conv", channels: 8, size: 3, padding: 1), x), "c.bn")
    // The shortcut's layers stand behind the convolution whose result it is added to, and its result masks too.
    let right = graph.convolve(x, "d.conv", channels: 8, size: 3, padding: 1)
    var left = graph.normalize(graph.convolve(x, "d.left", channels: 8, size: 1, padding: 0), "d.left.bn")
    left = graph.rectify(graph.add(left, x))
    x = graph.rectify(graph.add(graph.normalize(right, "d.bn"), left))
    let other = graph.convolve(x, "e.conv", channels: 8, size: 3, padding: 1)
    let skip = graph.normalize(graph.convolve(x, "e.left", channels: 8, size: 1, padding: 0), "e.left.bn")
    x = graph.rectify(graph.add(graph.normalize(other, "e.bn"), skip))
    // Batch norm of batch norm.
    x = activation(graph.normalize(x, "f.bn1"), "f.bn2")
    _ = graph.linear(graph.globalAverage(x), "fc", outputs: 10)
    return graph
  }

  /// A plain network, with what ResNets have no use for: biases before and without batch norm, leaky ReLUs, dropout of
  /// channels and of numbers, flattening, and batch norm of vectors.
  static func plainNetwork(batch: Int) -> Graph {
    var graph = Graph(batch: batch, height: 8, width: 6, channels: 3)
    var x = graph.convolveWithBias(graph.images, "a", channels: 5, size: 3, padding: 1)
    x = graph.rectify(graph.normalize(x, "a.bn"), slope: 0.01)
    x = graph.dropout(graph.pool(x, size: 2, stride: 2, maximum: true), rate: 0.25, channels: true)
    x = graph.rectify(graph.convolveWithBias(x, "b", channels: 16, size: 3, padding: 0), slope: 0.2)
    x = graph.convolveWithBias(x, "c", channels: 16, size: 1, padding: 0)
    x = graph.add(x, graph.convolve(x, "d", channels: 16, size: 1, padding: 0))
    x = graph.linear(graph.flatten(x), "e", outputs: 9)
    x = graph.dropout(graph.rectify(graph.normalize(x, "e.bn")), rate: 0.2)
    _ = graph.linear(x, "fc", outputs: 4)
    return graph
  }

  /// Layers of vectors alone: nothing before the first weights needs a gradient.
  static func perceptron(batch: Int) -> Graph {
    var graph = Graph(batch: batch, height: 5, width: 3, channels: 2)
    var x = graph.dropout(graph.flatten(graph.images), rate: 0.1)
    x = graph.dropout(graph.rectify(graph.linear(x, "fc1", outputs: 37)), rate: 0.5)
    _ = graph.linear(x, "fc2", outputs: 5)
    return graph
  }

  /// A network with what ResNets on small images lack: pooling, values with several readers in odd places, additions
  /// that no batch norm precedes, and 1×1 convolutions.
  static func oddNetwork(batch: Int) -> Graph {
    var graph = Graph(batch: batch, height: 8, width: 8, channels: 3)
    var x = graph.convolve(graph.images, "stem", channels: 5, size: 5, padding: 2)
    x = graph.pool(x, size: 3, stride: 2, padding: 1, maximum: true)
    let left = graph.convolve(x, "left", channels: 7, size: 1, padding: 0)
    let right = graph.normalize(graph.convolve(x, "right", channels: 7, size: 3, padding: 1), "right.bn")
    let sum = graph.add(left, right)
    let twice = graph.add(sum, graph.rectify(sum))
    let other = graph.add(twice, graph.normalize(sum, "sum.bn"))
    x = graph.pool(other, size: 2, stride: 2, maximum: false)
    let last = graph.convolve(x, "last", channels: 7, size: 3, padding: 1)
    x = graph.add(x, graph.rectify(graph.normalize(last, "last.bn")))
    _ = graph.linear(graph.globalAverage(x), "fc", outputs: 4)
    return graph
  }

  /// What EfficientNet-Lite0 consists of: depthwise convolutions, ReLUs with a limit, TensorFlow's padding on odd and even
  /// sides, an epsilon of its own, and a shortcut without a ReLU behind it.
  static func liteNetwork(batch: Int) -> Graph {
    var graph = Graph(batch: batch, height: 9, width: 10, channels: 3)
    func active(_ input: Value, _ name: String) -> Value {
      // Low enough that some of the numbers reach it.
      graph.rectify(graph.normalize(input, name, epsilon: 1e-3), limit: 1.5)
    }
    func block(_ input: Value, _ name: String, channels: Int, size: Int, stride: Int) -> Value {
      var x = graph.convolveSame(input, "\(name).expand", channels: 2 * graph[input][3], size: 1)
      x = graph.depthwiseSame(active(x, "\(name).bn0"), "\(name).depthwise", size: size, stride: stride)
      x = graph.convolveSame(active(x, "\(name).bn1"), "\(name).project", channels: channels, size: 1)
      x = graph.normalize(x, "\(name).bn2", epsilon: 1e-3)
      return stride == 1 && graph[input][3] == channels ? graph.add(x, input) : x
    }
    var x = active(graph.convolveSame(graph.images, "stem", channels: 9, size: 3, stride: 2), "stem.bn")
    x = block(x, "a", channels: 12, size: 3, stride: 1)
    x = block(x, "b", channels: 12, size: 5, stride: 1)
    x = block(x, "c", channels: 16, size: 5, stride: 2)
    x = block(x, "d", channels: 16, size: 3, stride: 1)
    x = active(graph.convolveSame(x, "head", channels: 20, size: 1), "head.bn")
    _ = graph.linear(graph.globalAverage(x), "fc", outputs: 6)
    return graph
  }
}
