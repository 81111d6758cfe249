import Compute

/// The pre-activation ResNet-18 of DivideMix: in every block batch norm and ReLU come before the convolutions.
///
/// He, Zhang, Ren, Sun: Identity mappings in deep residual networks, ECCV 2016, in the variant of the code of Li, Socher,
/// Hoi: DivideMix, ICLR 2020, whose names the parameters have. It differs from the paper's: batch norm and ReLU follow the
/// first convolution, and none follow the last block; shortcuts between stages are 1 × 1 convolutions of the activated
/// input without batch norm. The weights begin as PyTorch's do. 11,171,274 parameters for ten classes.
enum PreActResNet {
  static let entries = [
    Network.Entry(
      name: "preact-resnet18", summary: "pre-activation ResNet-18 for small images (DivideMix)", options: []
    ) { graph, classes, _ in build(&graph, classes: classes) }
  ]

  private static func build(_ graph: inout Graph, classes: Int) {
    graph.initialization = .uniform
    var x = graph.rectify(
      graph.normalize(graph.convolve(graph.images, "conv1", channels: 64, size: 3, padding: 1), "bn1"))
    for stage in 0..<4 {
      for index in 0..<2 {
        x = block(
          &graph, x, "layer\(stage + 1).\(index)", channels: 64 << stage, stride: stage > 0 && index == 0 ? 2 : 1)
      }
    }
    _ = graph.linear(graph.globalAverage(x), "linear", outputs: classes)
  }

  private static func block(
    _ graph: inout Graph, _ x: Value, _ name: String, channels: Int, stride: Int
  ) -> Value {
    let active = graph.rectify(graph.normalize(x, "\(name).bn1"))
    let first = graph.convolve(active, "\(name).conv1", channels: channels, size: 3, stride: stride, padding: 1)
    let middle = graph.rectify(graph.normalize(first, "\(name).bn2"))
    let second = graph.convolve(middle, "\(name).conv2", channels: channels, size: 3, padding: 1)
    let skip =
      stride == 1
      ? x
      : graph.convolve(active, "\(name).shortcut.0", channels: channels, size: 1, stride: stride, padding: 0)
    return graph.add(second, skip)
  }
}
