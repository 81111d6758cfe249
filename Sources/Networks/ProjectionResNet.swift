import Compute

/// The wide ResNets for small images that papers on noisy labels use: four stages of 64, 128, 256 and 512 channels behind
/// a 3 × 3 convolution, with 1 × 1 convolutions as shortcuts between stages.
///
/// The basic blocks and stages of He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, with a
/// first layer for images of 32 × 32, as in the code of ELR, SOP and CIFAR-10N, whose names the parameters have. The
/// weights begin as PyTorch's do. For ten classes ResNet-18 has 11,173,962 parameters, ResNet-34 21,282,122.
enum ProjectionResNet {
  static let entries: [Network.Entry] = [(18, [2, 2, 2, 2]), (34, [3, 4, 6, 3])].map { layers, blocks in
    Network.Entry(
      name: "resnet\(layers)", summary: "ResNet-\(layers) with 64 to 512 channels for small images (ELR, CIFAR-10N)",
      options: []
    ) { graph, classes, _ in build(&graph, classes: classes, blocks: blocks) }
  }

  private static func build(_ graph: inout Graph, classes: Int, blocks: [Int]) {
    graph.initialization = .uniform
    var x = graph.rectify(
      graph.normalize(graph.convolve(graph.images, "conv1", channels: 64, size: 3, padding: 1), "bn1"))
    for (stage, count) in blocks.enumerated() {
      for index in 0..<count {
        x = block(
          &graph, x, "layer\(stage + 1).\(index)", channels: 64 << stage, stride: stage > 0 && index == 0 ? 2 : 1)
      }
    }
    _ = graph.linear(graph.globalAverage(x), "linear", outputs: classes)
  }

  private static func block(
    _ graph: inout Graph, _ x: Value, _ name: String, channels: Int, stride: Int
  ) -> Value {
    let first = graph.convolve(x, "\(name).conv1", channels: channels, size: 3, stride: stride, padding: 1)
    let middle = graph.rectify(graph.normalize(first, "\(name).bn1"))
    let second = graph.normalize(
      graph.convolve(middle, "\(name).conv2", channels: channels, size: 3, padding: 1), "\(name).bn2")
    guard stride != 1 else { return graph.rectify(graph.add(second, x)) }
    let projection = graph.convolve(
      x, "\(name).shortcut.0", channels: channels, size: 1, stride: stride, padding: 0)
    return graph.rectify(graph.add(second, graph.normalize(projection, "\(name).shortcut.1")))
  }
}
