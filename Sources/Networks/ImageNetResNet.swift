import Compute
import Failures

/// ResNets for photographs of 224 × 224 pixels, with torchvision's names, so that its weights can be read.
///
/// He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, table 1: a 7 × 7 convolution and 3 × 3
/// pooling, either of stride 2, then four stages. ResNet-50 is torchvision's variant: the 3 × 3 convolution of a block
/// halves the image, not the first 1 × 1. Convolutions begin normal with variance 2 / fan-out. For 1000 classes ResNet-18
/// has 11,689,512 parameters, ResNet-34 21,797,672 and ResNet-50 25,557,032.
enum ImageNetResNet {
  static let entries = [
    entry("resnet18-imagenet", "ResNet-18 for photographs (torchvision's)", [2, 2, 2, 2], basicBlock),
    entry("resnet34-imagenet", "ResNet-34 for photographs (torchvision's)", [3, 4, 6, 3], basicBlock),
    entry("resnet50", "ResNet-50 for photographs (torchvision's)", [3, 4, 6, 3], bottleneck),
  ]

  /// A block of a stage of `channels`.
  private typealias Block =
    @Sendable (
      _ graph: inout Graph, _ x: Value, _ name: String, _ channels: Int, _ stride: Int
    ) -> Value

  private static func entry(
    _ name: String, _ summary: String, _ blocks: [Int], _ block: @escaping Block
  ) -> Network.Entry {
    Network.Entry(name: name, summary: summary, options: [], imageSide: 224, preprocessing: .imageNet) {
      graph, classes, _ in
      try graph.requireImages(ofAtLeast: 32, for: name)
      var x = graph.convolve(graph.images, "conv1", channels: 64, size: 7, stride: 2, padding: 3)
      x = graph.pool(
        graph.rectify(graph.normalize(x, "bn1")), size: 3, stride: 2, padding: 1, maximum: true)
      for (stage, count) in blocks.enumerated() {
        for index in 0..<count {
          x = block(&graph, x, "layer\(stage + 1).\(index)", 64 << stage, stage > 0 && index == 0 ? 2 : 1)
        }
      }
      _ = graph.linear(graph.globalAverage(x), "fc", outputs: classes)
    }
  }

  @Sendable private static func basicBlock(
    _ graph: inout Graph, _ x: Value, _ name: String, _ channels: Int, _ stride: Int
  ) -> Value {
    let first = graph.convolve(x, "\(name).conv1", channels: channels, size: 3, stride: stride, padding: 1)
    let middle = graph.rectify(graph.normalize(first, "\(name).bn1"))
    let last = graph.normalize(
      graph.convolve(middle, "\(name).conv2", channels: channels, size: 3, padding: 1), "\(name).bn2")
    return shortcut(&graph, x, last, name, channels, stride)
  }

  @Sendable private static func bottleneck(
    _ graph: inout Graph, _ x: Value, _ name: String, _ channels: Int, _ stride: Int
  ) -> Value {
    let first = graph.rectify(
      graph.normalize(graph.convolve(x, "\(name).conv1", channels: channels, size: 1, padding: 0), "\(name).bn1"))
    let middle = graph.convolve(first, "\(name).conv2", channels: channels, size: 3, stride: stride, padding: 1)
    let active = graph.rectify(graph.normalize(middle, "\(name).bn2"))
    let last = graph.normalize(
      graph.convolve(active, "\(name).conv3", channels: 4 * channels, size: 1, padding: 0), "\(name).bn3")
    return shortcut(&graph, x, last, name, 4 * channels, stride)
  }

  /// Adds what a block began with, projected where it has another shape.
  private static func shortcut(
    _ graph: inout Graph, _ x: Value, _ last: Value, _ name: String, _ channels: Int, _ stride: Int
  ) -> Value {
    guard graph[x][3] != channels else { return graph.rectify(graph.add(last, x)) }
    let projection = graph.convolve(
      x, "\(name).downsample.0", channels: channels, size: 1, stride: stride, padding: 0)
    return graph.rectify(graph.add(last, graph.normalize(projection, "\(name).downsample.1")))
  }
}
