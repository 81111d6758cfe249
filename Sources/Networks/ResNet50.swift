import Compute
import Failures

/// ResNet-50 for photographs of 224 × 224 pixels, with torchvision's names, so that its weights can be read.
///
/// He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, table 1, in torchvision's variant: the
/// 3 × 3 convolution of a block halves the image, not the first 1 × 1. Convolutions begin normal with variance
/// 2 / fan-out. 25,557,032 parameters for 1000 classes, 23,528,522 for ten.
enum ResNet50 {
  static let entries = [
    Network.Entry(
      name: "resnet50", summary: "ResNet-50 for photographs (torchvision's)", options: [], imageSide: 224,
      preprocessing: .imageNet
    ) { graph, classes, _ in
      try graph.requireImages(ofAtLeast: 32, for: "resnet50")
      var x = graph.convolve(graph.images, "conv1", channels: 64, size: 7, stride: 2, padding: 3)
      x = graph.pool(
        graph.rectify(graph.normalize(x, "bn1")), size: 3, stride: 2, padding: 1, maximum: true)
      for (stage, count) in [3, 4, 6, 3].enumerated() {
        for index in 0..<count {
          x = block(
            &graph, x, "layer\(stage + 1).\(index)", channels: 64 << stage, stride: stage > 0 && index == 0 ? 2 : 1)
        }
      }
      _ = graph.linear(graph.globalAverage(x), "fc", outputs: classes)
    }
  ]

  private static func block(
    _ graph: inout Graph, _ x: Value, _ name: String, channels: Int, stride: Int
  ) -> Value {
    let first = graph.rectify(
      graph.normalize(graph.convolve(x, "\(name).conv1", channels: channels, size: 1, padding: 0), "\(name).bn1"))
    let middle = graph.convolve(first, "\(name).conv2", channels: channels, size: 3, stride: stride, padding: 1)
    let active = graph.rectify(graph.normalize(middle, "\(name).bn2"))
    let last = graph.normalize(
      graph.convolve(active, "\(name).conv3", channels: 4 * channels, size: 1, padding: 0), "\(name).bn3")
    guard graph[x][3] != 4 * channels else { return graph.rectify(graph.add(last, x)) }
    let projection = graph.convolve(
      x, "\(name).downsample.0", channels: 4 * channels, size: 1, stride: stride, padding: 0)
    return graph.rectify(graph.add(last, graph.normalize(projection, "\(name).downsample.1")))
  }
}
