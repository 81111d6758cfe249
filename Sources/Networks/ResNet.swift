import Compute
import Failures

/// The ResNets for small images: 6n + 2 layers, three stages of n blocks with 16, 32 and 64 channels.
///
/// He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, § 4.2. The shortcut between stages has no
/// weights: by default the mean of 2 × 2 pixels with zero channels behind, as in Pleiss et al., NeurIPS 2020;
/// `shortcut=stride` takes every second pixel, as in He et al. (option A). 464,154 parameters for n = 5 and ten classes.
enum ResNet {
  static let entries: [Network.Entry] = [20, 32, 44, 56, 110].map { layers in
    Network.Entry(
      name: "resnet\(layers)", summary: "ResNet with \(layers) layers for small images (He et al., 2016)",
      options: [("shortcut", Shortcut.allCases.map(\.rawValue))]
    ) { graph, classes, options in
      let shortcut = options["shortcut"].flatMap(Shortcut.init(rawValue:)) ?? .average
      try build(&graph, classes: classes, blocks: (layers - 2) / 6, shortcut: shortcut, name: "resnet\(layers)")
    }
  }

  private static func build(
    _ graph: inout Graph, classes: Int, blocks: Int, shortcut: Shortcut, name: String
  ) throws(Failure) {
    let shape = graph[graph.images]
    guard shape[1] % 4 == 0, shape[2] % 4 == 0, shape[1] >= 8, shape[2] >= 8 else {
      throw Failure(
        .configuration, "\(name) cannot take images of \(shape[2])×\(shape[1]) pixels.",
        why: "it halves them twice, so both sides must be multiples of 4 and at least 8.",
        fix: "resize with --image-size 32.")
    }
    var x = graph.rectify(
      graph.normalize(graph.convolve(graph.images, "conv1", channels: 16, size: 3, padding: 1), "bn1"))
    for (stage, channels) in [16, 32, 64].enumerated() {
      for index in 0..<blocks {
        let name = "layer\(stage + 1).\(index)", halves = stage > 0 && index == 0
        let first = graph.convolve(
          x, "\(name).conv1", channels: channels, size: 3, stride: halves ? 2 : 1, padding: 1)
        let middle = graph.rectify(graph.normalize(first, "\(name).bn1"))
        let second = graph.convolve(middle, "\(name).conv2", channels: channels, size: 3, padding: 1)
        let skip = halves ? graph.shortcut(x, shortcut) : x
        x = graph.rectify(graph.add(graph.normalize(second, "\(name).bn2"), skip))
      }
    }
    _ = graph.linear(graph.globalAverage(x), "fc", outputs: classes)
  }
}
