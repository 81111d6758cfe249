import Compute

/// The 9-layer CNN of co-teaching.
///
/// Han, Yao, Yu, Niu, Xu, Hu, Tsang, Sugiyama: Co-teaching, NeurIPS 2018, table 2, with the names and first weights
/// (PyTorch's) of its code: convolutions of 3 × 3 with bias, batch norm and a ReLU of slope 0.01 below zero; after the
/// third and sixth the largest of 2 × 2 pixels, and channels dropped with probability 0.25; the last three without
/// padding; the mean over all pixels. 4,434,570 parameters for ten classes.
///
/// The code drops channels in evaluation too, since `dropout2d` of `torch.nn.functional` does so unless told not to. Here
/// evaluation drops nothing.
enum CoTeachingCNN {
  static let entries = [
    Network.Entry(name: "cnn9", summary: "9-layer CNN with dropout (co-teaching)", options: []) { graph, classes, _ in
      // A quarter of each side must be left for three convolutions that take two pixels each.
      try graph.requireImages(ofAtLeast: 28, for: "cnn9")
      try graph.requireImages(ofAtMost: 1 << 21, for: "cnn9")
      graph.initialization = .uniform
      var x = graph.images
      for (index, channels) in [128, 128, 128, 256, 256, 256, 512, 256, 128].enumerated() {
        x = graph.convolveWithBias(x, "c\(index + 1)", channels: channels, size: 3, padding: index < 6 ? 1 : 0)
        x = graph.rectify(graph.normalize(x, "bn\(index + 1)"), slope: 0.01)
        if index == 2 || index == 5 {
          x = graph.dropout(graph.pool(x, size: 2, stride: 2, maximum: true), rate: 0.25, channels: true)
        }
      }
      _ = graph.linear(graph.globalAverage(x), "l_c1", outputs: classes)
    }
  ]
}
